"""Charts of an audit: what they show equals the frames, whatever words are called."""

import json
import re
from itertools import combinations

import numpy as np
import pytest

import driftkit as dk
from driftkit.charts.benchmarks import benchmarks
from driftkit.charts.plots import Plots, TrajectoryPlots
from driftkit.charts.theme import COLORS, config
from driftkit.drift.projection import project
from driftkit.errors import AlignmentError, OptionError
from driftkit.explain.directions import drift_directions

CHARTS = ("words", "benchmarks", "map", "drift_by_rank", "distributions", "directions")
OF_OTHER_WIDTHS = ("words", "benchmarks", "drift_by_rank", "distributions")


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("which", ["audited", "hostile", "still"])
def test_every_chart_is_drawn_with_a_title_and_a_description(name, which, request, drawn):
    chart = getattr(request.getfixturevalue(which).plot, name)()
    spec = chart.to_dict()  # altair checks it against the schema of Vega-Lite
    assert spec["config"] == config()
    assert len(spec["description"]) > 20
    assert spec["title"]["text"] in drawn(chart)[1]


@pytest.mark.parametrize("name", CHARTS)
def test_colors_are_those_of_the_theme(name, audited):
    spec = getattr(audited.plot, name)().to_dict()
    del spec["config"]
    lighter = {"#AE8DF9"}  # words that moved in part
    assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", json.dumps(spec))) <= {*COLORS.values(), *lighter}


@pytest.mark.parametrize("name", CHARTS)
def test_words_are_read_in_the_ink_of_the_page(name, audited, drawn):
    """The colors of marks stand out by 3 : 1, which is too little for small letters."""
    root, _ = drawn(getattr(audited.plot, name)())
    colors = {color.lower() for color in COLORS.values()}
    colored = (
        each
        for each in root.iter("{http://www.w3.org/2000/svg}text")
        if each.get("fill", "").lower() in colors
    )
    assert {each.text for each in colored} <= {"−", "+"}


@pytest.mark.parametrize("name", CHARTS)
def test_strange_names_are_text_and_nothing_else(name, hostile, drawn):
    root, texts = drawn(getattr(hostile.plot, name)())
    assert not any(each.tag.endswith(("script", "}b", "}i")) for each in root.iter())
    joined = "\n".join(texts)
    assert "\x1b" not in joined
    assert "x" * 200 not in joined
    if name == "words":
        assert "<script>alert(1)</script>" in texts
        assert "שלום עולם" in texts
        assert any("green <i>tea</i>" in text for text in texts)


@pytest.mark.parametrize("name", OF_OTHER_WIDTHS)
def test_what_can_be_drawn_of_two_widths_is(name, wider, drawn):
    chart = getattr(wider.plot, name)()
    _, texts = drawn(chart)
    assert "self_cosine" not in json.dumps(chart.to_dict()["datasets"])
    assert not any("self_cosine: " in text for text in texts)


@pytest.mark.parametrize("name", ["map", "directions"])
def test_what_cannot_is_refused_in_words(name, wider):
    with pytest.raises(AlignmentError, match="50 against 55 dimensions"):
        getattr(wider.plot, name)()


def test_a_chart_is_saved_by_its_ending(audited, tmp_path):
    chart = audited.plot.directions()
    for ending, begins in (("svg", b"<svg"), ("png", b"\x89PNG"), ("json", b"{")):
        chart.save(tmp_path / f"chart.{ending}")
        assert (tmp_path / f"chart.{ending}").read_bytes().startswith(begins)


# --- words ----------------------------------------------------------------------------------------


def test_words_are_the_most_shifted_with_their_values(audited, rows_of):
    rows = rows_of(audited.plot.words(7, moved=True), "word", "overlap")
    shifts = audited.most_shifted(7, moved=True)
    assert [row["word"] for row in rows] == [shift.word for shift in shifts]
    frame = audited.to_frame("words").set_index("word").loc[[row["word"] for row in rows]]
    np.testing.assert_allclose([row["overlap"] for row in rows], frame["overlap@10"], atol=1e-4)
    np.testing.assert_allclose(
        [row["self_cosine"] for row in rows], frame["self_cosine"], atol=1e-4
    )
    assert [row["row"] for row in rows] == frame["rank"].tolist()
    assert rows[0]["lost"].split(", ") == list(shifts[0].lost)
    assert rows[0]["gained"].split(", ") == list(shifts[0].gained)


def test_moved_and_unmoved_words_are_asked_for_apart_or_together(audited, rows_of):
    kinds = {
        moved: {row["is"] for row in rows_of(audited.plot.words(200, moved=moved), "word")}
        for moved in (None, True, False)
    }
    assert kinds == {None: {"moved", "unmoved"}, True: {"moved"}, False: {"unmoved"}}
    both = rows_of(audited.plot.words(200), "word", "overlap")
    overlaps = [row["overlap"] for row in both]
    assert overlaps == sorted(overlaps)


