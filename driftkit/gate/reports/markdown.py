"""A check as Markdown, for the comment of a pull request and for a step summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from driftkit.escaping import harmless, printable
from driftkit.gate.policy import Action
from driftkit.gate.verdict import STATES, Result, Verdict
from driftkit.names import LONG, told_apart

_SIGNS: dict[Action, str] = {"fail": "❌", "warn": "⚠️", "pass": "✅"}
_HEAD = ("| | measure | value | bound | slack | outcome |", "|---|---|--:|--:|--:|---|")

_WORD = re.compile(r"""([("']*)(.*?)([.,;:!?)"']*)""")  # punctuation around a word
_PLAIN = re.compile(r"[^\W\d_]*(?:['’-][^\W\d_]+)*|[-+]?\d[\d.,]*%?|[<>=]=?|!=|\+-|-")
"""Words and numbers that neither Markdown nor a forge (mentions, links, emoji) acts on."""


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
            yield _cells(_SIGNS[verdict.state], _code(verdict.tuned), *counts)
        yield ""
    for verdict in verdicts:
        yield from _one(verdict)


def _one(verdict: Verdict) -> Iterator[str]:
    against = f" and {_code(verdict.baseline)}" if verdict.baseline else ""
    sign, state = _SIGNS[verdict.state], STATES[verdict.state]
    yield f"### {sign} {_code(verdict.tuned)} {state}, against {_code(verdict.original)}{against}"
    yield from ("", _text(verdict.headline), "", f"Audit: {_text(verdict.audit)}", "")
    yield from ("| question | status | answer |", "|---|---|---|")
    for finding in verdict.findings:
        yield _cells(finding.question, finding.status, _text(finding.sentence))
    yield ""
    wrong = verdict.acting("fail", "warn")
    if wrong:
        yield from _HEAD
        yield from map(_row, wrong)
        yield ""
        for each in wrong:
            if why := each.reason or each.detail:
                yield f"- {_code(each.rule)}, {_code(each.subject)}: {_text(why)}"
        yield ""
    if wrong and verdict.words:
        yield from (f"Moved {verdict.noun}s that kept the fewest neighbors:", "")
        shown = told_apart(
            (name for word, lost in verdict.words for name in (word, *lost[:5])), LONG
        )
        for word, lost in verdict.words:
            named = ", ".join(_code(shown[name]) for name in lost[:5])
            yield f"- {_code(shown[word])} lost {named}"
        yield ""
    for note in verdict.notes:
        yield from (f"Note: {_text(note)}.", "")
    if kept := verdict.acting("pass"):
        yield from (f"<details><summary>{len(kept)} kept</summary>", "")
        yield from _HEAD
        yield from map(_row, kept)
        yield from ("", "</details>", "")


def _row(result: Result) -> str:
    return _cells(
        _SIGNS[result.action],
        _code(result.subject),
        result.value_text,
        _text(result.bound_text),
        result.slack_text,
        result.outcome,
    )


def _cells(*cells: str) -> str:
    r"""Write a row of a table. In it ``\|`` is a bar, whatever else a backslash may do."""
    bars = (re.sub(r"(?<=\\)\|", r"\\x7c", cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(bars)} |"


def _code(text: str) -> str:
    """Put text of users or files into a code span that it cannot leave."""
    flat = harmless(printable(text)).strip() or " "
    fence = "`"
    while fence in flat:
        fence += "`"
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def _text(text: str) -> str:
    """Write a sentence; what in it is more than plain words and numbers becomes code."""
    return " ".join(map(_word, printable(text).split()))


def _word(word: str) -> str:
    before, inside, after = _WORD.fullmatch(word).groups()  # type: ignore[union-attr]
    if _PLAIN.fullmatch(inside):
        return word.replace("<", "&lt;").replace(">", "&gt;")
    return f"{before}{_code(inside)}{after}"


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
