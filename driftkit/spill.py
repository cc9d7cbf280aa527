"""Rows put together anew: in memory while they are few, else in a file without a name.

What lies in a file is mapped, and its pages can be dropped and read again, so that a table larger
than memory can be joined with one whose rows stand in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryFile, gettempdir

import numpy as np

from driftkit.arrays import Matrix
from driftkit.errors import OutputError

LARGE = 1 << 28  # bytes beyond which rows go to a file


def joined(blocks: Iterable[Matrix], n: int, d: int) -> Matrix:
    """Return blocks of rows as one matrix (n, d); a large one lies in a file, read-only.

    The file stands in the folder of temporary files (``TMPDIR``), has no name there, and goes with
    the matrix.

    Raises
    ------
    OutputError
        If that folder has no room.

    Examples
    --------
    >>> rows = np.eye(2, dtype=np.float32)
    >>> joined([rows[1:], rows[:1]], 2, 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    size = 4 * n * d
    if size <= LARGE:
        return np.concatenate([np.empty((0, d), np.float32), *blocks])
    try:
        with TemporaryFile(prefix="driftkit-") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block).data)
            file.flush()
            return np.memmap(file, np.float32, "r", shape=(n, d))
    except OSError as error:
        raise OutputError(
            gettempdir(),
            f"{error.strerror}; {size / 10**9:.1f} GB of rows are put in order there. Free some "
            "space, or set TMPDIR to a folder with room.",
        ) from None
