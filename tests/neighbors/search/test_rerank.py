import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors.search.rerank import (
    NOBODY,
    Lists,
    Proposals,
    cosines,
    decide,
    entries_of,
    keys_of,
    leading,
    merged,
)
from driftkit.neighbors.search.space import Queries, Space


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_keys_order_by_cosine_then_position(seed, count):
    rng = np.random.default_rng(seed)
    cosine = rng.choice([-1, -0.5, -1e-30, -0.0, 0, 1e-30, 0.5, 1], count).astype(np.float32)
    position = rng.permutation(1000)[:count].astype(np.int32)
    expected = np.lexsort((position, -cosine))
    found = entries_of(np.sort(keys_of(cosine, position)))
    np.testing.assert_array_equal(found[0], cosine[expected])
    np.testing.assert_array_equal(found[1], position[expected])


def test_what_was_not_proposed_may_come_after_the_sure_entries_only():
    matrix = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    space, everyone = Space.of(matrix), np.arange(50)
    queries = Queries(space, everyone, np.arange(50, dtype=np.int32)[:, None])
    unit = space.unit(everyone).numpy()
    product = unit @ unit.T
    np.fill_diagonal(product, -np.inf)
    order = np.argsort(-product, axis=1)[:, :6].astype(np.int32)
    bound = np.take_along_axis(product, order.astype(np.int64), axis=1)[:, -1] + space.error
    proposals = Proposals(order[:, ::-1].copy(), bound.astype(np.float32))
    lists = decide(space, everyone, queries, proposals)
    np.testing.assert_array_equal(lists.identity, order)
    assert (lists.sure == 5).all()  # the last one is the bound itself
    complete = Proposals(order, np.full(50, -np.inf, np.float32))
    assert (decide(space, everyone, queries, complete).sure == 6).all()
    identity, cosine = lists.first(8)
    assert identity.shape == cosine.shape == (50, 8)
    assert (identity[:, 6:] == -1).all()


def test_lists_are_replaced_by_longer_and_by_shorter_ones():
    def lists(width, sure):
        ids = np.tile(np.arange(width, dtype=np.int32), (2, 1))
        return Lists(ids, 1 - ids.astype(np.float32) / 8, np.full(2, sure))

    mine = lists(4, 1)
    mine.put(np.array([0]), lists(2, 2)[:1])
    mine.put(np.array([1]), lists(6, 5)[:1])
    assert mine.identity.tolist() == [[0, 1, -1, -1], [0, 1, 2, 3]]
    assert np.isnan(mine.cosine[0, 2:]).all()
    assert mine.sure.tolist() == [2, 4]


def test_cosines_of_rows():
    space = Space.of(np.array([[3, 4], [4, 3], [0, 0]], np.float32))
    found = cosines(space, np.array([0, 1, 2]), space, np.array([1, 1, 1]))
    assert found[:2].tolist() == [np.float32(0.96), 1]
    assert np.isnan(found[2])


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_offers_are_merged_as_a_full_sort_merges_them(seed, m, k, count):
    rng = np.random.default_rng(seed)
    best = np.sort(rng.integers(0, 50, (m, k)), axis=1)
    best[rng.random((m, k)) < 0.3] = NOBODY
    asker, keys = rng.integers(0, m, count), rng.integers(0, 50, count)
    expected = [sorted([*best[at], *keys[asker == at]])[:k] for at in range(m)]
    assert merged(best, asker, keys).tolist() == expected


def test_leading_scores_are_the_largest_and_their_ties():
    inf = float("inf")
    scores = torch.tensor([[1.0, 3, 2, 2], [-inf, 5, -inf, -inf], [-inf, -inf, -inf, -inf]])
    rows, columns = leading(scores, 2)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
    ]
