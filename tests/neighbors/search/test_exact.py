import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftkit.errors import OptionError
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.space import row_norms


@pytest.fixture(params=["compiled", "torch"])
def engine(request, monkeypatch):
    """Both ways to look through products, held to the same oracle."""
    if request.param == "compiled":
        pytest.importorskip("numba", reason="needs numba")
    else:
        for module in ("exact", "decide"):
            monkeypatch.setattr(f"driftkit.neighbors.{module}.can_compile", lambda: False)
    return request.param


def brute_force(matrix, queries, k, candidates=None):
    """The slow, obvious way: all cosines in float64, rounded to float32, one full sort a query."""
    pool = np.arange(len(matrix)) if candidates is None else np.asarray(candidates)
    x = matrix.astype(np.float64)
    norms = np.array([np.sqrt((row * row).sum()) for row in x])
    rows = np.full((len(queries), k), -1, np.int32)
    cosine = np.full((len(queries), k), np.nan, np.float32)
    for at, query in enumerate(queries):
        possible = np.flatnonzero((pool != query) & (norms[pool] > 0))
        if norms[query] == 0 or len(possible) == 0:
            continue
        target = pool[possible]
        score = (x[target] * x[query]).sum(axis=1) / (norms[target] * norms[query])
        score = np.clip(score, -1, 1).astype(np.float32)
        order = np.lexsort((possible, -score))[:k]
        rows[at, : len(order)] = possible[order]
        cosine[at, : len(order)] = score[order]
    return rows, cosine