def test_where_no_word_changed_a_sentence_says_so(still, drawn):
    assert "None of the words lost a neighbor." in drawn(still.plot.words())[1]
    assert "No word moved, so there is no direction." in drawn(still.plot.directions())[1]


# --- benchmarks -----------------------------------------------------------------------------------


def test_benchmarks_equal_the_frames(audited, rows_of):
    chart, frame = audited.plot.benchmarks(), audited.to_frame("benchmarks")
    rows = rows_of(chart, "benchmark", "ci_low")
    for key in ("delta", "ci_low", "ci_high", "margin"):
        np.testing.assert_allclose([row[key] for row in rows], frame[key], atol=1e-6)
    assert [row["status"] for row in rows] == frame["status"].tolist()
    scores = rows_of(chart, "benchmark", "table")
    for table, column in (
        ("original", "original"),
        ("tuned", "tuned"),
        ("moved at random", "null"),
    ):
        shown = [row["score"] for row in scores if row["table"] == table]
        np.testing.assert_allclose(shown, frame[column], atol=1e-6)
    split = audited.to_frame("split").dropna(subset="delta")
    parts = rows_of(chart, "benchmark", "part")
    np.testing.assert_allclose([row["delta"] for row in parts], split["delta"], atol=1e-6)
    assert [row["items"] for row in parts] == split["n"].tolist()


def test_changes_of_scores_have_the_same_chart(audited):
    without_null = audited.scores.plot().to_dict()
    assert "moved at random" not in json.dumps(without_null)
    assert without_null["title"] == audited.plot.benchmarks().to_dict()["title"]


def test_what_was_not_measured_is_said_beside_the_rest(audited, rows_of, drawn):
    frame = audited.scores.to_frame()
    numbers = ["original", "tuned", "delta", "ci_low", "ci_high"]
    frame.loc[1, numbers] = np.nan
    frame.loc[1, "status"] = "not measured"
    split = audited.scores.split_frame()
    chart = benchmarks(frame, split[split["name"] == "ws353"])
    assert rows_of(chart, "ci_low")[1]["ci_low"] is None
    assert "? not measured" in drawn(chart)[1]


def test_no_benchmark_is_said(hostile, drawn):
    assert any("No benchmark was asked" in text for text in drawn(hostile.plot.benchmarks())[1])


# --- the map --------------------------------------------------------------------------------------


def test_the_map_draws_where_the_projection_puts_words(audited, rows_of):
    pair = audited.pair
    chart = audited.plot.map(5, points=400)
    arrows = rows_of(chart, "angle")
    moved = [row for row in rows_of(chart, "x2") if row not in arrows]
    assert {row["word"] for row in moved} == {pair.words[at] for at in np.flatnonzero(pair.moved)}
    at = pair.rows(row["word"] for row in moved)
    found = project(pair, at)
    for name, place in (("x", found.before[:, 0]), ("y2", found.after[:, 1])):
        np.testing.assert_allclose([row[name] for row in moved], place, atol=6e-4)
    turned = audited.to_frame("words").query("moved").nsmallest(5, "self_cosine")
    assert {row["word"] for row in arrows} == set(turned["word"])


def test_arrows_point_from_before_to_after(audited, rows_of):
    for row in rows_of(audited.plot.map(), "angle"):
        way = np.array([row["x2"] - row["x"], row["y2"] - row["y"]])
        up = np.radians(row["angle"])
        along = way @ [np.sin(up), np.cos(up)]
        assert along == pytest.approx(np.linalg.norm(way), rel=0.02)


def test_no_name_covers_another(audited):
    spec = audited.plot.map(60).to_dict()
    text = spec["layer"][-1]
    assert text["mark"]["type"] == "text"
    named = spec["datasets"][text["data"]["name"]]
    assert 10 < len(named) <= 60
    unit = np.diff(spec["layer"][0]["encoding"]["x"]["scale"]["domain"])[0] / spec["width"]
    for one, other in combinations(named, 2):
        left, right = sorted([one, other], key=lambda row: row["x"])
        beside = left["x"] + 5 * len(left["word"]) * unit < right["x"]
        assert beside or abs(left["y"] - right["y"]) > 10 * unit


@pytest.mark.parametrize("points", [1, 10, 5_001, 10**6])
def test_as_many_points_as_are_asked_for_and_there_are(audited, points, rows_of):
    chart = audited.plot.map(points=points)
    dots = {row["word"] for row in rows_of(chart, "word", "x")}
    assert len(dots) == min(points, len(audited.pair))


