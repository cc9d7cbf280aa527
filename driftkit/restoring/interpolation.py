"""Interpolation: every row a share of the way from the original to the tuned one."""

from __future__ import annotations

import numpy as np

from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, between


def interpolation(pair: Pair) -> Curve:
    """Return the curve whose strength is the share of its movement that each row keeps.

    At 1 this is the tuned table and at 0 the original one, bit for bit. Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models"; Xiao et al. 2023, "LM-Cocktail".
    """
    rows = np.flatnonzero(pair.changed)
    before, after = pair.before[rows], pair.after[rows]
    means = "the share of its movement that each row keeps"
    return Curve(rows, TENTHS[::-1], lambda share: between(before, after, share), means)
