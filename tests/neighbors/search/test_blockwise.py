import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors.search.blockwise import propose, top
from driftkit.neighbors.search.space import Queries, Space


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 3000), st.booleans())
@settings(max_examples=40, deadline=None)
def test_top_of_groups_is_top_of_all(seed, depth, width, tied):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, (3, width)) if tied else rng.normal(size=(3, width))
    product = torch.from_numpy(values.astype(np.float32))
    value, column = top(product, depth)
    np.testing.assert_array_equal(value, -np.sort(-product.numpy(), axis=1)[:, :depth])
    np.testing.assert_array_equal(value, product.gather(1, column))
    assert all(len(set(row)) == len(row) for row in column.tolist())


def test_the_query_itself_is_not_proposed():
    space, everyone = Space.of(np.eye(4, dtype=np.float32)), np.arange(4)
    queries = Queries(space, everyone, np.arange(4, dtype=np.int32)[:, None])
    value, identity = propose(space, everyone, queries, 4)
    assert all(row not in found for row, found in enumerate(identity.tolist()))
    assert np.isneginf(value[:, -1]).all()
