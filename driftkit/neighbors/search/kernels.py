"""The compiled inner loops: keep the largest products, and decide cosines in float64.

Imported only where numba is. Compiled code is kept in its cache: beside the module where that
folder can be written, else in the user's cache folder, else nowhere, and then each process compiles
once (about two seconds). The interpreter's lock is released inside, so plain threads run side by
side and numba's own thread pool, which is global, is never started.

The k largest products of a query are a binary heap with the smallest at its root. A threshold
beside it, in memory of its own, repeats the root, so that a whole stretch of products is compared
with a whole stretch of thresholds at once; few stretches hold anything to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]

F = TypeVar("F", bound=Callable[..., Any])

GROUP = 64  # products compared at once


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
def replace_root(value: Floats, identity: Ids, new: float, who: int) -> None:
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
def next_group(product: Floats, low: Any, thresholds: Floats, start: int) -> int:
    """Where the next group with a product above a threshold begins; the last may be shorter.

    The lower of the row's threshold and the column's counts, since either may want the product.
    """
    columns = len(product)
    while start + GROUP <= columns:
        group, bar = product[start : start + GROUP], thresholds[start : start + GROUP]
        found = 0
        for j in range(GROUP):
            least = bar[j] if bar[j] < low else low
            found |= group[j] > least
        if found != 0:
            break
        start += GROUP
    return start


@compiled
def keep_largest(
    product: Floats,
    excluded: Ids,
    upper: bool,
    row_ids: Ids,
    row_value: Floats,
    row_identity: Ids,
    row_threshold: Floats,
    column_ids: Ids,
    column_value: Floats,
    column_identity: Ids,
    column_threshold: Floats,
) -> None:
    """Offer every product (r, c) of a tile to its row's heap and to its column's.

    Nothing is done with NaN. A row does not meet its `excluded` columns (r, e); a number outside
    stands for none. With `upper` only what lies above the diagonal is looked at. Of each side there
    are the ids (r,) that heaps of the other note, its heaps (r, depth), and thresholds (r,): their
    roots, or plus infinity where nothing is wanted.
    """
    rows, columns = product.shape
    for i in range(rows):
        line = product[i]
        for j in excluded[i]:
            if 0 <= j < columns:
                line[j] = -np.inf
        start = i + 1 if upper else 0
        while start < columns:
            start = next_group(line, row_threshold[i], column_threshold, start)
            for j in range(start, min(start + GROUP, columns)):
                value = line[j]
                if value > row_threshold[i]:
                    replace_root(row_value[i], row_identity[i], value, column_ids[j])
                    row_threshold[i] = row_value[i, 0]
                if value > column_threshold[j]:
                    replace_root(column_value[j], column_identity[j], value, row_ids[i])
                    column_threshold[j] = column_value[j, 0]
            start += GROUP


@compiled
def sum_of_products(a: Numbers, b: Numbers, sums: npt.NDArray[np.float64]) -> float:
    """Sum ``a * b`` in float64 over at most 128 numbers with the steps numpy takes.

    These are eight running sums, for which `sums` (8,) is the room.
    """
    n = len(a)
    total = -0.0
    whole = n - n % 8
    if n >= 8:
        for t in range(8):
            sums[t] = np.float64(a[t]) * np.float64(b[t])
        for j in range(8, whole, 8):
            for t in range(8):
                sums[t] += np.float64(a[j + t]) * np.float64(b[j + t])
        left = (sums[0] + sums[1]) + (sums[2] + sums[3])
        total = left + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
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
    stack, sums = np.empty(len(plan)), np.empty(8)
    for i in range(len(left_rows)):
        row = left[left_rows[i]]
        norm = left_norms[left_rows[i]]
        for j in range(right_rows.shape[1]):
            if right_rows[i, j] < 0:
                continue
            other = right[right_rows[i, j]]
            top = 0
            for step in range(len(plan)):
                start, stop = plan[step, 0], plan[step, 1]
                if start >= 0:
                    stack[top] = sum_of_products(row[start:stop], other[start:stop], sums)
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
