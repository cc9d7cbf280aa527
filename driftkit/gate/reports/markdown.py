"""A check as Markdown, for the comment of a pull request and for a step summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftkit.gate.policy import Action
from driftkit.gate.verdict import STATES, Result, Verdict
from driftkit.markdown import cells, code, prose
from driftkit.names import LONG, told_apart

_SIGNS: dict[Action, str] = {"fail": "❌", "warn": "⚠️", "pass": "✅"}
_HEAD = ("| | measure | value | bound | slack | outcome |", "|---|---|--:|--:|--:|---|")


def markdown(verdicts: Sequence[Verdict], limit: int | None = None) -> str:
    """Return the report: what failed and what warns first, every rule after that.

    Lines past a limit in bytes of UTF-8 are left out, and a last line says how many.
    """
    lines = list(_lines(verdicts))
    if limit is not None:
        lines = _cut(lines, limit)
    return "\n".join(lines) + "\n"


def _lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    if len(verdicts) > 1:
        yield from ("### driftkit check", "")
        yield from ("| | table | fail | warn | pass |", "|---|---|--:|--:|--:|")
        for verdict in verdicts:
            counts = (str(len(verdict.acting(action))) for action in _SIGNS)
            yield cells(_SIGNS[verdict.state], code(verdict.tuned), *counts)
        yield ""
    for verdict in verdicts:
        yield from _one(verdict)


def _one(verdict: Verdict) -> Iterator[str]:
    against = f" and {code(verdict.compared_with)}" if verdict.baseline else ""
    sign, state = _SIGNS[verdict.state], STATES[verdict.state]
    yield f"### {sign} {code(verdict.tuned)} {state}, against {code(verdict.original)}{against}"
    yield from ("", prose(verdict.headline), "", f"Audit: {prose(verdict.audit)}", "")
    yield from ("| question | status | answer |", "|---|---|---|")
    for finding in verdict.findings:
        yield cells(finding.question, finding.status, prose(finding.sentence))
    yield ""
    wrong = verdict.acting("fail", "warn")
    if wrong:
        yield from _HEAD
        yield from map(_row, wrong)
        yield ""
        for each in wrong:
            if why := each.reason or each.detail:
                yield f"- {code(each.rule)}, {code(each.subject)}: {prose(why)}"
        yield ""
    if wrong and verdict.words:
        yield from (f"Moved {verdict.noun}s that kept the fewest neighbors:", "")
        shown = told_apart(
            (name for word, lost in verdict.words for name in (word, *lost[:5])), LONG
        )
        for word, lost in verdict.words:
            named = ", ".join(code(shown[name]) for name in lost[:5])
            yield f"- {code(shown[word])} lost {named}"
        yield ""
    for note in verdict.notes:
        yield from (f"Note: {prose(note)}.", "")
    if kept := verdict.acting("pass"):
        yield from (f"<details><summary>{len(kept)} kept</summary>", "")
        yield from _HEAD
        yield from map(_row, kept)
        yield from ("", "</details>", "")


def _row(result: Result) -> str:
    return cells(
        _SIGNS[result.action],
        code(result.subject),
        result.value_text,
        prose(result.bound_text),
        result.slack_text,
        result.outcome,
    )


def _cut(lines: list[str], limit: int) -> list[str]:
    sizes = [len(line.encode("utf-8", "replace")) + 1 for line in lines]
    if sum(sizes) <= limit:
        return lines
    room = limit - len(_left_out(len(lines)).encode()) - 2
    if room < 0:
        return []
    kept = total = 0
    while total + sizes[kept] <= room:
        total += sizes[kept]
        kept += 1
    return [*lines[:kept], "", _left_out(len(lines) - kept)]


def _left_out(count: int) -> str:
    return f"{count} lines were left out to keep the size allowed; `--json` has everything."
