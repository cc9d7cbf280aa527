"""Quick tests of two correlations that share a variable.

j is the human scores; k and h are the two tables. All are exact only for normal variables, and
are checks on the bootstrap and the permutation test, not replacements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student


@dataclass(frozen=True, slots=True)
class Test:
    """A test statistic and its two-sided p-value.

    Parameters
    ----------
    statistic, p_value : float
        NaN where the correlations allow none.
    """

    __test__ = False  # not a test class of pytest

    statistic: float
    p_value: float


def steiger(r_jk: float, r_jh: float, r_kh: float, n: int) -> Test:
    """Steiger's z of r_jk - r_jh, with the pooled correlation (Steiger 1980, equation 14).

    Parameters
    ----------
    r_jk, r_jh : float
        The two correlations compared.
    r_kh : float
        The correlation of the two tables.
    n : int
        Number of items.

    Examples
    --------
    >>> found = steiger(0.3, 0.4, 0.5, 100)
    >>> round(found.statistic, 4), round(found.p_value, 4)
    (-1.0718, 0.2838)
    """
    mean = (r_jk + r_jh) / 2
    left = 1 - 2 * mean**2
    covariance = (r_kh * left - mean**2 * (left - r_kh**2) / 2) / _positive((1 - mean**2) ** 2)
    return _normal(_fisher(r_jk, r_jh) * math.sqrt(max(n - 3, 0)), 2 - 2 * covariance)


def williams(r_jk: float, r_jh: float, r_kh: float, n: int) -> Test:
    """Williams's t of r_jk - r_jh, n - 3 degrees of freedom (Williams 1959; Steiger 1980).

    Parameters
    ----------
    r_jk, r_jh, r_kh, n
        As for `steiger`.

    Examples
    --------
    >>> found = williams(0.3, 0.4, 0.5, 100)
    >>> round(found.statistic, 4), round(found.p_value, 4)
    (-1.0767, 0.2843)
    """
    determinant = 1 - r_jk**2 - r_jh**2 - r_kh**2 + 2 * r_jk * r_jh * r_kh
    mean = (r_jk + r_jh) / 2
    if n <= 3:
        return Test(math.nan, math.nan)
    below = 2 * (n - 1) / (n - 3) * determinant + mean**2 * (1 - r_kh) ** 3
    if below <= 0:
        return _undefined(r_jk - r_jh)
    statistic = (r_jk - r_jh) * math.sqrt((n - 1) * (1 + r_kh) / below)
    return Test(statistic, float(2 * student.sf(abs(statistic), n - 3)))


def meng(r_jk: float, r_jh: float, r_kh: float, n: int) -> Test:
    """Meng's z of r_jk - r_jh (Meng, Rosenthal & Rubin 1992).

    Parameters
    ----------
    r_jk, r_jh, r_kh, n
        As for `steiger`.

    Examples
    --------
    >>> found = meng(0.3, 0.4, 0.5, 100)
    >>> round(found.statistic, 5), round(found.p_value, 5)
    (-1.07074, 0.28429)
    """
    square = (r_jk**2 + r_jh**2) / 2
    f = min((1 - r_kh) / (2 * _positive(1 - square)), 1.0)
    h = (1 - f * square) / _positive(1 - square)
    return _normal(_fisher(r_jk, r_jh) * math.sqrt(max(n - 3, 0)), 2 * (1 - r_kh) * h)


def _fisher(first: float, second: float) -> float:
    """Difference of Fisher's z; infinite where a correlation is perfect."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.arctanh(first) - np.arctanh(second))


def _normal(difference: float, variance: float) -> Test:
    if not math.isfinite(difference):
        return Test(math.nan, math.nan)
    if variance <= 1e-15:
        return _undefined(difference)
    statistic = difference / math.sqrt(variance)
    return Test(statistic, float(2 * ndtr(-abs(statistic))))


def _undefined(difference: float) -> Test:
    """Two tables that agree fully do not differ; any other case has no statistic."""
    return Test(0.0, 1.0) if difference == 0 else Test(math.nan, math.nan)


def _positive(value: float) -> float:
    return value if value > 0 else math.nan
