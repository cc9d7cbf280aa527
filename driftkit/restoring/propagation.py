"""Propagation: rows that training never met move as their moved neighbors did."""

from __future__ import annotations

import numpy as np

from driftkit.neighbors import neighbor_shifts
from driftkit.pair import Pair
from driftkit.restoring.curve import Curve


def propagation(pair: Pair, k: int, candidates: int) -> Curve:
    """Return the curve whose strength is how much of its neighbors' movement an unmoved row makes.

    It is the mean of the moves of its `k` nearest original words, weighted by their cosine; one
    that did not move counts as a move of nothing. Only the first `candidates` words are looked at.
    At 0 this is the tuned table. Vulic et al. 2018, "Post-Specialisation".
    """
    asked = np.arange(min(candidates, len(pair)))
    asked = asked[~pair.moved[asked]]
    words = [pair.words[row] for row in asked.tolist()]
    if not words or not pair.moved.any():
        none = np.zeros(0, np.int64)
        return Curve(none, (0.0,), lambda _: pair.after[none], _MEANS)
    found = neighbor_shifts(pair, words, k, candidates=candidates)
    move = np.zeros((len(asked), pair.before.shape[1]))
    weight = np.zeros(len(asked))
    near = pair.rows(found.shared)[np.maximum(found.before, 0)]
    for rank in range(near.shape[1]):
        rows = near[:, rank]
        known = np.where(found.before[:, rank] >= 0, found.before_cosine[:, rank], 0.0)
        close = np.maximum(np.nan_to_num(known), 0.0)
        gap = pair.after[rows].astype(np.float64) - pair.before[rows]
        move += close[:, None] * np.where(pair.moved[rows], 1.0, 0.0)[:, None] * gap
        weight += close
    move /= np.where(weight > 0, weight, 1.0)[:, None]
    goes = move.any(axis=1)
    rows, move = asked[goes], move[goes]
    after = pair.after[rows]
    strengths = (1.0, 0.75, 0.5, 0.25, 0.0)
    return Curve(rows, strengths, lambda share: (after + share * move).astype(np.float32), _MEANS)


_MEANS = "the share of the movement of its neighbors that an unmoved row makes"
