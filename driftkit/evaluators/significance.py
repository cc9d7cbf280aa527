"""Whether a difference between two tables on one benchmark is more than chance.

The items are resampled with replacement, both tables always on the same items (paired bootstrap,
Efron & Tibshirani 1993), which gives the distribution of the difference tuned - original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftkit.evaluators.items import Mask
from driftkit.evaluators.similarity import Values

LEVEL = 0.95
"""Confidence level of every interval."""

_BATCH = 2**19
"""Counts held at a time, 4 MB of float64: bounds memory and stays near the cache."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval of a difference, and its p-value.

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


def interval(differences: Values) -> Interval:
    """Summarize resampled differences.

    Parameters
    ----------
    differences : ndarray of float64, shape (r,)
        NaN where a resample had no value (all its ranks tied); those are left out.

    Examples
    --------
    >>> interval(np.full(99, -0.1))
    Interval(low=-0.1, high=-0.1, p_value=0.02)
    """
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    rarer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    p_value = min(1.0, 2 * (rarer + 1) / (len(differences) + 1))
    return Interval(float(low), float(high), p_value)


def resample_accuracy(
    before: Mask, after: Mask, *, resamples: int, rng: np.random.Generator
) -> Values:
    """Differences in accuracy over resampled items.

    A resample is known by how many items broke and how many were mended in it, and these are
    multinomial, so no item is ever drawn.

    Parameters
    ----------
    before, after : ndarray of bool, shape (m,)
        Whether each item is answered rightly by the original and by the tuned table.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (resamples,)
    """
    broke, mended = int((before & ~after).sum()), int((after & ~before).sum())
    m = len(before)
    counts = rng.multinomial(m, np.array([broke, mended, m - broke - mended]) / m, resamples)
    differences: Values = (counts[:, 1] - counts[:, 0]) / m
    return differences


def resample_spearman(
    gold: Values, before: Values, after: Values, *, resamples: int, rng: np.random.Generator
) -> Values:
    """Differences in Spearman's correlation with `gold` over resampled items.

    Each resample is a vector of counts. Under counts, mid-ranks are cumulative sums over the items
    in sorted order, so nothing is sorted in the loop: O(m) per resample.

    Parameters
    ----------
    gold, before, after : ndarray of float64, shape (m,)
        Human scores, and cosines in the two tables.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (resamples,)
        NaN where a side of the resample was constant.
    """
    m = len(gold)
    sides = [_Ranking(side) for side in (gold, before, after)]
    out = np.empty(resamples)
    step = max(1, _BATCH // m)
    for start in range(0, resamples, step):
        r = min(step, resamples - start)
        drawn = rng.integers(0, m, (r, m)) + m * np.arange(r)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=r * m).reshape(r, m).astype(np.float64)
        g, b, a = (side.centered_ranks(counts) for side in sides)  # (r, m) each
        weighted = counts * g
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.einsum("ij,ij->i", weighted, g)
            rho = [
                np.einsum("ij,ij->i", weighted, x)
                / np.sqrt(spread * np.einsum("ij,ij,ij->i", counts, x, x))
                for x in (b, a)
            ]
        out[start : start + r] = rho[1] - rho[0]
    return out


class _Ranking:
    """The order of m values, found once, to rank any resample of them."""

    def __init__(self, values: Values) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.first = np.searchsorted(ordered, ordered, side="left")  # of each run of equals
        self.after = np.searchsorted(ordered, ordered, side="right")

    def centered_ranks(self, counts: Values) -> Values:
        """Average ranks less their mean (m + 1) / 2, for counts of shape (r, m)."""
        r, m = counts.shape
        below = np.zeros((r, m + 1))  # items among the first j in sorted order
        np.cumsum(counts[:, self.order], axis=1, out=below[:, 1:])
        ranks = np.empty((r, m))
        ranks[:, self.order] = (below[:, self.first] + below[:, self.after] - m) / 2
        return ranks


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for testing several benchmarks (Holm 1979).

    Parameters
    ----------
    p_values : sequence of float
        NaN for a benchmark that was not measured: it stays NaN and does not count as a test.

    Returns
    -------
    list of float

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    p: npt.NDArray[np.float64] = np.asarray(p_values, np.float64)
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]
