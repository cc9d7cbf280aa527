from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neighbors_oracle import oracle

from driftkit.arrays import row_norms
from driftkit.errors import OptionError, UnknownNameError
from driftkit.neighbors.search.exact import Search, nearest
from driftkit.neighbors.search.space import Space


def nearest_to_vectors(matrix, vectors, k, candidates=None, excluded=None, tile=None, engine=None):
    search = Search.over(Space.of(matrix, engine=engine), candidates, tile)
    return search.nearest(search.of_vectors(vectors, excluded), k)


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
def test_finds_what_the_oracle_finds(engine, same, question):
    matrix, queries, k, candidates, tile = question
    found = nearest(matrix, queries, k, candidates=candidates, tile=tile, engine=engine)
    same(found, oracle(matrix, queries, k, candidates))


@cache
def random_space():
    """A matrix, and every neighbor of every row that the oracle finds, once for all tests."""
    matrix = np.random.default_rng(0).normal(size=(1500, 30)).astype(np.float32)
    return matrix, oracle(matrix, np.arange(1500), 1600)


@pytest.mark.parametrize("k", [1, 10, 400, 1600])
@pytest.mark.parametrize("step", [1, 7])
def test_random_space_of_several_strips_and_groups(engine, same, k, step):
    matrix, every = random_space()
    queries, expected = np.arange(0, 1500, step), [part[::step, :k] for part in every]
    for tile in (150, 1300, None):
        same(nearest(matrix, queries, k, tile=tile, engine=engine), expected)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("product", [None, "float32"])
def test_a_row_that_is_not_finite_has_no_neighbor_and_is_none(engine, same, product, odd):
    """As a zero row: it has no direction."""
    matrix = np.random.default_rng(0).normal(size=(500, 24)).astype(np.float32)
    zeroed, queries = matrix.copy(), np.arange(500)
    matrix[3, 0], zeroed[3] = odd, 0
    found = nearest(matrix, queries, 10, engine=engine, product=product)
    same(found, oracle(zeroed, queries, 10))


def test_of_no_candidate_and_of_no_query_there_is_no_neighbor(engine):
    matrix = np.eye(4, dtype=np.float32)
    for none in ([], np.array([], np.int64)):
        found, cosine = nearest(matrix, np.arange(3), 2, candidates=none, engine=engine)
        assert found.shape == cosine.shape == (3, 2)
        assert (found == -1).all()
        assert np.isnan(cosine).all()
        assert nearest(matrix, none, 2, engine=engine)[0].shape == (0, 2)


def test_a_matrix_may_be_a_list_of_rows(engine):
    assert nearest([[1, 0], [1, 1], [0, 1]], [0], 1, engine=engine)[0].tolist() == [[1]]
    with pytest.raises(OptionError, match=r"a matrix of shape \(3,\)"):
        nearest(np.ones(3), [0], 1, engine=engine)


def test_more_duplicates_than_the_short_list_holds(engine, same):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(60, 8)).astype(np.float32)[rng.integers(0, 60, 3000)]
    queries = np.arange(0, 3000, 11)
    same(nearest(matrix, queries, 10, tile=1500, engine=engine), oracle(matrix, queries, 10))


def test_near_ties_below_float32_products_are_told_apart(engine, same):
    base = np.random.default_rng(2).normal(size=40)
    noise = np.random.default_rng(3).normal(size=(300, 40))
    matrix = (base + 2e-7 * noise).astype(np.float32)
    same(nearest(matrix, np.arange(300), 5, engine=engine), oracle(matrix, np.arange(300), 5))


def test_answers_in_blocks_of_queries_and_reports_each(engine, same):
    matrix = np.random.default_rng(4).normal(size=(700, 3)).astype(np.float32)
    matrix[5] = 0
    calls = []
    found = nearest(
        matrix,
        np.arange(700),
        4,
        memory=1,
        progress=lambda *call: calls.append(call),
        engine=engine,
    )
    same(found, oracle(matrix, np.arange(700), 4))
    assert calls == sorted(calls)
    assert {(256, 700), (512, 700), (700, 700)} <= set(calls)  # 256 at least at a time