def test_ten_thousand_words_stay_small(rows_of):
    rng = np.random.default_rng(0)
    before = rng.normal(size=(10_000, 4))
    after = np.where(np.arange(10_000)[:, None] % 3 == 0, rng.normal(size=(10_000, 4)), before)
    words = [f"word{at}" for at in range(10_000)]
    pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    found = dk.audit(pair, [], candidates=200)
    chart = found.plot.map(points=10_000)  # altair alone would refuse more than 5,000 rows
    assert len({row["word"] for row in rows_of(chart, "word", "x")}) == 10_000
    assert len(chart.to_json(indent=None)) < 1_000_000


# --- spread, ranks, directions --------------------------------------------------------------------


def test_means_by_rank_are_those_of_the_words(audited, rows_of):
    chart, frame = audited.plot.drift_by_rank(), audited.to_frame("words")
    for panel, measure in zip(
        chart.to_dict()["vconcat"], ["overlap@10", "self_cosine"], strict=True
    ):
        rows = chart.to_dict()["datasets"][panel["layer"][0]["data"]["name"]]
        assert {row["is"] for row in rows} == {"moved", "unmoved"}
        for row in rows:
            inside = frame[frame["rank"].between(row["first"], row["last"])]
            values = inside[inside["moved"] == (row["is"] == "moved")][measure].dropna()
            assert row["words"] == len(values) >= 5
            assert row["mean"] == pytest.approx(values.mean(), abs=1e-6)
            assert row["p05"] == pytest.approx(values.quantile(0.05), abs=1e-6)
    null = [row for row in rows_of(chart, "line") if row["line"] == "moved at random"]
    assert null
    assert rows_of(chart, "line")[0]["mean"] == pytest.approx(
        10 / (len(audited.shifts.candidates) - 1), abs=1e-6
    )


def test_bars_are_shares_of_their_group(audited, rows_of):
    chart, frame = audited.plot.distributions(), audited.to_frame("words")
    bars = rows_of(chart, "low", "high", "share")
    values = frame[frame["moved"]]["overlap@10"].dropna()
    for bar in bars[: values.nunique()]:
        inside = ((values >= bar["low"]) & (values <= bar["high"])).sum()
        assert (bar["words"], bar["share"]) == (
            inside,
            pytest.approx(inside / len(values), abs=1e-6),
        )
    assert sum(bar["share"] for bar in bars) == pytest.approx(4, abs=1e-4)
    assert sum(bar["words"] for bar in bars) == len(audited.shifts) + len(frame)


def test_directions_are_those_of_the_drift(audited, rows_of):
    rows = rows_of(audited.plot.directions(4), "direction")
    found = drift_directions(audited.pair, 4, named=4)
    np.testing.assert_allclose(
        [row["share"] for row in rows], [each.share for each in found], atol=1e-6
    )
    assert rows[0]["one"].split(", ") == list(found[0].away)
    assert rows[0]["other"].split(", ") == list(found[0].toward)


# --- several checkpoints --------------------------------------------------------------------------


def test_a_trajectory_shows_each_checkpoint(audited, still, wider, rows_of, drawn):
    chart = TrajectoryPlots([audited, still, wider]).trajectory()
    kept = rows_of(chart, "checkpoint", "measure")
    moved = [row for row in kept if (row["measure"], row["is"]) == ("overlap@10", "moved")]
    summary = audited.to_frame("summary").set_index(["measure", "group"])
    assert moved[0]["mean"] == pytest.approx(summary.loc[("overlap@10", "moved"), "mean"], abs=1e-6)
    changes = rows_of(chart, "checkpoint", "benchmark")
    frame = audited.to_frame("benchmarks")
    np.testing.assert_allclose([row["delta"] for row in changes[:2]], frame["delta"], atol=1e-6)
    assert len({row["checkpoint"] for row in changes}) == 3
    _, texts = drawn(chart)
    assert any(f"after: {audited.verdict}" in text for text in texts)


def test_a_trajectory_needs_no_benchmark(hostile, drawn):
    chart = TrajectoryPlots([hostile, hostile]).trajectory()
    _, texts = drawn(chart)
    assert "1. memory" in texts
    assert not any("benchmarks" in text for text in texts)


def test_checkpoints_of_one_name_are_numbered(audited, rows_of):
    chart = TrajectoryPlots([audited, audited]).trajectory()
    names = list(dict.fromkeys(row["checkpoint"] for row in rows_of(chart, "checkpoint")))
    assert names == ["1. after", "2. after"]


def test_one_checkpoint_is_no_trajectory(audited):
    with pytest.raises(OptionError, match=r"needs several checkpoints.*dk.compare_audits"):
        Plots(audited).trajectory()


@pytest.mark.parametrize("name", ["words", "map", "directions"])
def test_how_many_is_a_number_above_zero(audited, name):
    with pytest.raises(OptionError):
        getattr(audited.plot, name)(0)
