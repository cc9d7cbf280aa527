"""When a property counts as lost, gained or retained."""

from __future__ import annotations

import math
from typing import Literal

from driftkit.evaluators.significance import Interval

Status = Literal["retained", "lost", "gained", "inconclusive", "not measured"]

# The smallest change worth acting on, by measure. Tuning GloVe 50d with care (frozen first, then a
# small rate; or L2-SP) moves SimLex and WS-353 by up to 0.006 and Google by up to 0.003; tuning it
# carelessly moves them by 0.07 or more and 0.16. The margins lie between, nearer to the harmless.
MARGINS: dict[str, float] = {"spearman": 0.02, "3cosadd": 0.01}

# Fewer answered items than this decide nothing. Correlations: the percentile bootstrap has too few
# distinct resamples below ten. Accuracy: below one hundred, one item outweighs the margin.
FEWEST_ITEMS: dict[str, int] = {"spearman": 10, "3cosadd": 100}


def decide(delta: float, bounds: Interval, margin: float) -> Status:
    """Decide by the interval of the difference and a practical margin.

    *Lost*: the interval lies below zero and the estimate is at or below ``-margin``. *Gained*: the
    mirror image. *Retained*: the whole interval lies inside ``(-margin, margin)``. *Not measured*:
    a figure is NaN. Anything else is *inconclusive*.

    Parameters
    ----------
    delta : float
        Tuned minus original.
    bounds : Interval
        Interval of `delta`.
    margin : float
        Smallest change that matters, above zero.

    Examples
    --------
    >>> decide(-0.07, Interval(-0.12, -0.02, 0.004), 0.02)
    'lost'
    >>> decide(0.001, Interval(-0.004, 0.006, 0.7), 0.02)
    'retained'
    """
    if any(math.isnan(value) for value in (delta, bounds.low, bounds.high)):
        return "not measured"
    if bounds.high < 0 and delta <= -margin:
        return "lost"
    if bounds.low > 0 and delta >= margin:
        return "gained"
    if -margin < bounds.low and bounds.high < margin:
        return "retained"
    return "inconclusive"
