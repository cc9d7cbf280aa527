import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from driftkit.neighbors.search.codes import Coding
from driftkit.neighbors.search.space import Space
from driftkit.neighbors.search.tiled import (
    Heaps,
    Side,
    fastest,
    offer_rectangle,
    offer_square,
    tiles_of,
)


@pytest.fixture
def space(compiler):
    return Space.of(np.random.default_rng(0).normal(size=(330, 6)).astype(np.float32))


@pytest.fixture
def coding(space):
    return Coding.of(space, np.arange(330), "float32")


def side(coding, space, start, stop, depth=None, excluded=None):
    rows = np.arange(start, stop)
    floor = np.full(len(rows), -np.inf, np.float32)
    heaps = Heaps(coding, floor, depth) if depth else None
    return Side(space, rows, rows.astype(np.int32), heaps, excluded)


def holds_the_largest(heaps, products):
    depth = heaps.value.shape[1]
    best = -np.sort(-products, axis=1)[:, :depth]
    np.testing.assert_allclose(-np.sort(-heaps.value, axis=1), best, atol=1e-6)
    np.testing.assert_array_equal(heaps.threshold[: len(best)], heaps.value.min(axis=1))
    assert not heaps.lock.any()


@pytest.mark.parametrize("tile", [1, 70, 128, None])
@pytest.mark.parametrize("stretch", [None, 64 * 24])
def test_a_square_serves_both_words_of_a_pair(space, coding, tile, stretch, monkeypatch):
    if stretch:
        monkeypatch.setattr("driftkit.neighbors.search.tiled.STRETCH_BYTES", stretch)
    one, seen = side(coding, space, 0, 330, depth=5), []
    offer_square(coding, one, tile=tile, step=seen.append)
    unit = space.unit(one.rows).numpy()
    products = unit @ unit.T
    np.fill_diagonal(products, -np.inf)
    holds_the_largest(one.lists, products)
    assert sum(seen) >= 330 * 331 // 2


def test_a_rectangle_serves_one_side_or_both(space, coding):
    mine, theirs = (
        side(coding, space, 0, 40, depth=3),
        side(coding, space, 40, 330, depth=3),
    )
    products = (space.unit(mine.rows) @ space.unit(theirs.rows).T).numpy()
    offer_rectangle(coding, mine, theirs, step=lambda _: None)
    holds_the_largest(mine.lists, products)
    holds_the_largest(theirs.lists, products.T)
    alone = side(coding, space, 0, 40, depth=3)
    offer_rectangle(coding, alone, side(coding, space, 40, 330), step=lambda _: None)
    np.testing.assert_array_equal(np.sort(alone.lists.identity), np.sort(mine.lists.identity))


def test_a_row_does_not_meet_what_it_excludes(space, coding):
    excluded = np.random.default_rng(1).integers(-1, 290, (40, 4)).astype(np.int32)
    mine, theirs = side(coding, space, 0, 40, 3, excluded), side(coding, space, 40, 330)
    products = (space.unit(mine.rows) @ space.unit(theirs.rows).T).numpy()
    for row, out in enumerate(excluded):
        products[row, out[out >= 0]] = -np.inf
    offer_rectangle(coding, mine, theirs, tile=30, step=lambda _: None)
    holds_the_largest(mine.lists, products)


def test_nothing_below_a_floor_is_kept(space, coding):
    heaps = Heaps(coding, np.full(330, 2, np.float32), 3)
    offer_square(
        coding,
        Side(space, np.arange(330), np.arange(330, dtype=np.int32), heaps),
        step=lambda _: None,
    )
    assert (heaps.identity == -1).all()
    assert (heaps.proposals(0).bound == 2).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_more_threads_than_processors_find_the_same(space, coding, threads):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        one = side(coding, space, 0, 330, depth=4)
        offer_square(coding, one, tile=1, step=lambda _: None)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    unit = space.unit(one.rows).numpy()
    products = unit @ unit.T
    np.fill_diagonal(products, -np.inf)
    holds_the_largest(one.lists, products)


def test_an_interrupt_is_passed_on(space, coding):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        offer_square(coding, side(coding, space, 0, 330, depth=2), tile=1, step=interrupt)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_tiles_cover_a_rectangle_once(down, across, size):
    seen = np.zeros((down, across), int)
    for first, last, left, right in tiles_of(down, across, size, same=False):
        seen[first:last, left:right] += 1
    assert (seen == 1).all()


@given(st.integers(1, 40), st.integers(1, 9))
def test_tiles_of_a_square_cover_every_pair_once(rows, size):
    seen = np.zeros((rows, rows), int)
    for first, last, left, right in tiles_of(rows, rows, size, same=True):
        part = np.ones((last - first, right - left), int)
        seen[first:last, left:right] += np.triu(part) if first == left else part
    assert (seen == np.triu(np.ones_like(seen))).all()


@pytest.mark.usefixtures("compiler")
def test_a_product_is_chosen_once_for_a_width_and_is_one_the_processor_has():
    from driftkit.neighbors.search.instructions import BYTES

    fastest.cache_clear()
    chosen = {fastest(width) for width in (50, 50, 1, 300)}
    assert chosen <= ({"int8", "float32"} if BYTES else {"float32"})
    assert fastest.cache_info().misses == 3
