"""Colors that can be told apart: on both pages, and by eyes that lack one kind of cone."""

from itertools import combinations

import numpy as np
import pytest

from driftkit.charts.theme import COLORS, config, finished, sentence
from driftkit.errors import MissingExtraError

TOGETHER = [
    ("original", "tuned", "chance"),
    ("original", "tuned", "unmoved"),
    ("lost", "gained", "unmoved"),
    ("moved", "unmoved"),
    ("moved", "lost", "gained"),
]
"""Colors that meet in one chart."""

# Machado, Oliveira & Fernandes 2009, severity 1.
DEFICIENT = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip


def linear(color):
    srgb = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return TO_XYZ[1] @ linear(color)


def contrast(one, other):
    """The ratio of WCAG 2."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def lab(color, eyes):
    xyz = TO_XYZ @ np.clip(np.asarray(DEFICIENT[eyes]) @ linear(color), 0, 1)
    ratio = xyz / (TO_XYZ @ np.ones(3))
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", COLORS)
def test_marks_stand_out_from_the_page(name, dark):
    assert contrast(COLORS[name], config(dark)["background"]) >= 3


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read(dark):
    frame = config(dark)
    for color in (
        frame["text"]["color"],
        frame["title"]["color"],
        frame["title"]["subtitleColor"],
        frame["axis"]["labelColor"],
        frame["axis"]["titleColor"],
        frame["legend"]["labelColor"],
    ):
        assert contrast(color, frame["background"]) >= 4.5


@pytest.mark.parametrize("eyes", DEFICIENT)
def test_colors_that_meet_are_told_apart(eyes):
    for group in TOGETHER:
        for one, other in combinations(group, 2):
            apart = np.linalg.norm(lab(COLORS[one], eyes) - lab(COLORS[other], eyes))
            assert apart > 15, (one, other)


def test_one_color_is_one_thing():
    named = {name: color for name, color in COLORS.items() if name != "chance"}
    assert len(set(named.values())) == len(named)


def test_a_sentence_stands_where_nothing_is_drawn(drawn):
    chart = sentence("A title", "Nothing moved.")
    assert {"A title", "Nothing moved."} <= set(drawn(chart)[1])
    assert chart.to_dict()["description"] == "A title. Nothing moved."


def test_long_notes_are_cut_into_lines():
    import altair

    chart = finished(altair.Chart().mark_point(), "t", "word " * 60, "d").to_dict()
    assert len(chart["title"]["subtitle"]) == 3


def test_altair_is_asked_for_in_words(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "altair", None)
    with pytest.raises(MissingExtraError, match=r"altair.*pip install 'driftkit\[report\]'"):
        sentence("A title", "Nothing moved.")
