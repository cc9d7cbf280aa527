from itertools import chain, combinations_with_replacement, product

import pytest

from driftkit.neighbors.search.tiles import between, within


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
