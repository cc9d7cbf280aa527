"""Norm: rows keep their tuned direction and get their original length back."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Matrix
from driftkit.pair import Pair
from driftkit.restoring.curve import Curve


def norm(pair: Pair) -> Curve:
    """Return the curve whose strength is the share of the change of length that a row keeps.

    Lengths are multiplied, so that half of a factor of 4 is a factor of 2. At 1 this is the tuned
    table; at 0 each row is as long as it was. Rows that are zero in either table stay.
    """
    rows = np.flatnonzero(pair.moved & ~pair.zero)
    after = pair.after[rows]
    factor = pair.before_norms[rows] / pair.after_norms[rows]

    def at(share: float) -> Matrix:
        if share == 1:
            return after
        return (after * (factor ** (1 - share))[:, None]).astype(np.float32)

    means = "the share of the change of its length that a row keeps"
    return Curve(rows, (1.0, 0.75, 0.5, 0.25, 0.0), at, means)
