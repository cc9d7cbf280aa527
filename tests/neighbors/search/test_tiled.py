from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

pytest.importorskip("numba", reason="needs numba")

from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.space import Space, row_norms
from driftkit.neighbors.search.tiled import Side, sweep_rectangle, sweep_square


@pytest.fixture
def space():
    matrix = np.random.default_rng(0).normal(size=(130, 6)).astype(np.float32)
    return Space(matrix, row_norms(matrix), np.arange(130), torch.device("cpu"))


def best(product, depth):
    return -np.sort(-product, axis=1)[:, :depth]


@pytest.mark.parametrize("tile", [1, 30, 64, None])
def test_a_square_serves_both_words_of_a_pair(space, tile):
    lists, seen = Proposals.empty(130, 5), []
    ids = np.arange(130, dtype=np.int32)
    sweep_square(space, Side(np.arange(130), ids, lists), tile=tile, step=seen.append)
    unit = space.unit(np.arange(130)).numpy()
    product = unit @ unit.T
    np.fill_diagonal(product, -np.inf)
    np.testing.assert_allclose(-np.sort(-lists.value, axis=1), best(product, 5), atol=1e-6)
    assert sum(seen) >= 130 * 131 // 2


def test_a_rectangle_serves_one_side_or_both(space):
    rows, columns = np.arange(0, 40), np.arange(40, 130)
    product = (space.unit(rows) @ space.unit(columns).T).numpy()
    mine, theirs = Proposals.empty(40, 3), Proposals.empty(90, 3)
    sweep_rectangle(
        space,
        Side(rows, rows.astype(np.int32), mine),
        Side(columns, columns.astype(np.int32), theirs),
        step=lambda _: None,
    )
    np.testing.assert_allclose(-np.sort(-mine.value, axis=1), best(product, 3), atol=1e-6)
    np.testing.assert_allclose(-np.sort(-theirs.value, axis=1), best(product.T, 3), atol=1e-6)
    alone = Proposals.empty(40, 3)
    sweep_rectangle(
        space,
        Side(rows, rows.astype(np.int32), alone, np.full(40, -1, np.int32)),
        Side(columns, columns.astype(np.int32)),
        step=lambda _: None,
    )
    np.testing.assert_array_equal(np.sort(alone.identity), np.sort(mine.identity))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_torch_keeps_its_number_of_threads(space, threads):
    before = torch.get_num_threads()
    ids = np.arange(130, dtype=np.int32)
    try:
        torch.set_num_threads(threads)
        lists = Proposals.empty(130, 2)
        sweep_square(space, Side(np.arange(130), ids, lists), tile=30, step=lambda _: None)
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(torch.get_num_threads).result()
        assert (torch.get_num_threads(), later) == (threads, threads)
    finally:
        torch.set_num_threads(before)
