"""Selection: some rows are restored whole, the others stay."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.neighbors import neighbor_shifts
from driftkit.pair import Pair
from driftkit.restoring.curve import TENTHS, Curve, steps


def paid(pair: Pair, k: int, candidates: int) -> Curve:
    """Return the curve whose strength is the share of moved rows that stay tuned.

    Rows that kept the fewest of their `k` neighbors, among the first `candidates` words, are
    restored first; of equals, those that moved farthest.
    """
    rows = np.flatnonzero(pair.moved)
    kept = np.full(len(rows), np.nan)
    if len(rows):
        words = [pair.words[row] for row in rows.tolist()]
        kept = neighbor_shifts(pair, words, k, candidates=candidates).overlap
    # A row without a direction has no neighbors, and comes first.
    order = np.lexsort((-steps(pair, rows), np.nan_to_num(kept, nan=-1.0)))
    place = np.empty(len(rows), np.int64)
    place[order] = np.arange(len(rows))

    def stays(share: float) -> Mask:
        return np.asarray(place >= round((1 - share) * len(rows)))

    means = "the share of moved rows that stay tuned"
    return Curve(rows, TENTHS[::-1], lambda share: _mixed(pair, rows, stays(share)), means)


def rare(pair: Pair, counts: Mapping[str, float]) -> Curve:
    """Return the curve whose strength is how often a row must have been seen to stay tuned.

    `counts` are by word, as they were in the data that the table was tuned on; a word that is not
    there was seen 0 times, and it is said how many of these there are. By default the strengths
    keep tenths of all movement, in distance, or the next more that whole rows can.
    """
    rows = np.flatnonzero(pair.moved)
    words = [pair.words[row] for row in rows.tolist()]
    seen: Values = np.array([counts.get(word, 0) for word in words], np.float64)
    levels, place = np.unique(seen, return_inverse=True)
    stay = np.cumsum(np.bincount(place, steps(pair, rows))[::-1])[::-1]  # seen as often, or more
    tenths = [levels[stay >= share * stay[0]].max() for share in TENTHS[1:]] if len(rows) else []
    above = math.floor(seen.max(initial=0)) + 1
    means = "how often a row must have been seen to stay tuned"
    unknown = sum(word not in counts for word in words)
    if unknown:
        means += f" ({unknown:,} of {len(rows):,} moved words have no count, which is taken for 0)"
    return Curve(
        rows,
        tuple(sorted({0.0, *map(float, [*tenths, above])})),
        lambda least: _mixed(pair, rows, seen >= least),
        means,
        most=np.inf,
    )


def _mixed(pair: Pair, rows: Rows, stays: Mask) -> Matrix:
    return np.asarray(np.where(stays[:, None], pair.after[rows], pair.before[rows]))
