import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from driftkit import Embeddings, align
from driftkit.drift import similarity as alignment
from driftkit.drift.moments import moments, unit_moments


def pair_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def every(pair):
    return np.ones(len(pair), bool)


def debiased(pair):
    m = moments(pair, every(pair))
    return alignment.debiased_cka(m, alignment.norm_products(pair, [(every(pair), m)])[0])


def hsic_oracle(k, m):
    """Song et al. 2012, equation 5, on n x n kernels with empty diagonals."""
    n = len(k)
    k, m = k * (1 - np.eye(n)), m * (1 - np.eye(n))
    one = np.ones(n)
    return (
        np.trace(k @ m)
        + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ m @ one)
    ) / (n * (n - 3))


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.integers(2, 6), st.floats(0, 10))
@settings(max_examples=50, deadline=None)
def test_agrees_with_the_n_by_n_formulas(seed, n, d, offset):
    rng = np.random.default_rng(seed)
    before = (rng.normal(size=(n, d)) + offset).astype(np.float32)
    pair = pair_of(before, before + rng.normal(size=(n, d)).astype(np.float32))
    x, y = pair.before.astype(float), pair.after.astype(float)
    m = moments(pair, every(pair))
    k, l = x @ x.T, y @ y.T  # noqa: E741
    own = hsic_oracle(k, k) * hsic_oracle(l, l)
    if own > 0:
        expected = np.clip(hsic_oracle(k, l) / np.sqrt(own), -1, 1)
        assert debiased(pair) == pytest.approx(expected, abs=1e-6)
    assert alignment.pip_loss(m) == pytest.approx(
        np.linalg.norm(k - l) / np.linalg.norm(k), abs=1e-6
    )
    off = ~np.eye(n, dtype=bool)
    cosines = []
    for z in (x, y):
        u = z / np.linalg.norm(z, axis=1, keepdims=True)
        cosines.append((u @ u.T)[off])
    if min(c.std() for c in cosines) > 1e-3:
        found = alignment.rsa(unit_moments(pair, every(pair)))
        assert found == pytest.approx(np.corrcoef(*cosines)[0, 1], abs=1e-6)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    nuclear = np.linalg.svd(xc.T @ yc, compute_uv=False).sum()
    angle = np.arccos(min(nuclear / np.linalg.norm(xc) / np.linalg.norm(yc), 1))
    assert alignment.procrustes_angle(m, nuclear) == pytest.approx(angle, abs=1e-6)


def test_unrelated_tables_have_no_debiased_cka_whatever_d():
    rng = np.random.default_rng(0)
    pair = pair_of(rng.normal(size=(300, 100)), rng.normal(size=(300, 100)))
    assert abs(debiased(pair)) < 0.02
    assert alignment.cka(moments(pair, every(pair))) > 0.2


def test_rotation_and_scale_change_no_angle_and_no_rsa():
    x = np.random.default_rng(1).normal(size=(100, 8))
    pair = pair_of(x, 3 * x @ ortho_group.rvs(8, random_state=0))
    m = moments(pair, every(pair))
    assert alignment.procrustes_angle(m, np.linalg.norm(m.xy, "nuc")) < 1e-3
    assert alignment.rsa(unit_moments(pair, every(pair))) == pytest.approx(1, abs=1e-6)


def test_equal_cosines_have_no_correlation():
    x = np.eye(6)
    assert np.isnan(alignment.rsa(unit_moments(pair_of(x, x), np.ones(6, bool))))
