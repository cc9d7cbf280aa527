"""A check in GitHub Actions: annotations and the step summary."""

from __future__ import annotations

from collections.abc import Sequence

from driftkit.escaping import printable
from driftkit.gate.policy import Action
from driftkit.gate.reports.markdown import markdown
from driftkit.gate.verdict import Verdict, worst

WORST = 5  # results annotated besides the summary; GitHub shows ten annotations a step

SUMMARY_LIMIT = 2**20 - 2**12
"""Bytes of a step summary. GitHub drops one above 1 MiB; other commands may write to it too."""

_KIND: dict[Action, str] = {"fail": "error", "warn": "warning", "pass": "notice"}


def workflow_commands(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the workflow commands: one for the whole, then the worst results, failures first."""
    state = worst(verdict.state for verdict in verdicts)
    if len(verdicts) == 1:
        said = verdicts[0].headline
    else:
        each = "; ".join(f"{verdict.tuned}: {verdict.state}" for verdict in verdicts)
        failed = sum(verdict.state == "fail" for verdict in verdicts)
        said = f"{failed} of {len(verdicts)} tables failed. {each}."
    lines = [_command(_KIND[state], "driftkit check", said)]
    wrong = [(verdict, result) for verdict in verdicts for result in verdict.acting("fail")]
    wrong += [(verdict, result) for verdict in verdicts for result in verdict.acting("warn")]
    for verdict, result in wrong:
        why = f"; {result.reason}" if result.outcome == "inconclusive" else ""
        said = f"{verdict.tuned}: {result.sentence}{why}"
        lines.append(_command(_KIND[result.action], f"driftkit: {result.rule}", said))
    return lines[: WORST + 1]


def step_summary(verdicts: Sequence[Verdict], already: int = 0) -> str:
    """Return Markdown for a step summary that holds some bytes already, within GitHub's limit."""
    return markdown(verdicts, limit=max(SUMMARY_LIMIT - already, 0))


def _command(kind: str, title: str, message: str) -> str:
    # No line break is left to end the command; a colon or a comma would end the title.
    title, message = (printable(text).replace("%", "%25") for text in (title, message))
    title = title.replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={title}::{message}"
