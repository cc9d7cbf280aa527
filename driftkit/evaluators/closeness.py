"""How close two rows are: cosine, dot product, Euclidean distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from driftkit.arrays import Matrix
from driftkit.evaluators.lookup import Rows, Values

Closeness = Literal["cosine", "dot", "euclidean"]

DECIMALS = 12
"""Figures are rounded to so many decimals.

float32 rows carry 7 digits, so what lies beyond is the noise of the summation, and noise must not
order pairs that are tied: a table whose rows are all alike would otherwise get a correlation.
"""


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
    left, right = _sides(matrix, pairs)
    return cosines_of(left, right)


def cosines_of(left: Values, right: Values) -> Values:
    """Cosine of each row of one matrix with that of another, both (m, d) and without zero rows."""
    dot = np.einsum("ij,ij->i", left, right)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine: Values = np.clip(np.round(dot / norms, DECIMALS), -1.0, 1.0)
    return cosine


def dots(matrix: Matrix, pairs: Rows) -> Values:
    """Dot product of each pair of rows; arguments as for `cosines`, and zero rows allowed."""
    left, right = _sides(matrix, pairs)
    product: Values = np.round(np.einsum("ij,ij->i", left, right), DECIMALS)
    return product


def nearness(matrix: Matrix, pairs: Rows) -> Values:
    """Euclidean distance of each pair of rows with its sign turned, so that higher is closer."""
    left, right = _sides(matrix, pairs)
    distance: Values = -np.round(np.linalg.norm(left - right, axis=1), DECIMALS)
    return distance


def _sides(matrix: Matrix, pairs: Rows) -> tuple[Values, Values]:
    return matrix[pairs[:, 0]].astype(np.float64), matrix[pairs[:, 1]].astype(np.float64)


CLOSENESS: dict[str, Callable[[Matrix, Rows], Values]] = {
    "cosine": cosines,
    "dot": dots,
    "euclidean": nearness,
}
"""The ways two words can be close; higher is always closer."""
