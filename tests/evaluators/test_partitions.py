from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.evaluators.partitions import adjusted_rand, contingency, purity, v_measure

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


def dense(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.array(rows).T
    return np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1]


@settings(max_examples=80, deadline=None)
@given(LABELS)
def test_the_figures_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
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
    for figure in (purity, adjusted_rand, v_measure):
        assert figure(categories, renamed) == pytest.approx(figure(categories, clusters))


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_purity_by_its_definition(rows: list[tuple[int, int]]) -> None:
    categories, clusters = dense(rows)
    largest = [np.bincount(categories[clusters == c]).max() for c in np.unique(clusters)]
    assert purity(categories, clusters) == pytest.approx(sum(largest) / len(rows))
    assert purity(categories, np.arange(len(rows))) == 1
    for figure in (purity, adjusted_rand, v_measure):
        assert figure(categories, categories) == pytest.approx(1)
