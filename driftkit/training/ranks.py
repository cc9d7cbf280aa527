"""What processes that train one model together tell each other."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def processes() -> int:
    """Return how many processes of torch.distributed train together; 1 without it."""
    started = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if started else 1


def in_any_process(mask: Tensor) -> Tensor:
    """Return where a mask is true in one process at least; each process must call it."""
    if processes() == 1:
        return mask
    joined = mask.to(torch.uint8)
    distributed.all_reduce(joined, distributed.ReduceOp.MAX)
    return joined.bool()
