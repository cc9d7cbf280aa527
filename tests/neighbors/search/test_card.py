"""The search on a graphics card: its bound, its steps, and that its bytes are those of the CPU.

What runs on the card is tried on the CPU in two ways: with the kernels written out in torch, and
with the real ones under Triton's interpreter, where Triton is installed. Tests marked `gpu` run
them on a card.
"""

import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbors_oracle import oracle

from driftkit.neighbors.search import card, space
from driftkit.neighbors.search.card import GROUP, SCALE, Halves, error
from driftkit.neighbors.search.exact import Search, nearest
from driftkit.neighbors.search.incremental import Spaces, nearest_in_both
from driftkit.neighbors.search.resident import Resident
from driftkit.neighbors.search.space import Space, device_for, usable_device

CPU = torch.device("cpu")
ON_A_CARD = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def written_out():
    """The kernels as they are meant."""

    def products(asked, pool):
        return asked.float() @ pool.float().T

    def group_maxima(asked, pool):
        return torch.stack([part.amax(1) for part in products(asked, pool).split(GROUP, 1)], 1)

    def write_above(asked, pool, threshold, first, count, entries):
        product = products(asked, pool)
        for row, column in torch.nonzero(product > threshold[:, None]).tolist():
            if count[row] < entries.shape[1]:
                bits = product[row, column].view(torch.int32).long()
                entries[row, count[row]] = (bits << 32) | (first + column)
            count[row] += 1

    return SimpleNamespace(group_maxima=group_maxima, write_above=write_above)


@pytest.fixture(params=["written out", "interpreted"])
def kernels(request, monkeypatch):
    """Let a table on the CPU be searched as if it lay on a card with some room."""
    name = "driftkit.neighbors.search.fused"
    if request.param == "written out":
        made = written_out()
    elif find_spec("triton") is None:
        pytest.skip("needs Triton")
    else:
        monkeypatch.setenv("TRITON_INTERPRET", "1")
        monkeypatch.delitem(sys.modules, name, raising=False)
        made = import_module(name)
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(card, "_kernels", lambda: made)
    monkeypatch.setattr(card, "room", lambda device: 1 << 33)
    monkeypatch.setattr(card, "GROUPS", 1)
    return made


def on_a_card(matrix, resident=True, **how):
    here = Space.of(matrix, **how)
    table = Resident.of(here.matrix, here.norms, CPU) if resident else None
    return replace(here, resident=table)


def found_by(search, queries, k):
    lists = card.first(search.space, search.candidates, queries, k, lambda share: None)
    return lists.identity, lists.cosine


