import numpy as np
import pytest

from driftkit import neighbor_shifts
from driftkit.errors import UnknownNameError
from driftkit.neighbors.metrics import nearest_by
from driftkit.neighbors.space import row_norms


def scores(metric, x):
    norms = np.linalg.norm(x, axis=1)
    if metric == "dot":
        return x @ x.T
    if metric == "euclidean":
        return -np.linalg.norm(x[:, None] - x[None], axis=2)
    cosine = x @ x.T / norms[:, None] / norms
    if metric == "cosine":
        return cosine
    inside = cosine.copy()
    np.fill_diagonal(inside, -np.inf)
    r = np.sort(inside, axis=1)[:, -10:].mean(axis=1)
    return 2 * cosine - r[:, None] - r


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "csls"])
def test_agrees_with_all_scores_sorted(metric):
    matrix = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
    expected = scores(metric, matrix.astype(float))
    np.fill_diagonal(expected, -np.inf)
    calls = []
    rows, score = nearest_by(
        metric, matrix, np.arange(80), 6, candidates=np.arange(80), norms=row_norms(matrix),
        progress=lambda *call: calls.append(call),
    )  # fmt: skip
    np.testing.assert_array_equal(rows, np.argsort(-expected, axis=1)[:, :6])
    np.testing.assert_allclose(score, -np.sort(-expected, axis=1)[:, :6], atol=1e-5)
    assert calls[-1] == (80, 80)


@pytest.mark.parametrize("metric", ["dot", "euclidean", "csls"])
def test_equal_scores_come_in_the_order_of_candidates(metric):
    matrix = np.array([[1, 0], [0, 1], [0, 1], [0, 0]], np.float32)
    rows, score = nearest_by(
        metric, matrix, np.array([1, 3]), 3, candidates=np.array([2, 0, 1, 3]),
        norms=row_norms(matrix),
    )  # fmt: skip
    assert rows[0, 0] == 0
    if metric == "csls":
        assert rows[1].tolist() == [-1, -1, -1]
        assert np.isnan(score[1]).all()
    else:
        assert rows[1].tolist() == [0, 1, 2]


def test_shifts_by_another_metric(pair):
    shifts = neighbor_shifts(pair, ["w3"], k=5, metric="euclidean")
    away = np.linalg.norm(pair.before - pair.before[pair.index["w3"]], axis=1)
    expected = [pair.words[row] for row in np.argsort(away)[1:6]]
    assert [name for name, _ in shifts["w3"].before] == expected


def test_an_unknown_metric(pair):
    with pytest.raises(UnknownNameError, match="did you mean 'cosine'"):
        neighbor_shifts(pair, metric="cosin")
