"""Which parameters a layer has, and which parameter group of an optimizer holds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from driftkit.errors import OptionError

Layer = nn.Module | Iterable[nn.Parameter]


def parameters_of(layer: Layer) -> list[nn.Parameter]:
    """Return the parameters of a module, or those given; raise `OptionError` if there are none."""
    found = list(layer.parameters() if isinstance(layer, nn.Module) else layer)
    if not found:
        raise OptionError(f"{layer!r} has no parameters; give a module or parameters to train.")
    return found


def group_of(optimizer: Optimizer | None, weight: Tensor) -> dict[str, Any] | None:
    """Return the parameter group that holds a weight; None if the optimizer does not train it."""
    for group in optimizer.param_groups if optimizer is not None else ():
        if any(each is weight for each in group["params"]):
            return group
    return None


def give_own_group(optimizer: Optimizer, layer: list[nn.Parameter], rate: float | None) -> None:
    """Move parameters into one new group that keeps the options of the group they were in."""
    moving = {id(parameter) for parameter in layer}
    options: dict[str, Any] = {}
    for group in optimizer.param_groups:
        if any(id(parameter) in moving for parameter in group["params"]):
            options = {key: value for key, value in group.items() if key != "params"}
            group["params"] = [each for each in group["params"] if id(each) not in moving]
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
    if rate is not None:
        options["lr"] = rate
    optimizer.add_param_group({**options, "params": layer})