def crowd(n, d, seed=0):
    """Rows with near neighbors, twins, a crowd of equal rows and one without a direction."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, d)).astype(np.float32)[rng.integers(0, 2 * n // 3, n)]
    matrix[n // 2 : n // 2 + n // 20] = matrix[3] * np.float32(0.7)
    matrix[5] = 0
    return matrix


@st.composite
def rows_that_lose_much(draw):
    """Rows with a huge number, with denormal ones, all equal, alone, of any length."""
    n, d = draw(st.integers(1, 12)), draw(st.sampled_from([1, 2, 3, 33, 64, 100]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = rng.normal(size=(n, d))
    rows = draw(
        st.sampled_from(
            [rows, np.abs(rows), rows[:1] + 1e-7 * rows, np.full((n, d), 0.1), 1 + 2.0**-11 * rows]
        )
    )
    rows[:, 0] *= draw(st.sampled_from([1, 1e4, 1e-6, 1e20]))
    return (rows * draw(st.sampled_from([1, 1e-38, 1e18]))).astype(np.float32)


@given(rows_that_lose_much())
@settings(max_examples=200, deadline=None)
def test_a_product_of_halves_is_within_its_bound_of_the_cosine(matrix):
    table = Space.of(matrix)
    halves = Halves.of(table, np.arange(len(matrix)))
    x = matrix.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = x @ x.T / (table.norms[:, None] * table.norms)
    known = ~np.isnan(cosine)
    residual = halves.residual.nan_to_num()
    bound = error(residual, float(residual.max()), halves.rows.shape[1]).numpy()[:, None]
    for kind in (torch.float32, torch.float64):
        rows = halves.rows.to(kind)
        off = np.abs((rows @ rows.T).double().numpy() / SCALE**2 - cosine)
        assert (off <= bound)[known].all()


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("some", [False, True])
def test_finds_what_the_oracle_finds(kernels, same, resident, some):
    matrix = crowd(900, 40)
    candidates = np.random.default_rng(1).permutation(900)[:700] if some else None
    search = Search.over(on_a_card(matrix, resident), candidates)
    queries = np.arange(0, 900, 7)
    found = found_by(search, search.of_rows(queries), 3)
    same(found, oracle(matrix, queries, 3, candidates))


def test_a_table_with_no_room_goes_over_in_blocks(kernels, same, monkeypatch):
    matrix = crowd(700, 20)
    monkeypatch.setattr(card, "room", lambda device: 1 << 16)
    search = Search.over(on_a_card(matrix, resident=False))
    pool = card._Pool.of(search.space, search.candidates, 4)
    assert pool.whole is None
    assert len(list(pool.blocks())) > 1
    found = found_by(search, search.of_rows(np.arange(0, 700, 9)), 3)
    same(found, oracle(matrix, np.arange(0, 700, 9), 3))


def test_vectors_leave_out_what_they_exclude(kernels, same):
    matrix = crowd(800, 33)
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 33))
    vectors[:20] += 3 * matrix[:20]
    excluded = rng.integers(-1, 800, (30, 3))
    excluded[:20, 0] = np.arange(20)
    search = Search.over(on_a_card(matrix))
    asked = search.of_vectors(vectors, excluded)
    table = Resident.of(asked.space.matrix, asked.space.norms, CPU)
    asked = replace(asked, space=replace(asked.space, resident=table))
    same(found_by(search, asked, 4), oracle(matrix, vectors, 4, excluded=excluded))


@pytest.mark.parametrize("room", [16, 33])
def test_more_twins_than_a_list_has_places(kernels, same, monkeypatch, room):
    monkeypatch.setattr(card, "room", lambda device: 1 << room)
    matrix = crowd(1000, 16)
    matrix[300:900] = matrix[3]
    search = Search.over(on_a_card(matrix))
    queries = search.of_rows(np.array([3, 400, 950]))
    lists = card.first(search.space, search.candidates, queries, 3, lambda share: None)
    # Longer lists are tried, where there is room for them.
    assert lists.sure.tolist() == ([0, 0, 3] if room == 16 else [3, 3, 3])
    same(search.settled(queries, lists, 3).first(3), oracle(matrix, queries.rows, 3))


@pytest.mark.parametrize("d", [1, 7, 8, 50, 128, 129, 300])
def test_torch_alone_decides_where_the_table_is(same, d):
    matrix = crowd(400, d)
    search = Search.over(on_a_card(matrix, engine="torch"))
    queries = np.arange(0, 400, 3)
    same(search.nearest(search.of_rows(queries), 5), oracle(matrix, queries, 5))


def test_auto_is_a_processor_where_there_is_no_card_or_little_to_do(monkeypatch):
    assert device_for("auto", space.WORTH_A_CARD / 2) == "cpu"
    assert device_for("auto", space.WORTH_A_CARD * 2) == "auto"
    assert device_for("cuda", 1) == "cuda"
    assert usable_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(params=["fused", "torch alone", "no room"])
def way(request, monkeypatch):
    """The ways in which a card may search."""
    if request.param == "torch alone":
        monkeypatch.setattr(card, "fused_works", lambda device: False)
    if request.param == "no room":
        monkeypatch.setattr(card, "room", lambda device: 1 << 24)
        monkeypatch.setattr("driftkit.neighbors.search.resident.room", lambda device: 1 << 20)


@pytest.mark.parametrize("device", [pytest.param("cuda", marks=ON_A_CARD)])
@pytest.mark.parametrize("d", [50, 300])
def test_a_card_gives_the_bytes_of_the_processor(way, device, d):
    matrix = crowd(60_000, d)
    matrix[20_000:22_000] = matrix[7]  # more twins than a list has places
    queries = np.arange(0, 60_000, 11)
    for candidates in (None, np.arange(0, 60_000, 2)[::-1].copy()):
        here = nearest(matrix, queries, 10, candidates=candidates)
        there = nearest(matrix, queries, 10, candidates=candidates, device=device)
        for one, other in zip(here, there, strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("device", [pytest.param("cuda", marks=ON_A_CARD)])
@pytest.mark.parametrize("share", [0, 0.05, 1])
def test_a_card_gives_the_bytes_of_the_processor_for_both_spaces(way, device, share):
    rng = np.random.default_rng(4)
    before = crowd(50_000, 64)
    after = before + np.float32(0.1) * rng.normal(size=before.shape).astype(np.float32) * (
        rng.random((50_000, 1)) < share
    ).astype(np.float32)
    spaces = Spaces(before, after, *(Space.of(each).norms for each in (before, after)))
    queries = np.arange(0, 50_000, 5)
    here, there = (
        nearest_in_both(spaces, queries, 10, device=where, memo={}) for where in ("cpu", device)
    )
    for one, other in zip(here, there, strict=True):
        assert all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("device", [pytest.param("cuda", marks=ON_A_CARD)])
@pytest.mark.parametrize("d", [33, 64, 300, 1000])
def test_the_kernels_are_what_is_written_out(device, d):
    where = torch.device(device, 0)
    assert card.fused_works(where)
    rows = torch.from_numpy(crowd(700, d)).to(where)
    table = Space.of(rows.cpu().numpy(), device=where)
    asked, pool = (Halves.of(table, np.arange(*part)) for part in ((0, 333), (100, 700)))
    fused, meant = import_module("driftkit.neighbors.search.fused"), written_out()
    near = asked.rows.shape[1] * 2.0**-22 * SCALE**2
    maxima = [each.group_maxima(asked.rows, pool.rows) for each in (fused, meant)]
    assert (maxima[0] - maxima[1]).abs().max() <= 2 * near
    threshold = torch.full((333,), 0.2 * SCALE**2, device=where)
    lists = []
    for each in (fused, meant):
        lists.append(card._Places.of(333, 600, where))
        each.write_above(asked.rows, pool.rows, threshold, 5, *lists[-1].parts)
    certain, possible = (
        asked.rows.double() @ pool.rows.double().T > 0.2 * SCALE**2 + by for by in (near, -near)
    )
    for each in lists:
        place, value = each.divided()
        there = torch.zeros_like(certain)
        row, at = torch.nonzero(~value.isneginf(), as_tuple=True)
        there[row, place[row, at].long() - 5] = True
        assert (certain <= there).all()
        assert (there <= possible).all()
        assert (each.count == there.sum(1)).all()
