"""Per-word measures of neighbors by name, at any depth, from lists that are already there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from driftkit.measures.measure import Measure
from driftkit.measures.registry import compute, computed_from, parse_measure, provide
from driftkit.neighbors.hubness import k_occurrences
from driftkit.neighbors.overlap import average_overlap, jaccard, mutual_share, overlap, rbo
from driftkit.neighbors.result import NeighborShifts
from driftkit.pair import Pair

Figures = npt.NDArray[np.float64]

_PAIR_NUMBERS = 1 << 22
"""Numbers gathered at once."""

OF_ASKERS = ("mutual_change", "k_occurrence_change")
"""Measures of a word that need the lists of all others; only words asked about have lists."""

FURTHER = ("jaccard", "average_overlap", "local_neighborhood", *OF_ASKERS)
"""Measures of neighbors that are taken only when asked for."""


def neighbor_figures(
    pair: Pair, shifts: NeighborShifts, measures: Iterable[Measure] | None = None
) -> dict[str, Figures]:
    """Measure each word asked about in further ways that its neighbors allow.

    Parameters
    ----------
    pair : Pair
        The tables the shifts were found in.
    shifts : NeighborShifts
    measures : iterable of Measure, optional
        Measures of neighbors, no deeper than the lists, those that were registered too; those of
        `FURTHER` at the depth of the lists unless given.

    Returns
    -------
    dict of str to ndarray of float64, shape (m,)
        By name of the measure. ``mutual_change`` and ``k_occurrence_change`` count only words
        asked about as askers, and are NaN for words that are no candidates.

    Examples
    --------
    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> words = ["good", "bad", "film"]
    >>> original = Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(words, [[0.1, 1], [1, 0], [0, 1]])
    >>> pair = align(original, tuned)
    >>> figures = neighbor_figures(pair, neighbor_shifts(pair, k=1))
    >>> figures["jaccard@1"].tolist(), figures["k_occurrence_change@1"].tolist()
    ([0.0, 1.0, 1.0], [0.0, -1.0, 1.0])
    """
    if measures is None:
        measures = [parse_measure(f"{name}@{shifts.k}") for name in FURTHER]
    unchanged, found = not pair.changed.any(), {}
    for measure in measures:
        given: object = shifts.first(measure.k or shifts.k)
        if computed_from("lists", "word", [measure]):
            given = _Lists(pair, shifts, measure.k or shifts.k)
        values = compute(measure, given, shape=(len(shifts),))
        found[str(measure)] = measure.settled(values, unchanged)
    return found


@dataclass(frozen=True, eq=False)
class _Lists:
    """The first so many neighbors of each word."""

    pair: Pair
    shifts: NeighborShifts
    depth: int

    @cached_property
    def before(self) -> npt.NDArray[np.int32]:
        return self.shifts.before[:, : self.depth]

    @cached_property
    def after(self) -> npt.NDArray[np.int32]:
        return self.shifts.after[:, : self.depth]

    @cached_property
    def own(self) -> npt.NDArray[np.int64]:
        """Position (m,) of each word among the candidates; -1 where it is none."""
        place = {word: at for at, word in enumerate(self.shifts.candidates)}
        return np.array([place.get(word, -1) for word in self.shifts.words], np.int64)


def _mutual_change(lists: _Lists) -> Figures:
    c = len(lists.shifts.candidates)
    return mutual_share(lists.own, lists.after, c) - mutual_share(lists.own, lists.before, c)


def _k_occurrence_change(lists: _Lists) -> Figures:
    c = len(lists.shifts.candidates)
    change = k_occurrences(lists.after, c) - k_occurrences(lists.before, c)
    return np.where(lists.own >= 0, change[lists.own], np.nan).astype(np.float64)


def _local(lists: _Lists) -> Figures:
    """1 less the cosine of the cosines to the neighbors of both sides (Hamilton et al. 2016b)."""
    pair, shifts = lists.pair, lists.shifts
    rows, pool = pair.rows(shifts.words), pair.rows(shifts.candidates)
    order = np.sort(np.concatenate([lists.before, lists.after], axis=1), axis=1)  # (m, 2k)
    # A neighbor of both sides stands twice in a row and counts once.
    once = (order >= 0) & np.pad(order[:, 1:] != order[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    out = np.empty(len(rows))
    step = max(1, _PAIR_NUMBERS // (order.shape[1] * pair.before.shape[1]))
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        words, others, counts = rows[some], pool[order[some]], once[some]
        sides = []
        for matrix, norms in ((pair.before, pair.before_norms), (pair.after, pair.after_norms)):
            dots = np.einsum(
                "md,mkd->mk", matrix[words].astype(np.float64), matrix[others].astype(np.float64)
            )
            with np.errstate(invalid="ignore", divide="ignore"):
                cosine = dots / (norms[words, None] * norms[others])
            sides.append(np.where(counts, cosine, 0))
        x, y = sides
        with np.errstate(invalid="ignore", divide="ignore"):
            cosine = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
        out[some] = np.clip(1 - cosine, 0, 2)
    return np.where(np.isnan(shifts.overlap), np.nan, out)


provide(
    "lists",
    {
        "overlap": lambda lists: overlap(lists.before, lists.after),
        "rbo": lambda lists, p: rbo(lists.before, lists.after, p),
        "jaccard": lambda lists: jaccard(lists.before, lists.after),
        "average_overlap": lambda lists: average_overlap(lists.before, lists.after),
        "local_neighborhood": _local,
        "mutual_change": _mutual_change,
        "k_occurrence_change": _k_occurrence_change,
    },
)
