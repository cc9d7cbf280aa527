"""The bias-corrected and accelerated interval (BCa; Efron 1987)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from driftkit.evaluators.significance.interval import LEVEL, Interval, two_sided


def bca_interval(
    differences: npt.NDArray[np.float64], delta: float, jackknifed: npt.NDArray[np.float64]
) -> Interval:
    """Summarize resampled differences by percentiles that are moved for bias and skewness.

    Parameters
    ----------
    differences : ndarray of float64, shape (r,)
        Resampled differences; those that are NaN are left out.
    delta : float
        The difference over all items.
    jackknifed : ndarray of float64, shape (m,)
        The difference with one item left out, for every item.

    Returns
    -------
    Interval
        What ``scipy.stats.bootstrap(method="BCa")`` gives for the same resamples.

    Examples
    --------
    >>> low_heavy = np.concatenate([np.linspace(-1, 0, 50), np.linspace(0, 0.5, 50)])
    >>> found = bca_interval(low_heavy, 0.0, np.linspace(-0.1, 0.1, 20))
    >>> round(found.low, 2), round(found.high, 2)
    (-0.95, 0.47)
    """
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    below = ((differences < delta).mean() + (differences <= delta).mean()) / 2
    inside = 0.5 / len(differences)  # a share of 0 or 1 would send the bias to infinity
    bias = ndtri(np.clip(below, inside, 1 - inside))
    pull = np.nanmean(jackknifed) - jackknifed[np.isfinite(jackknifed)]
    size = float((pull @ pull) ** 1.5)
    acceleration = float((pull**3).sum()) / (6 * size) if size > 0 else 0.0
    tail = (1 - LEVEL) / 2
    moved = bias + ndtri(np.array([tail, 1 - tail]))
    low, high = np.quantile(differences, ndtr(bias + moved / (1 - acceleration * moved)))
    return Interval(float(low), float(high), two_sided(differences))
