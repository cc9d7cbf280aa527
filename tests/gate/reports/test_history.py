"""What a history looks like in a terminal; the how-to shows this very screen."""

import pytest
from small_weeks import RULES, audit_of

import driftkit as dk
from driftkit.display import to_text
from driftkit.gate.reports.history import ASCII, BLOCKS, history_view, spark

SIZES = [0.02] * 6 + [0.5] + [0.02] * 3 + [0.2] * 2


@pytest.fixture(scope="module")
def history():
    """Twelve weeks: the third lacks a measure, the seventh is damaged, and so are the last two."""
    weeks = [
        audit_of(at, size, measures=[] if at == 3 else ["jaccard"])
        for at, size in enumerate(SIZES, 1)
    ]
    return dk.history(weeks, [*RULES, "jaccard mean >= 0.7"])


def test_golden(history, golden):
    golden(to_text(history, 80) + "\n", "history.txt")


def test_a_gap_and_what_did_not_hold_are_signs_and_the_rest_heights(history):
    (jaccard,) = (each for each in history.trajectories if "jaccard" in each.subject)
    for ascii_only, levels in ((False, BLOCKS), (True, ASCII)):
        drawn = spark(jaccard, ascii_only=ascii_only).plain
        assert len(drawn) == len(SIZES)
        assert drawn[2] == "?"
        signs = {"fail": "x", "warn": "!"}
        for sign, point in zip(drawn, jaccard.points, strict=True):
            expected = signs.get(point.action, levels if point.value == point.value else "?")
            assert sign in expected


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_line_fits(history, width, ascii_only):
    view = history_view(
        history.runs,
        history.trajectories,
        history.explained,
        history.notes,
        ascii_only=ascii_only,
    )
    text = to_text(view, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() or not ascii_only