def test_coarse_products_change_nothing(engine, same, monkeypatch):
    # What torch does when the caller allows bfloat16 products, on any machine.
    real = torch.mm
    coarse = lambda a, b, out: real(a.bfloat16().float(), b.bfloat16().float(), out=out)  # noqa: E731
    noise = np.random.default_rng(5).normal(size=(800, 20))
    matrix = (1 + 0.02 * noise).astype(np.float32)  # cosines closer than 8 bits can tell
    expected = oracle(matrix, np.arange(800), 10)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    monkeypatch.setattr(torch, "mm", coarse)
    same(nearest(matrix, np.arange(800), 10, engine=engine), expected)


def test_number_of_threads_does_not_show(engine):
    matrix = np.random.default_rng(6).normal(size=(1500, 25)).astype(np.float32)
    threads = torch.get_num_threads()
    try:
        answers = []
        for count in (1, 2):
            torch.set_num_threads(count)
            answers.append(nearest(matrix, np.arange(1500), 10, engine=engine))
    finally:
        torch.set_num_threads(threads)
    assert [part.tobytes() for part in answers[0]] == [part.tobytes() for part in answers[1]]


def test_a_duplicate_is_a_neighbor_and_the_word_itself_is_not(engine):
    matrix = np.array([[1, 2], [1, 2], [1, 2], [2, 1]], np.float32)
    rows, cosine = nearest(matrix, np.array([0, 1]), 2, engine=engine)
    assert rows.tolist() == [[1, 2], [0, 2]]
    assert (cosine == 1).all()


def test_no_candidate_has_a_direction():
    matrix = np.array([[1, 2], [0, 0]], np.float32)
    rows, cosine = nearest(matrix, np.array([0]), 2, candidates=np.array([1]))
    assert rows.tolist() == [[-1, -1]]
    assert np.isnan(cosine).all()


def test_norms_given_are_norms_used(same):
    matrix = np.array([[3, 4], [6, 8], [1, 0]], np.float32)
    same(
        nearest(matrix, np.arange(3), 2, norms=row_norms(matrix)), nearest(matrix, np.arange(3), 2)
    )


def test_leaves_the_settings_of_torch_alone():
    threads = torch.get_num_threads()
    nearest(np.eye(50, dtype=np.float32), np.arange(50), 3)
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("compiler")
def test_both_engines_give_the_same_bytes():
    matrix = np.random.default_rng(9).normal(size=(900, 37)).astype(np.float32)
    answers = [nearest(matrix, np.arange(900), 10, engine=each) for each in ("compiled", "torch")]
    one, other = ([part.tobytes() for part in found] for found in answers)
    assert one == other


@st.composite
def vectors(draw):
    """Vectors asked of small spaces: rows, sums and differences of them, zero ones, any barred."""
    matrix, queries, k, candidates, tile = draw(questions())
    matrix = np.clip(matrix, -3, 3)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = matrix[rng.integers(0, len(matrix), (len(queries), 3))].astype(np.float64)
    asked = parts[:, 0] - parts[:, 1] + parts[:, 2]
    asked[rng.random(len(asked)) < 0.1] = 0
    excluded = rng.integers(-1, len(matrix), (len(asked), draw(st.integers(0, 3))))
    return matrix, asked, k, candidates, excluded, tile


@given(vectors())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_vectors_find_what_the_oracle_finds(engine, same, question):
    matrix, asked, k, candidates, excluded, tile = question
    found = nearest_to_vectors(matrix, asked, k, candidates, excluded, tile, engine)
    same(found, oracle(matrix, asked, k, candidates, excluded))


def test_many_vectors_with_near_ties(engine, same):
    rng = np.random.default_rng(10)
    matrix = rng.normal(size=(40, 33)).astype(np.float32)[rng.integers(0, 40, 2000)]
    matrix[1000:] += (1e-7 * rng.normal(size=(1000, 33))).astype(np.float32)
    matrix[rng.random(2000) < 0.2] = 0
    asked, excluded = rng.normal(size=(300, 33)), rng.integers(0, 2000, (300, 2))
    expected = oracle(matrix, asked, 12, excluded=excluded)
    for tile in (130, None):
        found = nearest_to_vectors(matrix, asked, 12, None, excluded, tile, engine)
        same(found, expected)


def test_most_candidates_are_zero_rows(engine, same):
    """A product of 0 must not crowd out a neighbor whose cosine is negative."""
    matrix = np.zeros((500, 3), np.float32)
    matrix[::25] = -np.random.default_rng(11).random((20, 3))
    matrix[0] = 1
    same(nearest(matrix, np.arange(500), 15, engine=engine), oracle(matrix, np.arange(500), 15))


