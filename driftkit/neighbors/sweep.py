"""Offer every product of a rectangle, or of the upper half of a square, to its queries' lists.

torch takes the product of a tile on its own threads; then as many tiles as there are threads are
looked through side by side by compiled code (`driftkit.neighbors.kernels`), each once for its rows
and its columns together.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt
import torch

from driftkit.neighbors.proposals import Proposals
from driftkit.neighbors.space import Positions, Space
from driftkit.neighbors.tiles import Tile, between, within

TILE = 2_048
"""Most rows, and columns, of a tile."""
PRODUCTS = 1 << 22
"""Products held at once by all threads together (16 MB, to stay near the processor)."""
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
        self.square = tile * max(1, SQUARE // tile)
        self.products: list[torch.Tensor] = []

    def __enter__(self) -> _Workers:
        self.pool = ThreadPoolExecutor(self.threads)
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
            for start in range(0, len(met), self.threads):
                self._together(met[start : start + self.threads], left, right)

    def _together(self, tiles: list[Tile], left: _Stretch, right: _Stretch) -> None:
        """Take the products of disjoint tiles, then look through them side by side."""
        parts = [(left.part(self.tile, a), right.part(self.tile, b)) for a, b in tiles]
        jobs = [(self._product(at, *pair), *pair) for at, pair in enumerate(parts)]
        others = [self.pool.submit(_look, job) for job in jobs[1:]]
        _look(jobs[0])
        for other in others:
            other.result()
        self.step(sum(product.numel() for product, _, _ in jobs))

    def _product(self, number: int, rows: _Stretch, columns: _Stretch) -> torch.Tensor:
        """Products (r, c) in memory that is used again: fresh pages cost as much as a product."""
        if number == len(self.products):
            self.products.append(torch.empty(self.tile * self.tile))
        shape = len(rows.unit), len(columns.unit)
        product = self.products[number][: shape[0] * shape[1]].view(shape)
        torch.mm(rows.unit, columns.unit.T, out=product)
        return product


def _look(job: tuple[torch.Tensor, _Stretch, _Stretch]) -> None:
    from driftkit.neighbors.kernels import keep_largest

    product, rows, columns = job
    upper = rows.side is columns.side and rows.start == columns.start
    keep_largest(product.numpy(), rows.own(columns.start), upper, *rows.lists(), *columns.lists())
