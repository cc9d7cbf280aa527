"""How large a change is, and how large it would have to be to be seen.

The minimum detectable difference is the true change that a two-sided test at 5 % finds with
probability `POWER`: (z(0.975) + z(0.8)) standard errors, 2.80 of them (Cohen 1988).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from driftkit.evaluators.significance.bootstrap import LEVEL

POWER = 0.8
"""Probability with which a minimum detectable difference is found."""

_ERRORS = float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))


def cohen_q(before: float, after: float) -> float:
    """Return the difference of Fisher's z (Cohen 1988): 0.1 is small, 0.3 medium, 0.5 large.

    >>> round(cohen_q(0.265, 0.192), 3)
    -0.077
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        q = float(np.arctanh(after) - np.arctanh(before))
    return q if math.isfinite(q) else (0.0 if before == after else math.nan)


def cohen_h(before: float, after: float) -> float:
    """Return the change of a share on the arcsine scale (Cohen 1988): 0.2 is small, 0.8 large.

    >>> round(cohen_h(0.462, 0.301), 3)
    -0.333
    """
    return 2 * (math.asin(math.sqrt(after)) - math.asin(math.sqrt(before)))


def detectable_difference(standard_error: float) -> float:
    """Return the minimum detectable difference for a standard error, such as a bootstrap's.

    >>> round(detectable_difference(0.01), 4)
    0.028
    """
    return _ERRORS * standard_error


def detectable_correlation(n: int, correlation: float, agreement: float) -> float:
    """Return the minimum detectable change of a correlation over n pairs, before any data are seen.

    `correlation` is that of either table with the human scores, `agreement` that of the two tables
    (Olkin & Siotani 1976; Steiger 1980: large-sample variance of overlapping correlations).

    >>> round(detectable_correlation(353, 0.5, 0.9), 3)
    0.057
    """
    r2 = correlation**2
    left = 1 - 2 * r2
    covariance = agreement * left - r2 * (left - agreement**2) / 2
    variance = 2 * max((1 - r2) ** 2 - covariance, 0.0)
    return detectable_difference(math.sqrt(variance / n))


def detectable_accuracy(n: int, discordant: float) -> float:
    """Return the minimum detectable change of an accuracy over n questions, before any data.

    A share `discordant` of them is answered rightly by one table and wrongly by the other.

    >>> round(detectable_accuracy(19544, 0.1), 4)
    0.0063
    """
    return detectable_difference(math.sqrt(discordant / n))
