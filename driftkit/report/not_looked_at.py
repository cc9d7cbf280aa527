"""What an audit did not look at: no view that people take for the whole may leave it out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftkit.display import counted, interval, joined
from driftkit.drift.words import unmeasured
from driftkit.evaluators import ScoreChange
from driftkit.findings import Findings


def not_looked_at(findings: Findings) -> list[str]:
    """Return a sentence for each thing that the audit did not look at, or could not tell.

    These are the questions that were not tested, benchmarks that say nothing or were answered in
    part, words whose neighbors were not sought, added words, measures that could not be taken, and
    the task that the table was tuned for.
    """
    return list(_sentences(findings))


def _sentences(findings: Findings) -> Iterator[str]:
    noun, pair = findings.noun, findings.pair
    for finding in findings.findings:
        if finding.status == "not tested":
            yield f"{finding.question.capitalize()} was not tested: {finding.sentence}."
    for change in findings.scores:
        yield from _of_benchmark(change)
    sought, shared = len(findings.shifts), len(pair)
    if sought < shared:
        yield (
            f"The neighbors of {shared - sought:,} of {counted(shared, noun)} were not sought, "
            f"and those of the others only among {findings.shifts.among}."
        )
    if pair.added:
        yield f"{counted(len(pair.added), f'added {noun}')} had nothing to be compared with."
    yield from unmeasured(findings.words.reasons)
    if findings.scores:
        asked = joined(dict.fromkeys(change.name for change in findings.scores))
        yield f"The benchmarks ({asked}) say nothing about the task it was tuned for."


def _of_benchmark(change: ScoreChange) -> Iterator[str]:
    if change.status in ("inconclusive", "not tested", "not measured"):
        why = change.reason
        if why is None and not np.isnan(change.ci_low):
            ends = interval(change.ci_low, change.ci_high)
            why = f"its change may lie anywhere within {ends}"
        yield f"{change.name} is {change.status}{f': {why}' if why else ''}."
    if change.n_used < change.n_total:
        unanswered = change.n_total - change.n_used
        yield (
            f"{change.name}: {unanswered:,} of {counted(change.n_total, 'item')} "
            "were not answered by both tables."
        )
