"""Offer every product of a rectangle, or of the upper half of a square, to its queries' lists.

As many tiles are taken side by side as torch uses threads. Each thread takes the product of its
tile alone and looks through it with compiled code (`driftkit.neighbors.search.kernels`), once for
its rows and its columns together. If all threads took part in one product, they would go on to wait
for the next one at full speed, as OpenMP has them do, and leave no processor for looking.

Tiles taken at the same time share neither rows nor columns, so threads never meet in a list, and
every pair of blocks is met once. Blocks of a large square meet inside it before they meet others,
so the lists are good early and little that comes later is worth a second look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch

from driftkit.arrays import Rows
from driftkit.neighbors.search.rerank import Proposals
from driftkit.neighbors.search.space import Cosines, Ids, Space

TILE = 2_048  # most rows, and columns, of a tile
PRODUCTS = 1 << 21
"""Products held at once by all threads together (8 MB, to stay near the processor)."""
SQUARE = 16_384  # rows kept as unit rows on each side while their tiles are taken

Step = Callable[[int], None]
"""Called with the number of products just looked through."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a rectangle of products."""

    space: Space
    rows: Rows  # (m,)
    ids: Ids  # (m,) what lists of the other side note of them
    lists: Proposals | None = None  # their own, filled in place; None when nothing is asked
    excluded: Ids | None = None  # (m, e) places on the other side not to be met; -1 for none


def offer_square(side: Side, *, tile: int | None = None, step: Step) -> None:
    """Offer the products of every two different rows of one side to both."""
    with _Workers(tile, step) as workers:
        starts = range(0, len(side.rows), workers.square)
        for first in starts:
            stretch = workers.stretch(side, first)
            workers.take(stretch, stretch)
        for at, first in enumerate(starts):
            left = workers.stretch(side, first)
            for second in starts[at + 1 :]:
                workers.take(left, workers.stretch(side, second))


def offer_rectangle(rows: Side, columns: Side, *, tile: int | None = None, step: Step) -> None:
    """Offer the products of every row of one side with every row of another to both."""
    with _Workers(tile, step) as workers:
        for first in range(0, len(rows.rows), workers.square):
            left = workers.stretch(rows, first)
            for second in range(0, len(columns.rows), workers.square):
                workers.take(left, workers.stretch(columns, second))


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Consecutive rows of a side as unit rows (s, d)."""

    side: Side
    start: int
    unit: torch.Tensor

    def part(self, tile: int, number: int) -> _Stretch:
        at = number * tile
        return _Stretch(self.side, self.start + at, self.unit[at : at + tile])

    def excluded(self, start: int) -> Ids:
        """What each row must not meet, counted from a column of the other side."""
        if self.side.excluded is None:
            return np.empty((len(self.unit), 0), np.int32)
        return self.side.excluded[self.start : self.start + len(self.unit)] - np.int32(start)

    def lists(self) -> tuple[Ids, Cosines, Ids, Cosines]:
        """Ids, heaps and thresholds; where nothing is asked, thresholds nothing can pass."""
        some = slice(self.start, self.start + len(self.unit))
        ids, lists = self.side.ids[some], self.side.lists
        if lists is None:
            closed = np.full(len(ids), np.inf, np.float32)
            return ids, closed[:, None], ids[:, None], closed
        return ids, lists.value[some], lists.identity[some], lists.bound[some]


class _Workers:
    """Threads, and the memory they work in, for as long as one side is offered another."""

    def __init__(self, tile: int | None, step: Step) -> None:
        self.threads = torch.get_num_threads()
        if tile is None:
            tile = min(TILE, max(64, isqrt(PRODUCTS // self.threads) // 64 * 64))
        self.tile, self.step = tile, step
        # Tiles of a round are shared out evenly if their number is a multiple of the threads'.
        even = 2 * self.threads
        self.square = tile * max(1, round(SQUARE / tile / even) * even)
        self.memory = threading.local()

    def __enter__(self) -> _Workers:
        # What torch is told in a thread holds there and for threads that first use torch later;
        # so all threads start now, and then the rest of the process gets its number back.
        self.pool = ThreadPoolExecutor(
            self.threads, initializer=torch.set_num_threads, initargs=(1,)
        )
        started = threading.Barrier(self.threads)
        list(self.pool.map(lambda _: started.wait(), range(self.threads)))
        torch.set_num_threads(self.threads)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def stretch(self, side: Side, start: int) -> _Stretch:
        """The square that begins at a row of a side."""
        return _Stretch(side, start, side.space.unit(side.rows[start : start + self.square]))

    def take(self, left: _Stretch, right: _Stretch) -> None:
        """Take every tile of the products of two stretches."""
        down, across = (-(-len(each.unit) // self.tile) for each in (left, right))
        same = left.side is right.side and left.start == right.start
        for met in within(down) if same else between(down, across):
            parts = [(left.part(self.tile, a), right.part(self.tile, b)) for a, b in met]
            for products in self.pool.map(self._look, parts):
                self.step(products)

    def _look(self, tile: tuple[_Stretch, _Stretch]) -> int:
        """Offer the products of a tile to the lists of both sides; return their number."""
        from driftkit.neighbors.search.kernels import keep_largest

        rows, columns = tile
        product = self._product(rows.unit, columns.unit).numpy()
        upper = rows.side is columns.side and rows.start == columns.start
        keep_largest(product, rows.excluded(columns.start), upper, *rows.lists(), *columns.lists())
        return product.size

    def _product(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Products (r, c) in memory that is used again: fresh pages cost as much as a product."""
        if not hasattr(self.memory, "product"):
            self.memory.product = torch.empty(self.tile * self.tile)
        shape = len(rows), len(columns)
        product: torch.Tensor = self.memory.product[: shape[0] * shape[1]].view(shape)
        return torch.mm(rows, columns.T, out=product)


def within(blocks: int) -> Iterator[list[tuple[int, int]]]:
    """Rounds of disjoint tiles that meet every two blocks once, and each block with itself.

    The rounds after the first are those of a tournament (the circle method): one block stays,
    the others move around it.

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


def between(rows: int, columns: int) -> Iterator[list[tuple[int, int]]]:
    """Rounds of disjoint tiles that meet each row block with each column block once.

    >>> list(between(1, 2)), list(between(2, 2))
    ([[(0, 0)], [(0, 1)]], [[(0, 0), (1, 1)], [(0, 1), (1, 0)]])
    """
    wide = max(rows, columns)
    for shift in range(wide):
        yield [(row, (row + shift) % wide) for row in range(rows) if (row + shift) % wide < columns]
