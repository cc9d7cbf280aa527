import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.rerank import decide, entries_of, keys_of
from driftkit.neighbors.search.space import Space, row_norms


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
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(50, 8)).astype(np.float32)
    space = Space(matrix, row_norms(matrix), np.arange(50), torch.device("cpu"))
    unit = space.unit(np.arange(50)).numpy()
    product = unit @ unit.T
    np.fill_diagonal(product, -np.inf)
    order = np.argsort(-product, axis=1)[:, :6].astype(np.int32)
    value = np.take_along_axis(product, order.astype(np.int64), axis=1)
    shuffled = order[:, ::-1].copy()
    lists = decide(space, np.arange(50), Proposals(value[:, ::-1], shuffled, value[:, -1]))
    np.testing.assert_array_equal(lists.identity, order)
    assert (lists.sure == 5).all()  # the last one is the bound itself
    complete = Proposals(value, order, np.full(50, -np.inf, np.float32))
    assert (decide(space, np.arange(50), complete).sure == 6).all()
    identity, cosine = lists.first(8)
    assert identity.shape == cosine.shape == (50, 8)
    assert (identity[:, 6:] == -1).all()
