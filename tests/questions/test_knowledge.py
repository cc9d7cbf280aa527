"""The question of knowledge: what benchmarks say, and what a test of bias cannot."""

import pytest

import driftkit as dk
from driftkit.datasets import SimilarityBenchmark, WordSets
from driftkit.provenance import Rounding, Source

HALF = 12  # targets in either set


@pytest.fixture(scope="module")
def tables(glove):
    """The most frequent words, and the same with every row a little longer."""
    original = dk.Embeddings(glove.words[:1000], glove.matrix[:1000])
    return original, dk.Embeddings(original.words, 1.01 * original.matrix)


@pytest.fixture(scope="module")
def bias(tables):
    words = tables[0].words[100:]
    x, y, a, b = (words[start : start + HALF] for start in range(0, 4 * HALF, HALF))
    return WordSets("leaning", ("x", "y", "a", "b"), x, y, a, b)


@pytest.fixture(scope="module")
def pairs(tables):
    """Pairs that the original ranks as people would."""
    original, _ = tables
    asked = list(zip(original.words[200:250], original.words[300:350], strict=True))
    gold = [float(original[one] @ original[other]) for one, other in asked]
    return SimilarityBenchmark("ranked", asked, gold)


def knowledge(original, tuned, *benchmarks):
    audit = dk.audit(dk.align(original, tuned), benchmarks=list(benchmarks), resamples=100)
    return audit, audit.finding("knowledge")


def test_a_bias_that_stayed_is_no_evidence_of_knowledge(tables, bias):
    audit, found = knowledge(*tables, bias)
    assert audit.scores["leaning"].status == "retained"
    assert found.status == "not tested"
    assert found.sentence == (
        "no benchmark of knowledge was asked for (-b NAME or FILE would test it); the bias test "
        "leaning is as before"
    )
    assert found.evidence["bias_tests"] == ["leaning"]
    assert found.evidence["retained"] == []
    assert found.evidence["items"] == 0


def test_a_bias_beside_a_benchmark_decides_nothing(tables, bias, pairs):
    alone = knowledge(*tables, pairs)[1]
    found = knowledge(*tables, pairs, bias)[1]
    assert alone.status == found.status == "kept"
    assert found.sentence == f"{alone.sentence}; the bias test leaning is as before"


def test_a_bias_that_could_not_have_changed_is_named_as_such(tables, bias):
    original, _ = tables
    rows = original.matrix.copy()
    rows[0] *= 2  # a word that is in no set
    found = knowledge(original, dk.Embeddings(original.words, rows), bias)[1]
    assert found.sentence.endswith("the bias test leaning is not tested")


def test_where_nothing_moved_no_score_could_change(tables, pairs, bias):
    original, _ = tables
    fewer = dk.Embeddings(original.words[:-3], original.matrix[:-3])
    found = knowledge(original, fewer, pairs, bias)[1]
    assert (found.status, found.sentence) == ("kept", "no score could change")


def test_rounding_is_judged_by_the_scores_themselves(tables, pairs):
    original, _ = tables
    halves = dk.Embeddings(
        original.words[:-3],
        original.matrix[:-3].astype("float16"),
        source=Source("halves", dtype="float16", rounding=Rounding(relative=2**-11)),
    )
    audit, found = knowledge(original, halves, pairs)
    assert not audit.pair.moved.any()
    assert audit.pair.changed.any()
    assert (found.status, found.sentence) == (
        "kept",
        "no benchmark changed by more than rounding",
    )


def test_without_a_benchmark_nothing_is_tested(tables):
    found = knowledge(*tables)[1]
    assert (found.status, found.sentence) == (
        "not tested",
        "no benchmark of knowledge was asked for (-b NAME or FILE would test it)",
    )
