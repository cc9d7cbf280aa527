"""The order in which tiles of a product are taken.

Tiles taken at the same time share neither rows nor columns, so threads never meet in a list, and
every pair of blocks is met once. Blocks of a large square meet inside it before they meet others,
so the lists are good early and little that comes later is worth a second look.
"""

from __future__ import annotations

from collections.abc import Iterator

Tile = tuple[int, int]


def within(blocks: int) -> Iterator[list[Tile]]:
    """Rounds of disjoint tiles that meet every two of so many blocks, and each with itself.

    The rounds after the first are those of a tournament (the circle method): one block stays,
    the others move around it.

    Examples
    --------
    >>> list(within(3))
    [[(0, 0), (1, 1), (2, 2)], [(1, 2)], [(0, 2)], [(0, 1)]]
    """
    yield [(block, block) for block in range(blocks)]
    players = blocks + blocks % 2  # an odd one out rests
    for turn in range(players - 1):
        circle = [(turn + place) % (players - 1) for place in range(players - 1)]
        met = [(circle[0], players - 1)]
        met += [(circle[place], circle[-place]) for place in range(1, players // 2)]
        tiles = [(min(pair), max(pair)) for pair in met if max(pair) < blocks]
        if tiles:
            yield tiles


def between(rows: int, columns: int) -> Iterator[list[Tile]]:
    """Rounds of disjoint tiles that meet each of so many row blocks with each column block.

    Examples
    --------
    >>> list(between(1, 2)), list(between(2, 2))
    ([[(0, 0)], [(0, 1)]], [[(0, 0), (1, 1)], [(0, 1), (1, 0)]])
    """
    wide = max(rows, columns)
    for shift in range(wide):
        yield [(row, (row + shift) % wide) for row in range(rows) if (row + shift) % wide < columns]
