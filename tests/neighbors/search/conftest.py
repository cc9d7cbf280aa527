import numpy as np
import pytest

from driftkit.neighbors.search.space import can_compile

WHY = "needs numba, and NUMBA_DISABLE_JIT not set"


@pytest.fixture
def compiler():
    """Skip a test of compiled code where there is none."""
    if not can_compile():
        pytest.skip(WHY)


@pytest.fixture(params=["compiled", "torch"])
def engine(request):
    """Both ways to look through products, held to the same oracle."""
    if request.param == "compiled" and not can_compile():
        pytest.skip(WHY)
    return request.param


@pytest.fixture
def same():
    """Compare two answers, positions and cosines, number by number."""

    def compare(found, expected):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    return compare
