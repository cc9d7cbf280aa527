"""Resampled items: the bootstrap, the jackknife, and the bootstrap of whole categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from driftkit.evaluators.significance.differences import Difference

Values = npt.NDArray[np.float64]

_BATCH = 2**14
"""Counts held at a time: with what is made of them they stay in the cache of one core."""


def resample(difference: Difference, *, resamples: int, rng: np.random.Generator) -> Values:
    """Bootstrap a difference: draw m of m items with replacement, for both tables the same.

    Parameters
    ----------
    difference : Difference
        Made from the m items.
    resamples : int
        Number of draws r.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (r,)
        NaN where a side of the resample was constant.
    """
    m = difference.m
    out = np.empty(resamples)
    step = max(1, _BATCH // m)
    for start in range(0, resamples, step):
        r = min(step, resamples - start)
        drawn = rng.integers(0, m, (r, m))
        drawn += m * np.arange(r)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=r * m).reshape(r, m)
        out[start : start + r] = difference(counts)
    return out


def jackknife(difference: Difference) -> Values:
    """Return the difference with one item left out, for every item, shape (m,)."""
    m = difference.m
    out = np.empty(m)
    step = max(1, _BATCH // m)
    for start in range(0, m, step):
        rows = np.arange(start, min(start + step, m))
        counts = np.ones((len(rows), m), np.int64)
        counts[np.arange(len(rows)), rows] = 0
        with np.errstate(invalid="ignore", divide="ignore"):
            out[rows] = difference(counts)
    return out


def resample_means(
    before: npt.ArrayLike, after: npt.ArrayLike, *, resamples: int, rng: np.random.Generator
) -> Values:
    """Bootstrap the difference of two means without drawing an item.

    A resample is known by how often each distinct change occurs in it, and these counts are
    multinomial: for right or wrong answers only three numbers are drawn.

    Parameters
    ----------
    before, after : array_like, shape (m,)
        Score of each item in the two tables; booleans for right or wrong.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (resamples,)
    """
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    distinct, counts = np.unique(change, return_counts=True)
    drawn = rng.multinomial(len(change), counts / len(change), resamples)
    differences: Values = drawn @ distinct / len(change)
    return differences


def resample_clusters(
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    clusters: Sequence[str],
    *,
    resamples: int,
    rng: np.random.Generator,
) -> Values:
    """Bootstrap the difference of two means over whole categories of items.

    Analogies of one section share their words, so they break together; drawing sections instead of
    questions gives the interval its honest width (Davison & Hinkley 1997, section 3.8).

    Parameters
    ----------
    before, after : array_like, shape (m,)
    clusters : sequence of str
        The category of each item.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (resamples,)
        Difference of means over all items of the categories drawn.
    """
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    names, which = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    sums = np.bincount(which, change, minlength=len(names))
    sizes = np.bincount(which, minlength=len(names))
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    differences: Values = (drawn @ sums) / (drawn @ sizes)
    return differences
