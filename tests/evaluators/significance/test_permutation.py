from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from driftkit.evaluators.correlations import pearson
from driftkit.evaluators.significance import mcnemar, permute_correlation, permute_means
from driftkit.evaluators.significance import permutation as module


def test_correlations_against_every_swap(rng: np.random.Generator) -> None:
    gold, before, after = (rankdata(rng.normal(size=9)) for _ in range(3))
    observed = abs(pearson(gold, after) - pearson(gold, before))

    # Both sides are standardized before they are swapped.
    b, a = ((x - x.mean()) / np.linalg.norm(x - x.mean()) for x in (before, after))
    extreme = []
    for swap in product([False, True], repeat=9):
        one, other = np.where(swap, b, a), np.where(swap, a, b)
        extreme.append(abs(pearson(gold, one) - pearson(gold, other)) >= observed - 1e-12)
    found = permute_correlation(gold, before, after, permutations=20_000, rng=rng)
    assert found == pytest.approx(np.mean(extreme), abs=0.015)


def test_means_agree_with_mcnemar(rng: np.random.Generator) -> None:
    before = np.repeat([True, False, True], [40, 25, 300])
    after = np.repeat([False, True, True], [40, 25, 300])
    found = permute_means(before, after, permutations=40_000, rng=rng)
    assert found == pytest.approx(mcnemar(before, after).p_value, abs=0.01)


def test_means_of_shares_against_every_sign(rng: np.random.Generator) -> None:
    before, after = rng.random((2, 8)).round(1)
    change = after - before
    sums = [abs(np.dot(signs, change)) for signs in product([-1, 1], repeat=8)]
    expected = np.mean(np.array(sums) >= abs(change.sum()) - 1e-12)
    found = permute_means(before, after, permutations=20_000, rng=rng)
    assert found == pytest.approx(expected, abs=0.015)


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gold, before, after = np.random.default_rng(0).normal(size=(3, 30))

    def p() -> float:
        rng = np.random.default_rng(1)
        return permute_correlation(gold, before, after, permutations=3000, rng=rng)

    whole = p()
    monkeypatch.setattr(module, "_BATCH", 100)
    assert p() == pytest.approx(whole, abs=0.03)


def test_nothing_changed() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(10.0)
    assert permute_means(x, x, permutations=100, rng=rng) == 1
    assert permute_correlation(x, x, x, permutations=100, rng=rng) == 1


def test_a_constant_side_is_nan() -> None:
    x = np.arange(10.0)
    found = permute_correlation(x, x, np.ones(10), permutations=100, rng=np.random.default_rng(0))
    assert np.isnan(found)


def test_the_rate_of_false_alarms() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(400):
        gold = rng.normal(size=50)
        before, after = gold + rng.normal(size=50), gold + rng.normal(size=50)
        ranks = map(rankdata, (gold, before, after))
        alarms += permute_correlation(*ranks, permutations=199, rng=rng) <= 0.05
    assert 0.02 < alarms / 400 < 0.085
