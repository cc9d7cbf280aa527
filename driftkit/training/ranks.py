"""What processes that train one model together tell each other."""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from driftkit.errors import OptionError


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


def refuse_sharded(table: Tensor, dimensions: int = 2) -> None:
    """Refuse a table of which a process holds only a part, such as FSDP's and ZeRO-3's."""
    if hasattr(table, "full_tensor") or table.dim() != dimensions:  # DTensor has that
        raise OptionError(
            "the table is sharded over processes (FSDP, ZeRO-3), so none of them holds all its "
            "rows; leave its layer out of sharding (ignored_params= of fully_shard, "
            "ignored_states= of FullyShardedDataParallel), or compare gathered checkpoints with "
            "driftkit audit."
        )
