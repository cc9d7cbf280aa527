"""How far a difference of two scores varies with the items asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from driftkit.arrays import Values
from driftkit.evaluators.significance import Difference, Interval, bca_interval

Method = Literal["percentile", "bca"]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Differences (r,) of items resampled one by one, and what is known of their independence.

    `effect` is the design effect of what the items share, `independent` how many items, or words,
    could have changed independently; None for all items.
    """

    difference: Difference
    delta: float
    resampled: Values
    effect: float
    independent: int | None

    @property
    def drawn(self) -> Values:
        """The resampled differences, widened around `delta` by the design effect."""
        if self.effect == 1:  # not a bit is changed: items that share nothing are drawn one by one
            return self.resampled
        wide = self.delta + math.sqrt(self.effect) * (self.resampled - self.delta)
        return np.asarray(wide)

    def bounds(self, method: Method = "percentile") -> Interval:
        """Return the percentile interval, or the one corrected for bias and skewness."""
        if method == "bca":
            return bca_interval(self.drawn, self.delta, self.difference.jackknife())
        return self.difference.percentiles(self.drawn, self.independent)

    @property
    def error(self) -> float:
        """The standard error of the difference."""
        return float(np.nanstd(self.drawn))
