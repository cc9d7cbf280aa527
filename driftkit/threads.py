"""Torch's threads beside libraries that start some of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads_kept() -> Iterator[int]:
    """Leave torch with as many threads as it has, and give that number.

    Where numba starts its threads by OpenMP, torch would take as many from then on.
    """
    allowed = torch.get_num_threads()
    try:
        yield allowed
    finally:
        torch.set_num_threads(allowed)