def same(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@st.composite
def questions(draw):
    """Small spaces full of ties, duplicates, opposite and zero rows, and any question of them."""
    n, d = draw(st.integers(1, 70)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = rng.integers(-1, 2, (n, d)).astype(np.float32)
    matrix *= rng.choice([1, 0.1, 3, 1e-30, 1e30], (n, 1)).astype(np.float32)
    candidates = draw(st.none() | st.integers(1, n).map(lambda c: rng.permutation(n)[:c]))
    queries = rng.integers(0, n, draw(st.integers(0, 20)))
    if draw(st.booleans()):  # every candidate is a query
        queries = np.arange(n) if candidates is None else candidates
    return matrix, queries, draw(st.integers(1, 15)), candidates, draw(st.integers(1, 80))


@given(questions())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_finds_what_the_oracle_finds(engine, question):
    matrix, queries, k, candidates, tile = question
    found = nearest(matrix, queries, k, candidates=candidates, tile=tile)
    same(found, brute_force(matrix, queries, k, candidates))


@pytest.mark.parametrize("k", [1, 10, 400, 1600])
@pytest.mark.parametrize("step", [1, 7])
def test_random_space_of_several_strips_and_groups(engine, k, step):
    matrix = np.random.default_rng(0).normal(size=(1500, 30)).astype(np.float32)
    queries = np.arange(0, 1500, step)
    expected = brute_force(matrix, queries, k)
    for tile in (150, 1300, None):
        same(nearest(matrix, queries, k, tile=tile), expected)


def test_more_duplicates_than_the_short_list_holds(engine):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(60, 8)).astype(np.float32)[rng.integers(0, 60, 3000)]
    queries = np.arange(0, 3000, 11)
    same(nearest(matrix, queries, 10, tile=1500), brute_force(matrix, queries, 10))


def test_near_ties_below_float32_products_are_told_apart(engine):
    base = np.random.default_rng(2).normal(size=40)
    noise = np.random.default_rng(3).normal(size=(300, 40))
    matrix = (base + 2e-7 * noise).astype(np.float32)
    same(nearest(matrix, np.arange(300), 5), brute_force(matrix, np.arange(300), 5))


def test_answers_in_blocks_of_queries_and_reports_each(engine):
    matrix = np.random.default_rng(4).normal(size=(700, 3)).astype(np.float32)
    matrix[5] = 0
    calls = []
    found = nearest(matrix, np.arange(700), 4, memory=1, progress=lambda *call: calls.append(call))
    same(found, brute_force(matrix, np.arange(700), 4))
    assert calls == sorted(calls)
    assert {(257, 700), (513, 700), (700, 700)} <= set(calls)  # 256 at least at a time


def test_coarse_products_change_nothing(engine, monkeypatch):
    # What torch does when the caller allows bfloat16 products, on any machine.
    real = torch.mm
    coarse = lambda a, b, out: real(a.bfloat16().float(), b.bfloat16().float(), out=out)  # noqa: E731
    noise = np.random.default_rng(5).normal(size=(800, 20))
    matrix = (1 + 0.02 * noise).astype(np.float32)  # cosines closer than 8 bits can tell
    expected = brute_force(matrix, np.arange(800), 10)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    monkeypatch.setattr(torch, "mm", coarse)
    same(nearest(matrix, np.arange(800), 10), expected)


def test_number_of_threads_does_not_show(engine):
    matrix = np.random.default_rng(6).normal(size=(1500, 25)).astype(np.float32)
    threads = torch.get_num_threads()
    try:
        answers = []
        for count in (1, 2):
            torch.set_num_threads(count)
            answers.append(nearest(matrix, np.arange(1500), 10))
    finally:
        torch.set_num_threads(threads)
    assert [part.tobytes() for part in answers[0]] == [part.tobytes() for part in answers[1]]


def test_a_duplicate_is_a_neighbor_and_the_word_itself_is_not(engine):
    matrix = np.array([[1, 2], [1, 2], [1, 2], [2, 1]], np.float32)
    rows, cosine = nearest(matrix, np.array([0, 1]), 2)
    assert rows.tolist() == [[1, 2], [0, 2]]
    assert (cosine == 1).all()


def test_no_candidate_has_a_direction():
    matrix = np.array([[1, 2], [0, 0]], np.float32)
    rows, cosine = nearest(matrix, np.array([0]), 2, candidates=np.array([1]))
    assert rows.tolist() == [[-1, -1]]
    assert np.isnan(cosine).all()


def test_norms_given_are_norms_used():
    matrix = np.array([[3, 4], [6, 8], [1, 0]], np.float32)
    same(
        nearest(matrix, np.arange(3), 2, norms=row_norms(matrix)), nearest(matrix, np.arange(3), 2)
    )


def test_leaves_the_settings_of_torch_alone():
    threads = torch.get_num_threads()
    nearest(np.eye(50, dtype=np.float32), np.arange(50), 3)
    assert torch.get_num_threads() == threads


def test_both_engines_give_the_same_bytes(monkeypatch):
    pytest.importorskip("numba", reason="needs numba")
    matrix = np.random.default_rng(9).normal(size=(900, 37)).astype(np.float32)
    compiled = nearest(matrix, np.arange(900), 10)
    for module in ("exact", "decide"):
        monkeypatch.setattr(f"driftkit.neighbors.{module}.can_compile", lambda: False)
    plain = nearest(matrix, np.arange(900), 10)
    assert [part.tobytes() for part in compiled] == [part.tobytes() for part in plain]


def test_types_and_shapes():
    rows, cosine = nearest(np.eye(4, dtype=np.float32), np.arange(3), 2)
    assert (rows.dtype, cosine.dtype) == (np.int32, np.float32)
    assert rows.shape == cosine.shape == (3, 2)


def test_reads_a_memory_mapped_table(engine, tmp_path):
    matrix = np.random.default_rng(7).normal(size=(50, 4)).astype(np.float32)
    np.save(tmp_path / "matrix.npy", matrix)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    same(nearest(mapped, np.arange(50), 3), brute_force(matrix, np.arange(50), 3))


@pytest.mark.parametrize(("k", "tile"), [(0, 10), (-1, 10), (3, 0)])
def test_refuses_a_depth_or_tile_below_one(k, tile):
    with pytest.raises(OptionError, match="1 or more"):
        nearest(np.eye(3, dtype=np.float32), np.arange(3), k, tile=tile)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_finds_what_the_oracle_finds():
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(3000, 50)).astype(np.float32)[rng.integers(0, 3000, 5000)]
    matrix[17] = 0
    queries = np.arange(0, 5000, 9)
    same(nearest(matrix, queries, 10, device="cuda"), brute_force(matrix, queries, 10))


@pytest.mark.slow
@pytest.mark.parametrize("memory", [20_000_000, 500_000_000])
def test_a_thousand_neighbors_of_five_thousand_words(engine, memory):
    matrix = np.random.default_rng(7).normal(size=(5000, 50)).astype(np.float32)
    matrix[::10] = matrix[:500]  # ties, as far as they reach
    rows, cosine = nearest(matrix, np.arange(5000), 1000, memory=memory)
    sample = np.arange(0, 5000, 61)
    same((rows[sample], cosine[sample]), brute_force(matrix, sample, 1000))
