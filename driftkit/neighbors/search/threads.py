"""Work on many rows, shared among threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def in_threads(work: Callable[[slice], object], n: int, threads: int) -> None:
    """Do the work on n rows in several threads, each of which takes a run of them."""
    cuts = np.linspace(0, n, threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, map(slice, cuts[:-1], cuts[1:])))
