from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import compare_scores
from driftkit.datasets import CategorizationBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError
from driftkit.evaluators import Categorization
from driftkit.evaluators.categorization import (
    adjusted_rand,
    contingency,
    purity,
    v_measure,
    ward_clusters,
)
from driftkit.pair import align


def clouds(rng: np.random.Generator, noise: float) -> tuple[Embeddings, CategorizationBenchmark]:
    """Four categories of thirty words around four directions, at any distance."""
    centers = np.eye(4, 10) + 0.1
    labels = np.repeat(np.arange(4), 30)
    matrix = centers[labels] + noise * rng.normal(size=(120, 10))
    matrix *= rng.uniform(0.1, 10, (120, 1))
    words = tuple(f"w{i}" for i in range(120))
    toy = CategorizationBenchmark("toy", words, tuple(f"c{label}" for label in labels))
    return Embeddings(words, matrix), toy


def test_separate_categories_are_found(rng: np.random.Generator) -> None:
    table, toy = clouds(rng, 0.02)
    found = Categorization(toy).score(table)
    assert [score.value for score in found.scores] == pytest.approx([1, 1, 1])
    assert [score.measure for score in found.scores] == ["purity", "adjusted_rand", "v_measure"]
    assert found.item_frame().groupby("category").cluster.nunique().tolist() == [1, 1, 1, 1]


def test_the_clusters_are_scikit_learn_s(rng: np.random.Generator) -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn (extra dev)")
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn (extra dev)")
    table, _ = clouds(rng, 0.5)
    ours = ward_clusters(table.matrix, np.arange(120), 4)
    unit = table.matrix / table.norms[:, None]
    theirs = cluster.AgglomerativeClustering(4, linkage="ward").fit_predict(unit)
    assert metrics.adjusted_rand_score(ours, theirs) == 1


def test_the_length_of_a_vector_does_not_matter(rng: np.random.Generator) -> None:
    table, toy = clouds(rng, 0.5)
    scaled = Embeddings(table.words, table.matrix * rng.uniform(0.5, 2, (120, 1)))
    assert Categorization(toy).score(table).value == pytest.approx(
        Categorization(toy).score(scaled).value
    )


def test_words_the_table_lacks_are_left_out(rng: np.random.Generator) -> None:
    table, toy = clouds(rng, 0.02)
    matrix = np.array(table.matrix[30:])
    matrix[0] = 0
    found = Categorization(toy).score(Embeddings(table.words[30:], matrix))
    assert (found.n_used, found.scores[0].n_total) == (89, 120)
    assert found.scores[0].zero == ("w30",)
    assert found.item_frame().cluster.max() == 2  # as many clusters as categories that are left
    nothing = Categorization(toy).score((["x"], [[1.0]]))
    assert math.isnan(nothing.value)
    assert "no item" in str(nothing.scores[0].reason)
    assert Categorization(toy).score((["w0"], [[1.0]])).value == 1


def test_a_pair_that_was_scrambled_lost_its_categories(rng: np.random.Generator) -> None:
    table, toy = clouds(rng, 0.02)
    scrambled = Embeddings(table.words, table.matrix[rng.permutation(120)])
    change = compare_scores(align(table, scrambled), toy)["toy"]
    assert (change.measure, change.original, change.status) == ("purity", 1, "lost")
    assert change.tuned == pytest.approx(Categorization(toy).score(scrambled).value)
    frame = change.items.to_frame()
    assert frame.columns[:2].tolist() == ["word", "category"]
    assert frame.broke.sum() == round(-change.delta * 120)
    assert "mcnemar" in change.tests


def test_what_has_no_categories() -> None:
    with pytest.raises(BenchmarkError, match="no words with categories"):
        Categorization("ws353")


def test_real_sets(glove: Embeddings, shared_data: Path) -> None:
    """No values are published for these vectors and this clustering; chance is far below."""
    for name, chance in (("ap", 0.2), ("bless", 0.2), ("essli-2008", 0.25)):
        found = Categorization(shared_data / "categorization" / f"{name}.csv").score(glove)
        assert found.value > 2 * chance
        assert found["adjusted_rand"].value > 0.2
        assert found.n_used > 0.95 * found.scores[0].n_total


LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


def dense(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.array(rows).T
    return np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]


@settings(max_examples=80, deadline=None)
@given(LABELS)
def test_the_values_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn (extra dev)")
    categories, clusters = dense(rows)
    ours = adjusted_rand(categories, clusters)
    assert ours == pytest.approx(metrics.adjusted_rand_score(categories, clusters), abs=1e-12)
    theirs = metrics.v_measure_score(categories, clusters)
    assert v_measure(categories, clusters) == pytest.approx(theirs, abs=1e-9)
    np.testing.assert_array_equal(
        contingency(categories, clusters),
        metrics.cluster.contingency_matrix(categories, clusters),
    )


@settings(max_examples=80, deadline=None)
@given(LABELS, st.randoms())
def test_names_of_clusters_do_not_matter(rows: list[tuple[int, int]], random) -> None:
    categories, clusters = dense(rows)
    names = list(range(clusters.max() + 1))
    random.shuffle(names)
    renamed = np.array(names)[clusters]
    for agreement in (purity, adjusted_rand, v_measure):
        assert agreement(categories, renamed) == pytest.approx(agreement(categories, clusters))


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_purity_by_its_definition(rows: list[tuple[int, int]]) -> None:
    categories, clusters = dense(rows)
    largest = [np.bincount(categories[clusters == c]).max() for c in np.unique(clusters)]
    assert purity(categories, clusters) == pytest.approx(sum(largest) / len(rows))
    assert purity(categories, np.arange(len(rows))) == 1
    for agreement in (purity, adjusted_rand, v_measure):
        assert agreement(categories, categories) == pytest.approx(1)
