"""The arrays that every room takes: their types, a walk over their rows, and random numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.forks import one_thread_in_a_child

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BLOCK_ROWS = 16_384  # looked at in one step wherever a whole table is walked, to bound memory
BLOCK_NUMBERS = 1 << 19  # and numbers in them, so that they stay near the processor


def as_array(vectors: Any) -> Any:
    """Return a copy of a tensor, or of the weight of a layer, as an array; else what was given.

    A copy, since training changes a weight in place.
    """
    vectors = getattr(vectors, "weight", vectors)
    if not hasattr(vectors, "detach"):
        return vectors
    one_thread_in_a_child()
    tensor = vectors.detach().to("cpu")
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy().copy()


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return random numbers that nothing else draws, such as a table made with the same seed."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def row_blocks(n: int, d: int = 1) -> Iterator[slice]:
    """Yield the slices that walk over n rows of d numbers.

    Examples
    --------
    >>> [(some.start, some.stop) for some in row_blocks(20_000)]
    [(0, 16384), (16384, 20000)]
    >>> next(row_blocks(20_000, 1024))
    slice(0, 512, None)
    """
    step = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // d))
    for start in range(0, n, step):
        yield slice(start, min(n, start + step))


def row_norms(matrix: Matrix | Values) -> Values:
    """Return the Euclidean norms (n,) of the rows of a matrix (n, d), summed in float64."""
    out = np.empty(len(matrix), np.float64)
    with np.errstate(invalid="ignore"):  # a NaN that signals, of a file, stays one
        for some in row_blocks(*matrix.shape):
            squares = matrix[some].astype(np.float64)
            squares *= squares
            squares.sum(axis=1, out=out[some])
    return np.sqrt(out, out=out)


def changed_rows(before: Matrix, after: Matrix) -> Mask:
    """Return which rows of two matrices differ in any number, (n,); of other widths all do."""
    if before.shape[1] != after.shape[1]:
        return np.ones(len(before), bool)
    out = np.empty(len(before), bool)
    for some in row_blocks(*before.shape):
        out[some] = (before[some] != after[some]).any(axis=1)
    return out


def row_bytes(*matrices: Matrix | Values) -> Iterator[bytes]:
    """Yield the bytes of each row of matrices (n, ...), read side by side; -0.0 is 0.0."""
    for some in row_blocks(len(matrices[0])):
        for rows in zip(*(each[some] + each.dtype.type(0) for each in matrices), strict=True):
            yield b"".join(row.tobytes() for row in rows)


def alike(contents: Iterable[bytes]) -> tuple[Rows, Rows]:
    """Return the place of the first of each content (k,), and which of these each is (n,).

    Examples
    --------
    >>> rows = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]])
    >>> first, which = alike(row_bytes(rows))
    >>> first.tolist(), which.tolist()
    ([0, 1], [0, 1, 0])
    """
    seen: dict[bytes, int] = {}
    which = [
        seen.setdefault(blake2b(each, digest_size=16).digest(), len(seen)) for each in contents
    ]
    return np.unique(np.array(which, np.int64), return_index=True)[1], np.array(which, np.int64)


def type_name(dtype: np.dtype[Any]) -> str:
    """Return a type's name whatever its byte order; other types than numbers as numpy writes them.

    Examples
    --------
    >>> type_name(np.dtype(">f2")), type_name(np.dtype("U3"))
    ('float16', '<U3')
    """
    return dtype.name if dtype.kind in "fiucb" else str(dtype)
