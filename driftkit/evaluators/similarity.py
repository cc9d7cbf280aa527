"""Word similarity: how far cosines order pairs of words as people do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from driftkit.embeddings import Matrix
from driftkit.evaluators.items import Rows

Values = npt.NDArray[np.float64]

DECIMALS = 12
"""Cosines are rounded to so many decimals.

float32 rows carry 7 digits, so what lies beyond is the noise of the summation, and noise must not
order pairs that are tied: a table whose rows are all alike would otherwise get a correlation.
"""

FEWEST_PAIRS = 3
"""A line through two points fits always: below this a correlation says nothing."""


def cosines(matrix: Matrix, pairs: Rows) -> Values:
    """Cosine of each pair of rows, accumulated in float64.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    pairs : ndarray of int64, shape (m, 2)
        Rows, none of them zero.

    Returns
    -------
    ndarray of float64, shape (m,)
    """
    left = matrix[pairs[:, 0]].astype(np.float64)  # (m, d)
    right = matrix[pairs[:, 1]].astype(np.float64)
    dot = np.einsum("ij,ij->i", left, right)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine: Values = np.clip(np.round(dot / norms, DECIMALS), -1.0, 1.0)
    return cosine


def pearson(x: Values, y: Values) -> float:
    """Pearson's linear correlation; NaN if a side is constant or there are under three values.

    Examples
    --------
    >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])), 4)
    0.982
    """
    if len(x) < FEWEST_PAIRS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    # Scaled first, so that the squares of tiny or huge values neither vanish nor overflow.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def spearman(x: Values, y: Values) -> float:
    """Spearman's rank correlation, tied values sharing their average rank; NaN as in `pearson`.

    Examples
    --------
    >>> round(spearman(np.array([1.0, 2.0, 2.0]), np.array([1.0, 5.0, 9.0])), 4)
    0.866
    """
    return pearson(rankdata(x), rankdata(y))


CORRELATIONS: dict[str, Callable[[Values, Values], float]] = {
    "spearman": spearman,
    "pearson": pearson,
}
"""The measures of a similarity benchmark; the first is the one verdicts go by."""


def undefined_reason(gold: Values) -> str:
    """Why the correlation of these scores with cosines is NaN, in one phrase."""
    if len(gold) < FEWEST_PAIRS:
        return f"{len(gold)} pairs can be answered; a correlation needs {FEWEST_PAIRS} or more"
    side = "human scores" if np.ptp(gold) == 0 else "cosines"
    return f"the {side} are all equal, so they order nothing"
