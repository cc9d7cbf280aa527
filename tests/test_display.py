import math
import re
from html import escape
from itertools import pairwise

import numpy as np
import pytest
from rich.columns import Columns
from rich.console import Group
from rich.text import Text
from static_html import require_static

import driftkit as dk
from driftkit.charts.theme import COLORS
from driftkit.datasets import SimilarityBenchmark
from driftkit.display import (
    before_and_after,
    first_few,
    interval,
    joined,
    number,
    reasons,
    run_of,
    section,
    signed,
    table,
    to_html,
    to_text,
    unwrapped,
)
from driftkit.evaluators.scores import Score, Scores


def test_numbers():
    assert number(0.12345) == "0.12"
    assert number(12345.6, 3) == "12,346"
    assert [number(x, 3) for x in (999_999_999, 1e9, -1.5164e30)] == [
        "999,999,999", "1e+09", "-1.52e+30",
    ]  # fmt: skip
    assert number(math.nan) == "-"


def test_changes_show_their_sign_unless_they_round_to_zero():
    assert [signed(x) for x in (0.1, -0.1, 0.0004, -0.0004)] == [
        "+0.100",
        "-0.100",
        "0.000",
        "0.000",
    ]
    assert interval(-0.1, 0.2) == "-0.100 to +0.200"
    assert interval(math.nan, math.nan) == "-"


def test_reasons_are_given_once():
    lines = reasons([("a", None), ("b", "too few"), ("b", "too few")])
    assert [line.plain for line in lines] == ["Not measured: b: too few."]
    assert reasons([("b", "too few")], "Not tested")[0].plain == "Not tested: b: too few."


def test_a_section_has_a_title_and_a_table_under_it():
    made = table("word", right=("n",))
    made.add_row("good", "3")
    assert to_text(section("Words", made), 30).splitlines() == ["", "Words", "word n", "good 3"]


def test_names_are_listed_as_people_do():
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert first_few("abc") == "a, b, c"
    assert first_few("abcd") == "a, b, c, ... (4 in all)"


def test_a_command_to_copy_is_never_wrapped():
    line = "next: driftkit audit ORIGINAL " + "tuned" * 30
    assert to_text(unwrapped(line), 40) == line


def test_a_notebook_shows_titles_tables_and_blocks_and_escapes_names():
    made = table("word", right=("n",))
    made.add_row("<b>", Text("3", "red"))
    made.add_row("  all", "4", style="dim")
    blocks = Columns([before_and_after("w", "c", ["x"], [])])
    page = require_static(to_html(Group(section("A & B", made), blocks, unwrapped("  a | b"))))
    assert [title.text for title in page.iter("h4")] == ["A & B"]
    assert [line.text for line in page.iter("pre")] == ["  a | b"]
    (ours, block) = page.iter("table")
    assert [["".join(cell.itertext()) for cell in row] for row in ours.iter("tr")] == [
        ["word", "n"],
        ["<b>", "3"],
        ["  all", "4"],
    ]
    assert [cell.tag for cell in block.find("thead").find("tr")] == ["td", "th", "td", "th"]
    aligned = [cell.get("style").split(";")[0] for cell in next(ours.iter("tr"))]
    assert aligned == ["text-align:left", "text-align:right"]


def styles_of(html):
    """Text and style of every element of a page that has a style of its own."""
    page = require_static(html)
    return {"".join(each.itertext()): each.get("style") for each in page.iter("span")}


def test_a_notebook_repeats_what_styles_say():
    html = to_html(Group(Text("lost", "bold red"), run_of(["a", "b"], " ", "cyan"), "plain"))
    styles = styles_of(html)
    assert "<b><span" in html
    assert styles["lost"].startswith("color:#")
    assert styles["a"] == styles["b"] != styles["lost"]
    assert "plain" not in styles
    assert styles["a"].endswith(";white-space:nowrap")
    assert "nowrap" not in styles_of(to_html(Text("as long as a line", "red")))["as long as a line"]
    made = table("word")
    made.add_row("null", style="dim")
    assert styles_of(to_html(made))["null"] == "opacity:0.7"


def test_lost_and_gained_have_their_color_of_the_charts():
    shown = before_and_after("word", "", ["old"], ["new"])
    styles = styles_of(to_html(shown))
    assert styles["old"].startswith(f"color:{COLORS['lost'].lower()};")
    assert styles["new"].startswith(f"color:{COLORS['gained'].lower()};")


PAGES = [(24, 255), (24, 245), (255, 17), (255, 33), (204, 30)]
"""Grays of text and page: JupyterLab in light and dark, also every other row, and VS Code."""


def luminance(color):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("name", ["red", "cyan", "green", "yellow"])
@pytest.mark.parametrize(("text", "page"), PAGES)
def test_colors_of_a_notebook_can_be_read_on_light_and_on_dark(name, text, page):
    style = styles_of(to_html(Text("word", name)))["word"]
    plain, mixed = re.match(
        r"color:#(\w+);color:color-mix\(in srgb,#\1 (\d+)%,currentColor\)", style
    ).groups()
    color = np.array(list(bytes.fromhex(plain))) / 255
    share = int(mixed) / 100
    for shown, least in ((share * color + (1 - share) * text / 255, 4.5), (color, 3)):
        dark, light = sorted([luminance(shown), luminance([page / 255] * 3)])
        assert (light + 0.05) / (dark + 0.05) >= least


