import numpy as np

from driftkit import Embeddings, align
from driftkit.drift.moments import blocks, moments, unit_moments


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
    np.testing.assert_allclose([m.raw_x, m.raw_y], [(a * a).sum(), (b * b).sum()])
    np.testing.assert_allclose(m.yy, (b - b.mean(axis=0)).T @ (b - b.mean(axis=0)))
    unit = unit_moments(pair, chosen)
    kept = np.delete(np.arange(25), 7)
    u, v = (z[kept] / np.linalg.norm(z[kept], axis=1, keepdims=True) for z in (a, b))
    assert unit.n == 24
    np.testing.assert_allclose(unit.xy, u.T @ v)
    np.testing.assert_allclose(unit.sum_y, v.sum(axis=0))
    assert sum(len(block) for block, _ in blocks(pair, chosen)) == 25
