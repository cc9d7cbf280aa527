"""Neighbors searched once, as deep as every measure that was asked for needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from driftkit.drift.space import SpaceValue
from driftkit.measures.measure import Measure
from driftkit.measures.registry import computed_from, parse_measure
from driftkit.neighbors import hubness
from driftkit.neighbors.optional_measures import OF_ASKERS, neighbor_figures
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.pair import Pair


def shifts_and_further(
    pair: Pair, words: Sequence[str], k: int, measures: Sequence[Measure], **how: Any
) -> tuple[NeighborShifts, tuple[SpaceValue, ...]]:
    """Find neighbors, and take the measures that were asked for besides.

    Parameters
    ----------
    pair : Pair
    words : sequence of str
    k : int
        Depth of the lists that are given back, whatever the measures need.
    measures : sequence of Measure
        Those that are not of neighbors are left to others.
    **how
        As for `driftkit.neighbor_shifts`.

    Returns
    -------
    shifts : NeighborShifts
        With the per-word measures in `further`.
    hubs : tuple of SpaceValue
        The measures of hubness.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> from driftkit.measures.registry import parse_measure
    >>> table = Embeddings(["a", "b", "c"], [[1, 0.1], [1, 0], [0, 1]])
    >>> asked = [parse_measure("jaccard@2"), parse_measure("largest_hub@1")]
    >>> shifts, hubs = shifts_and_further(align(table, table), ["a", "b", "c"], 1, asked)
    >>> shifts.k, shifts.further["jaccard@2"].tolist(), hubs[0].value
    (1, [1.0, 1.0, 1.0], 2.0)
    """
    of_words = [each for each in measures if _is_further(each, k)]
    of_space = computed_from("lists", "space", measures)
    depth = max([k, *(each.k or 0 for each in (*of_words, *of_space))])
    deep = neighbor_shifts(pair, words, depth, **how)
    hubs = tuple(hubness.hubness_figures(pair, deep, of_space))
    return replace(deep.first(k), further=neighbor_figures(pair, deep, of_words)), hubs


def further_of(
    pair: Pair, words: Sequence[str], asked: NeighborShifts, measures: Sequence[Measure]
) -> NeighborShifts:
    """Find the neighbors of other words, measured as those that were asked about already.

    Parameters
    ----------
    pair : Pair
    words : sequence of str
    asked : NeighborShifts
        Of all candidates. What only all lists together tell is taken from here, and is NaN for
        words that are no candidates.
    measures : sequence of Measure
        Those `asked` was made with.
    """
    alone = [each for each in measures if each.name not in OF_ASKERS]
    shifts, _ = shifts_and_further(pair, words, asked.k, alone, candidates=asked.candidates)
    place = {word: at for at, word in enumerate(asked.words)}
    at = np.array([place.get(word, -1) for word in shifts.words], np.int64)
    together = {
        name: np.where(at >= 0, values[at], np.nan)
        for name, values in asked.further.items()
        if name not in shifts.further
    }
    both = {**shifts.further, **together}
    return replace(shifts, further={name: both[name] for name in asked.further})


def _is_further(measure: Measure, k: int) -> bool:
    """Whether a measure is one of neighbors that lists of this depth do not bring along."""
    of_neighbors = any(computed_from(each, "word", [measure]) for each in ("lists", "neighbors"))
    return of_neighbors and measure not in (
        parse_measure(f"overlap@{k}"),
        parse_measure(f"rbo@{k}"),
    )
