"""The difference of two recipes, from a few runs of each: its interval, and what so few can show.

The bootstrap interval (BCa, Efron 1987) is too narrow for so few runs, of three it misses one time
in four, so it does not decide alone. A sign-flip test of n pairs turns the signs of their
differences around in each of 2^n ways, a permutation test of two groups deals their runs out in
every way; both are exact whatever the distribution, and both have a least p-value that no data can
go below: 2 / 2^n for pairs. Turned into an interval, such a test gives order statistics: of the
means of every subset of the differences (Hartigan 1969), and alike for two groups. What decides is
the hull of both intervals, and there is none where the least p-value is above 5 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import stdtrit

from driftkit.arrays import Values
from driftkit.evaluators.significance import LEVEL, Interval, bca_interval

RESAMPLES = 10_000
MOST = 2**14
"""Arrangements looked at one by one; of more, as many are drawn."""

_POWER = 0.8
_ROUNDED = 12  # decimals: sums in another order give the same arrangement the same value


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """The mean of a recipe's runs minus that of another's.

    Parameters
    ----------
    value : float
    low, high : float
        The hull of the two intervals at 95 %; NaN where so few runs have none.
    bca : Interval
        The bootstrap interval.
    p_value, least_p : float
        Of the exact test, two-sided, and the least that so many runs can have.
    shown : float
        The smallest true difference that so many runs show in 8 of 10 cases, by Student's t; NaN
        where they show none.
    """

    value: float
    low: float
    high: float
    bca: Interval
    p_value: float
    least_p: float
    shown: float


def difference_of_pairs(ours: Values, theirs: Values, seed: int = 0) -> MeanDifference:
    """Compare recipes whose runs, (n,) each, go in pairs, such as by their seed.

    >>> found = difference_of_pairs(np.array([0.3, 0.4, 0.5]), np.array([0.1, 0.1, 0.1]))
    >>> round(found.value, 3), found.p_value, found.least_p, found.low
    (0.3, 0.25, 0.25, nan)
    """
    differences = np.asarray(ours, np.float64) - theirs
    n, rng = len(differences), np.random.default_rng([seed, 1])
    value = float(differences.mean())
    drawn = differences[rng.integers(0, n, (RESAMPLES, n))].mean(axis=1)
    others = (differences.sum() - differences) / max(n - 1, 1)
    if 2**n <= MOST:
        flipped = (np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1 == 1
        total = 2**n
    else:
        flipped = rng.random((MOST - 1, n)) < 0.5
        flipped = flipped[flipped.any(axis=1)]
        total = len(flipped) + 1
    typical = (flipped @ differences) / flipped.sum(axis=1)
    error = float(differences.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return _found(value, bca_interval(drawn, value, others), typical, total, error, n - 1)


def difference_of_groups(ours: Values, theirs: Values, seed: int = 0) -> MeanDifference:
    """Compare recipes whose runs, (n,) and (m,), do not go in pairs."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    n, m, rng = len(ours), len(theirs), np.random.default_rng([seed, 2])
    value = float(ours.mean() - theirs.mean())
    drawn = ours[rng.integers(0, n, (RESAMPLES, n))].mean(axis=1)
    drawn -= theirs[rng.integers(0, m, (RESAMPLES, m))].mean(axis=1)
    pulls = (each - each.mean() for each in (ours, theirs))
    pull = np.concatenate(
        [sign * each / size for each, sign, size in zip(pulls, (1, -1), (n, m), strict=True)]
    )
    everything = np.concatenate([ours, theirs])
    total = math.comb(n + m, n)
    if total <= MOST:
        chosen = np.array(list(combinations(range(n + m), n)))[1:]  # the first leaves all in place
    else:
        chosen = rng.random((MOST - 1, n + m)).argsort(axis=1)[:, :n]
        chosen = chosen[(chosen >= n).any(axis=1)]
        total = len(chosen) + 1
    sums, kept = everything[chosen].sum(axis=1), (chosen < n).sum(axis=1)
    dealt = sums / n - (everything.sum() - sums) / m
    # Ours less d, dealt out anew, differ by `dealt` - d share. That is the difference that was
    # found, less d, where d is this:
    share = kept / n - (n - kept) / m
    typical = (value - dealt) / (1 - share)
    spread = math.fsum(((each - each.mean()) ** 2).sum() for each in (ours, theirs))
    freedom = n + m - 2
    error = math.sqrt(spread / freedom * (1 / n + 1 / m)) if freedom else math.nan
    return _found(value, bca_interval(drawn, value, -pull), typical, total, error, freedom)


def _found(
    value: float, bca: Interval, typical: Values, total: int, error: float, freedom: int
) -> MeanDifference:
    """Put together what was found; `typical` are the differences at which the test turns over."""
    ordered = np.sort(np.round(typical, _ROUNDED))
    least = min(1.0, 2 / total)
    tail = (1 - LEVEL) / 2
    above = 1 + int(np.searchsorted(ordered, 0.0, side="right"))
    below = 1 + len(ordered) - int(np.searchsorted(ordered, 0.0, side="left"))
    p_value = min(1.0, 2 * min(above, below) / total)
    place = math.floor(tail * total + 1e-9)
    if place < 1:
        return MeanDifference(value, math.nan, math.nan, bca, p_value, least, math.nan)
    low = min(float(ordered[place - 1]), bca.low)
    high = max(float(ordered[-place]), bca.high)
    shown = error * float(stdtrit(freedom, 1 - tail) + stdtrit(freedom, _POWER))
    return MeanDifference(value, low, high, bca, p_value, least, shown)


def fewest_pairs() -> int:
    """Return of how many pairs a sign-flip test can have a p-value of 5 %."""
    return math.ceil(math.log2(2 / (1 - LEVEL)))
