"""The maps that are tried, from simple to rich; each is ``x A + b``, fitted by least squares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftkit.arrays import Values

RANKS = (1, 2, 4, 8, 16, 32, 64)
"""Ranks of the change that a low-rank map makes to the space."""

RIDGES = (10.0, 1.0, 0.1, 0.01, 1e-3, 1e-9)
"""Ridges of the full affine map, as a share of a typical variance of the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A map of rows (m, d) to rows (m, e): ``x @ matrix + shift``."""

    name: str
    parameters: int  # how rich it is: of two that do alike, the one with fewer is taken
    matrix: Values  # (d, e)
    shift: Values  # (e,)

    def __call__(self, x: Values) -> Values:
        """Return the mapped rows."""
        out: Values = x @ self.matrix + self.shift
        return out


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Weighted moments of matched rows x (m, d) and y (m, e) about their means."""

    mean_x: Values
    mean_y: Values
    xx: Values
    xy: Values

    @classmethod
    def of(cls, x: Values, y: Values, weights: Values) -> _Moments:
        share = (weights / weights.sum())[:, None]
        mean_x, mean_y = (share * x).sum(axis=0), (share * y).sum(axis=0)
        centered = x - mean_x
        weighted = share * centered
        return cls(mean_x, mean_y, weighted.T @ centered, weighted.T @ (y - mean_y))

    def around_means(self, name: str, parameters: int, matrix: Values) -> Affine:
        """Return the map with this matrix that takes one mean to the other."""
        return Affine(name, parameters, matrix, self.mean_y - self.mean_x @ matrix)


def families(x: Values, y: Values, weights: Values) -> Iterator[Affine]:
    """Yield every map from rows x (m, d) to rows y (m, e), the poorest first.

    A map of low rank changes the rows as they are, or the rotation where widths differ. A ridge
    pulls an affine map to the same, or to the rotation where that explains most.

    Parameters
    ----------
    x, y : ndarray of float64
    weights : ndarray of float64, shape (m,)
        How much each row counts.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> scale = next(families(x, 2 * x, np.ones(40)))
    >>> scale.name, scale.matrix.diagonal().round(9).tolist()
    ('scale', [2.0, 2.0, 2.0])
    """
    d, e = x.shape[1], y.shape[1]
    found = _Moments.of(x, y, weights)
    same = d == e
    if same:
        each = weights[:, None]
        scale = (each * x * y).sum() / (each * x * x).sum()
        yield Affine("scale", 1, scale * np.eye(d), np.zeros(d))
        yield found.around_means("translation", d, np.eye(d))
    u, singular, vt = np.linalg.svd(found.xy, full_matrices=False)
    turn = u @ vt * (singular.sum() / np.trace(found.xx))
    short = min(d, e)
    rotation = found.around_means("rotation", short * (2 * max(d, e) - short - 1) // 2 + e, turn)
    yield rotation
    typical = np.trace(found.xx) / d * np.eye(d)
    start, poorer = (np.eye(d), e) if same else (turn, rotation.parameters)
    rest = found.xy - found.xx @ start  # what the start leaves to explain
    full = np.linalg.solve(found.xx + RIDGES[-1] * typical, rest)
    # The directions in which the change, as the rows show it, is largest (reduced-rank regression).
    _, directions = np.linalg.eigh(full.T @ found.xx @ full)
    for rank in RANKS:
        if rank < short:
            kept = directions[:, -rank:]
            parameters = poorer + rank * (d + e - rank)
            yield found.around_means(
                f"rank-{rank} affine", parameters, start + full @ kept @ kept.T
            )
    # A rotation fits few rows too well: what it leaves is judged by the values it leaves free.
    free = 1 - rotation.parameters / y.size
    if same and _left(x, y, weights, rotation) < 0.5 * free * _left(x, y, weights, None):
        start, rest = turn, found.xy - found.xx @ turn
    for ridge in RIDGES:
        change = np.linalg.solve(found.xx + ridge * typical, rest)
        name = "affine" if ridge == RIDGES[-1] else f"affine, ridge {ridge:g}"
        yield found.around_means(name, d * e + e, start + change)


def _left(x: Values, y: Values, weights: Values, map: Affine | None) -> float:  # noqa: A002
    mapped = x if map is None else map(x)
    return float((weights[:, None] * np.square(y - mapped)).sum())
