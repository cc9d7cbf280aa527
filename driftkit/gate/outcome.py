"""When a rule is kept, broken, inconclusive or not measured.

A figure that is known exactly is compared with the bound, and that is all. A figure that is
uncertain, such as the change of a benchmark, is decided by its 95 % interval. For ``>=``:

- *pass*: the whole interval lies at or above the bound, so the worst change that the data allow is
  still allowed;
- *fail*: the estimate lies below the bound, and the whole interval lies below *no change* (or below
  the bound, where the bound asks for more than no change). Both are needed: the fall is no accident
  of the items drawn, and its best estimate is more than is allowed;
- *inconclusive*: anything else;
- *not measured*: there is no figure, or only a part of it, and what there is does not fail.

``<=`` is the mirror image. ``=`` asks for both, each with the tolerance. A benchmark that an audit
calls *lost* is one that fails ``>= -margin``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from driftkit.gate.facts import Figure
from driftkit.gate.rules import Operator

Outcome = Literal["pass", "fail", "inconclusive", "not measured"]


def decide(figure: Figure, operator: Operator, bound: float, tolerance: float = 0.0) -> Outcome:
    """Decide one figure.

    Parameters
    ----------
    figure : Figure
    operator : {">=", ">", "<=", "<", "="}
    bound : float
        In the units of the figure.
    tolerance : float
        Distance that counts as equal.

    Examples
    --------
    >>> drop = Figure(-0.05, -0.10, -0.01, uncertain=True, unchanged=0.0)
    >>> [decide(drop, ">=", bound) for bound in (-0.02, -0.07, -0.2)]
    ['fail', 'inconclusive', 'pass']
    """
    if math.isnan(figure.value) or math.isnan(bound):
        return "not measured"
    if operator == "=":
        outcomes = {
            _at_least(figure, bound - tolerance, strict=False),
            _at_least(_negated(figure), -bound - tolerance, strict=False),
        }
    elif operator in (">=", ">"):
        outcomes = {_at_least(figure, bound, strict=operator == ">")}
    else:
        outcomes = {_at_least(_negated(figure), -bound, strict=operator == "<")}
    if "fail" in outcomes:
        return "fail"
    if figure.reason is not None:
        return "not measured"
    return "inconclusive" if "inconclusive" in outcomes else "pass"


def _at_least(figure: Figure, bound: float, *, strict: bool) -> Outcome:
    def short(value: float) -> bool:
        return value <= bound if strict else value < bound

    if not figure.uncertain:
        return "fail" if short(figure.value) else "pass"
    if math.isnan(figure.low) or math.isnan(figure.high):
        return "inconclusive"
    if not short(figure.low):
        return "pass"
    still = bound if math.isnan(figure.unchanged) else max(bound, figure.unchanged)
    return "fail" if short(figure.value) and figure.high < still else "inconclusive"


def _negated(figure: Figure) -> Figure:
    return replace(
        figure,
        value=-figure.value,
        low=-figure.high,
        high=-figure.low,
        unchanged=-figure.unchanged,
    )
