"""Tables with an adapter merged into them, read a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import row_blocks
from driftkit.forks import one_thread_in_a_child
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request

Block = slice | npt.NDArray[np.int64]  # of rows

_NARROW = ("float16", "bfloat16")


def with_lora(
    request: Request, base: Tensor, a: Tensor, b: Tensor, scaling: float, lengths: Tensor | None
) -> Tensor:
    """Return ``base + scaling * (B A)^T``, of A (r, n) and B (d, r), as peft merges it.

    With `lengths` (d,), those of DoRA, each dimension is then scaled to its length over all rows.
    """
    n, d = base.shape
    if (a.shape[1:], b.shape[:1], a.shape[:1]) != ((n,), (d,), b.shape[1:]):
        raise request.error(
            f"its LoRA ({a}; {b}) is not for a table of {n:,} x {d}, which {base.key} of the base "
            "is; give the base that it was trained on, with the rows that were added to it "
            "(--base, base=)."
        )
    if lengths is not None and lengths.shape != (d,):
        raise request.error(f"its DoRA ({lengths}) is not for {d} dimensions.")

    def moves(some: Block) -> npt.NDArray[np.float32]:
        left, right = a.read(())[:, some].T, b.read(()).T  # (m, r) and (r, d)
        product = scaling * (left.astype(np.float64) @ right.astype(np.float64))
        return _cast(product, a.dtype)

    def merge(some: Block) -> npt.NDArray[np.float32]:
        return _cast(base.read(some) + _cast(moves(some), base.dtype), base.dtype)

    if lengths is None:
        return _read_in_blocks(request, base, merge)
    kept = base.dtype if base.dtype == a.dtype else "float32"  # DoRA adds before it rounds

    def before_lengths(some: Block) -> npt.NDArray[np.float32]:
        return _cast(base.read(some).astype(np.float32) + moves(some), kept)

    @cache
    def factors() -> npt.NDArray[np.float32]:
        squares = np.zeros(d)
        for some in row_blocks(n):
            squares += np.square(before_lengths(some).astype(np.float64)).sum(axis=0)
        return _cast(lengths.read(()) / _cast(np.sqrt(squares), kept), kept)

    return _read_in_blocks(
        request, base, lambda some: _cast(factors() * before_lengths(some), base.dtype)
    )


def with_rows(request: Request, base: Tensor, new: Tensor, rows: list[int]) -> Tensor:
    """Return the base with these rows replaced, or added after its last one."""
    n, d = base.shape
    if new.shape != (len(rows), d):
        raise request.error(
            f"its token adapter ({new}) is not for {len(rows):,} rows of {d} dimensions, as its "
            "settings and its base say."
        )
    added = sorted(row for row in rows if row >= n)
    gap = next((n + at for at, row in enumerate(added) if row != n + at), None)
    if gap is not None:
        raise request.error(
            f"its token adapter has row {added[-1]:,}, its base {base.key} has {n:,} rows, and row "
            f"{gap:,} is in neither; give the base with the rows that were added to it "
            "(--base, base=)."
        )
    longer = n + len(added)
    place = np.full(longer, -1)
    place[rows] = np.arange(len(rows))

    def merge(some: Block) -> npt.NDArray[np.float32]:
        chosen = np.arange(longer)[some]
        out = np.empty((len(chosen), d), np.float32)
        kept = place[chosen] < 0
        out[kept] = base.read(chosen[kept])
        out[~kept] = _cast(new.read(place[chosen[~kept]]), base.dtype)
        return out

    return _read_in_blocks(request, replace(base, shape=(longer, d)), merge)


def _read_in_blocks(
    request: Request, base: Tensor, merge: Callable[[Block], npt.NDArray[np.float32]]
) -> Tensor:
    """Return a table whose rows are made when they are read, a block of them at a time."""

    def read(rows: Rows) -> npt.NDArray[np.float32]:
        count, blocks = _blocks(rows, base.shape[0])
        require_memory(4 * count * base.shape[1], request.name)
        out = np.empty((count, base.shape[1]), np.float32)
        for at, some in blocks:
            out[at] = merge(some)
        return out

    return replace(base, read=read, storage=None)


def _blocks(rows: Rows, n: int) -> tuple[int, Iterator[tuple[slice, Block]]]:
    """Return how many rows are asked for, and blocks of them with their places in the answer."""
    if isinstance(rows, tuple):
        rows = slice(None)
    if isinstance(rows, slice):
        asked = range(*rows.indices(n))
        if asked.step == 1:
            first = asked.start
            spans = row_blocks(len(asked))
            return len(asked), ((at, slice(first + at.start, first + at.stop)) for at in spans)
        rows = np.arange(n)[rows]
    chosen = rows
    return len(chosen), ((at, chosen[at]) for at in row_blocks(len(chosen)))


def _cast(values: npt.NDArray[Any], dtype: str) -> npt.NDArray[np.float32]:
    """Round to a narrower type, where a table is kept in one."""
    single = np.asarray(values, np.float32)
    if dtype not in _NARROW:
        return single
    import torch

    one_thread_in_a_child()
    rounded: npt.NDArray[np.float32] = (
        torch.from_numpy(single).to(getattr(torch, dtype)).float().numpy()
    )
    return rounded
