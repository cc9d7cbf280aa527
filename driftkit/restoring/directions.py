"""Directions: the movement along the first directions of the drift is taken back."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Matrix
from driftkit.explain.directions import drift_directions
from driftkit.pair import Pair
from driftkit.restoring.curve import Curve


def directions(pair: Pair) -> Curve:
    """Return the curve whose strength is how many directions of the drift are taken back.

    They are the principal components of the movement, not centered, the largest first
    (`driftkit.explain.directions.drift_directions`). With all of them the rows that moved are the
    original ones.
    """
    rows = np.flatnonzero(pair.moved)
    before, after = pair.before[rows], pair.after[rows]
    found = [each.vector for each in drift_directions(pair, pair.before.shape[1], named=1)]

    def at(count: float) -> Matrix:
        if count == 0:
            return after
        if count == len(found):
            return before
        basis = np.array(found[: int(count)])
        move = after.astype(np.float64) - before
        return (after - (move @ basis.T) @ basis).astype(np.float32)

    first = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610)
    counts = (*(count for count in first if count < len(found)), len(found))
    means = "how many directions of the drift are taken back"
    strengths = tuple(map(float, dict.fromkeys(counts)))
    return Curve(rows, strengths, at, means, most=float(len(found)), whole=True)
