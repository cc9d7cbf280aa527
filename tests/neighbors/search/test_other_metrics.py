import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import neighbor_shifts
from driftkit.arrays import row_norms
from driftkit.errors import UnknownNameError
from driftkit.neighbors.search.other_metrics import nearest_by


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


@st.composite
def questions(draw):
    """Whole numbers, full of ties, duplicates and zero rows: one row, one column, any k."""
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = rng.integers(-2, 3, (n, d)).astype(np.float32)
    pool = rng.permutation(n)[: draw(st.integers(1, n))]
    return matrix, rng.integers(0, n, draw(st.integers(0, 12))), draw(st.integers(1, 45)), pool


def ask(metric, matrix, queries, k, pool):
    return nearest_by(metric, matrix, queries, k, candidates=pool, norms=row_norms(matrix))


@pytest.mark.parametrize("metric", ["dot", "euclidean"])
@given(questions())
@settings(max_examples=60, deadline=None)
def test_ties_are_ordered_as_a_full_sort_orders_them(metric, question):
    matrix, queries, k, pool = question
    rows, score = ask(metric, matrix, queries, k, pool)
    x = matrix.astype(float)
    for at, query in enumerate(queries):
        expected = x[pool] @ x[query]
        if metric == "euclidean":
            expected = -np.square(x[pool] - x[query]).sum(axis=1)  # whole numbers, so ties are ties
        order = np.lexsort((np.arange(len(pool)), -expected))
        order = order[pool[order] != query][:k]
        assert rows[at, : len(order)].tolist() == order.tolist()
        assert (rows[at, len(order) :] == -1).all()
        best = expected[order] if metric == "dot" else -np.sqrt(-expected[order])
        np.testing.assert_allclose(score[at, : len(order)], best, atol=1e-5)


@given(questions())
@settings(max_examples=60, deadline=None)
def test_csls_lists_hold_the_largest_scores(question):
    matrix, queries, k, pool = question
    rows, score = ask("csls", matrix, queries, k, pool)
    x, norms = matrix.astype(float), row_norms(matrix)
    live = pool[norms[pool] > 0]

    def near(row):
        cosine = x[live] @ x[row] / (norms[live] * norms[row])
        return np.sort(cosine[live != row])[::-1][:10].sum() / max(1, min(10, (live != row).sum()))

    for at, query in enumerate(queries):
        listed = rows[at][rows[at] >= 0]
        if norms[query] == 0:
            assert len(listed) == 0
            continue
        others = live[live != query]
        expected = {
            row: 2 * x[row] @ x[query] / (norms[row] * norms[query]) - near(row) - near(query)
            for row in others.tolist()
        }
        assert len(set(listed.tolist())) == len(listed) == min(k, len(others))
        best = np.sort(list(expected.values()))[::-1][: len(listed)]
        np.testing.assert_allclose([expected[row] for row in pool[listed]], best, atol=1e-5)
        np.testing.assert_allclose(score[at, : len(listed)], best, atol=1e-5)


@pytest.mark.parametrize("metric", ["dot", "euclidean", "csls"])
def test_number_of_threads_does_not_show(metric):
    matrix = np.random.default_rng(0).normal(size=(900, 25)).astype(np.float32)
    threads, answers = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found = ask(metric, matrix, np.arange(900), 10, np.arange(900))
            answers.append([part.tobytes() for part in found])
    finally:
        torch.set_num_threads(threads)
    assert answers[0] == answers[1]


def test_shifts_by_another_metric(pair):
    shifts = neighbor_shifts(pair, ["w3"], k=5, metric="euclidean")
    away = np.linalg.norm(pair.before - pair.before[pair.index["w3"]], axis=1)
    expected = [pair.words[row] for row in np.argsort(away)[1:6]]
    assert [name for name, _ in shifts["w3"].before] == expected


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "csls"])
def test_added_words_by_every_metric(pair, metric):
    shifts = neighbor_shifts(pair, k=5, metric=metric)
    order = [*pair.words, "<pad>"]
    matrix = pair.tuned.matrix[pair.tuned.rows(order)]
    alone = nearest_by(metric, matrix, np.arange(120), 5, norms=row_norms(matrix))
    np.testing.assert_array_equal(shifts.after, alone[0])
    np.testing.assert_array_equal(shifts.after_cosine, alone[1])
    assert (shifts.after == 120).any()
    assert (shifts.before < 120).all()


def test_an_unknown_metric(pair):
    with pytest.raises(UnknownNameError, match="did you mean 'cosine'"):
        neighbor_shifts(pair, metric="cosin")
