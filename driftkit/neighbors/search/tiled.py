"""Offer every product of a rectangle, or of the upper half of a square, to its queries' lists.

The products are cut into tiles small enough for a core's own memory. Each thread takes the next
tile that nobody has taken, multiplies and looks in one step, and offers what is large to the list
of its row and of its column (`driftkit.neighbors.search.kernels`); a list is locked only while it
takes something in. All this is one call of compiled code a thread, so threads wait neither for each
other nor for the interpreter.

Rows meet those near them first and others later, all at the same pace, so the lists are good early
and little that comes later is worth a second look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from typing import get_args

import numpy as np
import torch

from driftkit.arrays import Rows
from driftkit.neighbors.search.codes import Codes, Coding, Numbers
from driftkit.neighbors.search.rerank import Proposals
from driftkit.neighbors.search.space import Cosines, Ids, Product, Space

TILE_BYTES = 1 << 19
"""Bytes of the codes of a tile's rows, which each panel of columns meets: half a core's cache."""
TILE = 2_048  # most rows, and columns, of a tile
STRETCH_BYTES = 1 << 28  # codes kept on each side while their tiles are taken
TRIED = 2_048  # rows on which each product is timed
NEWS = 0.1  # seconds between two reports

Step = Callable[[int], None]
"""Called with the number of products just looked through."""


class Heaps:
    """The largest products of m queries, `depth` of each, while they are found."""

    def __init__(self, coding: Coding, floor: Cosines, depth: int) -> None:
        from driftkit.neighbors.search.instructions import COLUMNS

        m = len(floor)
        self.coding = coding
        self.threshold = np.full(m + COLUMNS, coding.limits[1], coding.number)
        self.threshold[:m] = coding.below(floor)
        self.value = np.repeat(self.threshold[:m, None], depth, axis=1)
        self.identity = np.full((m, depth), -1, np.int32)
        self.lock = np.zeros(m, np.int32)

    def proposals(self, error: float) -> Proposals:
        """Return what was found; `error` is that of a float32 product."""
        bound = self.coding.cosine(self.threshold[: len(self.identity)], error)
        return Proposals(self.identity, bound)

    def stretch(self, start: int, places: int) -> tuple[Numbers, Ids, Numbers, Ids]:
        """Heaps, and what compiled code needs beside them, of some queries."""
        some = slice(start, start + places)
        return self.value[some], self.identity[some], self.threshold[some], self.lock[some]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a rectangle of products."""

    space: Space
    rows: Rows  # (m,)
    ids: Ids  # (m,) what lists of the other side note of them
    lists: Heaps | None = None  # their own, filled in place; None when nothing is asked
    excluded: Ids | None = None  # (m, e) places on the other side not to be met; -1 for none


def offer_square(coding: Coding, side: Side, *, tile: int | None = None, step: Step) -> None:
    """Offer the products of every two different rows of one side to both."""
    whole = _Stretches(coding, side)
    for first in whole.starts:
        left = whole.at(first)
        _offer(coding, left, left, tile, step)
        for second in whole.starts[whole.starts.index(first) + 1 :]:
            _offer(coding, left, whole.at(second), tile, step)


