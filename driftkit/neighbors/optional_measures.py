"""Measures of neighbors that are asked for by name, at any depth, from one search.

Those of words, and those of hubness: how unevenly words are spread among the neighbors of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from driftkit.arrays import Rows, Values
from driftkit.drift.groups import band_masks, group_masks
from driftkit.drift.space import SpaceValue
from driftkit.measures.measure import Measure
from driftkit.measures.registry import OWN, compute, computed_from, parse_measure, provide
from driftkit.neighbors.overlap import (
    Lists,
    adjusted_overlap,
    average_overlap,
    jaccard,
    mutual_share,
    overlap,
    rbo,
)
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.pair import Pair

_PAIR_NUMBERS = 1 << 22  # numbers gathered at once

NEED_ALL_LISTS = ("mutual_change", "k_occurrence_change")
"""Measures of a word that need the lists of all others; only words asked about have lists."""

OPTIONAL = ("adjusted_overlap", "jaccard", "average_overlap", "local_neighborhood", *NEED_ALL_LISTS)
"""Measures of neighbors that are taken only when asked for."""


def shifts_with_measures(
    pair: Pair, words: Sequence[str], k: int, measures: Sequence[Measure], **how: Any
) -> tuple[NeighborShifts, tuple[SpaceValue, ...]]:
    """Search neighbors once, as deep as every measure asked for needs, and take these measures.

    Return the shifts with lists of depth k and the measures of words in `optional`, and the
    measures of hubness. `how` are options of `neighbor_shifts`.

    >>> from driftkit import Embeddings, align
    >>> table = Embeddings(["a", "b", "c"], [[1, 0.1], [1, 0], [0, 1]])
    >>> asked = [parse_measure("jaccard@2"), parse_measure("largest_hub@1")]
    >>> shifts, hubs = shifts_with_measures(align(table, table), ["a", "b", "c"], 1, asked)
    >>> shifts.k, shifts.optional["jaccard@2"].tolist(), hubs[0].value
    (1, [1.0, 1.0, 1.0], 2.0)
    """
    of_words = [each for each in measures if _is_optional(each, k)]
    of_space = computed_from("lists", "space", measures)
    depth = max([k, *(each.k or 0 for each in (*of_words, *of_space))])
    deep = neighbor_shifts(pair, words, depth, **how)
    hubs = tuple(hubness_values(pair, deep, of_space))
    return replace(deep.first(k), optional=neighbor_values(pair, deep, of_words)), hubs


def shifts_of_others(
    pair: Pair, words: Sequence[str], asked: NeighborShifts, measures: Sequence[Measure]
) -> NeighborShifts:
    """Find the neighbors of other words, measured as those that were asked about already.

    What only all lists together tell is taken from these, and is NaN for words that are not there.
    """
    alone = [each for each in measures if each.name not in NEED_ALL_LISTS]
    shifts, _ = shifts_with_measures(pair, words, asked.k, alone, candidates=asked.candidates)
    at = _places(shifts.words, asked.words)
    values = {
        name: shifts.optional.get(name, np.where(at >= 0, known[at], np.nan))
        for name, known in asked.optional.items()
    }
    return replace(shifts, optional=values)


def neighbor_values(
    pair: Pair, shifts: NeighborShifts, measures: Iterable[Measure] | None = None
) -> dict[str, Values]:
    """Measure each of the m words asked about by its neighbors; (m,) by name of the measure.

    Measures are no deeper than the lists; unless given, they are those of `OPTIONAL` as deep. Those
    of `NEED_ALL_LISTS` are NaN for words that are no candidates.

    >>> from driftkit import Embeddings, align
    >>> words = ["good", "bad", "film"]
    >>> original = Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(words, [[0.1, 1], [1, 0], [0, 1]])
    >>> pair = align(original, tuned)
    >>> values = neighbor_values(pair, neighbor_shifts(pair, k=1))
    >>> values["jaccard@1"].tolist(), values["k_occurrence_change@1"].tolist()
    ([0.0, 1.0, 1.0], [0.0, -1.0, 1.0])
    """
    if measures is None:
        measures = [parse_measure(f"{name}@{shifts.k}") for name in OPTIONAL]
    unchanged, found = not pair.changed.any(), {}
    for measure in measures:
        depth = measure.k or shifts.k
        given: object = shifts.first(depth)
        if computed_from("lists", "word", [measure]):
            given = _Lists(pair, shifts, shifts.before[:, :depth], shifts.after[:, :depth])
        values = compute(measure, given, shape=(len(shifts),))
        found[str(measure)] = measure.settled(values, measure.name in OWN and unchanged)
    return found


def _is_optional(measure: Measure, k: int) -> bool:
    """Whether a measure is one of neighbors that lists of this depth do not bring along."""
    of_neighbors = any(computed_from(each, "word", [measure]) for each in ("lists", "neighbors"))
    return of_neighbors and str(measure) not in (f"overlap@{k}", str(parse_measure(f"rbo@{k}")))


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """The first neighbors of each word, (m, depth), and where they come from."""

    pair: Pair
    shifts: NeighborShifts
    before: Lists
    after: Lists

    @property
    def own(self) -> Rows:
        """Position (m,) of each word among the candidates; -1 where it is none."""
        return _places(self.shifts.words, self.shifts.candidates)

    @property
    def directed(self) -> int:
        """How many candidates have a direction in a table, and so may be neighbors there."""
        pair, shared = self.pair, self.pair.rows(self.shifts.shared)
        new = self.shifts.candidates[len(shared) :]
        lengths = np.maximum(pair.before_norms[shared], pair.after_norms[shared])
        found = np.count_nonzero(lengths)
        if new:
            found += np.count_nonzero(pair.tuned.norms[pair.tuned.rows(new)])
        return int(found)


def _places(words: Sequence[str], among: Sequence[str]) -> Rows:
    """Where words (m,) stand among others; -1 where they do not."""
    place = {word: at for at, word in enumerate(among)}
    return np.array([place.get(word, -1) for word in words], np.int64)


def _mutual_change(lists: _Lists) -> Values:
    own, c = lists.own, len(lists.shifts.candidates)
    return mutual_share(own, lists.after, c) - mutual_share(own, lists.before, c)


def _k_occurrence_change(lists: _Lists) -> Values:
    own, c = lists.own, len(lists.shifts.candidates)
    change = k_occurrences(lists.after, c) - k_occurrences(lists.before, c)
    return np.where(own >= 0, change[own], np.nan).astype(np.float64)


def _local_neighborhood(lists: _Lists) -> Values:
    """1 less the cosine of the cosines to the neighbors of both sides (Hamilton et al. 2016b).

    A neighbor that has no direction in one of the tables, or no row, has no cosine there and is
    left out.
    """
    pair, shifts = lists.pair, lists.shifts
    rows, pool = pair.rows(shifts.words), pair.rows(shifts.shared)
    order = np.sort(np.concatenate([lists.before, lists.after], axis=1), axis=1)  # (m, 2k)
    # A neighbor of both sides stands twice in a row and counts once.
    once = (order >= 0) & np.pad(order[:, 1:] != order[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    once &= order < len(pool)  # the others were added
    order = np.where(once, order, -1)
    out = np.empty(len(rows))
    step = max(1, _PAIR_NUMBERS // (order.shape[1] * pair.before.shape[1]))
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        words, others = rows[some], pool[order[some]]
        counts = once[some] & ~pair.zero[others]
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


def hubness_values(
    pair: Pair, shifts: NeighborShifts, measures: Iterable[Measure]
) -> Iterator[SpaceValue]:
    """Measure the hubness of each table, over all, the moved and the unmoved candidates, by rank.

    The candidates are those that both tables have.

    Only the words asked about count as askers. A word whose row is zero in a table cannot be
    anybody's neighbor there, so it does not count. Measures are no deeper than the lists.
    """
    pool = pair.rows(shifts.shared)
    chosen = {**group_masks(pair.moved), **band_masks(len(pair))}
    for measure in measures:
        sides = [
            (of, k_occurrences(lists[:, : measure.k], len(pool))[: len(pool)], norms[pool] > 0)
            for of, lists, norms in (
                ("original", shifts.before, pair.before_norms),
                ("tuned", shifts.after, pair.after_norms),
            )
        ]
        for group, mask in chosen.items():
            for of, counts, directed in sides:
                some = counts[mask[pool] & directed]
                value, reason = np.nan, f"there are no {group} words among the candidates"
                if mask[pool].any():
                    reason = f"the {group} words among the candidates have no direction"
                if len(some):
                    value = float(compute(measure, some, shape=()))
                    reason = "all are neighbors of equally many words"
                yield SpaceValue(
                    str(measure), group, of, len(some), value, reason if np.isnan(value) else None
                )


def k_occurrences(lists: Lists, candidates: int) -> Rows:
    """Count in how many lists (m, k) each candidate stands.

    >>> k_occurrences(np.array([[1, 2], [2, -1]], np.int32), 3).tolist()
    [0, 1, 2]
    """
    return np.bincount(lists[lists >= 0], minlength=candidates)


def skewness(counts: Rows) -> float:
    """Third standardized moment of k-occurrences (c,); NaN when all are equal.

    Radovanovic, Nanopoulos & Ivanovic 2010, "Hubs in Space".

    >>> round(skewness(np.array([0, 0, 0, 4])), 3)
    1.155
    """
    away = counts - counts.mean()
    spread = float(np.square(away).mean())
    return float((away**3).mean() / spread**1.5) if spread else np.nan


provide(
    "lists",
    {
        "overlap": lambda lists: overlap(lists.before, lists.after),
        "rbo": lambda lists, p: rbo(lists.before, lists.after, p),
        "adjusted_overlap": lambda lists: adjusted_overlap(
            lists.before, lists.after, lists.directed
        ),
        "jaccard": lambda lists: jaccard(lists.before, lists.after),
        "average_overlap": lambda lists: average_overlap(lists.before, lists.after),
        "local_neighborhood": _local_neighborhood,
        "mutual_change": _mutual_change,
        "k_occurrence_change": _k_occurrence_change,
        "hubness_skewness": skewness,
        "largest_hub": np.max,
        "antihub_share": lambda counts: np.mean(counts == 0),
    },
)
