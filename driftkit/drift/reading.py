"""Whether what reads the original vectors still finds the right word in the tuned ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Matrix, Rows
from driftkit.drift.crossing import WAYS, Found, Way, own_ranks, spaced
from driftkit.drift.groups import none_if_nan
from driftkit.pair import Pair

ASKED = 400  # words asked of each group; a share of so many is known to 2.5 %


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the words asked, the share whose nearest original row is their own, by three readers.

    A tie counts against the word, unless the rows are equal: then they are one place. `original`
    says what the original vectors themselves find: less than 1 by the dot product, where long rows
    win, or where rows are nearly equal. `kept` is the share, of the words whose original rows have
    a direction, that find their own at no later rank than these do.
    """

    group: str  # moved or frequent
    n: int
    tuned: dict[str, float]  # by cosine, l2 and dot; NaN where no word could be asked
    original: dict[str, float]
    kept: dict[str, float]
    reason: str | None = None  # why the tuned vectors could not be asked about

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        fields = asdict(self)
        for side in ("tuned", "original", "kept"):
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
    def finds(vectors: Matrix) -> Mapping[Way, Found]:
        return own_ranks(vectors[asked], pair.before, asked, candidates)

    def shares(found: Mapping[Way, Found]) -> dict[str, float]:
        return {way: each.at_1 for way, each in found.items()}

    tuned = original = finds(pair.before)
    if pair.mismatch:
        unknown: dict[str, float] = dict.fromkeys(WAYS, np.nan)
        return Reading(group, len(asked), unknown, shares(original), unknown, pair.mismatch)
    if pair.changed[asked].any():
        tuned = finds(pair.after)
    has_direction = pair.before_norms[asked] > 0
    kept: dict[str, float] = dict.fromkeys(WAYS, np.nan)
    if has_direction.any():
        kept |= {
            way: float(each.kept(original[way])[has_direction].mean())
            for way, each in tuned.items()
        }
    return Reading(group, len(asked), shares(tuned), shares(original), kept)
