"""Interpolation: every row a share of the way from the original to the tuned one."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Matrix
from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, between


def interpolation(pair: Pair) -> Curve:
    """Return the curve whose strength is the share of its movement that each row keeps.

    At 1 this is the tuned table and at 0 the original one, bit for bit; rows that differ by the
    rounding of the sources alone did not move, and go back only at 0. Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models"; Xiao et al. 2023, "LM-Cocktail".
    """
    rows = np.flatnonzero(pair.changed)
    before, after, moved = pair.before[rows], pair.after[rows], pair.moved[rows, None]

    def at(share: float) -> Matrix:
        made = between(before, after, share)
        return made if share == 0 else np.where(moved, made, after)

    return Curve(rows, TENTHS[::-1], at, "the share of its movement that each row keeps")
