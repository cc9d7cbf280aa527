"""Resampled items: the bootstrap, the jackknife, and the intervals they give.

The percentile interval (Efron & Tibshirani 1993) is a little too narrow: resamples of n items vary
by (n - 1) / n of what samples do, and its ends come from the normal distribution where Student's t
belongs. Expanding its tails mends both (Hesterberg 2015, "What teachers should know about the
bootstrap", section 5.3). The bias-corrected and accelerated interval is BCa (Efron 1987).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from driftkit.arrays import Values
from driftkit.evaluators.significance.hypothesis_tests import Test

Counts = npt.NDArray[np.int64]

LEVEL = 0.95
"""Confidence level of every interval."""

_BATCH = 2**14
"""Counts held at a time: with what is made of them they stay in the cache of one core."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of a difference at confidence `LEVEL`, and its p-value.

    The p-value is two-sided: twice the share of resampled differences on the rarer side of zero,
    those equal to zero counting on both, with one added to count and total so that it is never 0.
    """

    low: float = float("nan")
    high: float = float("nan")
    p_value: float = float("nan")


class Difference(ABC):
    """The difference of two tables' scores over the same m items, made once and called with counts.

    Resampling with replacement, leaving one item out and weighing items are all counts of items.
    """

    m: int

    @abstractmethod
    def __call__(self, counts: Counts) -> Values:
        """Return the differences, (r,), for counts of the m items, (r, m); NaN where undefined."""

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Return the differences, (r,), of m of m items drawn with replacement, r times."""
        out = np.empty(resamples)
        step = max(1, _BATCH // self.m)
        for start in range(0, resamples, step):
            r = min(step, resamples - start)
            drawn = rng.integers(0, self.m, (r, self.m))
            drawn += self.m * np.arange(r)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=r * self.m).reshape(r, self.m)
            out[start : start + r] = self(counts)
        return out

    def jackknife(self) -> Values:
        """Return the difference with one item left out, for every item, (m,)."""
        out = np.empty(self.m)
        step = max(1, _BATCH // self.m)
        for start in range(0, self.m, step):
            rows = np.arange(start, min(start + step, self.m))
            counts = np.ones((len(rows), self.m), np.int64)
            counts[np.arange(len(rows)), rows] = 0
            with np.errstate(invalid="ignore", divide="ignore"):
                out[rows] = self(counts)
        return out

    def influence(self) -> Values:
        """Return how much each item pulls the difference, (m,): their variance / m is its own.

        The infinitesimal jackknife (Jaeckel 1972); here by the ordinary one.
        """
        left_out = self.jackknife()
        return np.asarray((self.m - 1) * (np.nanmean(left_out) - np.nan_to_num(left_out)))

    def percentiles(self, differences: Values, n: int | None = None) -> Interval:
        """Return the percentile interval of differences that `resample` drew.

        `n` is how many of the items, or clusters of them, are independent: all by default.
        """
        return interval(differences, self.m if n is None else n)

    def tests(self, _permutations: int, _rng: np.random.Generator) -> dict[str, Test]:
        """Test the difference in other ways than by the bootstrap."""
        return {}

    def effect(self) -> tuple[str, float]:
        """Return the name and the value of the effect size; the empty name if there is none."""
        return "", float("nan")


def interval(differences: Values, n: int | None = None) -> Interval:
    """Summarize resampled differences (r,) by their percentiles; NaN (all ranks tied) is left out.

    With `n`, the number of items (or clusters) resampled, the tails are expanded for it.

    >>> interval(np.full(99, -0.1))
    Interval(low=-0.1, high=-0.1, p_value=0.02)
    """
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0:
        return Interval()
    tail = (1 - LEVEL) / 2  # share of resamples left out on each side
    if n is not None and n > 1:
        tail = float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, tail)))
    # The j-th of r values in order is taken for the quantile j / (r + 1) (Davison & Hinkley 1997).
    low, high = np.quantile(differences, [tail, 1 - tail], method="weibull")
    return Interval(float(low), float(high), _two_sided(differences))


def bca_interval(differences: Values, delta: float, jackknifed: Values) -> Interval:
    """Summarize differences (r,) by percentiles moved for bias and skewness, as scipy's BCa does.

    `delta` is the difference over all items, `jackknifed` (m,) the one with each item left out.

    >>> low_heavy = np.concatenate([np.linspace(-1, 0, 50), np.linspace(0, 0.5, 50)])
    >>> found = bca_interval(low_heavy, 0.0, np.linspace(-0.1, 0.1, 20))
    >>> round(found.low, 2), round(found.high, 2)
    (-0.95, 0.47)
    """
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0:
        return Interval()
    below = ((differences < delta).mean() + (differences <= delta).mean()) / 2
    inside = 0.5 / len(differences)  # a share of 0 or 1 would send the bias to infinity
    bias = ndtri(np.clip(below, inside, 1 - inside))
    pull = np.nanmean(jackknifed) - jackknifed[np.isfinite(jackknifed)]
    size = float((pull @ pull) ** 1.5)
    acceleration = float((pull**3).sum()) / (6 * size) if size > 0 else 0.0
    tail = (1 - LEVEL) / 2
    moved = bias + ndtri(np.array([tail, 1 - tail]))
    low, high = np.quantile(differences, ndtr(bias + moved / (1 - acceleration * moved)))
    return Interval(float(low), float(high), _two_sided(differences))


def _two_sided(differences: Values) -> float:
    """Return the p-value described in `Interval`, for finite differences."""
    rarer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(differences) + 1))
