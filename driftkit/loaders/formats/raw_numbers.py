"""Numbers without a header, as ``np.memmap`` and ``array.tofile`` leave them.

Nothing in such a file tells their type or the length of a row, so the key does:
``PATH::float32x384``.
"""

from __future__ import annotations

import re

import numpy as np

from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.format import Format
from driftkit.loaders.request import Request

_KEY = re.compile(r"(float(?:16|32|64))x([1-9]\d{0,6})")


def is_told(key: str | None) -> bool:
    """Whether a key tells how to read raw numbers.

    >>> is_told("float32x384"), is_told("float32"), is_told(None)
    (True, False, False)
    """
    return _KEY.fullmatch(key or "") is not None


def tensors(request: Request) -> TensorFile:
    """Map the matrix (n, d) that the key describes, little-endian and row by row."""
    told = _KEY.fullmatch(request.key or "")
    assert told is not None  # the format was told by it
    dtype, d = np.dtype(told[1]).newbyteorder("<"), int(told[2])
    size = request.path.stat().st_size
    n, rest = divmod(size, d * dtype.itemsize)
    if rest:
        raise request.error(
            f"has {size:,} bytes, which rows of {d:,} {told[1]} ({d * dtype.itemsize:,} bytes) do "
            "not fill; give the type and the length of a row that it was written with."
        )
    matrix = np.memmap(request.path, dtype, "r", shape=(n, d))
    return TensorFile((Tensor(request.key, (n, d), told[1], matrix.__getitem__),))


FORMAT = Format("raw", "raw numbers as PATH::float32x384", lambda _: False, tensors=tensors)
