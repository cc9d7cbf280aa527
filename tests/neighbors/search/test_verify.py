from dataclasses import replace

import numpy as np

from driftkit import neighbor_shifts
from driftkit.neighbors.search.verify import verify


def test_right_lists_pass(pair):
    assert verify(pair, neighbor_shifts(pair, k=7), sample=30).checked == 30
    assert verify(pair, neighbor_shifts(pair, k=200)).wrong == ()
    assert verify(pair, neighbor_shifts(pair, candidates=30)).wrong == ()


def test_one_wrong_neighbor_is_found(pair):
    shifts = neighbor_shifts(pair, ["w4", "w5"], k=3)
    lists = shifts.after.copy()
    lists[1, 2] = next(c for c in range(119, 0, -1) if c not in (*lists[1], 5))
    assert verify(pair, replace(shifts, after=lists)).wrong == ("w5",)
    lists[1] = lists[1, 0]
    assert verify(pair, replace(shifts, after=lists)).wrong == ("w5",)
    lists[1] = shifts.after[1]
    lists[1, 0] = 120  # the added word, which is not near
    assert verify(pair, replace(shifts, after=lists)).wrong == ("w5",)
    missing = np.full_like(shifts.before, -1)
    assert verify(pair, replace(shifts, before=missing)).wrong == ("w4", "w5")
