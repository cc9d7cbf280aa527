"""Tests of a difference besides its bootstrap, and what several tests do to their p-values.

Permutation: under the null the two tables can be swapped, item by item. Its p-value is two-sided,
``(1 + swaps at least as extreme) / (1 + swaps)``, so it is never 0 (Phipson & Smyth 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.stats import binomtest
from scipy.stats import t as student

from driftkit.arrays import Mask, Values

_BATCH = 2**20
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Test:
    """A test statistic and its two-sided p-value; NaN where the data allow none."""

    __test__ = False  # not a test class of pytest

    statistic: float = math.nan
    p_value: float = math.nan


def permute_means(
    before: npt.ArrayLike, after: npt.ArrayLike, *, permutations: int, rng: np.random.Generator
) -> float:
    """Return the p-value of the difference of two mean scores over the same items, (m,) each.

    Swapping turns the sign of an item's change, so only items that changed are drawn.

    >>> always = permute_means([1] * 12, [0] * 12, permutations=999, rng=np.random.default_rng(0))
    >>> always < 0.01
    True
    """
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    size, counts = np.unique(np.abs(change[change != 0]), return_counts=True)
    if len(size) == 0:
        return 1.0
    kept = rng.binomial(counts, 0.5, (permutations, len(counts)))  # of each size, signs kept
    swapped = np.abs((2 * kept - counts) @ size)
    return _p_value(swapped, abs(float(change.sum())))


def permute_correlation(
    gold: Values, before: Values, after: Values, *, permutations: int, rng: np.random.Generator
) -> float:
    """Return the p-value of the difference of two Pearson correlations with people, (m,) each.

    Pass ranks for Spearman's: tuning stretches the scale of cosines. NaN if a side is constant.
    """
    g, b, a = (_standardized(side) for side in (gold, before, after))
    m = len(g)
    change, middle = (a - b) / 2, (a + b) / 2
    # With signs s: after = middle + s change, before = middle - s change.
    columns = np.stack([g * change, change, middle * change], axis=1)  # (m, 3)
    square = float(middle @ middle + change @ change)

    def difference(signs: Values) -> Values:
        covariance, mean, cross = (signs @ columns).T
        with np.errstate(invalid="ignore", divide="ignore"):
            after = (g @ middle + covariance) / np.sqrt(square + 2 * cross - mean**2 / m)
            before = (g @ middle - covariance) / np.sqrt(square - 2 * cross - mean**2 / m)
        gap: Values = (after - before) / np.sqrt(g @ g)
        return gap

    observed = abs(float(difference(np.ones((1, m)))[0]))
    if not np.isfinite(observed):
        return float("nan")
    swapped = np.empty(permutations)
    step = max(1, _BATCH // m)
    for start in range(0, permutations, step):
        r = min(step, permutations - start)
        bits = np.unpackbits(
            np.frombuffer(rng.bytes(r * -(-m // 8)), np.uint8).reshape(r, -1), axis=1, count=m
        )
        swapped[start : start + r] = np.abs(difference(2 * bits.astype(np.float64) - 1))
    return _p_value(swapped, observed)


def _standardized(values: Values) -> Values:
    centered = values - values.mean()
    with np.errstate(invalid="ignore"):
        return np.asarray(centered / np.sqrt(centered @ centered))


def _p_value(swapped: Values, observed: float) -> float:
    extreme = int((swapped >= observed - _ROUNDING).sum())
    return (1 + extreme) / (1 + len(swapped))


def mcnemar(before: Mask, after: Mask) -> Test:
    """Test exactly whether as many of m right answers broke as were mended (McNemar 1947).

    The statistic is (mended - broke) / sqrt(mended + broke), whose square is McNemar's chi-squared
    without correction; the p-value is that of the binomial test.

    >>> before = np.repeat([True, False, True], [60, 36, 404])
    >>> found = mcnemar(before, np.repeat([False, True, True], [60, 36, 404]))
    >>> round(found.statistic, 3), round(found.p_value, 4)
    (-2.449, 0.0184)
    """
    broke, mended = int((before & ~after).sum()), int((after & ~before).sum())
    if broke + mended == 0:
        return Test(0.0, 1.0)
    statistic = (mended - broke) / np.sqrt(mended + broke)
    return Test(float(statistic), float(binomtest(mended, broke + mended).pvalue))


def correlation_tests(r_jk: float, r_jh: float, r_kh: float, n: int) -> dict[str, Test]:
    """Test the difference r_jk - r_jh of two correlations over n items, in three ways.

    j is the human scores; k and h are the tables, which correlate by r_kh. ``steiger`` is a z with
    the pooled correlation (Steiger 1980, equation 14), ``williams`` a t with n - 3 degrees of
    freedom (Williams 1959), ``meng`` a z (Meng, Rosenthal & Rubin 1992). All are exact only for
    normal variables: checks on the bootstrap and the permutation test, not replacements.

    >>> for name, test in correlation_tests(0.3, 0.4, 0.5, 100).items():
    ...     print(name, round(test.statistic, 4), round(test.p_value, 4))
    steiger -1.0718 0.2838
    williams -1.0767 0.2843
    meng -1.0707 0.2843
    """
    mean, square = (r_jk + r_jh) / 2, (r_jk**2 + r_jh**2) / 2
    with np.errstate(divide="ignore", invalid="ignore"):  # infinite for a perfect correlation
        z = float(np.arctanh(r_jk) - np.arctanh(r_jh)) * math.sqrt(max(n - 3, 0))

    left = 1 - 2 * mean**2
    covariance = (r_kh * left - mean**2 * (left - r_kh**2) / 2) / _positive((1 - mean**2) ** 2)
    f = min((1 - r_kh) / (2 * _positive(1 - square)), 1.0)
    h = (1 - f * square) / _positive(1 - square)

    determinant = 1 - r_jk**2 - r_jh**2 - r_kh**2 + 2 * r_jk * r_jh * r_kh
    williams = Test()
    if n > 3:
        below = 2 * (n - 1) / (n - 3) * determinant + mean**2 * (1 - r_kh) ** 3
        if below > 0:
            t = (r_jk - r_jh) * math.sqrt((n - 1) * (1 + r_kh) / below)
            williams = Test(t, float(2 * student.sf(abs(t), n - 3)))
        else:
            williams = _undefined(r_jk - r_jh)
    return {
        "steiger": _normal(z, 2 - 2 * covariance),
        "williams": williams,
        "meng": _normal(z, 2 * (1 - r_kh) * h),
    }


def _normal(difference: float, variance: float) -> Test:
    if not math.isfinite(difference):
        return Test()
    if variance <= 1e-15:
        return _undefined(difference)
    statistic = difference / math.sqrt(variance)
    return Test(statistic, float(2 * ndtr(-abs(statistic))))


def _undefined(difference: float) -> Test:
    """Two tables that agree fully do not differ; any other case has no statistic."""
    return Test(0.0, 1.0) if difference == 0 else Test()


def _positive(value: float) -> float:
    return value if value > 0 else math.nan


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for testing several benchmarks (Holm 1979); NaN, unmeasured, does not count.

    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]
