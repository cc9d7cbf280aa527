"""Ball: no row farther from its original place than a share of its length."""

from __future__ import annotations

import math

import numpy as np

from driftkit.arrays import Matrix, Values
from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, between, steps


def ball(pair: Pair) -> Curve:
    """Return the curve whose strength is the farthest a row may be, in lengths of its original row.

    A row that is farther is drawn back to the rim, one that is nearer stays. By default the radii
    are those that keep a tenth, two tenths, ... and all of the movement, in distance.
    """
    rows = np.flatnonzero(pair.moved)
    before, after = pair.before[rows], pair.after[rows]
    gone, length = steps(pair, rows), pair.before_norms[rows]

    def at(radius: float) -> Matrix:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(gone <= radius * length, 1.0, radius * length / gone)
        return between(before, after, share[:, None])

    radii = sorted({0.0, *_radii(gone[length > 0], length[length > 0])}, reverse=True)
    means = "how far a row may be from its place, as a multiple of its original length"
    return Curve(rows, tuple(radii), at, means, most=np.inf)


def _radii(gone: Values, length: Values) -> list[float]:
    """Return the radii that keep tenths of all movement, rounded up to four digits.

    What a radius keeps is the sum of min(gone, radius * length): straight lines that bend where a
    row comes to lie on its rim.
    """
    bends, place = np.unique(gone / length, return_inverse=True)
    inside = np.cumsum(np.bincount(place, gone))
    beyond = length.sum() - np.cumsum(np.bincount(place, length))
    kept = inside + bends * beyond
    found = np.interp(TENTHS[1:] * kept[-1:], [0, *kept], [0, *bends]) if len(bends) else ()
    return [_rounded_up(each) for each in found]


def _rounded_up(radius: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(radius)) - 3)
    return float(f"{math.ceil(radius / unit) * unit:.4g}")
