"""How often a word is among the neighbors of others, and how unevenly that is spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from driftkit.arrays import Rows
from driftkit.drift.groups import band_masks, group_masks
from driftkit.drift.space import SpaceValue
from driftkit.measures.measure import Measure
from driftkit.measures.registry import compute, provide
from driftkit.neighbors.overlap import Lists
from driftkit.neighbors.result import NeighborShifts
from driftkit.pair import Pair


def hubness_values(
    pair: Pair, shifts: NeighborShifts, measures: Iterable[Measure]
) -> Iterator[SpaceValue]:
    """Measure the hubness of each table, over all, the moved and the unmoved candidates, by rank.

    Only the words asked about count as askers. Measures are no deeper than the lists.
    """
    pool = pair.rows(shifts.candidates)
    chosen = {**group_masks(pair.moved), **band_masks(len(pair))}
    for measure in measures:
        sides = {
            of: k_occurrences(lists[:, : measure.k], len(pool))
            for of, lists in (("original", shifts.before), ("tuned", shifts.after))
        }
        for group, mask in chosen.items():
            for of, counts in sides.items():
                some = counts[mask[pool]]
                value, reason = np.nan, f"there are no {group} words among the candidates"
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
        "hubness_skewness": skewness,
        "largest_hub": np.max,
        "antihub_share": lambda counts: np.mean(counts == 0),
    },
)
