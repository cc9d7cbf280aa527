"""The compiled inner loops: keep the largest products, and decide cosines in float64.

Imported only where numba is. Compiled code is kept in its cache: beside the module where that
folder can be written, else in the user's cache folder, else nowhere, and then each process compiles
once (a few seconds). The interpreter's lock is released inside, so plain threads run side by
side and numba's own thread pool, which is global, is never started.

The k largest products of a query are a binary heap with the smallest at its root. A threshold
beside it, in memory of its own, repeats the root, so that products are compared with a whole
stretch of thresholds while they are still in registers; few are ever written to memory.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from driftkit.neighbors.search.instructions import (
    COLUMNS,
    ROWS,
    count,
    eights,
    lowest,
    multiply,
    prefetch,
    swap,
    turned,
)

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]

Codes = npt.NDArray[np.float32] | npt.NDArray[np.int32]
"""Numbers that are multiplied word by word: a float32, or four bytes."""
Lists = tuple[Codes, Ids, Codes, Ids]

AHEAD = 4  # rows that are asked for before they are read, as they lie anywhere in memory

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; floating point keeps its order and its bits."""
    njit: Any = import_module("numba").njit
    made: F
    try:
        made = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder that can be written
        made = njit(nogil=True)(function)
    return made


@compiled
def replace_root(value: Codes, identity: Ids, new: float, who: int) -> None:
    """Put an entry in place of the root of a heap (depth,) and restore the order."""
    depth = len(value)
    hole = 0
    child = 1
    while child < depth:
        if child + 1 < depth and value[child + 1] < value[child]:
            child += 1
        if new <= value[child]:
            break
        value[hole] = value[child]
        identity[hole] = identity[child]
        hole = child
        child = 2 * hole + 1
    value[hole] = new
    identity[hole] = who


@compiled
def keep(lists: Lists, at: int, value: float, who: int) -> None:
    """Offer an entry to a heap, alone among the threads."""
    values, identity, thresholds, locks = lists
    lock = locks.ctypes.data + 4 * at
    while swap(lock, np.int32(1)) != 0:
        pass
    if value > values[at, 0]:
        replace_root(values[at], identity[at], value, who)
        thresholds[at] = values[at, 0]
    swap(lock, np.int32(0))


@compiled
def keep_largest(
    turn: npt.NDArray[np.int64],
    tiles: npt.NDArray[np.int64],
    row_codes: Codes,
    row_start: Codes,
    row_ids: Ids,
    row_lists: Lists,
    excluded: Ids,
    column_codes: Codes,
    column_start: Codes,
    column_ids: Ids,
    column_lists: Lists,
    upper: bool,
) -> None:
    """Offer products to the heaps of their row and of their column, tile after tile, to the end.

    Any number of threads may work on the same `tiles` (t, 4): rows from, to, columns from, to,
    whole panels each. Each takes the tile whose `turn` (1,) it is. A product is the sum of what its
    row and its column start with and of the products of their codes (words); codes and what they
    start with have places up to a whole panel. Heaps are values (r, depth), identities (r, depth),
    thresholds (whole panels): the roots, or the largest number where nothing is wanted, and locks
    (r,). Heaps of a side note the ids of the other. A row does not meet its `excluded` columns (r,
    e), counted from the first; a number outside stands for none. With `upper`, where both sides are
    the same, only what lies above the diagonal counts.
    """
    words = row_codes.shape[1]
    panel = np.empty((words, COLUMNS), row_codes.dtype)
    out = np.empty((ROWS, COLUMNS), row_codes.dtype)
    found = np.empty(ROWS, np.int64)
    row_bar, column_bar = row_lists[2], column_lists[2]
    while True:
        mine = count(turn.ctypes.data)
        if mine >= len(tiles):
            break
        first, last, left, right = tiles[mine]
        for column in range(left, right, COLUMNS):
            for j in range(COLUMNS):
                for word in range(words):
                    panel[word, j] = turned(column_codes[column + j, word])
            end = min(last, column + COLUMNS) if upper else last
            for row in range(first, end, ROWS):
                if (
                    multiply(
                        panel,
                        row_codes.ctypes.data + 4 * words * row,
                        column_start.ctypes.data + 4 * column,
                        row_start.ctypes.data + 4 * row,
                        row_bar.ctypes.data + 4 * row,
                        column_bar.ctypes.data + 4 * column,
                        out.ctypes.data,
                        found.ctypes.data,
                    )
                    == 0
                ):
                    continue
                for i in range(ROWS):
                    bits = found[i]
                    while bits != 0:
                        j = lowest(bits)
                        bits &= bits - 1
                        x, y, value = row + i, column + j, out[i, j]
                        wanted = not upper or x < y
                        for k in range(excluded.shape[1]):
                            wanted &= excluded[x, k] != y
                        if wanted and value > row_bar[x]:
                            keep(row_lists, x, value, column_ids[y])
                        if wanted and value > column_bar[y]:
                            keep(column_lists, y, value, row_ids[x])


