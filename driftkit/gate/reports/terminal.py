"""What a check looks like in a terminal: every rule, its figure, its distance from the bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.display import section, signed, table

if TYPE_CHECKING:
    from driftkit.gate import Baseline, Result, Verdict

STYLES = {"fail": "bold red", "warn": "yellow", "pass": "green"}
SIGNS = {"fail": "x", "warn": "!", "pass": "="}
STATES = {"fail": "failed", "warn": "passed with warnings", "pass": "passed"}


def verdict_view(verdicts: Sequence[Verdict]) -> RenderableType:
    """One verdict after the other, and a matrix of them all when there are several.

    Parameters
    ----------
    verdicts : sequence of Verdict
        With the same rules.
    """
    parts: list[RenderableType] = []
    for verdict in verdicts:
        parts += [_one(verdict), Text("")]
    if len(verdicts) > 1:
        parts.append(_matrix(verdicts))
    else:
        parts.pop()
    return Group(*parts)


def baseline_view(baseline: Baseline) -> RenderableType:
    """Show what a baseline holds: where it comes from, and every figure.

    Parameters
    ----------
    baseline : Baseline
    """
    document = baseline.document
    made = table("figure", right=("value",))
    made.add_column("interval", justify="right", no_wrap=True)
    for name, entry in sorted(document["figures"].items()):
        value, *ends = entry if isinstance(entry, list) else [entry]
        between = f"{ends[0]:.6g} to {ends[1]:.6g}" if ends and None not in ends else ""
        made.add_row(name, "-" if value is None else f"{value:.6g}", between)
    settings = ", ".join(f"{name} {value}" for name, value in document["settings"].items())
    return Group(
        Text(f"{document['tuned']['name']} against {document['original']['name']}", "bold"),
        Text(f"driftkit {document['driftkit']}; {settings}; {document['rounding']}", "dim"),
        *(
            Text(
                f"{side}: {document[side]['rows']:,} rows, sha256 {document[side]['sha256']}", "dim"
            )
            for side in ("original", "tuned")
        ),
        made,
    )


def figure(result: Result) -> str:
    """Write the figure, with its interval if it was decided by that."""
    if result.decided_by == "interval" and not math.isnan(result.low):
        # A change has a sign; a score or a number of benchmarks has none.
        is_change = "[" in result.subject and not result.subject.endswith(" tuned")
        write = signed if is_change else _short
        return f"{write(result.value)} [{write(result.low)}, {write(result.high)}]"
    return _short(result.value)


def bound(result: Result) -> str:
    """Write what the figure was compared with."""
    around = f" +- {_short(result.tolerance)}" if result.tolerance else ""
    return f"{result.operator} {_short(result.bound)}{around}"


def slack(result: Result) -> str:
    """Write the distance from the bound, with its sign."""
    if math.isnan(result.slack):
        return "-"
    return f"{'+' if result.slack >= 0 else ''}{_short(result.slack)}"


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _one(verdict: Verdict) -> RenderableType:
    against = f" and {verdict.baseline}" if verdict.baseline else ""
    made = table("", "rule, figure", right=("figure", "bound", "slack"))
    made.add_column("outcome", no_wrap=True)
    made.columns[1].no_wrap = False
    made.columns[1].overflow = "fold"
    for each in verdict.results:
        made.add_row(
            Text(SIGNS[each.action], STYLES[each.action]),
            each.subject,
            figure(each),
            bound(each),
            slack(each),
            Text(each.outcome, STYLES[each.action]),
        )
    wrong = verdict.acting("fail", "warn")
    return Group(
        Text(f"{verdict.tuned} against {verdict.original}{against}", "bold"),
        Text(verdict.headline, STYLES[verdict.state]),
        Text(f"Audit: {verdict.audit}", "dim"),
        Text(""),
        made,
        *(
            Text(f"{SIGNS[each.action]} {each.rule}: {why}.", STYLES[each.action])
            for each in wrong
            if (why := each.reason or each.detail)
        ),
        *([_words(verdict)] if wrong and verdict.words else []),
        *(Text(f"Note: {note}.", "yellow") for note in verdict.notes),
        Text(
            "A figure with an interval is decided by it. Slack is the distance from the bound; "
            f"undecided rules: {verdict.policy.inconclusive}; not measured: "
            f"{verdict.policy.not_measured}.",
            "dim",
        ),
    )


def _words(verdict: Verdict) -> RenderableType:
    lines = table("word")
    lines.add_column("neighbors it lost", overflow="fold")
    for word, lost in verdict.words:
        lines.add_row(word, ", ".join(lost[:5]))
    return section("Moved words that kept the fewest neighbors", lines)


def _matrix(verdicts: Sequence[Verdict]) -> RenderableType:
    made = table("table", right=("fail", "warn", "pass"))
    made.add_column("verdict", no_wrap=True)
    for verdict in verdicts:
        counts = [str(len(verdict.acting(action))) for action in ("fail", "warn", "pass")]
        made.add_row(verdict.tuned, *counts, Text(STATES[verdict.state], STYLES[verdict.state]))
    return section("All tables", made)
