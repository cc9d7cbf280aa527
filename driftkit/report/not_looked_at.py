"""What an audit did not look at: no view that people take for the whole may leave it out."""

from __future__ import annotations

from collections.abc import Iterator

from driftkit.display import counted, joined
from driftkit.findings import Findings


def not_looked_at(findings: Findings) -> list[str]:
    """Return a clause for each thing that was not looked at, without a full stop.

    These are the questions that were not tested, benchmarks that say nothing or were answered in
    part, words that were no candidates for neighbors, and the task that the table was tuned for.
    """
    return list(_clauses(findings))


def _clauses(findings: Findings) -> Iterator[str]:
    for finding in findings.findings:
        if finding.status == "not tested":
            yield f"{finding.question}: {finding.sentence}"
    for change in findings.scores:
        if change.reason:
            yield f"{change.name}: {change.status}, {change.reason}"
        elif change.n_used < change.n_total:
            unanswered = change.n_total - change.n_used
            yield f"{change.name}: {unanswered:,} of {change.n_total:,} items, not in both tables"
    candidates, shared = len(findings.shifts.candidates), len(findings.pair)
    if candidates < shared:
        yield f"neighbors: sought among {candidates:,} of {counted(shared, findings.noun)}"
    if findings.scores:
        asked = joined(dict.fromkeys(change.name for change in findings.scores))
        yield f"the task it was tuned for: all that was asked is {asked}"
