"""Which settings of an optimizer move rows of a table that are not in the batch.

*Moved* is not *trained*. With dense gradients an optimizer looks at every row at every step, and
two of its habits move rows whose gradient is zero.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from driftkit.errors import OptionError
from driftkit.training.param_groups import group_of

MOMENTUM = (
    "{kind} keeps a running mean of gradients, so a row goes on moving in steps whose batch does "
    "not hold its word; use nn.Embedding(sparse=True) with torch.optim.SparseAdam, or SGD without "
    "momentum, to move only the rows of the batch"
)
DECAY = (
    "{kind} has weight_decay={decay:g}, which shrinks every row at every step, words never seen "
    "too; give the table a parameter group with weight_decay=0"
)


def row_motion(optimizer: Optimizer, weight: Tensor) -> tuple[str, ...]:
    """Return what in an optimizer's settings moves rows that are not in the batch.

    It goes by torch's names of settings (``weight_decay``, ``momentum``, ``betas``), so it holds
    for torch's own optimizers and those with the same names. `DriftMonitor` measures it.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    weight : torch.nn.Parameter
        Weight of an embedding table.

    Returns
    -------
    tuple of str
        A sentence for each reason; empty if only rows of the batch move.

    Raises
    ------
    OptionError
        If the optimizer does not hold `weight`.

    Examples
    --------
    >>> table = torch.nn.Embedding(3, 2)
    >>> row_motion(torch.optim.SGD(table.parameters(), lr=0.1), table.weight)
    ()
    >>> len(row_motion(torch.optim.AdamW(table.parameters(), weight_decay=0.01), table.weight))
    2
    """
    kind = type(optimizer).__name__
    group = group_of(optimizer, weight)
    if group is None:
        raise OptionError(f"this {kind} does not train that weight; give the optimizer that does.")
    reasons = []
    mean = max(float(group.get("betas", (0.0,))[0]), group.get("momentum", 0))
    if mean > 0 and not isinstance(optimizer, torch.optim.SparseAdam):
        reasons.append(MOMENTUM.format(kind=kind))
    if group.get("weight_decay", 0) > 0:
        reasons.append(DECAY.format(kind=kind, decay=group["weight_decay"]))
    return tuple(reasons)
