import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align
from driftkit.drift.moments import blocks, moments, unit_moments


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    words = [f"w{row}" for row in range(300)]
    before = rng.normal(3, 1, (300, 5)).astype(np.float32)
    return align(Embeddings(words, before), Embeddings(words, before + rng.normal(size=(300, 5))))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 300), st.randoms(use_true_random=False))
def test_moments_of_two_parts_add_up_to_those_of_the_whole(pair, size, random):
    chosen = np.zeros(300, bool)
    chosen[random.sample(range(300), size)] = True
    x, y = pair.before.astype(np.float64), pair.after.astype(np.float64)
    both = moments(pair, chosen) + moments(pair, ~chosen)
    np.testing.assert_allclose(both.mean_x, x.mean(axis=0), rtol=1e-12)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    np.testing.assert_allclose(both.xy, xc.T @ yc, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(both.yy, yc.T @ yc, rtol=1e-9, atol=1e-9)
    assert both.n == 300
    assert np.trace(both.raw_xx) == pytest.approx(float((x**2).sum()))


def test_blocks_are_copies_of_matched_rows(pair):
    chosen = np.arange(300) % 7 == 0
    gathered = [(x.copy(), y.copy()) for x, y in blocks(pair, chosen)]
    np.testing.assert_array_equal(np.vstack([x for x, _ in gathered]), pair.before[chosen])
    np.testing.assert_array_equal(np.vstack([y for _, y in gathered]), pair.after[chosen])
    for x, _ in blocks(pair, chosen):
        x[:] = 0  # ours to change: the table stays
    assert pair.before.any()


def test_rows_that_did_not_change_are_taken_once_and_count_the_same(pair):
    tuned = pair.before.copy()
    tuned[::3] += 1
    some = align(pair.original, Embeddings(pair.words, tuned))
    still = ~some.changed
    assert all(x is y for x, y in blocks(some, still))
    x, y = some.before.astype(np.float64), some.after.astype(np.float64)
    for chosen in (still, some.changed, np.ones(300, bool)):
        a, b = x[chosen] - x[chosen].mean(axis=0), y[chosen] - y[chosen].mean(axis=0)
        m = moments(some, chosen)
        for found, expected in ((m.xx, a.T @ a), (m.xy, a.T @ b), (m.yy, b.T @ b)):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_agree_with_matrices():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(40)]
    x, y = (rng.normal(size=(2, 40, 5)) + 1).astype(np.float32)
    x[7] = 0
    pair = align(Embeddings(words, x), Embeddings(words, y))
    chosen = np.arange(40) < 25
    m = moments(pair, chosen)
    a, b = x[:25].astype(float), y[:25].astype(float)
    np.testing.assert_allclose(m.raw_xy, a.T @ b)
    np.testing.assert_allclose(m.raw_xx, a.T @ a)
    np.testing.assert_allclose(m.yy, (b - b.mean(axis=0)).T @ (b - b.mean(axis=0)))
    unit = unit_moments(pair, chosen)
    kept = np.delete(np.arange(25), 7)
    u, v = (z[kept] / np.linalg.norm(z[kept], axis=1, keepdims=True) for z in (a, b))
    assert unit.n == 24
    np.testing.assert_allclose(unit.raw_xy, u.T @ v)
    np.testing.assert_allclose(unit.mean_y, v.mean(axis=0))
    assert sum(len(block) for block, _ in blocks(pair, chosen)) == 25
