from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import (
    MeanDifference,
    SpearmanDifference,
    bca_interval,
    jackknife,
    resample,
)


def test_the_interval_is_that_of_scipy_for_the_same_resamples() -> None:
    rng = np.random.default_rng(3)
    before = rng.exponential(size=40)
    after = before + rng.exponential(size=40) ** 2
    theirs = scipy.stats.bootstrap(
        (after - before,), np.mean, method="BCa", n_resamples=1999, rng=np.random.default_rng(5)
    )
    difference = MeanDifference(before, after)
    ours = bca_interval(
        theirs.bootstrap_distribution, float((after - before).mean()), jackknife(difference)
    )
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)


def test_the_interval_of_a_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    gold = rng.normal(size=50)
    before, after = gold + rng.normal(size=50), gold + 2 * rng.normal(size=50)

    def statistic(g: np.ndarray, b: np.ndarray, a: np.ndarray) -> float:
        return spearman(g, a) - spearman(g, b)

    theirs = scipy.stats.bootstrap(
        (gold, before, after), statistic, paired=True, vectorized=False, method="BCa",
        n_resamples=500, rng=np.random.default_rng(5),
    )  # fmt: skip
    difference = SpearmanDifference(gold, before, after)
    delta = statistic(gold, before, after)
    same = bca_interval(theirs.bootstrap_distribution, delta, jackknife(difference))
    assert (same.low, same.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)
    own = bca_interval(resample(difference, resamples=4000, rng=rng), delta, jackknife(difference))
    assert (own.low, own.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.04)


def test_no_change_at_all() -> None:
    found = bca_interval(np.zeros(100), 0.0, np.zeros(20))
    assert (found.low, found.high, found.p_value) == (0, 0, 1)


def test_nothing_finite() -> None:
    assert math.isnan(bca_interval(np.full(5, np.nan), 0.0, np.zeros(3)).low)
    some = bca_interval(np.array([np.nan, -1, 0, 1]), 0.0, np.array([np.nan, -0.1, 0.1]))
    assert math.isfinite(some.low)


def test_an_estimate_outside_all_resamples_stays_finite() -> None:
    found = bca_interval(np.linspace(0, 1, 50), 2.0, np.linspace(-0.1, 0.1, 10))
    assert 0 <= found.low <= found.high <= 1
