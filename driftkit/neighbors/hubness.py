"""How often a word is among the neighbors of others, and how unevenly that is spread."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

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
        """Give the fields."""
        return asdict(self)


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
