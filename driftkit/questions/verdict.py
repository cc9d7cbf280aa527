"""The verdict that follows from the six findings, and the sentence people act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from driftkit.display import counted, joined
from driftkit.pair import Pair
from driftkit.questions.finding import Finding, Question

Advice = Literal["unchanged", "do not ship", "undecided", "ship with care", "safe to ship"]

ADVICE: tuple[Advice, ...] = get_args(Advice)

FATAL: tuple[Question, ...] = ("input", "knowledge", "neighbors", "numbers")
"""Questions that, once broken, forbid to ship."""

NEEDED: tuple[Question, ...] = ("knowledge", "neighbors")
"""Questions without an answer to which nothing is decided."""


def verdict_of(pair: Pair, findings: Sequence[Finding]) -> Advice:
    """Return what six findings advise.

    *Do not ship* where the input, knowledge, the neighbors or the numbers are broken; *unchanged*
    where no row moved, none was added or removed and nothing else changed; *undecided* where
    neighbors were not tested, or knowledge was asked about and could not be; *ship with care* where
    anything else is broken or changed, or knowledge was not asked about; *safe to ship* where all
    was tested and kept.
    """
    status = {finding.question: finding.status for finding in findings}
    if any(status[question] == "broken" for question in FATAL):
        return "do not ship"
    others = [status[question] for question in status if question not in ("input", *NEEDED)]
    if not (pair.moved.any() or pair.added or pair.removed) and set(others) == {"kept"}:
        return "unchanged"
    if any(map(_is_open, findings)):
        return "undecided"
    return "safe to ship" if set(status.values()) == {"kept"} else "ship with care"


def _is_open(finding: Finding) -> bool:
    """Whether an answer that is needed was asked for and is not there."""
    asked = finding.evidence.get("asked", True)
    return finding.question in NEEDED and finding.status == "not tested" and asked


def headline_of(pair: Pair, findings: Sequence[Finding], noun: str = "word") -> str:
    """Return the verdict, what decided it, how much was looked at and what was not tested."""
    verdict = verdict_of(pair, findings)
    return f"{verdict.capitalize()}: {'; '.join(_parts(verdict, pair, findings, noun))}."


def _parts(verdict: Advice, pair: Pair, findings: Sequence[Finding], noun: str) -> Iterator[str]:
    if verdict == "unchanged":
        yield f"none of {counted(len(pair), 'row')} differs by more than rounding"
        yield "if the table was tuned, the wrong file may have been exported"
        return
    shown = [each for each in findings if _is_shown(verdict, each)]
    # The gravest first; what was looked at and kept last, and then what nobody asked about.
    shown.sort(key=lambda each: (each.question not in FATAL, _GRAVITY.index(each.status)))
    asked = [each for each in shown if each.status != "not tested" or _is_open(each)]
    yield from (each.sentence for each in asked)
    for each in shown:
        if each not in asked:
            yield f"{each.question} was not tested: {each.sentence}"
    for status in ("broken", "changed", "not tested"):
        rest = [each.question for each in findings if each.status == status and each not in shown]
        if rest:
            yield f"{status}: {joined(rest)}"
    yield f"{int(pair.moved.sum()):,} of {counted(len(pair), noun)} moved"


_GRAVITY = ("broken", "not tested", "changed", "kept")


def _is_shown(verdict: Advice, finding: Finding) -> bool:
    """Whether a headline quotes a finding; of the others it names the question."""
    if verdict == "do not ship":
        return finding.question in FATAL and finding.status == "broken"
    if verdict == "undecided" and finding.status == "not tested":
        return True
    return finding.status in ("broken", "changed") or finding.question in NEEDED
