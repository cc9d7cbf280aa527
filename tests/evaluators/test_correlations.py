from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.evaluators.correlations import kendall, pearson, spearman, undefined_reason

VALUES = st.lists(
    st.tuples(st.integers(0, 6), st.floats(-1, 1).map(lambda x: round(x, 2))),
    min_size=3,
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_the_correlations_are_those_of_scipy(rows: list[tuple[int, float]]) -> None:
    x, y = np.array(rows, float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(spearman(x, y))
        assert np.isnan(pearson(x, y))
        assert np.isnan(kendall(x, y))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.stats.ConstantInputWarning)
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
        assert pearson(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=1e-12)
        assert kendall(x, y) == pytest.approx(scipy.stats.kendalltau(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_pearson_at_any_scale(scale: float) -> None:
    x = np.array([1.0, 2.0, 4.0])
    assert pearson(x * scale, x) == pytest.approx(1)


def test_spearman_does_not_care_about_the_scale_of_the_scores() -> None:
    x, y = np.array([0.1, 0.9, 0.4, 0.4]), np.array([1.0, 2.0, 3.0, 0.0])
    assert spearman(np.exp(x), y) == spearman(x, y)


def test_two_pairs_are_too_few() -> None:
    two = np.array([1.0, 2.0])
    assert np.isnan(spearman(two, two))
    assert "needs 3 or more" in undefined_reason(two)
    assert "human scores" in undefined_reason(np.ones(3))
    assert "cosines" in undefined_reason(np.arange(3.0))
