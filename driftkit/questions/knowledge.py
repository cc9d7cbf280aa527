"""The question what general knowledge was lost, as far as benchmarks can say."""

from __future__ import annotations

from collections.abc import Mapping

from driftkit.display import joined
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


def answer(found: Measured) -> Finding:
    """Say which benchmarks were lost, gained and retained, and how many of their items could be.

    Where no word moved and none was added, what the shared words know cannot have changed.
    """
    outcomes = {outcome: found.status(outcome) for outcome in PHRASES}
    spoken = [
        f"{phrase} {joined(map(_scored, changes))}"
        for outcome, phrase in PHRASES.items()
        if (changes := outcomes[outcome])
    ]
    items = sum(change.items_changeable for change in found.scores)
    total = sum(change.n_total for change in found.scores)
    if outcomes["not tested"] or outcomes["not measured"]:
        spoken += found.scores.notes
    if items:
        spoken.append(f"{items:,} of {total:,} items could have changed")
    still = not (found.pair.moved.any() or found.pair.added)
    if still:
        spoken = ["no score could change"]
    return Finding(
        "knowledge",
        "kept" if still else _status(outcomes),
        "; ".join(spoken) or "no benchmark was asked for",
        {
            **{
                outcome.replace(" ", "_"): [change.name for change in changes]
                for outcome, changes in outcomes.items()
            },
            "items_changeable": items,
            "items": total,
            "notes": list(found.scores.notes),
            "benchmarks": {change.name: _evidence(change) for change in found.scores},
        },
    )


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
    if outcomes["inconclusive"]:
        return "not tested"
    if outcomes["gained"]:
        return "changed"
    return "kept" if outcomes["retained"] else "not tested"


def _scored(change: ScoreChange) -> str:
    """Name a benchmark, with both scores where they differ for certain."""
    if change.status not in ("lost", "gained"):
        return change.name
    return f"{change.name} ({change.original:.3f} to {change.tuned:.3f})"
