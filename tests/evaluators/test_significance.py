from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from driftkit.evaluators import significance
from driftkit.evaluators.decision import decide
from driftkit.evaluators.significance import (
    Interval,
    _Ranking,
    holm,
    interval,
    resample_accuracy,
    resample_spearman,
)
from driftkit.evaluators.similarity import spearman


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=15))
def test_ranks_under_counts_are_the_ranks_of_the_repeated_values(
    rows: list[tuple[int, int]],
) -> None:
    values, counts = np.array(rows).T
    if counts.sum() != len(values):  # a resample has as many items as the sample
        counts = np.bincount(
            np.random.default_rng(counts.sum()).integers(0, len(values), len(values)),
            minlength=len(values),
        )
    repeated = np.repeat(values, counts)
    expected = rankdata(repeated) - (len(values) + 1) / 2
    found = _Ranking(values.astype(float)).centered_ranks(counts[None].astype(float))[0]
    np.testing.assert_allclose(np.repeat(found, counts), expected, atol=1e-12)


def test_resamples_are_spearman_on_the_items_drawn(rng: np.random.Generator) -> None:
    gold = rng.integers(0, 6, 25).astype(float)
    before = gold + rng.normal(size=25)
    after = np.round(before + rng.normal(size=25))
    found = resample_spearman(gold, before, after, resamples=50, rng=np.random.default_rng(3))
    drawn = np.random.default_rng(3).integers(0, 25, (50, 25))
    slow = [spearman(gold[d], after[d]) - spearman(gold[d], before[d]) for d in drawn]
    np.testing.assert_allclose(found, slow, atol=1e-12)


def test_batches_do_not_change_the_number_of_resamples(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(significance, "_BATCH", 70)
    gold = rng.normal(size=30)
    found = resample_spearman(gold, gold, -gold, resamples=11, rng=rng)
    np.testing.assert_allclose(found, -2, atol=1e-12)
    assert found.shape == (11,)


def test_a_constant_resample_is_nan_and_left_out() -> None:
    gold = np.array([1.0, 1.0, 1.0, 2.0])
    found = resample_spearman(
        gold, gold, np.arange(4.0), resamples=300, rng=np.random.default_rng(0)
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
    ours = interval(resample_spearman(gold, before, after, resamples=4000, rng=rng))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_accuracy_has_the_moments_of_the_paired_difference(rng: np.random.Generator) -> None:
    before = np.repeat([True, True, False, False], [300, 60, 25, 115])
    after = np.repeat([True, False, True, False], [300, 60, 25, 115])
    found = resample_accuracy(before, after, resamples=40_000, rng=rng)
    difference = after.astype(float) - before
    assert found.mean() == pytest.approx(difference.mean(), abs=5e-4)
    assert found.std() == pytest.approx(difference.std() / math.sqrt(500), rel=0.02)


def test_the_p_value_agrees_with_mcnemar(rng: np.random.Generator) -> None:
    broke, mended, m = 60, 36, 500
    before = np.repeat([True, False, True], [broke, mended, m - broke - mended])
    after = np.repeat([False, True, True], [broke, mended, m - broke - mended])
    exact = scipy.stats.binomtest(mended, broke + mended).pvalue
    ours = interval(resample_accuracy(before, after, resamples=20_000, rng=rng)).p_value
    assert ours == pytest.approx(exact, abs=0.01)


def test_no_difference_at_all() -> None:
    same = np.arange(50) % 2 == 0
    rng = np.random.default_rng(0)
    assert interval(resample_accuracy(same, same, resamples=200, rng=rng)) == Interval(0, 0, 1)


def test_holm_by_the_definition() -> None:
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
    adjusted = holm([0.02, math.nan])
    assert adjusted[0] == 0.02
    assert math.isnan(adjusted[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert all(
        a <= min(1, len(p_values) * p) + 1e-12 for a, p in zip(adjusted, p_values, strict=True)
    )


def test_under_the_null_losses_are_declared_no_more_often_than_agreed() -> None:
    """Two tables equally far from the truth: the interval leaves zero out in about 5 %."""
    rng = np.random.default_rng(5)
    n, runs, lost, rejected = 100, 300, 0, 0
    for _ in range(runs):
        gold = rng.normal(size=n)
        before, after = gold + rng.normal(size=n), gold + rng.normal(size=n)
        found = interval(resample_spearman(gold, before, after, resamples=300, rng=rng))
        delta = spearman(gold, after) - spearman(gold, before)
        lost += decide(delta, found, 0.02) == "lost"
        rejected += found.low > 0 or found.high < 0
    assert lost / runs <= 0.045  # 2.5 % nominal; beyond this is 2.2 standard errors
    assert 0.015 <= rejected / runs <= 0.085
