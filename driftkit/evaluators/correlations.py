"""Correlations of what a table says with what people say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import kendalltau, rankdata

from driftkit.arrays import Values

FEWEST_PAIRS = 3  # a line through two points fits always: below this a correlation says nothing


def pearson(x: Values, y: Values) -> float:
    """Return Pearson's correlation; NaN if a side is constant or there are under three values.

    >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])), 4)
    0.982
    """
    if _is_undefined(x, y):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    # Scaled first, so that the squares of tiny or huge values neither vanish nor overflow.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def spearman(x: Values, y: Values) -> float:
    """Return Spearman's correlation, tied values sharing their average rank; NaN as `pearson`.

    >>> round(spearman(np.array([1.0, 2.0, 2.0]), np.array([1.0, 5.0, 9.0])), 4)
    0.866
    """
    return pearson(rankdata(x), rankdata(y))


def kendall(x: Values, y: Values) -> float:
    """Return Kendall's tau-b, which corrects for ties; NaN as in `pearson`.

    >>> round(kendall(np.array([1.0, 2.0, 2.0]), np.array([1.0, 5.0, 9.0])), 4)
    0.8165
    """
    return float("nan") if _is_undefined(x, y) else float(kendalltau(x, y).statistic)


def _is_undefined(x: Values, y: Values) -> bool:
    return len(x) < FEWEST_PAIRS or bool(np.ptp(x) == 0) or bool(np.ptp(y) == 0)


CORRELATIONS: dict[str, Callable[[Values, Values], float]] = {
    "spearman": spearman,
    "pearson": pearson,
    "kendall": kendall,
}
"""The measures of a similarity benchmark; the first is the one verdicts go by."""


def undefined_reason(gold: Values) -> str:
    """Return why the correlation of these scores with cosines is NaN, in one phrase."""
    if len(gold) < FEWEST_PAIRS:
        return f"{len(gold)} pairs can be answered; a correlation needs {FEWEST_PAIRS} or more"
    side = "human scores" if np.ptp(gold) == 0 else "cosines"
    return f"the {side} are all equal, so they order nothing"
