from __future__ import annotations

import math
import time

import numpy as np
import pytest

from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import (
    Interval,
    MeanDifference,
    SpearmanDifference,
    interval,
    jackknife,
    mcnemar,
    resample,
    resample_clusters,
    resample_means,
    resampling,
)


def test_resamples_are_spearman_on_the_items_drawn(rng: np.random.Generator) -> None:
    gold = rng.integers(0, 6, 25).astype(float)
    before = gold + rng.normal(size=25)
    after = np.round(before + rng.normal(size=25))
    found = resample(
        SpearmanDifference(gold, before, after), resamples=50, rng=np.random.default_rng(3)
    )
    drawn = np.random.default_rng(3).integers(0, 25, (50, 25))
    slow = [spearman(gold[d], after[d]) - spearman(gold[d], before[d]) for d in drawn]
    np.testing.assert_allclose(found, slow, atol=1e-12)


def test_batches_do_not_change_the_number_of_resamples(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "_BATCH", 70)
    gold = rng.normal(size=30)
    found = resample(SpearmanDifference(gold, gold, -gold), resamples=11, rng=rng)
    np.testing.assert_allclose(found, -2, atol=1e-12)
    assert found.shape == (11,)


def test_accuracy_has_the_moments_of_the_paired_difference(rng: np.random.Generator) -> None:
    before = np.repeat([True, True, False, False], [300, 60, 25, 115])
    after = np.repeat([True, False, True, False], [300, 60, 25, 115])
    found = resample_means(before, after, resamples=40_000, rng=rng)
    difference = after.astype(float) - before
    assert found.mean() == pytest.approx(difference.mean(), abs=5e-4)
    assert found.std() == pytest.approx(difference.std() / math.sqrt(500), rel=0.02)


def test_the_p_value_agrees_with_mcnemar(rng: np.random.Generator) -> None:
    broke, mended, m = 60, 36, 500
    before = np.repeat([True, False, True], [broke, mended, m - broke - mended])
    after = np.repeat([False, True, True], [broke, mended, m - broke - mended])
    exact = mcnemar(before, after).p_value
    ours = interval(resample_means(before, after, resamples=20_000, rng=rng)).p_value
    assert ours == pytest.approx(exact, abs=0.01)


def test_no_difference_at_all() -> None:
    same = np.arange(50) % 2 == 0
    rng = np.random.default_rng(0)
    assert interval(resample_means(same, same, resamples=200, rng=rng)) == Interval(0, 0, 1)


def test_shares_are_resampled_like_right_and_wrong(rng: np.random.Generator) -> None:
    before, after = rng.random((2, 60)).round(1)
    found = resample_means(before, after, resamples=40_000, rng=rng)
    slow = resample(MeanDifference(before, after), resamples=40_000, rng=rng)
    assert found.mean() == pytest.approx(slow.mean(), abs=2e-3)
    assert found.std() == pytest.approx(slow.std(), rel=0.02)


def test_the_jackknife_leaves_out_one(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "_BATCH", 50)
    gold = rng.integers(0, 5, 20).astype(float)
    before, after = rng.normal(size=(2, 20))
    found = jackknife(SpearmanDifference(gold, before, after))
    for i in range(20):
        g, b, a = (np.delete(side, i) for side in (gold, before, after))
        assert found[i] == pytest.approx(spearman(g, a) - spearman(g, b), abs=1e-12)


def test_clusters_that_break_together_widen_the_interval(rng: np.random.Generator) -> None:
    clusters = [f"c{i // 50}" for i in range(1000)]
    before = np.ones(1000)
    after = np.repeat(rng.random(20) < 0.7, 50).astype(float)
    items = interval(resample_means(before, after, resamples=4000, rng=rng))
    whole = resample_clusters(before, after, clusters, resamples=4000, rng=rng)
    assert interval(whole).high - interval(whole).low > 4 * (items.high - items.low)
    assert whole.std() == pytest.approx((after - before).std() / math.sqrt(20), rel=0.05)
    alone = resample_clusters(before, after, [str(i) for i in range(1000)], resamples=4000, rng=rng)
    assert alone.std() == pytest.approx((after - before).std() / math.sqrt(1000), rel=0.05)


def test_clusters_of_unequal_size_are_weighed_by_their_items(rng: np.random.Generator) -> None:
    found = resample_clusters([1, 1, 1, 0], [0, 0, 0, 0], [*"aaab"], resamples=3000, rng=rng)
    assert sorted(set(found.round(6))) == [-1, -0.75, 0]


@pytest.mark.slow
def test_ten_thousand_resamples_of_men(rng: np.random.Generator) -> None:
    """Processor time, so that a busy machine does not count; the limit is for wall time."""
    gold = rng.integers(0, 51, 3000).astype(float)
    before = gold + 30 * rng.normal(size=3000)
    after = before + 10 * rng.normal(size=3000)
    start = time.process_time()
    resample(SpearmanDifference(gold, before, after), resamples=10_000, rng=rng)
    assert time.process_time() - start < 1.5
