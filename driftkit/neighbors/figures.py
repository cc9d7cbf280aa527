"""Further per-word measures of neighbors, by name, from lists that are already there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftkit.measures import parse_measure
from driftkit.neighbors.agreement import average_overlap, jaccard, mutual_share
from driftkit.neighbors.hubness import Hubness, hubness, k_occurrences
from driftkit.neighbors.result import NeighborShifts
from driftkit.pair import Pair

Figures = npt.NDArray[np.float64]

_PAIR_NUMBERS = 1 << 22
"""Numbers gathered at once."""


def neighbor_figures(pair: Pair, shifts: NeighborShifts) -> dict[str, Figures]:
    """Measure each word asked about in every further way its neighbors allow.

    Parameters
    ----------
    pair : Pair
        The tables the shifts were found in.
    shifts : NeighborShifts

    Returns
    -------
    dict of str to ndarray of float64, shape (m,)
        ``jaccard@k``, ``average_overlap@k``, ``local_neighborhood@k``, ``mutual_change@k`` and
        ``k_occurrence_change@k``. The last two count only words asked about as askers; the last
        is NaN for words that are no candidates.

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
    place = {word: at for at, word in enumerate(shifts.candidates)}
    own = np.array([place.get(word, -1) for word in shifts.words], np.int64)
    c = len(shifts.candidates)
    change = k_occurrences(shifts.after, c) - k_occurrences(shifts.before, c)
    found = {
        "jaccard": jaccard(shifts.before, shifts.after),
        "average_overlap": average_overlap(shifts.before, shifts.after),
        "local_neighborhood": _local(pair, shifts),
        "mutual_change": mutual_share(own, shifts.after, c) - mutual_share(own, shifts.before, c),
        "k_occurrence_change": np.where(own >= 0, change[own], np.nan).astype(np.float64),
    }
    return {str(parse_measure(f"{name}@{shifts.k}")): values for name, values in found.items()}


def hubness_of(shifts: NeighborShifts) -> dict[str, Hubness]:
    """Hubness of the original and of the tuned table, over the words asked about."""
    c = len(shifts.candidates)
    return {
        "original": hubness(k_occurrences(shifts.before, c)),
        "tuned": hubness(k_occurrences(shifts.after, c)),
    }


def _local(pair: Pair, shifts: NeighborShifts) -> Figures:
    """1 less the cosine of the cosines to the neighbors of both sides (Hamilton et al. 2016b)."""
    rows, pool = pair.rows(shifts.words), pair.rows(shifts.candidates)
    lists = np.concatenate([shifts.before, shifts.after], axis=1)  # (m, 2k)
    order = np.sort(lists, axis=1)
    # A neighbor of both sides stands twice in a row and counts once.
    once = (order >= 0) & np.pad(order[:, 1:] != order[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    out = np.empty(len(rows))
    step = max(1, _PAIR_NUMBERS // (lists.shape[1] * pair.before.shape[1]))
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