@pytest.fixture(scope="module")
def results():
    """Every result of the library, of tables whose words look like markup."""
    words = ["<i>", "[bold]", ":smile:", *(f"w{i}" for i in range(40))]
    rng = np.random.default_rng(5)
    before = rng.normal(size=(len(words), 6))
    after = before.copy()
    after[:20] += rng.normal(size=(20, 6))
    pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    pairs = tuple(pairwise(words))
    toy = SimilarityBenchmark("<toy>", pairs, np.arange(len(pairs), dtype=float))
    audit = dk.audit(pair, [toy], k=3, resamples=100)
    return {
        "audit": audit,
        "explained": audit.explain(2),
        "shifts": audit.shifts_of(["<i>"]),
        "shift": audit.shifts["<i>"],
        "changes": audit.scores,
        "change": audit.scores["<toy>"],
        "scores": dk.score(pair.tuned, [toy]),
        "evaluation": dk.evaluators.Similarity(toy).score(pair.tuned),
        "compared": dk.compare_audits([audit, audit]),
        "words": audit.words,
        "space": audit.space,
        "link": dk.link(pair),
        "verdict": dk.check(audit, ["moved <= 3", "warn link == kept"]),
    }


OF_WORDS = ("audit", "explained", "shifts", "shift", "words")
OF_BENCHMARKS = ("changes", "change", "scores", "evaluation", "compared")
OTHERS = ("space", "link", "verdict")


@pytest.mark.parametrize("name", [*OF_WORDS, *OF_BENCHMARKS, *OTHERS])
def test_a_shell_and_a_notebook_show_the_same_and_names_as_they_are(results, name):
    shown, html = repr(results[name]), results[name]._repr_html_()
    assert shown == to_text(results[name])
    named = "<i>" if name in OF_WORDS else "<toy>"
    assert (named in shown) == (name not in OTHERS)
    assert named not in html
    assert (escape(named) in html) == (name not in OTHERS)
    words = " ".join(require_static(html.replace("<br>", " ")).itertext()).split()
    assert sorted(words) == sorted(to_text(results[name], 1000).split())


def test_scores_of_several_tables_stand_side_by_side(pair):
    scores = dk.score(pair.original, ["ws353"]) + dk.score(pair.tuned, ["ws353"])
    lines = [line.split() for line in to_text(scores, 80).splitlines()]
    assert lines[0][:4] == ["benchmark", "measure", "before", "after"]
    values = [f"{each.value:.4f}" for each in scores if each.measure == "spearman"]
    assert lines[1][:4] == ["ws353", "spearman", *values]
    one = repr(dk.score(pair.original, ["google"]))
    assert one.split()[:3] == ["benchmark", "measure", "score"]
    assert re.search(r"\n  semantic +3cosadd@1", one)


def score(source, benchmark, value, used=10, oov=()):
    return Score(source, benchmark, "spearman", value, 10, used, oov=oov, reason=None)


def test_tables_that_lack_other_words_are_not_said_to_compare():
    runs = [score("runs/a/hot.pt", "toy", 0.5), score("runs/b/hot.pt", "toy", 0.75, 8, ("tea",))]
    lines = to_text(Scores(tuple(runs)), 100).splitlines()
    assert lines[0].split()[2:4] == ["a/hot.pt", "b/hot.pt"]
    assert lines[1].endswith("0.5000   0.7500 8-10 of 10       0-1")
    assert "do not compare" in lines[2]
    alike = to_text(Scores((runs[0], score("runs/b/hot.pt", "toy", 0.75))), 100)
    assert "compare" not in alike
    assert "OOV" not in alike


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 140])
def test_no_score_is_left_out_or_folded_however_narrow_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    values = [0.1111, -0.2222, 0.3333, -0.4444, 0.5555, -0.6666]
    several = (
        score(f"{at}.pt", "a benchmark of long name", value, 10 - at, ("tea",) * at)
        for at, value in enumerate(values)
    )
    shown = to_text(Scores(tuple(several)), columns)
    assert all(f"{value:.4f}" in shown for value in values)


def test_a_table_that_was_not_asked_has_an_empty_place_and_many_go_below():
    asked = [score(f"{at}.npy", "toy", at / 10) for at in range(7)]
    lines = to_text(Scores((score("0.npy", "other", 0.9), *asked)), 80).splitlines()
    assert lines[1].split() == ["other", "spearman", "0.9000", "10"]
    assert lines[2].split() == [*("toy", "spearman", "0.0000", "0.1000", "0.2000", "0.3000"),
                                *("0.4000", "10")]  # fmt: skip
    assert lines[4].split() == ["benchmark", "measure", "5.npy", "6.npy", "items"]
    assert lines[5].split() == ["toy", "spearman", "0.5000", "0.6000", "10"]


def test_an_inspection_ends_with_the_command_to_run(saved):
    text = to_text(dk.inspect(saved / "tuned.pt"), 40)
    assert text.splitlines()[-1].startswith("next: driftkit audit ORIGINAL ")
    assert text.splitlines()[-1].endswith("tuned.vocab.txt")


def test_words_cannot_steer_a_terminal_and_long_ones_are_cut():
    words = ["\x1b[31mred", "new\nline", "\u202eback", "\ud800", "x" * 10_000, "a\u200db"]
    rng = np.random.default_rng(3)
    before = dk.Embeddings(words, rng.normal(size=(6, 4)))
    pair = dk.align(before, dk.Embeddings(words, rng.normal(size=(6, 4))))
    shifts = dk.neighbor_shifts(pair, k=3)
    for text in (repr(shifts), shifts._repr_html_(), repr(dk.audit(pair, benchmarks=[], k=3))):
        assert not re.search("[\x1b\u202e\ud800]", text)
        assert "\\x1b[31mred" in text
        assert "new\\nline" in text
        assert "x" * 300 not in text
    assert words[0] in [entry["word"] for entry in shifts.to_dict()["words"]]
