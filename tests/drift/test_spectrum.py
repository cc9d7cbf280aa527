import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align
from driftkit.drift import spectrum
from driftkit.drift.moments import moments
from driftkit.drift.spectrum import (
    Basis,
    eigenspace_instability,
    eigenspace_overlap,
    partition_isotropy,
)  # fmt: skip

ALL = (
    spectrum.effective_rank, spectrum.stable_rank, spectrum.participation_ratio, spectrum.isoscore,
)  # fmt: skip


@pytest.mark.parametrize("measure", ALL)
def test_scale_does_not_matter_and_nothing_has_no_value(measure):
    lam = np.random.default_rng(0).random(9)
    assert measure(lam) == pytest.approx(measure(1000 * lam))
    assert np.isnan(measure(np.zeros(9)))


@pytest.mark.parametrize("measure", ALL[:3])
def test_equal_directions_count_each(measure):
    assert measure(np.array([2.0] * 5 + [0.0] * 3)) == pytest.approx(5)


def test_isoscore_runs_from_a_line_to_a_ball():
    scores = [spectrum.isoscore(np.array([1.0] * k + [0.0] * (20 - k))) for k in range(1, 21)]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


def test_reference_values_of_glove(glove):
    x = np.asarray(glove.matrix).astype(np.float64)
    mean = x.mean(axis=0)
    raw = x.T @ x
    centered = raw - len(x) * np.outer(mean, mean)
    for gram, expected in ((raw, (44.30, 7.215, 26.17)), (centered, (45.02, 18.459, 38.90))):
        lam = np.linalg.eigvalsh(gram)
        for measure, value in zip(ALL[:3], expected, strict=True):
            assert measure(lam) == pytest.approx(value, abs=6e-3)
    assert spectrum.isoscore(lam) == pytest.approx(0.7734, abs=5e-5)


def isotropy_oracle(x):
    _, vectors = np.linalg.eigh(x.T @ x)
    z = [np.exp(sign * x @ c).sum() for c in vectors.T for sign in (1, -1)]
    return min(z) / max(z)


@pytest.mark.parametrize("offset", [0, 1])
def test_isotropy_agrees_with_the_sums_of_both_signs(offset):
    x = (np.random.default_rng(0).normal(size=(200, 6)) + offset).astype(np.float32)
    chosen = np.arange(200) % 3 > 0
    wide = x[chosen].astype(float)
    found = partition_isotropy(x, chosen, wide.T @ wide)
    assert found == pytest.approx(isotropy_oracle(wide), rel=1e-4)


def test_long_rows_do_not_overflow():
    x = (200 * np.random.default_rng(1).normal(size=(50, 3))).astype(np.float32)
    found = partition_isotropy(x, np.ones(50, bool), x.astype(float).T @ x)
    assert 0 <= found < 1e-6


def test_no_rows_have_no_isotropy():
    assert np.isnan(partition_isotropy(np.ones((3, 2), np.float32), np.zeros(3, bool), np.eye(2)))


def moments_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return moments(
        align(Embeddings(words, before), Embeddings(words, after)), np.ones(len(before), bool)
    )


def bases(m):
    return Basis.of(m.raw_xx), Basis.of(m.raw_yy)


@given(st.integers(0, 2**32 - 1), st.integers(8, 30), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_eigenspaces_agree_with_the_n_by_n_formulas(seed, n, d):
    x, y = np.random.default_rng(seed).normal(size=(2, n, d)).astype(np.float32)
    m = moments_of(x, y)
    x, y = x.astype(float), y.astype(float)
    u, v = (np.linalg.svd(z, full_matrices=False)[0] for z in (x, y))
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(np.square(u.T @ v).sum() / d, abs=1e-6)
    s = np.linalg.matrix_power(x @ x.T, 3) + np.linalg.matrix_power(y @ y.T, 3)
    uu, vv = u @ u.T, v @ v.T
    expected = np.trace((uu + vv - 2 * vv @ uu) @ s) / np.trace(s)
    assert eigenspace_instability(m, *bases(m)) == pytest.approx(expected, abs=1e-6)


def test_tables_that_span_fewer_dimensions_overlap_less():
    """What is divided by is the number of dimensions, as in its source, and not the rank."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 40, 6))
    x[:, 4:], y[:, 5] = x[:, :2], 0
    u, v = np.linalg.svd(x)[0][:, :4], np.linalg.svd(y)[0][:, :5]
    m = moments_of(x, y)
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(np.square(u.T @ v).sum() / 6, abs=1e-6)
    m = moments_of(x, 2 * x)
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(4 / 6, abs=1e-6)


def test_any_invertible_map_keeps_the_eigenspace():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    m = moments_of(x, x @ rng.normal(size=(4, 4)))
    assert eigenspace_overlap(m, *bases(m)) == pytest.approx(1, abs=1e-5)
    assert eigenspace_instability(m, *bases(m)) == pytest.approx(0, abs=1e-5)


def test_zero_tables_span_nothing():
    m = moments_of(np.zeros((5, 2)), np.zeros((5, 2)))
    assert np.isnan([eigenspace_overlap(m, *bases(m)), eigenspace_instability(m, *bases(m))]).all()
