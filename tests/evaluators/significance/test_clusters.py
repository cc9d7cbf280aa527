"""Items that share words: theorems, and a slow obvious oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.evaluators.significance import (
    Clusters,
    Difference,
    MeanDifference,
    PearsonDifference,
    SpearmanDifference,
    interval,
)

labels = st.integers(2, 12).flatmap(
    lambda m: st.integers(1, 4).flatmap(
        lambda c: st.lists(
            st.lists(st.integers(-1, 8), min_size=c, max_size=c), min_size=m, max_size=m
        )
    )
)


def slow_effect(rows: np.ndarray, influence: np.ndarray) -> float:
    """Sum over all pairs of items the words they share, each item's own term twice at most."""
    shared = [
        {w for w in row if w >= 0 and sum(w in other for other in rows.tolist()) > 1}
        for row in rows.tolist()
    ]
    total = 0.0
    for i, one in enumerate(shared):
        for j, other in enumerate(shared):
            if i == j and not one:
                total += influence[i] ** 2
            for _ in one & other:
                weight = np.sqrt(min(1, 2 / len(one)) * min(1, 2 / len(other)))
                total += weight * influence[i] * influence[j]
    return max(1.0, total / (influence @ influence))


@settings(max_examples=200, deadline=None)
@given(labels, st.integers(0, 2**16))
def test_the_design_effect_is_the_sum_over_all_pairs_of_items(rows, seed) -> None:
    rows = np.array(rows)
    influence = np.random.default_rng(seed).normal(size=len(rows))
    found = Clusters(rows).design_effect(influence)
    assert found == pytest.approx(slow_effect(rows, influence), rel=1e-9)


def test_items_that_share_nothing_are_independent(rng: np.random.Generator) -> None:
    rows = rng.permutation(400).reshape(100, 4)
    clusters, influence = Clusters(rows), rng.normal(size=100)
    assert not clusters.is_shared
    assert clusters.design_effect(influence) == 1  # not nearly: no digit of an interval moves
    assert clusters.count() == 100


def test_a_label_each_is_a_cluster_each(rng: np.random.Generator) -> None:
    """One label an item: the variance of whole clusters, as a bootstrap over them has it."""
    which = np.repeat(np.arange(40), 25)
    change = np.repeat(rng.normal(size=40), 25)
    influence = change - change.mean()
    clusters = Clusters(which[:, None])
    assert clusters.design_effect(influence) == pytest.approx(25)
    assert clusters.count() == 40
    drawn = MeanDifference(np.zeros(1000), change).resample_clusters(list(which), 20_000, rng)
    widened = np.sqrt(25 * influence @ influence) / 1000
    assert widened == pytest.approx(drawn.std(), rel=0.03)


def test_only_clusters_of_chosen_items_count() -> None:
    clusters = Clusters(np.array([[0, 1], [0, 2], [5, 6], [7, 7]]))
    assert clusters.count() == 3  # the word 0, and two items that share nothing
    assert clusters.count(np.array([True, False, False, True])) == 2
    assert clusters.count(np.zeros(4, bool)) == 0


def test_nothing_changed() -> None:
    assert Clusters(np.array([[0], [0]])).design_effect(np.zeros(2)) == 1


@pytest.mark.parametrize("kind", [SpearmanDifference, PearsonDifference])
def test_influence_is_that_of_leaving_items_out(kind, rng: np.random.Generator) -> None:
    gold = rng.integers(0, 6, 300).astype(float)
    before = gold + rng.normal(size=300)
    after = np.round(before + rng.normal(size=300))
    difference = kind(gold, before, after)
    slow = Difference.influence(difference)
    np.testing.assert_allclose(difference.influence(), slow, atol=0.06)
    assert np.corrcoef(difference.influence(), slow)[0, 1] > 0.999
    error = difference.influence().std() / np.sqrt(300)
    assert error == pytest.approx(difference.resample(4000, rng).std(), rel=0.05)


def test_influence_of_means_is_exact(rng: np.random.Generator) -> None:
    difference = MeanDifference(rng.random(30), rng.random(30))
    np.testing.assert_allclose(difference.influence(), Difference.influence(difference), atol=1e-12)


def test_noise_of_words_is_forgiven_where_noise_of_items_would_be_lost() -> None:
    """Each word has an error that all its pairs share, as noise on its row makes."""
    rng = np.random.default_rng(2)
    wrong_plain = wrong_shared = 0
    for _ in range(200):
        pairs = np.stack([rng.integers(0, 20, 300), 20 + rng.integers(0, 20, 300)], axis=1)
        change = rng.normal(size=40)[pairs].sum(axis=1) + 0.3 * rng.normal(size=300)
        difference = MeanDifference(np.zeros(300), change)
        drawn, clusters = difference.resample(400, rng), Clusters(pairs)
        effect = clusters.design_effect(difference.influence())
        wide = change.mean() + np.sqrt(effect) * (drawn - change.mean())
        for draws, n in ((drawn, 300), (wide, clusters.count())):
            bounds = interval(draws, n)
            excludes = bounds.low > 0 or bounds.high < 0
            wrong_plain += excludes and draws is drawn
            wrong_shared += excludes and draws is wide
    assert wrong_plain > 80  # 40 %
    assert wrong_shared <= 16  # 5 % are 10
