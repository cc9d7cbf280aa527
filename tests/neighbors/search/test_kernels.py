import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors.search.space import can_compile

if not can_compile():
    pytest.skip("needs numba, and NUMBA_DISABLE_JIT not set", allow_module_level=True)

from driftkit.neighbors.search import kernels
from driftkit.neighbors.search.rerank import cosines
from driftkit.neighbors.search.space import Space


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_a_heap_keeps_the_largest(seed, depth, count):
    new = np.random.default_rng(seed).integers(0, 30, count).astype(np.float32)
    value, who = np.full(depth, -np.inf, np.float32), np.full(depth, -1, np.int32)
    for at, each in enumerate(new):
        if each > value[0]:
            kernels.replace_root(value, who, each, at)
    best = np.sort(new)[::-1][:depth]
    np.testing.assert_array_equal(np.sort(value[who >= 0])[::-1], best)
    np.testing.assert_array_equal(new[who[who >= 0]], value[who >= 0])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 7, 8, 9, 50, 127, 128, 129, 136, 200, 300, 1025])
def test_cosines_have_numpy_s_bits(d, kind):
    rng = np.random.default_rng(d)
    asked = Space.of(rng.normal(size=(60, d)).astype(kind))
    space = Space.of(rng.normal(size=(60, d)).astype(np.float32))
    left, right = np.arange(60), rng.integers(-1, 60, (60, 9))
    out = np.full(right.shape, np.nan, np.float32)
    kernels.cosines_into(
        out, kernels.plan_of(d), asked.matrix, asked.norms, left, space.matrix, space.norms, right
    )
    filled = right >= 0
    expected = cosines(asked, np.repeat(left, 9)[filled.ravel()], space, right[filled])
    np.testing.assert_array_equal(out[filled], expected)
    assert np.isnan(out[~filled]).all()
