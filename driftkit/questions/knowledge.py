"""The question what general knowledge was lost, as far as benchmarks can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftkit.display import counted, joined
from driftkit.drift.groups import none_if_nan
from driftkit.evaluators import ScoreChange
from driftkit.evaluators.comparison.verdict import Status as Outcome
from driftkit.measured import Measured
from driftkit.questions.finding import Finding, Status

PHRASES: Mapping[Outcome, str] = {
    "lost": "lost",
    "gained": "gained",
    "retained": "retained",
    "inconclusive": "inconclusive on",
    "not tested": "could not test",
    "not measured": "could not measure",
}
"""How a sentence speaks of each outcome of a benchmark, in its order."""

GONE = 0.1  # share of the items that are gone from which knowledge is changed

OF_BIAS: Mapping[Outcome, str] = {
    "retained": "as before",
    "inconclusive": "inconclusive",
    "not tested": "not tested",
    "not measured": "not measured",
}
"""The same of a test of bias, which is never lost or gained."""


def answer(found: Measured) -> Finding:
    """Say which benchmarks were lost, gained and retained, and how many of their items could be.

    A bias is no knowledge: what a test of bias finds is told, and decides nothing. The evidence
    ``asked`` is false where there was no benchmark of knowledge, be it that none was asked for or
    that no name is a word of the default ones. Where rows differ by rounding at most and no word
    was added, no item needs to have a word that moved, if most items can still be asked.
    """
    asked = [change for change in found.scores if change.items.is_judged]
    outcomes = {
        outcome: [change for change in asked if change.status == outcome] for outcome in PHRASES
    }
    spoken = [
        f"{phrase} {joined(map(_scored, changes))}"
        for outcome, phrase in PHRASES.items()
        if (changes := outcomes[outcome])
    ]
    items = sum(change.items_changeable for change in asked)
    total = sum(change.n_total for change in asked)
    if not asked:
        spoken.append(_why_not_asked(found))
    if outcomes["not tested"] or outcomes["not measured"]:
        spoken += found.scores.notes
    if items:
        spoken.append(f"{items:,} of {counted(total, 'item')} could have changed")
    biases = [change for change in found.scores if not change.items.is_judged]
    spoken += _of_bias(biases)
    gone = sum(change.items_lost_from_set.count for change in asked)
    left = sum(change.n_used for change in asked)
    status = _status(outcomes)
    if not (found.pair.moved.any() or found.pair.added) and gone <= left:
        if not found.pair.changed.any():
            status, spoken = "kept", ["no score could change"]
        elif asked and all(change.is_within_margin for change in asked):
            status, spoken = "kept", ["no benchmark changed by more than rounding"]
    if gone:
        spoken.append(f"{counted(gone, 'item')} can no longer be asked")
        if status == "kept" and gone > GONE * (gone + left):
            status = "changed"
    return Finding(
        "knowledge",
        status,
        "; ".join(spoken),
        {
            **{
                outcome.replace(" ", "_"): [change.name for change in changes]
                for outcome, changes in outcomes.items()
            },
            "asked": bool(asked),
            "bias_tests": [change.name for change in biases],
            "items_changeable": items,
            "items": total,
            "notes": list(found.scores.notes),
            "benchmarks": {change.name: _evidence(change) for change in found.scores},
        },
    )


def _why_not_asked(found: Measured) -> str:
    """Say why there is no benchmark of knowledge, and what would test it."""
    if not found.scores and found.scores.notes:
        return f"{joined(found.scores.notes)}; rated pairs of your own would test it (-b FILE)"
    return "no benchmark of knowledge was asked for (-b NAME or FILE would test it)"


def _of_bias(tests: Sequence[ScoreChange]) -> Iterator[str]:
    """Yield a clause for each outcome of tests of bias."""
    for outcome, said in OF_BIAS.items():
        if names := [change.name for change in tests if change.status == outcome]:
            subject = "the bias test" if len(names) == 1 else "the bias tests"
            verb = "is" if len(names) == 1 else "are"
            yield f"{subject} {joined(names)} {verb} {said}"


def _evidence(change: ScoreChange) -> dict[str, object]:
    """What a benchmark could say: of how many items, and no fall smaller than which."""
    names = ("status", "n_total", "n_used", "items_changeable", "items_rivals")
    return {
        **{name: getattr(change, name) for name in names},
        "least_visible_fall": none_if_nan(change.least_visible_fall),
        "set_changed": change.items_lost_from_set.count,
    }


def _status(outcomes: Mapping[Outcome, list[ScoreChange]]) -> Status:
    if outcomes["lost"]:
        return "broken"
    if outcomes["inconclusive"] or any(map(_may_have_changed, outcomes["not tested"])):
        return "not tested"
    if outcomes["gained"]:
        return "changed"
    return "kept" if outcomes["retained"] else "not tested"


def _may_have_changed(change: ScoreChange) -> bool:
    """Whether a benchmark that was not tested differs by as much as counts."""
    return change.status == "not tested" and abs(change.delta) >= change.margin


def _scored(change: ScoreChange) -> str:
    """Name a benchmark, with both scores where they differ for certain, or seem to untested."""
    if change.status not in ("lost", "gained") and not _may_have_changed(change):
        return change.name
    return f"{change.name} ({change.original:.3f} to {change.tuned:.3f})"
