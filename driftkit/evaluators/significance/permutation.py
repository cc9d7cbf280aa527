"""Permutation tests: under the null the two tables can be swapped, item by item.

The p-value is two-sided, ``(1 + swaps at least as extreme) / (1 + swaps)``, so it is never 0
(Phipson & Smyth 2010).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_BATCH = 2**20
_ROUNDING = 1e-12


def permute_means(
    before: npt.ArrayLike, after: npt.ArrayLike, *, permutations: int, rng: np.random.Generator
) -> float:
    """Test the difference of two means over the same items.

    Swapping turns the sign of an item's change, so only items that changed are drawn.

    Parameters
    ----------
    before, after : array_like, shape (m,)
        Score of each item; booleans for right or wrong.
    permutations : int
    rng : numpy.random.Generator

    Examples
    --------
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
    """Test the difference of two correlations with the same human scores.

    Give ranks for Spearman's correlation. Ranks, not cosines, are then swapped: tuning stretches
    the scale of cosines, which says nothing about their order.

    Parameters
    ----------
    gold, before, after : ndarray of float64, shape (m,)
    permutations : int
    rng : numpy.random.Generator

    Returns
    -------
    float
        NaN if a side is constant.
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
    size = np.sqrt(centered @ centered)
    with np.errstate(invalid="ignore"):
        unit: Values = centered / size
    return unit


def _p_value(swapped: Values, observed: float) -> float:
    extreme = int((swapped >= observed - _ROUNDING).sum())
    return (1 + extreme) / (1 + len(swapped))
