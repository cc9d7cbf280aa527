import numpy as np
import pytest

from driftkit.drift.isotropy import partition_isotropy


def oracle(x):
    _, vectors = np.linalg.eigh(x.T @ x)
    z = [np.exp(sign * x @ c).sum() for c in vectors.T for sign in (1, -1)]
    return min(z) / max(z)


@pytest.mark.parametrize("offset", [0, 1])
def test_agrees_with_the_sums_of_both_signs(offset):
    x = (np.random.default_rng(0).normal(size=(200, 6)) + offset).astype(np.float32)
    chosen = np.arange(200) % 3 > 0
    wide = x[chosen].astype(float)
    found = partition_isotropy(x, chosen, wide.T @ wide)
    assert found == pytest.approx(oracle(wide), rel=1e-4)


def test_long_rows_do_not_overflow():
    x = (200 * np.random.default_rng(1).normal(size=(50, 3))).astype(np.float32)
    found = partition_isotropy(x, np.ones(50, bool), x.astype(float).T @ x)
    assert 0 <= found < 1e-6


def test_no_rows():
    assert np.isnan(partition_isotropy(np.ones((3, 2), np.float32), np.zeros(3, bool), np.eye(2)))
