"""What a check looks like in a terminal: every rule, its value, its distance from the bound."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from driftkit.display import Text, section, table
from driftkit.gate.baseline import Baseline, summary
from driftkit.gate.verdict import SIGNS, STATES, STYLES, WORST_FIRST, Verdict, results_table
from driftkit.names import LONG, told_apart


def verdict_view(verdicts: Sequence[Verdict]) -> RenderableType:
    """Show one verdict after the other, and a matrix of them all when there are several."""
    parts: list[RenderableType] = []
    for verdict in verdicts:
        parts += [Text(""), _one(verdict)] if parts else [_one(verdict)]
    if len(verdicts) > 1:
        parts += [Text(""), _matrix(verdicts)]
    return Group(*parts)


def baseline_view(baseline: Baseline) -> RenderableType:
    """Show what a baseline holds: where it comes from, and every value, over all of its runs."""
    about, several = baseline.runs[-1].document, len(baseline.runs) > 1
    made = table("measure", right=("mean", "least to most") if several else ("value", "interval"))
    for name, entry in sorted(summary(baseline, several=several).items()):
        value, *ends = entry if isinstance(entry, list) else [entry]
        between = f"{ends[0]:.6g} to {ends[1]:.6g}" if ends and None not in ends else ""
        made.add_row(name, "-" if value is None else f"{value:.6g}", between)
    settings = ", ".join(f"{name} {value}" for name, value in about["settings"].items())
    names = f"{len(baseline.runs)} runs" if several else baseline.runs[0].name
    sides = [("original", about["original"])]
    sides += [
        (f"run {at}: {run.name}" if several else "tuned", run.document["tuned"])
        for at, run in enumerate(baseline.runs, start=1)
    ]
    return Group(
        Text(f"{names} against {about['original']['name']}", "bold"),
        Text(f"driftkit {about['driftkit']}; {settings}; {about['rounding']}", "dim"),
        *(
            Text(f"{side}: {each['rows']:,} rows, sha256 {each['sha256']}", "dim")
            for side, each in sides
        ),
        made,
    )


def headline_first(verdict: Verdict) -> RenderableType:
    """Show one verdict as a failing test does: the sentence before the names of the tables."""
    return Group(_headline(verdict), _name(verdict), _rest(verdict))


def _one(verdict: Verdict) -> RenderableType:
    return Group(_name(verdict), _headline(verdict), _rest(verdict))


def _name(verdict: Verdict) -> Text:
    against = f" and {verdict.compared_with}" if verdict.baseline else ""
    return Text(f"{verdict.tuned} against {verdict.original}{against}", "bold")


def _headline(verdict: Verdict) -> Text:
    return Text(verdict.headline, STYLES[verdict.state])


def _rest(verdict: Verdict) -> RenderableType:
    wrong = verdict.acting("fail", "warn")
    return Group(
        Text(f"Audit: {verdict.audit}", "dim"),
        Text(""),
        results_table(verdict.acting(*WORST_FIRST)),
        *(
            Text(f"{SIGNS[each.action]} {each.subject}: {why} ({each.rule}).", STYLES[each.action])
            for each in wrong
            if (why := each.reason or each.detail)
        ),
        *([_words(verdict)] if wrong and verdict.words else []),
        *(Text(f"Note: {note}.", "yellow") for note in verdict.notes),
        Text(
            "A value with an interval is decided by its interval. Slack is the distance from the "
            f"bound. Undecided rules: {verdict.policy.inconclusive}; not measured: "
            f"{verdict.policy.not_measured}.",
            "dim",
        ),
    )


def _words(verdict: Verdict) -> RenderableType:
    lines = table(verdict.noun)
    lines.add_column("neighbors it lost", overflow="fold")
    shown = told_apart((name for word, lost in verdict.words for name in (word, *lost[:5])), LONG)
    for word, lost in verdict.words:
        lines.add_row(shown[word], ", ".join(shown[name] for name in lost[:5]))
    return section(f"Moved {verdict.noun}s that kept the fewest neighbors", lines)


def _matrix(verdicts: Sequence[Verdict]) -> RenderableType:
    made = table("table", right=WORST_FIRST)
    made.add_column("verdict", no_wrap=True)
    for verdict in verdicts:
        counts = [str(len(verdict.acting(action))) for action in WORST_FIRST]
        made.add_row(verdict.tuned, *counts, Text(STATES[verdict.state], STYLES[verdict.state]))
    return section("All tables", made)
