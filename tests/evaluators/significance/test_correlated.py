from __future__ import annotations

import math

import numpy as np
import pytest

from driftkit.evaluators.significance import meng, steiger, williams

ALL = (steiger, williams, meng)


@pytest.mark.parametrize(
    ("test", "statistic", "p", "digits"),
    [(steiger, -1.0718, 0.2838, 4), (williams, -1.0767, 0.2843, 4), (meng, -1.07074, 0.28429, 5)],
)
def test_published_figures(test, statistic: float, p: float, digits: int) -> None:
    found = test(0.3, 0.4, 0.5, 100)
    assert (round(found.statistic, digits), round(found.p_value, digits)) == (statistic, p)


@pytest.mark.parametrize("test", ALL)
def test_swapping_the_two_turns_the_sign(test) -> None:
    one, other = test(0.5, 0.3, 0.7, 80), test(0.3, 0.5, 0.7, 80)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize("test", ALL)
def test_two_tables_that_agree_fully(test) -> None:
    same = test(0.5, 0.5, 1.0, 50)
    assert (same.statistic, same.p_value) == (0, 1)


@pytest.mark.parametrize("test", ALL)
def test_what_allows_no_statistic_is_nan(test) -> None:
    assert math.isnan(test(0.5, 0.4, 0.3, 3).p_value) or test(0.5, 0.4, 0.3, 3).statistic == 0
    assert math.isnan(test(1.0, 0.4, 0.4, 50).p_value) or test is williams


@pytest.mark.parametrize("test", ALL)
def test_the_rate_of_false_alarms(test) -> None:
    """Normal scores, two tables equally good: 5 % are called different."""
    rng = np.random.default_rng(11)
    runs, n, alarms = 600, 80, 0
    for _ in range(runs):
        gold = rng.normal(size=n)
        shared = rng.normal(size=n)
        k, h = (gold + shared + rng.normal(size=n) for _ in range(2))
        r = np.corrcoef([gold, k, h])
        alarms += test(r[0, 1], r[0, 2], r[1, 2], n).p_value < 0.05
    assert 0.025 < alarms / runs < 0.08
