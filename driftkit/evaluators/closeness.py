"""How close two rows are: cosine, dot product, Euclidean distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from driftkit.arrays import Matrix, Rows, Values

Closeness = Literal["cosine", "dot", "euclidean"]

DECIMALS = 12
"""Values are rounded to this many decimals: float32 rows carry 7 digits, and the noise beyond must
not order ties, or a table whose rows are all alike would get a correlation."""

TIE = 1e-12  # sums of cosines this close are equal


def cosines(matrix: Matrix, pairs: Rows) -> Values:
    """Return the cosine of each of m pairs of rows (m, 2), none of them zero, in float64, (m,)."""
    return cosines_of(*_sides(matrix, pairs))


def cosines_of(left: Values, right: Values) -> Values:
    """Return the cosine of each row with that of another matrix, both (m, d), none of them zero."""
    dot = np.einsum("ij,ij->i", left, right)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray(np.clip(np.round(dot / norms, DECIMALS), -1.0, 1.0))


def dots(matrix: Matrix, pairs: Rows) -> Values:
    """Return the dot product of each pair of rows, as `cosines`, and zero rows allowed."""
    left, right = _sides(matrix, pairs)
    return np.asarray(np.round(np.einsum("ij,ij->i", left, right), DECIMALS))


def nearness(matrix: Matrix, pairs: Rows) -> Values:
    """Return the Euclidean distance of each pair of rows, negative so that higher is closer."""
    left, right = _sides(matrix, pairs)
    return np.asarray(-np.round(np.linalg.norm(left - right, axis=1), DECIMALS))


def _sides(matrix: Matrix, pairs: Rows) -> tuple[Values, Values]:
    return matrix[pairs[:, 0]].astype(np.float64), matrix[pairs[:, 1]].astype(np.float64)


def unit_rows(matrix: Matrix, rows: Rows) -> Values:
    """Return rows (m,), none of them zero, scaled to length 1, in float64, (m, d)."""
    vectors = matrix[rows].astype(np.float64)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


CLOSENESS: dict[str, Callable[[Matrix, Rows], Values]] = {
    "cosine": cosines,
    "dot": dots,
    "euclidean": nearness,
}
"""The ways two words can be close; higher is always closer."""
