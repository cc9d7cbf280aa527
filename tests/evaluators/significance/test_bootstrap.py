from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from driftkit.evaluators.comparison.verdict import status_of
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import (
    Difference,
    Interval,
    MeanDifference,
    SpearmanDifference,
    bca_interval,
    bootstrap,
    interval,
    mcnemar,
)


def test_resamples_are_spearman_on_the_items_drawn(rng: np.random.Generator) -> None:
    gold = rng.integers(0, 6, 25).astype(float)
    before = gold + rng.normal(size=25)
    after = np.round(before + rng.normal(size=25))
    found = SpearmanDifference(gold, before, after).resample(50, np.random.default_rng(3))
    drawn = np.random.default_rng(3).integers(0, 25, (50, 25))
    slow = [spearman(gold[d], after[d]) - spearman(gold[d], before[d]) for d in drawn]
    np.testing.assert_allclose(found, slow, atol=1e-12)


def test_batches_do_not_change_the_number_of_resamples(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_BATCH", 70)
    gold = rng.normal(size=30)
    found = SpearmanDifference(gold, gold, -gold).resample(11, rng)
    np.testing.assert_allclose(found, -2, atol=1e-12)
    assert found.shape == (11,)


def test_accuracy_has_the_moments_of_the_paired_difference(rng: np.random.Generator) -> None:
    before = np.repeat([True, True, False, False], [300, 60, 25, 115])
    after = np.repeat([True, False, True, False], [300, 60, 25, 115])
    found = MeanDifference(before, after).resample(40_000, rng)
    difference = after.astype(float) - before
    assert found.mean() == pytest.approx(difference.mean(), abs=5e-4)
    assert found.std() == pytest.approx(difference.std() / math.sqrt(500), rel=0.02)


def test_the_p_value_agrees_with_mcnemar(rng: np.random.Generator) -> None:
    broke, mended, m = 60, 36, 500
    before = np.repeat([True, False, True], [broke, mended, m - broke - mended])
    after = np.repeat([False, True, True], [broke, mended, m - broke - mended])
    exact = mcnemar(before, after).p_value
    ours = interval(MeanDifference(before, after).resample(20_000, rng)).p_value
    assert ours == pytest.approx(exact, abs=0.01)


def test_no_difference_at_all() -> None:
    same = np.arange(50) % 2 == 0
    rng = np.random.default_rng(0)
    assert interval(MeanDifference(same, same).resample(200, rng)) == Interval(0, 0, 1)


def test_shares_are_resampled_like_right_and_wrong(rng: np.random.Generator) -> None:
    before, after = rng.random((2, 60)).round(1)
    found = MeanDifference(before, after).resample(40_000, rng)
    slow = Difference.resample(MeanDifference(before, after), 40_000, rng)
    assert found.mean() == pytest.approx(slow.mean(), abs=2e-3)
    assert found.std() == pytest.approx(slow.std(), rel=0.02)


def test_the_jackknife_leaves_out_one(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "_BATCH", 50)
    gold = rng.integers(0, 5, 20).astype(float)
    before, after = rng.normal(size=(2, 20))
    found = SpearmanDifference(gold, before, after).jackknife()
    for i in range(20):
        g, b, a = (np.delete(side, i) for side in (gold, before, after))
        assert found[i] == pytest.approx(spearman(g, a) - spearman(g, b), abs=1e-12)


def test_clusters_that_break_together_widen_the_interval(rng: np.random.Generator) -> None:
    clusters = [f"c{i // 50}" for i in range(1000)]
    before = np.ones(1000)
    after = np.repeat(rng.random(20) < 0.7, 50).astype(float)
    items = interval(MeanDifference(before, after).resample(4000, rng))
    whole = MeanDifference(before, after).resample_clusters(clusters, 4000, rng)
    assert interval(whole).high - interval(whole).low > 4 * (items.high - items.low)
    assert whole.std() == pytest.approx((after - before).std() / math.sqrt(20), rel=0.05)
    alone = MeanDifference(before, after).resample_clusters(
        [str(i) for i in range(1000)], 4000, rng
    )
    assert alone.std() == pytest.approx((after - before).std() / math.sqrt(1000), rel=0.05)


def test_clusters_of_unequal_size_are_weighed_by_their_items(rng: np.random.Generator) -> None:
    found = MeanDifference([1, 1, 1, 0], [0] * 4).resample_clusters([*"aaab"], 3000, rng)
    assert sorted(set(found.round(6))) == [-1, -0.75, 0]


def test_a_constant_resample_is_nan_and_left_out() -> None:
    gold = np.array([1.0, 1.0, 1.0, 2.0])
    found = SpearmanDifference(gold, gold, np.arange(4.0)).resample(300, np.random.default_rng(0))
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
    ours = interval(SpearmanDifference(gold, before, after).resample(4000, rng))
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
        found = interval(SpearmanDifference(gold, before, after).resample(300, rng))
        delta = spearman(gold, after) - spearman(gold, before)
        lost += status_of(delta, found, 0.02) == "lost"
        rejected += found.low > 0 or found.high < 0
    assert lost / runs <= 0.045  # 2.5 % nominal; beyond this is 2.2 standard errors
    assert 0.015 <= rejected / runs <= 0.085


def test_the_interval_is_that_of_scipy_for_the_same_resamples() -> None:
    rng = np.random.default_rng(3)
    before = rng.exponential(size=40)
    after = before + rng.exponential(size=40) ** 2
    theirs = scipy.stats.bootstrap(
        (after - before,), np.mean, method="BCa", n_resamples=1999, rng=np.random.default_rng(5)
    )
    difference = MeanDifference(before, after)
    ours = bca_interval(
        theirs.bootstrap_distribution, float((after - before).mean()), difference.jackknife()
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
    same = bca_interval(theirs.bootstrap_distribution, delta, difference.jackknife())
    assert (same.low, same.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)
    own = bca_interval(difference.resample(4000, rng), delta, difference.jackknife())
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
