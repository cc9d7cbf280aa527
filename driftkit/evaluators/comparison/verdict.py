"""When a property counts as lost, gained or retained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.significance.interval import Interval
from driftkit.measures.registry import parse_measure

Status = Literal["retained", "lost", "gained", "inconclusive", "not measured"]

# The smallest change worth acting on, by measure. Tuning GloVe 50d with care (frozen first, then a
# small rate; or L2-SP) moves SimLex and WS-353 by up to 0.006 and Google by up to 0.003; tuning it
# carelessly moves them by 0.07 or more and 0.16. The margins lie between, nearer to the harmless.
# The smaller benchmarks (categories, outliers, synonyms) take that of the correlations.
MARGINS: dict[str, float] = {
    "spearman": 0.02,
    "pearson": 0.02,
    "3cosadd": 0.01,
    "3cosmul": 0.01,
    "pairdirection": 0.01,
    "3cosavg": 0.02,
    "lrcos": 0.02,
    "purity": 0.02,
    "opp": 0.02,
    "outlier_accuracy": 0.02,
    "synonym_choice": 0.02,
}

# Fewer answered items than this decide nothing. Correlations: the percentile bootstrap has too few
# distinct resamples below ten. Shares: with fewer, a single item outweighs the default margin.
FEWEST_ITEMS: dict[str, int] = {
    measure: 10 if measure in ("spearman", "pearson") else round(1 / margin)
    for measure, margin in MARGINS.items()
}


def margin_of(measure: str, margins: Mapping[str, float] | None = None) -> float:
    """Return the smallest change of a measure that counts.

    Parameters
    ----------
    measure : str
        Such as ``"3cosadd@1"``.
    margins : mapping of str to float, optional
        Margins that replace the defaults, by the name of the measure with or without its depth.

    Examples
    --------
    >>> margin_of("spearman"), margin_of("3cosadd@1", {"3cosadd": 0.05})
    (0.02, 0.05)
    """
    kind = parse_measure(measure).name
    margins = margins or {}
    return margins.get(measure, margins.get(kind, MARGINS[kind]))


def check_margins(margins: Mapping[str, float] | None) -> None:
    """Raise for a margin that is not above zero, or not of a measure that has one."""
    for measure, margin in (margins or {}).items():
        if parse_measure(measure).name not in MARGINS:
            raise UnknownNameError("measure with a margin", measure, MARGINS)
        if not 0 < margin < math.inf:
            raise OptionError(f"margin {measure}={margin} cannot be used; give a number above 0.")


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
