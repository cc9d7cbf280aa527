"""Charts of other results: scores, neighbors of one word, thresholds, the link."""

import math

import numpy as np
import pytest

import driftkit as dk
from driftkit.charts.neighbors import neighbors
from driftkit.charts.thresholds import thresholds
from driftkit.neighbors import Shift


def test_scores_of_tables_side_by_side(pair, rows_of, drawn):
    scores = dk.score(pair.original, ["ws353", "simlex999"])
    scores += dk.score(pair.tuned, ["ws353", "simlex999"])
    chart = scores.plot()
    rows, frame = rows_of(chart, "benchmark", "score"), scores.to_frame()
    frame = frame[frame["category"].isna()]
    np.testing.assert_allclose([row["score"] for row in rows], frame["value"], atol=1e-6)
    assert [row["used"] for row in rows] == frame["n_used"].tolist()
    _, texts = drawn(chart)
    assert {"before", "after", "ws353 (spearman)"} <= set(texts)


def test_what_could_not_be_measured_is_counted(pair, drawn):
    nothing = dk.Embeddings(["qu", "qux"], np.eye(2))
    scores = dk.score(nothing, ["ws353"])
    assert "No benchmark could be measured." in drawn(scores.plot())[1]
    both = dk.score(pair.original, ["ws353"]) + scores
    left = sum(math.isnan(score.value) for score in scores)
    assert any(f"{left} could not be measured" in text for text in drawn(both.plot())[1])


def test_a_shift_joins_what_was_kept(audited, rows_of, drawn):
    shift = audited.most_shifted(1, moved=False)[0]
    chart = shift.plot()
    rows = rows_of(chart, "side", "rank")
    for side, listed in (("before", shift.before), ("after", shift.after)):
        shown = [(row["word"], row["cosine"]) for row in rows if row["side"] == side]
        assert [word for word, _ in shown] == [word for word, _ in listed]
        np.testing.assert_allclose(
            [cosine for _, cosine in shown], [c for _, c in listed], atol=1e-4
        )
    kinds = {
        kind: {row["word"] for row in rows if row["is"] == kind} for kind in ("lost", "gained")
    }
    assert kinds == {"lost": set(shift.lost), "gained": set(shift.gained)}
    lines = rows_of(chart, "before", "after")
    assert [shift.before[line["before"] - 1][0] for line in lines] == list(shift.kept)
    assert [shift.after[line["after"] - 1][0] for line in lines] == list(shift.kept)
    _, texts = drawn(chart)
    assert f"The neighbors of “{shift.word}”" in texts


def test_a_shift_without_neighbors_says_why(drawn):
    chart = Shift("word", (), (), math.nan, math.nan, reason="its row is zero").plot()
    assert "Its row is zero." in drawn(chart)[1]


def test_strange_neighbors_are_text(drawn):
    listed = [{"word": "<img src=x>", "cosine": 0.5}, {"word": "a\x1bb", "cosine": 0.4}]
    root, texts = drawn(neighbors("</text><script>", listed, listed[:1]))
    assert "= <img src=x>" in texts
    assert r"− a\x1bb" in texts
    assert not any(each.tag.endswith(("script", "img")) for each in root.iter())


def test_thresholds_and_who_still_passes(pair, rows_of, drawn):
    found = [dk.translate_threshold(pair, at, candidates=400) for at in (0.7, 0.5)]
    chart = thresholds(each.to_dict() for each in found)
    rows = rows_of(chart, "threshold", "kept")
    assert [row["original"] for row in rows] == [0.5, 0.7]
    for row, each in zip(rows, reversed(found), strict=True):
        assert (row["tuned"], row["low"], row["high"]) == pytest.approx(
            (each.tuned, each.low, each.high), abs=1e-6
        )
        assert row["kept"] == pytest.approx(each.kept / each.passed, abs=1e-6)
    assert len(rows_of(found[0].plot(), "threshold")) == 1
    _, texts = drawn(chart)
    assert "What thresholds on the cosine have become" in texts


def test_the_link_and_what_a_map_restores(rows_of, drawn):
    rng = np.random.default_rng(0)
    before = rng.normal(size=(300, 6))
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    words = [f"w{at}" for at in range(300)]
    found = dk.link(dk.align(dk.Embeddings(words, before), dk.Embeddings(words, before @ turn)))
    chart = found.plot()
    rows = rows_of(chart, "asked", "share")
    told = {(row["asked"], row["rows"]): row["share"] for row in rows}
    for each in found.crossings:
        asked = f"{each.group} rows, by {each.way}"
        assert told[asked, "tuned rows"] == pytest.approx(each.at_1, abs=1e-6)
        assert told[asked, "original rows"] == pytest.approx(each.original_at_1, abs=1e-6)
    mapped = told["rows kept for the trial, by l2", "tuned rows through the map"]
    assert mapped == pytest.approx(found.map.evidence.found[1], abs=1e-6)
    assert "A map was found." in drawn(chart)[1]


def test_a_link_between_widths_is_said_in_words(drawn):
    before = np.random.default_rng(0).normal(size=(12, 4))
    words = [f"w{at}" for at in range(12)]
    found = dk.link(dk.align(dk.Embeddings(words, before), dk.Embeddings(words, before[:, :2])))
    _, texts = drawn(found.plot())
    assert "Do readers of the original find the tuned rows?" in texts