def offer_rectangle(
    coding: Coding, rows: Side, columns: Side, *, tile: int | None = None, step: Step
) -> None:
    """Offer the products of every row of one side with every row of another to both."""
    down, across = _Stretches(coding, rows), _Stretches(coding, columns)
    for first in down.starts:
        left = down.at(first)
        for second in across.starts:
            _offer(coding, left, across.at(second), tile, step)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Consecutive rows of a side, and their codes."""

    side: Side
    start: int
    ids: Ids
    codes: Codes

    def lists(self, coding: Coding) -> tuple[Numbers, Ids, Numbers, Ids]:
        places = len(self.codes.lost)
        if self.side.lists is not None:
            return self.side.lists.stretch(self.start, places)
        none = np.zeros((0, 0), np.int32)
        closed = np.full(places, coding.limits[1], coding.number)
        return none.astype(coding.number), none, closed, none[0:0].ravel()

    def excluded(self, start: int) -> Ids:
        """What each row must not meet, counted from a column of the other side."""
        if self.side.excluded is None:
            return np.empty((len(self.ids), 0), np.int32)
        return self.side.excluded[self.start : self.start + len(self.ids)] - np.int32(start)


class _Stretches:
    """A side, cut so that the codes of one stretch take little memory."""

    def __init__(self, coding: Coding, side: Side) -> None:
        from driftkit.neighbors.search.instructions import COLUMNS

        self.coding, self.side = coding, side
        wide = 4 * side.space.matrix.shape[1]
        self.size = max(1, STRETCH_BYTES // wide // COLUMNS) * COLUMNS
        self.starts = range(0, len(side.rows), self.size)

    def at(self, start: int) -> _Stretch:
        some = slice(start, start + self.size)
        codes = self.coding.codes(self.side.space, self.side.rows[some])
        return _Stretch(self.side, start, self.side.ids[some], codes)


def _offer(coding: Coding, rows: _Stretch, columns: _Stretch, tile: int | None, step: Step) -> None:
    """Take every tile of the products of two stretches; of one with itself, the upper half."""
    from driftkit.neighbors.search.instructions import COLUMNS
    from driftkit.neighbors.search.kernels import keep_largest

    threads = torch.get_num_threads()
    down, across = len(rows.codes.lost), len(columns.codes.lost)
    if tile is None:
        tile = tile_for(rows.codes.words[0].nbytes, max(down, across), threads)
    size = max(1, tile // COLUMNS) * COLUMNS
    same = rows is columns
    tiles = tiles_of(down, across, size, same)
    turn = np.zeros(1, np.int64)
    starts = coding.starts(rows.codes, columns.codes)

    def work() -> None:
        keep_largest(
            turn, tiles, rows.codes.words, starts[0], rows.ids, rows.lists(coding),
            rows.excluded(columns.start), columns.codes.words, starts[1], columns.ids,
            columns.lists(coding), same,
        )  # fmt: skip

    areas = (tiles[:, 1] - tiles[:, 0]) * (tiles[:, 3] - tiles[:, 2])
    told = 0
    with ThreadPoolExecutor(threads) as pool:
        working = [pool.submit(work) for _ in range(min(threads, len(tiles)))]
        try:
            while wait(working, timeout=NEWS).not_done:
                taken = max(told, min(int(turn[0]), len(tiles)) - threads)
                step(int(areas[told:taken].sum()))
                told = taken
        finally:
            turn[0] = len(tiles)  # whoever interrupts does not wait for the rest
        for each in working:
            each.result()
    step(int(areas[told:].sum()))


@cache
def fastest(width: int) -> Product:
    """Which product of rows of a width is fastest here: each is timed once, on a tile.

    In int8 it must be right, too, where bytes are at their ends.
    """
    from driftkit.neighbors.search.instructions import BYTES

    if not BYTES:
        return "float32"
    bytes_ = np.random.default_rng(0).integers(-127, 128, (TRIED, width))
    bytes_[:4], bytes_[4:8] = 127, -127
    space = Space.of(bytes_.astype(np.float32), engine="compiled")
    rows = np.arange(TRIED)

    def seconds(coding: Coding, heaps: Heaps) -> float:
        """Of the processor, on one tile: neither others' work nor the number of threads counts."""
        side, start = Side(space, rows, rows.astype(np.int32), heaps), time.process_time()
        offer_square(coding, side, tile=TRIED, step=lambda _: None)
        return time.process_time() - start

    took: dict[Product, float] = {}
    for product in get_args(Product):
        coding = Coding.of(space, rows, product)
        heaps = Heaps(coding, np.full(TRIED, -np.inf, np.float32), 8)
        seconds(coding, heaps)  # it may be compiled now
        if product == "int8" and not _holds(coding, space, heaps):
            return "float32"
        high = np.full(TRIED, 0.9, np.float32)
        took[product] = min(seconds(coding, Heaps(coding, high, 1)) for _ in range(5))
    return min(took, key=lambda product: took[product])


def _holds(coding: Coding, space: Space, heaps: Heaps) -> bool:
    """Whether a product was what its codes say."""
    codes = coding.codes(space, np.arange(len(space.matrix)))
    first, second = coding.starts(codes, codes)
    number = codes.words.view(np.int8).astype(np.int64)
    first = first + 128 * number.sum(axis=1)  # what the turned bytes of a column add
    row, place = np.nonzero(heaps.identity >= 0)
    column = heaps.identity[row, place]
    product = (number[row] * number[column]).sum(axis=1)
    low, high = np.minimum(row, column), np.maximum(row, column)
    return bool((heaps.value[row, place] == product + first[low] + second[high]).all())


def tile_for(row_bytes: int, longest: int, threads: int) -> int:
    """Rows of a tile: they fit into half a core's cache, and each thread has several tiles."""
    return min(TILE, TILE_BYTES // row_bytes, longest // 4 // threads)


def tiles_of(down: int, across: int, size: int, same: bool) -> Rows:
    """Tiles (t, 4) that cover a rectangle once: rows from, to, columns from, to.

    Of a square of one side with `same` they are the upper half. Each row meets one tile of columns
    before any meets its next.

    >>> tiles_of(4, 4, 2, same=True).tolist()
    [[0, 2, 0, 2], [2, 4, 2, 4], [0, 2, 2, 4]]
    """
    rows, columns = np.arange(0, down, size), np.arange(0, across, size)
    wide = max(len(rows), len(columns))
    turn, row = np.divmod(np.arange(wide * len(rows)), len(rows))
    column = row + turn
    column, kept = (
        (column, column < wide) if same else (column % wide, column % wide < len(columns))
    )
    row, column = rows[row[kept]], columns[column[kept]]
    ends = np.minimum(row + size, down), np.minimum(column + size, across)
    return np.stack([row, ends[0], column, ends[1]], axis=1)