@compiled
def encode(
    codes: npt.NDArray[np.int8],
    facts: npt.NDArray[np.float64],
    matrix: Numbers,
    norms: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    center: npt.NDArray[np.float64],
    scale: float,
) -> None:
    """Round unit rows, less a center, to multiples (r, d) of a scale, 127 at most.

    The facts (r, 4) of a row are how far it is from what it was rounded to, the longer of their
    lengths, its product with the center and half the center's square, and the sum of its codes. Of
    a row without direction the first is NaN and the rest is 0.
    """
    half = (center * center).sum() / 2
    d = len(center)
    exact, code = np.empty(d), np.empty(d)
    for at in range(len(rows)):
        row, norm = matrix[rows[at]], norms[rows[at]]
        if np.isnan(norm):
            facts[at, 0] = np.nan
            continue
        for i in range(d):
            exact[i] = np.float64(row[i]) / norm - center[i]
        for i in range(d):
            nearest = np.rint(exact[i] * (1 / scale))
            nearest = 127.0 if nearest > 127 else nearest
            code[i] = -127.0 if nearest < -127 else nearest
        gap = length = rounded = product = total = 0.0
        for i in range(d):
            codes[at, i] = np.int8(code[i])
            near = code[i] * scale
            gap += (exact[i] - near) * (exact[i] - near)
            length += exact[i] * exact[i]
            rounded += near * near
            product += exact[i] * center[i]
            total += code[i]
        facts[at, 0] = np.sqrt(gap)
        facts[at, 1] = np.sqrt(max(length, rounded))
        facts[at, 2] = product + half
        facts[at, 3] = total


@compiled
def sum_of_products(a: Numbers, b: Numbers) -> float:
    """Sum ``a * b`` in float64 over at most 128 numbers with the steps numpy takes."""
    n = len(a)
    whole = n - n % 8
    total = eights(a, b, n // 8) if whole else -0.0
    for j in range(whole, n):
        total += np.float64(a[j]) * np.float64(b[j])
    return total


def plan_of(d: int) -> npt.NDArray[np.int64]:
    """Steps in which numpy sums d numbers: (start, stop) of a stretch, or (-1, -1) to add two.

    >>> plan_of(50).tolist(), plan_of(200).tolist()
    ([[0, 50]], [[0, 96], [96, 200], [-1, -1]])
    """

    def steps(start: int, stop: int) -> list[tuple[int, int]]:
        n = stop - start
        if n <= 128:
            return [(start, stop)]
        middle = start + n // 2 - n // 2 % 8
        return [*steps(start, middle), *steps(middle, stop), (-1, -1)]

    return np.array(steps(0, d), np.int64)


@compiled
def cosines_into(
    out: Floats,
    plan: npt.NDArray[np.int64],
    left: Numbers,
    left_norms: npt.NDArray[np.float64],
    left_rows: npt.NDArray[np.int64],
    right: Numbers,
    right_norms: npt.NDArray[np.float64],
    right_rows: npt.NDArray[np.int64],
) -> None:
    """Cosines of rows (m,) of one matrix with rows (m, depth) of another; -1 is skipped.

    The bits are those of ``rerank.cosines``, since sums take the same steps.
    """
    stack = np.empty(len(plan))
    depth, width = right_rows.shape[1], right.shape[1] * right.itemsize
    for i in range(len(left_rows)):
        row = left[left_rows[i]]
        norm = left_norms[left_rows[i]]
        for j in range(depth):
            soon = right_rows[i, j + AHEAD] if j + AHEAD < depth else -1
            if soon >= 0:
                prefetch(right.ctypes.data + soon * width, width)
                prefetch(right_norms.ctypes.data + soon * 8, 8)
            if right_rows[i, j] < 0:
                continue
            other = right[right_rows[i, j]]
            top = 0
            for step in range(len(plan)):
                start, stop = plan[step, 0], plan[step, 1]
                if start >= 0:
                    stack[top] = sum_of_products(row[start:stop], other[start:stop])
                    top += 1
                else:
                    top -= 1
                    stack[top - 1] += stack[top]
            cosine = stack[0] / (norm * right_norms[right_rows[i, j]])
            if cosine > 1:
                cosine = 1.0
            elif cosine < -1:
                cosine = -1.0
            out[i, j] = cosine
