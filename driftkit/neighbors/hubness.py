"""How often a word is among the neighbors of others, and how unevenly that is spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from driftkit.drift.groups import band_masks, group_masks
from driftkit.drift.space import SpaceValue
from driftkit.measures.measure import Measure
from driftkit.measures.registry import compute, provide
from driftkit.neighbors.result import NeighborShifts
from driftkit.pair import Pair

Lists = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hubness:
    """Shape of the k-occurrences of c candidates.

    Parameters
    ----------
    skewness : float
        Third standardized moment; 0 for an even spread, NaN when all are equal.
    largest : int
        Occurrences of the largest hub.
    antihubs : float
        Share of candidates that are nobody's neighbor.
    """

    skewness: float
    largest: int
    antihubs: float

    def to_dict(self) -> dict[str, float]:
        """Return the fields."""
        return asdict(self)


provide(
    "lists",
    {
        "hubness_skewness": lambda counts: hubness(counts).skewness,
        "largest_hub": lambda counts: hubness(counts).largest,
        "antihub_share": lambda counts: hubness(counts).antihubs,
    },
)


def hubness_figures(
    pair: Pair, shifts: NeighborShifts, measures: Iterable[Measure]
) -> Iterator[SpaceValue]:
    """Measure the hubness of each table, over all, the moved and the unmoved candidates, by rank.

    Parameters
    ----------
    pair : Pair
        The tables the shifts were found in.
    shifts : NeighborShifts
        Only the words asked about count as askers.
    measures : iterable of Measure
        Those of hubness, no deeper than the lists.
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


def k_occurrences(lists: Lists, candidates: int) -> Counts:
    """Count in how many lists (m, k) each of so many candidates stands.

    Examples
    --------
    >>> k_occurrences(np.array([[1, 2], [2, -1]], np.int32), 3).tolist()
    [0, 1, 2]
    """
    return np.bincount(lists[lists >= 0], minlength=candidates)


def hubness(counts: Counts) -> Hubness:
    """Describe how k-occurrences (c,) are spread.

    References
    ----------
    Radovanovic, Nanopoulos & Ivanovic 2010, "Hubs in Space".

    Examples
    --------
    >>> hubness(np.array([0, 0, 0, 4])).antihubs
    0.75
    """
    away = counts - counts.mean()
    spread = float(np.square(away).mean())
    skewness = float((away**3).mean() / spread**1.5) if spread else np.nan
    return Hubness(skewness, int(counts.max()), float((counts == 0).mean()))
