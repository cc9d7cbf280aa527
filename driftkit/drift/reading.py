"""Whether what reads the original vectors still finds the right word in the tuned ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Matrix, Rows
from driftkit.drift.crossing import WAYS, own_ranks, spaced
from driftkit.drift.groups import none_if_nan
from driftkit.pair import Pair

ASKED = 400  # words asked of each group; a share of so many is known to 2.5 %


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the words asked, the share whose nearest original row is their own, by three readers.

    A tie counts against the word, unless the rows are equal: then they are one place. `original`
    says what the original vectors themselves find: less than 1 by the dot product, where long rows
    win.
    """

    group: str  # moved or frequent
    n: int
    tuned: dict[str, float]  # by cosine, l2 and dot; NaN where no word could be asked
    original: dict[str, float]
    reason: str | None = None  # why the tuned vectors could not be asked about

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        fields = asdict(self)
        for side in ("tuned", "original"):
            fields[side] = {way: none_if_nan(value) for way, value in fields[side].items()}
        return fields


def readings(pair: Pair, candidates: Rows) -> tuple[Reading, ...]:
    """Ask for moved and for frequent words, evenly spaced, among the candidates' original rows.

    Parameters
    ----------
    pair : Pair
    candidates : ndarray of int64, shape (c,)
        Positions of shared words, the most frequent first.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "bad", "film"], [[2.0, 0.5], [0.0, 1.0], [1.0, 1.0]])
    >>> tuned = Embeddings(["good", "bad", "film"], [[0.0, 1.2], [0.0, 1.0], [1.0, 1.0]])
    >>> moved, frequent = readings(align(original, tuned), np.arange(3))
    >>> moved.n, moved.tuned["cosine"], moved.original["cosine"]
    (1, 0.0, 1.0)
    """
    moved = spaced(candidates[pair.moved[candidates]], ASKED)
    groups = {"moved": moved, "frequent": candidates[:ASKED]}
    return tuple(_reading(pair, candidates, group, asked) for group, asked in groups.items())


def _reading(pair: Pair, candidates: Rows, group: str, asked: Rows) -> Reading:
    def finds(vectors: Matrix) -> dict[str, float]:
        found = own_ranks(vectors[asked], pair.before, asked, candidates)
        return {way: found[way].at_1 for way in WAYS}

    tuned = original = finds(pair.before)
    if pair.mismatch:
        tuned = dict.fromkeys(WAYS, np.nan)
    elif pair.changed[asked].any():
        tuned = finds(pair.after)
    return Reading(group, len(asked), tuned, original, pair.mismatch)
