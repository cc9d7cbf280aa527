from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from driftkit.evaluators.correlations import pearson, spearman
from driftkit.evaluators.significance import MeanDifference, PearsonDifference, SpearmanDifference
from driftkit.evaluators.significance.differences import Ranking


def ranks_of(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    ranking = Ranking(values.astype(float))
    found = np.empty(len(values))
    found[ranking.order] = ranking.centered(counts[None, ranking.order])[0]
    return found


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
    expected = 2 * rankdata(repeated) - (len(values) + 1)
    found = ranks_of(values, counts)
    np.testing.assert_allclose(np.repeat(found, counts), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "correlation"), [(SpearmanDifference, spearman), (PearsonDifference, pearson)]
)
def test_counts_are_repeated_items(kind, correlation, rng: np.random.Generator) -> None:
    gold = rng.integers(0, 6, 25).astype(float)
    before = gold + rng.normal(size=25)
    after = np.round(before + rng.normal(size=25))
    counts = rng.integers(0, 4, (50, 25))
    found = kind(gold, before, after)(counts)
    for row, difference in zip(counts, found, strict=True):
        g, b, a = (np.repeat(side, row) for side in (gold, before, after))
        assert difference == pytest.approx(correlation(g, a) - correlation(g, b), abs=1e-12)


def test_pearson_keeps_its_digits_far_from_zero(rng: np.random.Generator) -> None:
    gold, before, after = rng.normal(size=(3, 40))
    ones = np.ones((1, 40), int)
    near = PearsonDifference(gold, before, after)(ones)
    far = PearsonDifference(1e6 + 1e-3 * gold, 1e-200 * before, 1e200 * after)(ones)
    assert far == pytest.approx(near, abs=1e-8)


def test_a_constant_side_is_nan() -> None:
    gold, flat = np.arange(5.0), np.ones(5)
    ones = np.ones((1, 5), int)
    assert np.isnan(SpearmanDifference(gold, gold, flat)(ones)).all()
    with np.errstate(all="raise"):
        assert np.isnan(PearsonDifference(gold, gold, flat)(ones)).all()


def test_means() -> None:
    found = MeanDifference([1, 0, 1], [0, 0, 1])(np.array([[1, 1, 1], [3, 0, 0], [0, 1, 2]]))
    assert found.tolist() == pytest.approx([-1 / 3, -1, 0])
