"""Ball: no row farther from its original place than a share of its length."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Matrix
from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, between, steps


def ball(pair: Pair) -> Curve:
    """Return the curve whose strength is the farthest a row may be, in lengths of its original row.

    A row that is farther is drawn back to the rim, one that is nearer stays. By default the radii
    are the deciles of how far rows moved.
    """
    rows = np.flatnonzero(pair.moved)
    before, after = pair.before[rows], pair.after[rows]
    gone, length = steps(pair, rows), pair.before_norms[rows]

    def at(radius: float) -> Matrix:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(gone <= radius * length, 1.0, radius * length / gone)
        return between(before, after, share[:, None])

    known = gone[length > 0] / length[length > 0]
    deciles = np.quantile(known, TENTHS[1:]) if len(known) else np.zeros(1)
    radii = sorted({0.0, *np.ceil(deciles * 1e4) / 1e4}, reverse=True)
    means = "how far a row may be from its place, as a multiple of its original length"
    return Curve(rows, tuple(map(float, radii)), at, means, most=np.inf)
