"""Offer every product of a rectangle, or of the upper half of a square, to its queries' lists.

As many tiles are taken side by side as torch uses threads. Each thread takes the product of its
tile alone and looks through it with compiled code (`driftkit.neighbors.search.kernels`), once for
its rows and its columns together. If all threads took part in one product, they would go on to wait
for the next one at full speed, as OpenMP has them do, and leave no processor for looking.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt
import torch

from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.space import Positions, Space
from driftkit.neighbors.search.tiles import between, within

TILE = 2_048
"""Most rows, and columns, of a tile."""
PRODUCTS = 1 << 21
"""Products held at once by all threads together (8 MB, to stay near the processor)."""
SQUARE = 16_384
"""Rows kept as unit rows on each side while their tiles are taken."""

Step = Callable[[int], None]
"""Called with the number of products just looked through."""

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a rectangle of products.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        Rows of the matrix.
    ids : ndarray of int32, shape (m,)
        What lists of the other side note of them.
    lists : Proposals, optional
        Their own lists, filled in place; None when nothing is asked about this side.
    own : ndarray of int32, shape (m,), optional
        Place on the other side where each row meets itself; -1 for nowhere.
    """

    rows: Positions
    ids: Ids
    lists: Proposals | None = None
    own: Ids | None = None


def sweep_square(space: Space, side: Side, *, tile: int | None = None, step: Step) -> None:
    """Offer the products of every two different rows of one side to both."""
    with _Workers(space, tile, step) as workers:
        starts = range(0, len(side.rows), workers.square)
        for first in starts:
            unit = workers.unit(side, first)
            workers.take(_Stretch(side, first, unit), _Stretch(side, first, unit))
        for first in starts:
            left = _Stretch(side, first, workers.unit(side, first))
            for second in starts[first // workers.square + 1 :]:
                workers.take(left, _Stretch(side, second, workers.unit(side, second)))


def sweep_rectangle(
    space: Space, rows: Side, columns: Side, *, tile: int | None = None, step: Step
) -> None:
    """Offer the products of every row of one side with every row of another to both."""
    with _Workers(space, tile, step) as workers:
        for first in range(0, len(rows.rows), workers.square):
            left = _Stretch(rows, first, workers.unit(rows, first))
            for second in range(0, len(columns.rows), workers.square):
                workers.take(left, _Stretch(columns, second, workers.unit(columns, second)))


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Consecutive rows of a side as unit rows (s, d)."""

    side: Side
    start: int
    unit: torch.Tensor

    def part(self, tile: int, number: int) -> _Stretch:
        at = number * tile
        return _Stretch(self.side, self.start + at, self.unit[at : at + tile])

    @property
    def chosen(self) -> slice:
        return slice(self.start, self.start + len(self.unit))

    def own(self, start: int) -> Ids:
        """Where each row meets itself, counted from a column of the other side."""
        if self.side.own is None:
            return np.full(len(self.unit), -1, np.int32)
        return self.side.own[self.chosen] - np.int32(start)

    def lists(self) -> tuple[Ids, npt.NDArray[np.float32], Ids, npt.NDArray[np.float32]]:
        """Ids, heaps and thresholds; where nothing is asked, thresholds nothing can pass."""
        ids, lists = self.side.ids[self.chosen], self.side.lists
        if lists is None:
            closed = np.full(len(ids), np.inf, np.float32)
            return ids, closed[:, None], ids[:, None], closed
        return (
            ids,
            lists.value[self.chosen],
            lists.identity[self.chosen],
            lists.bound[self.chosen],
        )


class _Workers:
    """Threads, and the memory they work in, for as long as a sweep lasts."""

    def __init__(self, space: Space, tile: int | None, step: Step) -> None:
        self.threads = torch.get_num_threads()
        if tile is None:
            tile = min(TILE, max(64, isqrt(PRODUCTS // self.threads) // 64 * 64))
        self.space, self.tile, self.step = space, tile, step
        # Tiles of a round are shared out evenly if their number is a multiple of the threads'.
        even = 2 * self.threads
        self.square = tile * max(1, round(SQUARE / tile / even) * even)
        self.memory = threading.local()

    def __enter__(self) -> _Workers:
        # What torch is told in a thread holds there and for threads that first use torch later;
        # so all threads start now, and then the rest of the process gets its number back.
        self.pool = ThreadPoolExecutor(self.threads, initializer=_work_alone)
        started = threading.Barrier(self.threads)
        list(self.pool.map(lambda _: started.wait(), range(self.threads)))
        torch.set_num_threads(self.threads)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def unit(self, side: Side, start: int) -> torch.Tensor:
        """Unit rows of the square that begins at a row of a side."""
        return self.space.unit(side.rows[start : start + self.square])

    def take(self, left: _Stretch, right: _Stretch) -> None:
        """Take every tile of the products of two stretches."""
        down, across = (-(-len(each.unit) // self.tile) for each in (left, right))
        same = left.side is right.side and left.start == right.start
        for met in within(down) if same else between(down, across):
            parts = [(left.part(self.tile, a), right.part(self.tile, b)) for a, b in met]
            for products in self.pool.map(self._look, parts):
                self.step(products)

    def _look(self, tile: tuple[_Stretch, _Stretch]) -> int:
        """Offer the products of a tile to the lists of both sides; give their number."""
        from driftkit.neighbors.search.kernels import keep_largest

        rows, columns = tile
        product = self._product(rows.unit, columns.unit).numpy()
        own = rows.own(columns.start)
        upper = rows.side is columns.side and rows.start == columns.start
        keep_largest(product, own, upper, *rows.lists(), *columns.lists())
        return product.size

    def _product(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Products (r, c) in memory that is used again: fresh pages cost as much as a product."""
        if not hasattr(self.memory, "product"):
            self.memory.product = torch.empty(self.tile * self.tile)
        shape = len(rows), len(columns)
        product: torch.Tensor = self.memory.product[: shape[0] * shape[1]].view(shape)
        return torch.mm(rows, columns.T, out=product)


def _work_alone() -> None:
    torch.set_num_threads(1)
