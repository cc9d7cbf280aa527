"""The question whether these are the two tables that were meant."""

from __future__ import annotations

import re

from driftkit.display import counted, joined
from driftkit.measured import Measured
from driftkit.questions.finding import Finding, Status, worst

FEW_SHARED, TOO_FEW_SHARED = 0.5, 0.1
"""Shares of the smaller table's names that both have. With half of them a benchmark of pairs keeps
a quarter of its items, too few to test anything; with a tenth it keeps 1 in 100, and the two tables
do not belong together."""

NUMBERS = 0.5  # share of names that are numbers from which these are hardly words
SEEN = 1_000  # names looked at

_LOSES = frozenset({"invalid UTF-8", "row without a word", "header", "no final newline"})
"""Repairs after which a table may not be what its maker wrote; others are told, and harmless."""

_NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?")


def answer(found: Measured) -> Finding:
    """Say whether the two tables look like the ones that were meant."""
    pair = found.pair
    tables = {"original": pair.original, "tuned": pair.tuned}
    shared = len(pair) / min(map(len, tables.values()))
    numbers = _share_of_numbers(pair.words)
    identical = not (pair.changed.any() or pair.added or pair.removed)
    repaired = {
        side: sorted({problem.kind for problem in table.problems}) for side, table in tables.items()
    }
    notes: list[tuple[Status, str]] = []
    if shared < TOO_FEW_SHARED:
        notes.append(("broken", f"only {shared:.1%} of the smaller table's names are in both"))
    elif shared < FEW_SHARED:
        notes.append(("changed", f"only {shared:.0%} of the smaller table's names are in both"))
    if numbers > NUMBERS:
        notes.append(("broken", f"{numbers:.0%} of the names are numbers, not words"))
    for side, kinds in repaired.items():
        if lossy := [kind for kind in kinds if kind in _LOSES]:
            notes.append(("changed", f"reading {tables[side].source.name} met {joined(lossy)}"))
    if pair.mismatch:
        notes.append(("changed", "the tables differ in width"))
    if identical:
        notes.append(("changed", "the two tables are identical: was the right file exported?"))
    said = [sentence for _, sentence in notes]
    return Finding(
        "input",
        worst(*(status for status, _ in notes)),
        "; ".join(said) or f"{counted(len(pair), 'name')} in both tables",
        {
            "shared": len(pair),
            "shared_share": shared,
            "identical": identical,
            "dimensions": {side: table.dimensions for side, table in tables.items()},
            "names_that_are_numbers": numbers,
            "repaired": repaired,
        },
    )


def _share_of_numbers(names: tuple[str, ...]) -> float:
    """Of some names, evenly spaced, the share that are decimal numbers with a point or exponent."""
    some = names[:: max(len(names) // SEEN, 1)]
    return sum("." in name and _NUMBER.fullmatch(name) is not None for name in some) / len(some)
