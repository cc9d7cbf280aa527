"""The back-map: moved rows as the map to the original space takes them."""

from __future__ import annotations

import numpy as np

from driftkit.maps import Refusal, fit_map
from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, between

MEANS = "the share of the way from the mapped to the tuned row"
"""What a strength is, whether or not there is a map."""


def back_map(pair: Pair, seed: int) -> Curve | Refusal:
    """Return the curve whose strength is the share of the way from the mapped to the tuned row.

    At 1 this is the tuned table, at 0 the table that `driftkit.fit_map` makes of it. Where no map
    helps, its refusal is returned.
    """
    fitted = fit_map(pair, seed=seed)
    if isinstance(fitted, Refusal):
        return fitted
    rows = np.flatnonzero(pair.moved)
    after = pair.after[rows]
    mapped = fitted(after)
    return Curve(rows, TENTHS[::-1], lambda share: between(mapped, after, share), MEANS)
