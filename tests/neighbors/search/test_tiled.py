from concurrent.futures import ThreadPoolExecutor
from itertools import chain, combinations_with_replacement, product

import numpy as np
import pytest
import torch

from driftkit.neighbors.search.rerank import Proposals
from driftkit.neighbors.search.space import Space
from driftkit.neighbors.search.tiled import Side, between, offer_rectangle, offer_square, within


@pytest.fixture
def space(compiler):
    return Space.of(np.random.default_rng(0).normal(size=(130, 6)).astype(np.float32))


def side(space, start, stop, depth=None, excluded=None):
    rows, lists = np.arange(start, stop), None
    if depth:
        lists = Proposals.above(np.full(len(rows), -np.inf, np.float32), depth)
    return Side(space, rows, rows.astype(np.int32), lists, excluded)


def holds_the_largest(lists, products):
    depth = lists.value.shape[1]
    best = -np.sort(-products, axis=1)[:, :depth]
    np.testing.assert_allclose(-np.sort(-lists.value, axis=1), best, atol=1e-6)


@pytest.mark.parametrize("tile", [1, 30, 64, None])
def test_a_square_serves_both_words_of_a_pair(space, tile):
    one, seen = side(space, 0, 130, depth=5), []
    offer_square(one, tile=tile, step=seen.append)
    unit = space.unit(one.rows).numpy()
    products = unit @ unit.T
    np.fill_diagonal(products, -np.inf)
    holds_the_largest(one.lists, products)
    assert sum(seen) >= 130 * 131 // 2


def test_a_rectangle_serves_one_side_or_both(space):
    mine, theirs = side(space, 0, 40, depth=3), side(space, 40, 130, depth=3)
    products = (space.unit(mine.rows) @ space.unit(theirs.rows).T).numpy()
    offer_rectangle(mine, theirs, step=lambda _: None)
    holds_the_largest(mine.lists, products)
    holds_the_largest(theirs.lists, products.T)
    alone = side(space, 0, 40, depth=3)
    offer_rectangle(alone, side(space, 40, 130), step=lambda _: None)
    np.testing.assert_array_equal(np.sort(alone.lists.identity), np.sort(mine.lists.identity))


def test_a_row_does_not_meet_what_it_excludes(space):
    excluded = np.random.default_rng(1).integers(-1, 90, (40, 4)).astype(np.int32)
    mine, theirs = side(space, 0, 40, 3, excluded), side(space, 40, 130)
    products = (space.unit(mine.rows) @ space.unit(theirs.rows).T).numpy()
    for row, out in enumerate(excluded):
        products[row, out[out >= 0]] = -np.inf
    offer_rectangle(mine, theirs, tile=30, step=lambda _: None)
    holds_the_largest(mine.lists, products)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_torch_keeps_its_number_of_threads(space, threads):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        offer_square(side(space, 0, 130, depth=2), tile=30, step=lambda _: None)
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(torch.get_num_threads).result()
        assert (torch.get_num_threads(), later) == (threads, threads)
    finally:
        torch.set_num_threads(before)


def disjoint(tiles, same):
    if same:
        blocks = [block for tile in tiles for block in set(tile)]
        return len(blocks) == len(set(blocks))
    return all(len(set(side)) == len(tiles) for side in zip(*tiles, strict=True))


@pytest.mark.parametrize("blocks", range(1, 12))
def test_every_two_blocks_meet_once_and_rounds_are_disjoint(blocks):
    rounds = list(within(blocks))
    assert all(disjoint(tiles, same=True) for tiles in rounds)
    met = sorted(chain.from_iterable(rounds))
    assert met == sorted(combinations_with_replacement(range(blocks), 2))


@pytest.mark.parametrize(("rows", "columns"), list(product(range(1, 6), repeat=2)))
def test_every_row_block_meets_every_column_block_once(rows, columns):
    rounds = list(between(rows, columns))
    assert all(disjoint(tiles, same=False) for tiles in rounds)
    assert sorted(chain.from_iterable(rounds)) == list(product(range(rows), range(columns)))
