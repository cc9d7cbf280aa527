import numpy as np

from driftkit.neighbors.search.proposals import Proposals


def test_empty_lists_take_anything():
    lists = Proposals.empty(3, 2)
    assert np.isneginf(lists.value).all()
    assert (lists.identity == -1).all()
    assert np.isneginf(lists.bound).all()


def test_lists_above_a_floor_and_joined():
    lists = Proposals.above(np.array([0.5, 0.25], np.float32), 3)
    assert lists.value.tolist() == [[0.5] * 3, [0.25] * 3]
    both = Proposals.joined([lists, Proposals.empty(1, 3)], 3)
    assert both.identity.shape == (3, 3)
    assert both.bound.tolist() == [0.5, 0.25, -np.inf]
    assert Proposals.joined([], 4).value.shape == (0, 4)
