import numpy as np
import pytest

from driftkit.neighbors.search.jit import can_compile


@pytest.fixture(params=["compiled", "torch"])
def engine(request):
    """Both ways to look through products, held to the same oracle."""
    if request.param == "compiled" and not can_compile():
        pytest.skip("needs numba")
    return request.param


@pytest.fixture
def same():
    """Compare two answers, positions and cosines, number by number."""

    def compare(found, expected):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    return compare
