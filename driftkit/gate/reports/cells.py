"""What one result looks like in a cell of a table, the same in every report."""

from __future__ import annotations

import math

from driftkit.gate.policy import Action
from driftkit.gate.verdict import Result
from driftkit.report.tables import signed

STATES: dict[Action, str] = {"fail": "failed", "warn": "passed with warnings", "pass": "passed"}


def value_cell(result: Result) -> str:
    """Write the value, with its interval if it was decided by that."""
    if result.decided_by == "interval" and not math.isnan(result.low):
        # A change has a sign; a score or a number of benchmarks has none.
        is_change = "[" in result.subject and not result.subject.endswith(" tuned")
        write = signed if is_change else _short
        return f"{write(result.value)} [{write(result.low)}, {write(result.high)}]"
    return _short(result.value)


def bound_cell(result: Result) -> str:
    """Write what the value was compared with."""
    around = f" +- {_short(result.tolerance)}" if result.tolerance else ""
    return f"{result.operator} {_short(result.bound)}{around}"


def slack_cell(result: Result) -> str:
    """Write the distance from the bound, with its sign."""
    if math.isnan(result.slack):
        return "-"
    return f"{'+' if result.slack >= 0 else ''}{_short(result.slack)}"


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
