from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.stats
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.datasets import SimilarityBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.evaluators.items import find_items
from driftkit.evaluators.similarity import cosines, pearson, spearman, undefined_reason

VALUES = st.lists(
    st.tuples(st.integers(0, 6), st.floats(-1, 1).map(lambda x: round(x, 2))),
    min_size=3,
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_the_correlations_are_those_of_scipy(rows: list[tuple[int, float]]) -> None:
    x, y = np.array(rows, float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(spearman(x, y))
        assert np.isnan(pearson(x, y))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.stats.ConstantInputWarning)
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
        assert pearson(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_pearson_at_any_scale(scale: float) -> None:
    x = np.array([1.0, 2.0, 4.0])
    assert pearson(x * scale, x) == pytest.approx(1)


def test_spearman_does_not_care_about_the_scale_of_the_scores() -> None:
    x, y = np.array([0.1, 0.9, 0.4, 0.4]), np.array([1.0, 2.0, 3.0, 0.0])
    assert spearman(np.exp(x), y) == spearman(x, y)


def test_two_pairs_are_too_few() -> None:
    two = np.array([1.0, 2.0])
    assert np.isnan(spearman(two, two))
    assert "needs 3 or more" in undefined_reason(two)
    assert "human scores" in undefined_reason(np.ones(3))
    assert "cosines" in undefined_reason(np.arange(3.0))


def test_cosines_by_the_definition(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(6, 5)).astype(np.float32)
    pairs = np.array([[0, 1], [2, 2], [5, 3]])
    for (i, j), cosine in zip(pairs, cosines(matrix, pairs), strict=True):
        u, v = matrix[i].astype(float), matrix[j].astype(float)
        assert cosine == pytest.approx(u @ v / np.sqrt((u @ u) * (v @ v)), abs=1e-12)


def test_a_table_whose_rows_are_all_alike_orders_nothing(rng: np.random.Generator) -> None:
    """Without rounding, the noise of the last bit would give a correlation here."""
    matrix = (np.ones((40, 1)) * rng.normal(size=(1, 37)) * rng.uniform(1, 9, (40, 1))).astype("f4")
    pairs = np.arange(40).reshape(20, 2)
    exact = np.ones((40, 1), np.float32) * rng.normal(size=(1, 37)).astype(np.float32)
    assert np.ptp(cosines(exact, pairs)) == 0
    # Rows rounded one by one to float32 do differ, by 1e-14 at most in cosine.
    assert np.ptp(cosines(matrix, pairs)) <= 1e-12


def upper_folded(vectors: KeyedVectors, name: str, limit: int = 300_000):
    """gensim's rule: the first 300,000 words, in upper case, first variant wins."""
    folded = Embeddings(
        [word.upper() for word in vectors.index_to_key[:limit]], vectors.vectors[:limit]
    )
    benchmark = get(name)
    assert isinstance(benchmark, SimilarityBenchmark)
    pairs = tuple((a.upper(), b.upper()) for a, b in benchmark.pairs)
    items = find_items(pairs, folded.index, folded.norms == 0)
    used = items.usable
    return benchmark.gold[used], cosines(folded.matrix, items.rows[used]), items


def case_sensitive(vectors: KeyedVectors, name: str):
    table = Embeddings.from_gensim(vectors)
    benchmark = get(name)
    assert isinstance(benchmark, SimilarityBenchmark)
    kept = [i for i, pair in enumerate(benchmark.pairs) if all(word in table for word in pair)]
    items = find_items([benchmark.pairs[i] for i in kept], table.index, table.norms == 0)
    return benchmark.gold[kept], cosines(table.matrix, items.rows), 1 - len(kept) / len(benchmark)


def test_published_figures_of_gensim_s_own_vectors() -> None:
    vectors = KeyedVectors.load_word2vec_format(datapath("euclidean_vectors.bin"), binary=True)
    gold, cosine, items = upper_folded(vectors, "ws353")
    assert pearson(gold, cosine) == pytest.approx(0.2442501054, abs=1e-6)
    assert spearman(gold, cosine) == pytest.approx(0.2736024135, abs=1e-6)
    assert 100 * (1 - items.n_used / items.n_total) == pytest.approx(69.1218, abs=1e-4)
    gold, cosine, oov = case_sensitive(vectors, "ws353")
    assert pearson(gold, cosine) == pytest.approx(0.2240613467, abs=1e-6)
    assert spearman(gold, cosine) == pytest.approx(0.2646218923, abs=1e-6)
    assert 100 * oov == pytest.approx(71.1048, abs=1e-4)


def test_published_figures_of_lee_fasttext() -> None:
    vectors = KeyedVectors.load_word2vec_format(datapath("lee_fasttext.vec"))
    gold, cosine, items = upper_folded(vectors, "ws353")
    assert pearson(gold, cosine) == pytest.approx(-0.1196325602, abs=1e-6)
    assert spearman(gold, cosine) == pytest.approx(-0.0587712077, abs=1e-6)
    *_, oov = vectors.evaluate_word_pairs(datapath("wordsim353.tsv"))
    assert 100 * (1 - items.n_used / items.n_total) == pytest.approx(oov, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"), [("ws353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")]
)
def test_gensim_s_evaluate_word_pairs(glove: Embeddings, name: str, file: str) -> None:
    vectors = glove.to_gensim()
    (their_pearson, _), (their_spearman, _), oov = vectors.evaluate_word_pairs(datapath(file))
    gold, cosine, items = upper_folded(vectors, name)
    assert pearson(gold, cosine) == pytest.approx(their_pearson, abs=1e-6)
    assert spearman(gold, cosine) == pytest.approx(their_spearman, abs=1e-6)
    assert 100 * (1 - items.n_used / items.n_total) == pytest.approx(oov, abs=1e-6)
