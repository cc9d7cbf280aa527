import numpy as np
import pytest

from driftkit.neighbors.search.space import can_compile

WHY = "needs numba, and NUMBA_DISABLE_JIT not set"


@pytest.fixture
def compiler():
    """Skip a test of compiled code where there is none."""
    if not can_compile():
        pytest.skip(WHY)


@pytest.fixture(params=["int8", "float32", "torch"])
def engine(request, monkeypatch):
    """Every way to take products and to look through them, held to the same oracle."""
    if request.param == "torch":
        return "torch"
    if not can_compile():
        pytest.skip(WHY)
    if request.param == "int8":
        from driftkit.neighbors.search.instructions import BYTES

        if not BYTES:
            pytest.skip("needs a processor that multiplies bytes (VNNI)")
    monkeypatch.setattr("driftkit.neighbors.search.exact.fastest", lambda _: request.param)
    return "compiled"


@pytest.fixture
def same():
    """Compare two answers, positions and cosines, number by number."""

    def compare(found, expected):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    return compare
