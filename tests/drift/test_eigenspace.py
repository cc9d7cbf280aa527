import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align
from driftkit.drift.eigenspace import bases, eigenspace_instability, eigenspace_overlap
from driftkit.drift.moments import moments


def moments_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return moments(
        align(Embeddings(words, before), Embeddings(words, after)), np.ones(len(before), bool)
    )


@given(st.integers(0, 2**32 - 1), st.integers(8, 30), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_n_by_n_formulas(seed, n, d):
    x, y = np.random.default_rng(seed).normal(size=(2, n, d)).astype(np.float32)
    m = moments_of(x, y)
    x, y = x.astype(float), y.astype(float)
    u, v = (np.linalg.svd(z, full_matrices=False)[0] for z in (x, y))
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(np.square(u.T @ v).sum() / d, abs=1e-6)
    s = np.linalg.matrix_power(x @ x.T, 3) + np.linalg.matrix_power(y @ y.T, 3)
    uu, vv = u @ u.T, v @ v.T
    expected = np.trace((uu + vv - 2 * vv @ uu) @ s) / np.trace(s)
    assert eigenspace_instability(m, *bases(m)) == pytest.approx(expected, abs=1e-6)


def test_any_invertible_map_keeps_the_eigenspace():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    m = moments_of(x, x @ rng.normal(size=(4, 4)))
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(1, abs=1e-5)
    assert eigenspace_instability(m, *bases(m)) == pytest.approx(0, abs=1e-5)


def test_zero_tables_span_nothing():
    m = moments_of(np.zeros((5, 2)), np.zeros((5, 2)))
    assert np.isnan([eigenspace_overlap(m, *bases(m)), eigenspace_instability(m, *bases(m))]).all()
