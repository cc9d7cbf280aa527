"""The verdict that follows from the six findings, and the sentence people act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from driftkit.display import joined
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
    knowledge or neighbors were not tested; *ship with care* where anything else is broken or
    changed; *safe to ship* where all was tested and kept.
    """
    status = {finding.question: finding.status for finding in findings}
    if any(status[question] == "broken" for question in FATAL):
        return "do not ship"
    others = [status[question] for question in status if question not in ("input", *NEEDED)]
    if not (pair.moved.any() or pair.added or pair.removed) and set(others) == {"kept"}:
        return "unchanged"
    if any(status[question] == "not tested" for question in NEEDED):
        return "undecided"
    return "safe to ship" if set(status.values()) == {"kept"} else "ship with care"


def headline_of(pair: Pair, findings: Sequence[Finding]) -> str:
    """Return the verdict, what decided it, how much was looked at and what was not tested."""
    verdict = verdict_of(pair, findings)
    return f"{verdict.capitalize()}: {'; '.join(_parts(verdict, pair, findings))}."


def _parts(verdict: Advice, pair: Pair, findings: Sequence[Finding]) -> Iterator[str]:
    if verdict == "unchanged":
        yield f"none of {len(pair):,} rows differs by more than rounding"
        yield "if the table was tuned, the wrong file may have been exported"
        return
    shown = [each for each in findings if _is_shown(verdict, each)]
    # The gravest first; what was looked at and kept last.
    shown.sort(key=lambda each: (each.question not in FATAL, _GRAVITY.index(each.status)))
    yield from (each.sentence for each in shown)
    for status in ("broken", "changed", "not tested"):
        rest = [each.question for each in findings if each.status == status and each not in shown]
        if rest:
            yield f"{status}: {joined(rest)}"
    yield f"{int(pair.moved.sum()):,} of {len(pair):,} words moved"


_GRAVITY = ("broken", "not tested", "changed", "kept")


def _is_shown(verdict: Advice, finding: Finding) -> bool:
    """Whether a headline quotes a finding; of the others it names the question."""
    if verdict == "do not ship":
        return finding.question in FATAL and finding.status == "broken"
    if verdict == "undecided" and finding.status == "not tested":
        return True
    return finding.status in ("broken", "changed") or finding.question in NEEDED