def test_types_and_shapes():
    rows, cosine = nearest(np.eye(4, dtype=np.float32), np.arange(3), 2)
    assert (rows.dtype, cosine.dtype) == (np.int32, np.float32)
    assert rows.shape == cosine.shape == (3, 2)


def test_reads_a_memory_mapped_table(engine, same, tmp_path):
    matrix = np.random.default_rng(7).normal(size=(50, 4)).astype(np.float32)
    np.save(tmp_path / "matrix.npy", matrix)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    same(nearest(mapped, np.arange(50), 3, engine=engine), oracle(matrix, np.arange(50), 3))


@pytest.mark.parametrize(("k", "tile"), [(0, 10), (-1, 10), (3, 0)])
def test_refuses_a_depth_or_tile_below_one(k, tile):
    with pytest.raises(OptionError, match="1 or more"):
        nearest(np.eye(3, dtype=np.float32), np.arange(3), k, tile=tile)


def test_refuses_an_engine_that_is_not_there(monkeypatch):
    monkeypatch.setattr("driftkit.neighbors.search.space.can_compile", lambda: False)
    with pytest.raises(OptionError, match="numba is not installed"):
        nearest(np.eye(3, dtype=np.float32), np.arange(3), 1, engine="compiled")


@pytest.mark.parametrize("product", ["int8", "float32"])
def test_refuses_bytes_where_the_processor_does_not_multiply_them(product, compiler, monkeypatch):
    monkeypatch.setattr("driftkit.neighbors.search.instructions.BYTES", False)
    matrix = np.eye(3, dtype=np.float32)
    if product == "int8":
        with pytest.raises(OptionError, match="VNNI"):
            nearest(matrix, np.arange(3), 1, product=product)
    else:
        nearest(matrix, np.arange(3), 1, product=product)


def test_refuses_a_product_nobody_takes():
    with pytest.raises(UnknownNameError, match="unknown product 'int9'"):
        nearest(np.eye(3, dtype=np.float32), np.arange(3), 1, product="int9")


@pytest.mark.parametrize("rows", [[0, -1], [3], [0.0], [True, False, True], [[0]]])
def test_refuses_rows_the_matrix_does_not_have(rows, engine):
    matrix = np.eye(3, dtype=np.float32)
    with pytest.raises(OptionError, match="queries"):
        nearest(matrix, np.array(rows), 1, engine=engine)
    with pytest.raises(OptionError, match="candidates"):
        nearest(matrix, np.arange(3), 1, candidates=np.array(rows), engine=engine)


def test_refuses_more_neighbors_than_a_list_may_hold():
    with pytest.raises(OptionError, match="100,000 or less"):
        nearest(np.eye(3, dtype=np.float32), np.arange(3), 2**31)


@pytest.mark.parametrize(
    "laid",
    [
        lambda matrix: matrix.astype(">f4"),
        lambda matrix: matrix.astype(np.float16),
        lambda matrix: matrix.astype(np.int16),
        lambda matrix: matrix.astype(np.int64),
        np.asfortranarray,
        lambda matrix: np.repeat(matrix, 2, axis=1)[:, ::2],
        lambda matrix: matrix[::-1].copy()[::-1],
    ],
)
def test_numbers_are_read_however_they_are_stored(laid, engine, same):
    whole = np.random.default_rng(10).integers(-9, 10, (300, 24)).astype(np.float32)
    rows = np.arange(300)
    same(nearest(laid(whole), rows, 5, engine=engine), oracle(whole, rows, 5))
    same(nearest(whole, rows.astype(np.int32), 5, engine=engine), oracle(whole, rows, 5))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_finds_what_the_oracle_finds(same):
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(3000, 50)).astype(np.float32)[rng.integers(0, 3000, 5000)]
    matrix[17] = 0
    queries = np.arange(0, 5000, 9)
    same(nearest(matrix, queries, 10, device="cuda"), oracle(matrix, queries, 10))


@pytest.mark.slow
@pytest.mark.parametrize("memory", [10_000_000, 500_000_000])
def test_a_thousand_neighbors_of_three_thousand_words(engine, same, memory):
    matrix = np.random.default_rng(7).normal(size=(3000, 50)).astype(np.float32)
    matrix[::10] = matrix[:300]  # ties, as far as they reach
    rows, cosine = nearest(matrix, np.arange(3000), 1000, memory=memory, engine=engine)
    sample = np.arange(0, 3000, 61)
    same((rows[sample], cosine[sample]), oracle(matrix, sample, 1000))
