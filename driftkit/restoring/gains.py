"""Gains: each row goes back as far as that gives it neighbors back, the cheapest first."""

from __future__ import annotations

from typing import Any

import numpy as np

from driftkit.arrays import Matrix, Values
from driftkit.neighbors import neighbor_shifts
from driftkit.pair import Pair, align
from driftkit.restoring.curve import TENTHS, Curve, between, steps
from driftkit.restoring.tables import with_rows

_STOPS = (1.0, 0.75, 0.5, 0.25, 0.0)  # shares of its movement that a row may keep


def gains(pair: Pair, k: int, candidates: int) -> Curve:
    """Return the curve whose strength is the share of all movement, in distance, that is kept.

    Each row may stop at quarters of its way back. How many of its `k` neighbors it has there is
    measured with all rows at the same stop; then the steps that give back most neighbors for the
    distance are taken first, until what may be moved back is spent. A row's steps are taken in
    order, those that give nothing last.
    """
    rows = np.flatnonzero(pair.moved)
    before, after, gone = pair.before[rows], pair.after[rows], steps(pair, rows)
    kept = _overlaps(pair, rows, k, candidates)
    row, stop, cost = _order(kept, gone)
    spent = np.cumsum(cost)

    def at(share: float) -> Matrix:
        total = spent[-1] if len(spent) else 0.0
        taken = spent <= (1 - share) * total * (1 + 1e-12)
        reached = np.zeros(len(rows), np.int64)
        np.maximum.at(reached, row[taken], stop[taken])
        return between(before, after, np.array(_STOPS)[reached][:, None])

    means = "the share of all movement, in distance, that is kept"
    return Curve(rows, TENTHS[::-1], at, means)


def _overlaps(pair: Pair, rows: Any, k: int, candidates: int) -> Values:
    """Return the neighbors kept (m, stops); a row without a direction has none."""
    if not len(rows):
        return np.zeros((0, len(_STOPS)))
    words = [pair.words[row] for row in rows.tolist()]
    memo: dict[Any, Any] = {}
    kept = []
    for share in _STOPS[:-1]:
        made = with_rows(pair, rows, between(pair.before[rows], pair.after[rows], share))
        back = align(pair.original, made)
        found = neighbor_shifts(back, words, k, candidates=candidates, memo=memo)
        kept.append(found.overlap)
    return np.nan_to_num(np.column_stack([*kept, np.ones(len(rows))]), nan=0.0)


def _order(kept: Values, gone: Values) -> tuple[Any, Any, Values]:
    """Return the steps in the order in which they are taken: row, stop reached, cost in distance.

    What a step gives per distance only falls along a row's way: steps are joined where a later one
    gives more (the upper concave hull).
    """
    found: list[tuple[float, int, int, float]] = []
    share = np.array(_STOPS)
    for row, (values, far) in enumerate(zip(kept, gone.tolist(), strict=True)):
        at = 0
        while at < len(share) - 1:
            costs = (share[at] - share[at + 1 :]) * far
            worth = (values[at + 1 :] - values[at]) / costs
            step = len(worth) - 1 - int(np.argmax(worth[::-1]))  # the farthest of equals
            found.append((float(worth[step]), row, at + 1 + step, float(costs[step])))
            at += 1 + step
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    return np.array(columns[1], int), np.array(columns[2], int), np.array(columns[3], float)
