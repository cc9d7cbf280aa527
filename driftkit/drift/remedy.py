"""Whether one simple map explains a whole change, so that one line undoes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from driftkit.arrays import Rows, Values
from driftkit.drift.crossing import spaced
from driftkit.pair import Pair

FITTED = 20_000  # moved words a map is fitted on, evenly spaced
_NUMBERS = 1 << 20  # and numbers in their rows, to bound memory (8 MB in float64)
EXPLAINED = 1e-4
"""Share of the squared movement that a map may leave over to explain all of it: rounding."""

FLAT = 1e-6  # stretch of a direction, against the usual one, that no map can undo

_ROWS_PER_DIMENSION = 4  # with fewer, an affine map fits anything


@dataclass(frozen=True, slots=True)
class Remedy:
    """The simplest map that explains how the moved rows moved."""

    name: str  # such as "one scale"
    undo: str  # what a person does about it
    left: float  # share of the squared movement it does not explain


def remedy(pair: Pair) -> Remedy | None:
    """Return the simplest map from the original moved rows to the tuned ones, if one explains all.

    Tried in order: a scale, a length for each word, a shift, a permutation of the dimensions, a
    rotation with a scale, an affine map. None is tried between tables of different dimensions.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> rows = np.random.default_rng(0).normal(size=(50, 4))
    >>> words = [f"w{i}" for i in range(50)]
    >>> remedy(align(Embeddings(words, rows), Embeddings(words, 3 * rows))).name
    'one scale'
    """
    rows = np.flatnonzero(pair.moved & ~pair.zero)
    if len(rows) < 2 or pair.mismatch:
        return None
    d = pair.original.dimensions
    rows = spaced(rows, min(FITTED, max(_NUMBERS // d, 2 * _ROWS_PER_DIMENSION * d)))
    return next((found for found in _maps(pair, rows) if found.left <= EXPLAINED), None)


def _maps(pair: Pair, rows: Rows) -> Iterator[Remedy]:
    x, y = pair.before[rows].astype(np.float64), pair.after[rows].astype(np.float64)
    n, d = x.shape
    movement = float(np.square(y - x).sum())

    def left(fitted: Values) -> float:
        gap = y - fitted
        gap *= gap
        return float(gap.sum()) / movement

    scale = float((x * y).sum() / np.square(x).sum())
    yield Remedy("one scale", f"divide by {scale:.6g}", left(scale * x))
    lengths = (x * y).sum(axis=1, keepdims=True) / np.square(x).sum(axis=1, keepdims=True)
    if (lengths > 0).all():
        yield Remedy(
            "a length for each word", "compare by cosine, or restore the lengths", left(lengths * x)
        )
    shift = y.mean(axis=0) - x.mean(axis=0)
    yield Remedy("one shift", "subtract the mean difference", left(x + shift))
    if n <= d:
        return  # so few rows are fitted by any rotation
    products = x.T @ y
    _, order = linear_sum_assignment(-products)
    yield Remedy(
        "one order of the dimensions", "put the dimensions back in order", _of_order(x, y, order)
    )
    u, singular, vt = np.linalg.svd(products)
    scale = float(singular.sum() / np.square(x).sum())
    yield Remedy("one rotation", "rotate back by orthogonal Procrustes", left(scale * x @ (u @ vt)))
    if n >= _ROWS_PER_DIMENSION * d:
        slope, fitted = _affine(x, y)
        least = np.linalg.svd(slope, compute_uv=False).min()
        if least > FLAT * np.sqrt(np.square(y).sum() / np.square(x).sum()):
            undo = "fit the map back on words both tables hold"
            yield Remedy("one affine map", undo, left(fitted))


def _affine(x: Values, y: Values) -> tuple[Values, Values]:
    """Return the slope (d, d) of the best affine map from x to y, and what it makes of x.

    From the second moments, which is many times faster than from the rows. Directions in which x
    varies by less than `FLAT` of the most are none of the map, and it is not undone then.
    """
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x = x - mean_x
    lam, vectors = np.linalg.eigh(x.T @ x)
    kept = lam > FLAT**2 * lam[-1]
    inverse = (vectors[:, kept] / lam[kept]) @ vectors[:, kept].T
    slope = inverse @ (x.T @ (y - mean_y))
    fitted = x @ slope
    fitted += mean_y
    return slope, fitted


def _of_order(x: Values, y: Values, order: Rows) -> float:
    """What is left when dimension i of x has become dimension ``order[i]`` of y."""
    return float(np.square(y[:, order] - x).sum() / np.square(y - x).sum())
