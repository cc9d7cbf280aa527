"""Why a word's neighbors changed: it moved, its neighbors moved, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from driftkit.arrays import Mask
from driftkit.drift.groups import none_if_nan
from driftkit.drift.words import self_cosines
from driftkit.neighbors.result import Shift
from driftkit.pair import Pair

Cause = Literal["the word moved", "its neighbors moved", "both moved", "nothing changed"]

NAMED = 3
"""Words named on each side of a line."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one word's neighbors changed, and why."""

    word: str
    lost: tuple[str, ...]  # nearest first
    gained: tuple[str, ...]
    cause: Cause  # whose rows moved, among the word and the neighbors it lost or gained
    own: float  # 1 - self_cosine; NaN where the word has no direction
    neighbors: float  # mean of the same over its neighbors before; NaN if none has a direction

    def __str__(self) -> str:
        changes = [
            f"{verb} {', '.join(names[:NAMED])}" + (", …" if len(names) > NAMED else "")
            for verb, names in (("lost", self.lost), ("gained", self.gained))
            if names
        ]
        told = "; ".join(changes) or "kept its neighbors"
        return (
            f"{self.word}: {told}; moved itself {_shown(self.own)}, "
            f"its old neighbors moved {_shown(self.neighbors)} ({self.cause})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON; None for what is NaN."""
        return {name: none_if_nan(value) for name, value in asdict(self).items()}


def explain(pair: Pair, shifts: Iterable[Shift]) -> list[Explanation]:
    """Explain the shift of each word asked about, found in this pair.

    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> words = ["good", "bad", "film"]
    >>> original = Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(words, [[0.1, 1], [1, 0], [0, 1]])
    >>> pair = align(original, tuned)
    >>> print(explain(pair, neighbor_shifts(pair, ["good"], k=1))[0])
    good: lost bad; gained film; moved itself 0.80, its old neighbors moved 0.00 (the word moved)
    """
    found = []
    for shift in shifts:
        rows = pair.rows((shift.word, *(name for name, _ in shift.before)))
        changed = pair.rows((*shift.lost, *shift.gained))
        own, *theirs = (1 - self_cosines(pair, rows)).tolist()
        known = [moved for moved in theirs if not np.isnan(moved)]
        mean = sum(known) / len(known) if known else np.nan
        cause = _cause(bool(pair.moved[rows[0]]), pair.moved[changed])
        found.append(Explanation(shift.word, shift.lost, shift.gained, cause, own, mean))
    return found


def _cause(word: bool, changed: Mask) -> Cause:
    """Say who moved, given whether the word did, and each neighbor it lost or gained."""
    neighbors = bool(changed.any())
    if not len(changed):
        return "nothing changed"
    if word and neighbors:
        return "both moved"
    return "the word moved" if word else "its neighbors moved"


def _shown(value: float) -> str:
    return "(not measured)" if np.isnan(value) else f"{value:.2f}"
