from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from driftkit.evaluators.comparison.verdict import decide
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import Interval, SpearmanDifference, interval, resample


def test_a_constant_resample_is_nan_and_left_out() -> None:
    gold = np.array([1.0, 1.0, 1.0, 2.0])
    found = resample(
        SpearmanDifference(gold, gold, np.arange(4.0)),
        resamples=300,
        rng=np.random.default_rng(0),
    )
    assert np.isnan(found).any()
    assert math.isfinite(interval(found).low)
    nothing = interval(np.full(5, np.nan))
    assert all(math.isnan(value) for value in (nothing.low, nothing.high, nothing.p_value))


def test_the_interval_is_that_of_scipy(rng: np.random.Generator) -> None:
    gold = rng.normal(size=120)
    before = gold + rng.normal(size=120)
    after = before + rng.normal(size=120)

    def difference(g: np.ndarray, b: np.ndarray, a: np.ndarray) -> float:
        return spearman(g, a) - spearman(g, b)

    theirs = scipy.stats.bootstrap(
        (gold, before, after), difference, paired=True, vectorized=False, method="percentile",
        n_resamples=2000, rng=1,
    ).confidence_interval  # fmt: skip
    ours = interval(resample(SpearmanDifference(gold, before, after), resamples=4000, rng=rng))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_differences_that_are_all_the_same() -> None:
    assert interval(np.zeros(200)) == Interval(0, 0, 1)
    assert interval(np.full(99, 0.2)).p_value == 0.02


def test_under_the_null_losses_are_declared_no_more_often_than_agreed() -> None:
    """Two tables equally far from the truth: the interval leaves zero out in about 5 %."""
    rng = np.random.default_rng(5)
    n, runs, lost, rejected = 100, 300, 0, 0
    for _ in range(runs):
        gold = rng.normal(size=n)
        before, after = gold + rng.normal(size=n), gold + rng.normal(size=n)
        found = interval(resample(SpearmanDifference(gold, before, after), resamples=300, rng=rng))
        delta = spearman(gold, after) - spearman(gold, before)
        lost += decide(delta, found, 0.02) == "lost"
        rejected += found.low > 0 or found.high < 0
    assert lost / runs <= 0.045  # 2.5 % nominal; beyond this is 2.2 standard errors
    assert 0.015 <= rejected / runs <= 0.085
