"""The percentile interval of a bootstrapped difference, widened for the number of items.

The percentile interval (Efron & Tibshirani 1993) is a little too narrow: resamples of n items vary
by (n - 1) / n of what samples do, and its ends come from the normal distribution where Student's t
belongs. Expanding its tails mends both (Hesterberg 2015, "What teachers should know about the
bootstrap", section 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit

LEVEL = 0.95
"""Confidence level of every interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of a difference, and its p-value.

    Parameters
    ----------
    low, high : float
        Bounds at confidence `LEVEL`.
    p_value : float
        Two-sided: twice the share of resampled differences on the rarer side of zero, those equal
        to zero counting on both, with one added to count and total so that it is never 0.
    """

    low: float
    high: float
    p_value: float


def interval(differences: npt.NDArray[np.float64], n: int | None = None) -> Interval:
    """Summarize resampled differences by their percentiles.

    Parameters
    ----------
    differences : ndarray of float64, shape (r,)
        NaN where a resample had no value (all its ranks tied); those are left out.
    n : int, optional
        Number of items (or clusters) resampled; the tails are expanded for it. Plain percentiles
        without.

    Examples
    --------
    >>> interval(np.full(99, -0.1))
    Interval(low=-0.1, high=-0.1, p_value=0.02)
    """
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    tail = _tail(n)
    # The j-th of r values in order is taken for the quantile j / (r + 1) (Davison & Hinkley 1997).
    low, high = np.quantile(differences, [tail, 1 - tail], method="weibull")
    return Interval(float(low), float(high), two_sided(differences))


def _tail(n: int | None) -> float:
    """Share of resamples left out on each side."""
    tail = (1 - LEVEL) / 2
    if n is None or n < 2:
        return tail
    return float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, tail)))


def two_sided(differences: npt.NDArray[np.float64]) -> float:
    """Return the p-value described in `Interval`, for finite differences."""
    rarer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(differences) + 1))
