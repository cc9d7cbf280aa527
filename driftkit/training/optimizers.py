"""Which parameter groups of an optimizer hold a layer, and which of its settings move other rows.

*Moved* is not *trained*. With dense gradients an optimizer looks at every row at every step, and
two of its habits move rows whose gradient is zero.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from driftkit.errors import OptionError
from driftkit.training.listening import ignore, listen

Layer = nn.Module | Iterable[nn.Parameter]


class Times(float):
    """A learning rate as a factor of the one that the optimizer has: ``Times(0.1)`` is a tenth.

    It goes wherever a recipe takes the rate of a layer.

    Parameters
    ----------
    factor : float
        0 or more.

    Raises
    ------
    OptionError
        If it is no such number.

    Examples
    --------
    >>> from driftkit.training import AtEpoch, freeze_then_unfreeze
    >>> table, head = nn.Embedding(9, 4), nn.Linear(4, 2)
    >>> optimizer = torch.optim.Adam([*table.parameters(), *head.parameters()], lr=0.5)
    >>> recipe = freeze_then_unfreeze(optimizer, table, AtEpoch(1), rate=Times(0.25))
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.5, 0.125]
    """

    def __new__(cls, factor: float) -> Times:
        """Refuse what is no number."""
        check_rate(factor)
        return super().__new__(cls, factor)

    def __repr__(self) -> str:
        return f"Times({float(self)})"


def check_rate(rate: object) -> None:
    """Refuse a learning rate that is no number, or that no optimizer takes."""
    if isinstance(rate, Real) and not isinstance(rate, bool) and 0 <= float(rate) < math.inf:
        return
    given = repr(rate) if isinstance(rate, int | float | str) else f"a {type(rate).__name__}"
    raise OptionError(
        f"{given} was given as a rate; a learning rate is one number from 0, such as 1e-4, or "
        'Times(0.1) for a tenth of the optimizer\'s. Of a parameter group give group["lr"].'
    )


def parameters_of(layers: Iterable[Layer]) -> list[list[nn.Parameter]]:
    """Return the parameters of each layer; refuse one without any, and one in two layers."""
    found: list[list[nn.Parameter]] = []
    for layer in layers:
        found.append(listed(layer))
        if not found[-1]:
            raise OptionError(f"{layer!r} has no parameters; give a module or parameters to train.")
    everything = [id(parameter) for parameters in found for parameter in parameters]
    if len(set(everything)) < len(everything):
        raise OptionError(
            "a parameter occurs twice in the layers (tied weights?); name it in one of them only, "
            "as it can have one rate."
        )
    return found


def listed(layer: Layer) -> list[nn.Parameter]:
    """Return the parameters of a layer; refuse what is neither a module nor parameters."""
    if isinstance(layer, nn.Module):
        return list(layer.parameters())
    is_list = isinstance(layer, Iterable) and not isinstance(layer, Tensor | str)
    found: list[Any] = list(layer) if is_list else [layer]
    strange = [each for each in found if not isinstance(each, Tensor)]
    if strange or not is_list:
        kind = type((strange or found)[0]).__name__
        raise OptionError(
            f"a {kind} was given as a layer or in one; give a module, or a list of parameters, "
            "such as [table.weight] or layer.parameters(). Several modules are one layer as "
            "nn.ModuleList([...])."
        )
    return found


def group_of(optimizer: Optimizer | None, weight: Tensor) -> dict[str, Any] | None:
    """Return the parameter group that holds a weight; None if the optimizer does not train it."""
    for group in optimizer.param_groups if optimizer is not None else ():
        if any(each is weight for each in group["params"]):
            return group
    return None


def groups_of(optimizer: Optimizer, module: nn.Module) -> list[dict[str, Any]]:
    """Return the parameter groups that hold any parameter of a module."""
    own = {id(parameter) for parameter in module.parameters()}
    return [
        group
        for group in optimizer.param_groups
        if any(id(parameter) in own for parameter in group["params"])
    ]


def give_own_group(optimizer: Optimizer, layer: list[nn.Parameter], rate: float | None) -> None:
    """Move parameters into groups of their own: one for each group they were in, with its options.

    Those that were in none go with the first.
    """
    moving = {id(parameter) for parameter in layer}
    taken: list[dict[str, Any]] = []
    for group in optimizer.param_groups:
        own = [each for each in group["params"] if id(each) in moving]
        if own:
            taken.append({**group, "params": own})
            group["params"] = [each for each in group["params"] if id(each) not in moving]
    known = {id(each) for group in taken for each in group["params"]}
    taken = taken or [{"params": []}]
    taken[0]["params"] += [each for each in layer if id(each) not in known]
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
    for group in taken:
        if isinstance(rate, Times):
            group["lr"] = group.get("lr", optimizer.defaults["lr"]) * float(rate)
        elif rate is not None:
            group["lr"] = rate
        optimizer.add_param_group(group)


class TableRate:
    """Lower the rate at which any optimizer trains one layer, whatever a scheduler does.

    Schedulers compute the next rate from the group's ``"lr"``, or from a start of their own, so a
    rate lowered there is lost or lowered twice. Here the group keeps what the schedule says, and
    the optimizer finds `share` of it while it takes a step.

    Of several that `may_cut` the rate of one layer, the one made last has it.
    """

    def __init__(self, layer: nn.Module, *, may_cut: bool) -> None:
        self.layer, self.share, self.may_cut = layer, 1.0, may_cut
        self.is_trained = False
        self._trainers: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._tried: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._took = False
        self._sees_steps: bool | None = None
        self._lowered: list[tuple[dict[str, Any], Any]] = []  # during a step: groups, their rates
        listen(self)
        self._made = next(_COUNTER)
        if may_cut:
            _CUTTING.add(self)

    def close(self) -> None:
        """Lower nothing any more, and leave the layer to the one made before."""
        _CUTTING.discard(self)
        ignore(self)

    @property
    def is_taken_over(self) -> bool:
        """Whether one made later may cut the rate of the same parameters."""
        own = {id(each) for each in self.layer.parameters()}
        return any(
            other._made > self._made and any(id(each) in own for each in other.layer.parameters())
            for other in _CUTTING
        )

    def took_step(self, *, is_known: bool) -> bool | None:
        """Whether any optimizer took a step since this was last asked; None if nobody can tell.

        Nobody can before the first step that is seen, unless an optimizer of torch `is_known`.
        """
        took, self._took = self._took, False
        if took or (is_known and self._sees_steps is None):
            self._sees_steps = True
        return took if self._sees_steps else None

    def count_calls(self) -> None:
        """Tell nothing of steps until one is seen again."""
        self._sees_steps = False

    def note(self, optimizer: Optimizer) -> list[dict[str, Any]]:
        """Remember whether this optimizer trains the layer, and return the groups that do."""
        groups = groups_of(optimizer, self.layer)
        if groups:
            self.is_trained = True
            self._trainers.add(optimizer)
        return groups

    def refuse_what_cannot_cut(self) -> None:
        """Refuse, before a cut is due, to go on where it would not hold."""
        if not self.may_cut:
            return
        if self.is_taken_over:
            raise OptionError(
                "a monitor made later may cut the rate of this layer too, and each cut would lower "
                "it again; give one monitor all budgets that cut, or close() the one not in use."
            )
        for optimizer in set(self._trainers) - set(self._tried):
            _check_has_rate(optimizer, groups_of(optimizer, self.layer))
            if _ignores_rate(optimizer, self.layer):
                raise OptionError(
                    f"{type(optimizer).__name__} goes on at its own pace when its rate is lowered, "
                    'so a budget cannot cut it; give the budget action="stop", or take another '
                    "optimizer."
                )
            self._tried.add(optimizer)

    def cut(self, factor: float) -> None:
        """Multiply the rate of all further steps."""
        if not self.is_trained:
            raise OptionError(
                "a budget cuts the table's learning rate, and no optimizer that took a step holds "
                "its weight; give step and check the optimizer that trains the table."
            )
        self.share *= factor

    def before_step(self, optimizer: Optimizer) -> None:
        """Lower the rate of the groups that hold the layer."""
        groups = self.note(optimizer)
        if self.share == 1 or self._lowered or self.is_taken_over:
            return  # an optimizer inside another one steps once
        _check_has_rate(optimizer, groups)
        for group in groups:
            if id(group) not in _LOWERED:  # whoever lowers a group first restores it
                _LOWERED.add(id(group))
                self._lowered.append((group, group["lr"]))
            group["lr"] = group["lr"] * self.share

    def after_step(self, optimizer: Optimizer) -> None:
        """Give the groups back the rate that the schedule says."""
        self._took = self._took or _took_step(optimizer)
        for group, scheduled in self._lowered:
            group["lr"] = scheduled
            _LOWERED.discard(id(group))
        self._lowered = []


_COUNTER = count()
_CUTTING: weakref.WeakSet[TableRate] = weakref.WeakSet()
_LOWERED: set[int] = set()  # groups, during a step
_TWINS: weakref.WeakSet[Optimizer] = (
    weakref.WeakSet()
)  # those of `_rows_moved`, which train nothing


def _took_step(optimizer: Optimizer) -> bool:
    """Whether a call of ``step`` was one: of no trial, nor one that a `GradScaler` emptied."""
    overflow = getattr(optimizer, "found_inf", None)  # a fused optimizer looks at it itself
    return not getattr(optimizer, "is_trial", False) and (overflow is None or not overflow.item())


def _check_has_rate(optimizer: Optimizer, groups: list[dict[str, Any]]) -> None:
    if any(group.get("lr") is None for group in groups):
        raise OptionError(
            f"a budget cuts the rate of a {type(optimizer).__name__}, which has none in its "
            'parameter groups or sets it itself; give it a rate there, as "lr" (transformers\' '
            'Adafactor: lr=1e-3, relative_step=False), or the budget action="stop".'
        )


def _ignores_rate(optimizer: Optimizer, layer: nn.Module) -> bool:
    """Whether another optimizer like this one still moves rows some steps after its rate is 0."""
    group = groups_of(optimizer, layer)[0]
    settings = {name: value for name, value in group.items() if name != "params"}
    try:
        moved = _rows_moved(
            optimizer, settings, group["params"][0].device, [(_NOW, 1.0)] + [(_NOW, 0.0)] * 4
        )
    except OptionError:
        return False  # it cannot be tried
    return any(moved)


def row_motion(optimizer: Optimizer, weight: Tensor) -> tuple[str, ...]:
    """Return a sentence for each habit of an optimizer that moves rows outside the batch.

    Nothing is guessed from its name: another one of its kind, with the settings of the weight's
    group, takes two steps on a table of three rows. The optimizer itself is left alone.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Torch's own, or any other whose steps need no more than gradients and a closure.
    weight : Tensor, shape (n, d)
        A parameter that it trains.

    Raises
    ------
    OptionError
        If it does not train the weight, or another one of its kind cannot be made.

    Examples
    --------
    >>> table = torch.nn.Embedding(3, 2)
    >>> row_motion(torch.optim.SGD(table.parameters(), lr=0.1), table.weight)
    ()
    >>> len(row_motion(torch.optim.AdamW(table.parameters(), weight_decay=0.01), table.weight))
    2
    """
    return tuple(sentence for sentence in habits(optimizer, weight) if sentence)


def habits(optimizer: Optimizer, weight: Tensor) -> tuple[str, str]:
    """Return what `row_motion` says of earlier gradients, and of rows never seen; empty if none."""
    kind = type(optimizer).__name__
    group = group_of(optimizer, weight)
    if group is None:
        raise OptionError(f"this {kind} does not train that weight; give the optimizer that does.")
    settings = {name: value for name, value in group.items() if name != "params"}
    shrinking = {name: settings[name] for name in _SHRINKING if settings.get(name)}
    without = settings | dict.fromkeys(shrinking, 0.0)
    remembers = moves_all = ""
    if _rows_moved(optimizer, without, weight.device)[_BEFORE]:
        remembers = (
            f"{kind} remembers earlier gradients, such as by a running mean, so a row goes on "
            "moving in steps whose batch does not hold its word; use nn.Embedding(sparse=True) "
            "with torch.optim.SparseAdam, or SGD without momentum, to move only the rows of the "
            "batch"
        )
    if _rows_moved(optimizer, settings, weight.device)[_NEVER]:
        moves_all = f"{kind} moves every row at every step, words never seen too"
        if shrinking:
            named = " and ".join(f"{name}={value:g}" for name, value in shrinking.items())
            none = " and ".join(f"{name}=0" for name in shrinking)
            moves_all += f", by {named}; give the table a parameter group with {none}"
    return remembers, moves_all


_SHRINKING = ("weight_decay", "lambd")  # lambd is ASGD's
_BEFORE, _NOW, _NEVER = range(3)  # rows, by the step whose batch holds them


_TWO_STEPS = ((_BEFORE, 1.0), (_NOW, 1.0))  # a rate of 0 now says nothing of later


def _rows_moved(
    optimizer: Optimizer,
    settings: dict[str, Any],
    device: torch.device,
    steps: Sequence[tuple[int, float]] = _TWO_STEPS,
) -> list[bool]:
    """Return which rows of a small table the last of some steps moves: each of a row, at a rate."""
    kind = type(optimizer)
    plain = {**settings, "differentiable": False} if "differentiable" in settings else settings
    has_rate = plain.get("lr") is not None
    accepted = inspect.signature(kind).parameters
    options = {name: value for name, value in optimizer.defaults.items() if name in accepted}
    error: Exception | None = None
    for sparse in (False, True):  # SparseAdam refuses dense gradients
        # A step of 1 does not lead from 3 to 0, where decay ends.
        start = torch.full((3, 2), 3.0, dtype=torch.float32, device=device)
        table = nn.Embedding.from_pretrained(start, freeze=False, sparse=sparse)
        try:
            rated = {**plain, "lr": steps[0][1]} if has_rate else plain
            twin = kind([{**rated, "params": [table.weight]}], **options)
            twin.is_trial = True  # type: ignore[attr-defined]  # for who counts steps
            for row, rate in steps:
                if has_rate:
                    twin.param_groups[0]["lr"] = rate
                before = table.weight.detach().clone()
                twin.step(partial(_loss, table, row))
            moved: list[bool] = (table.weight != before).any(dim=1).tolist()
            return moved
        except (RuntimeError, TypeError, ValueError, AttributeError, KeyError) as failed:
            error = failed
    raise OptionError(
        f"another {kind.__name__} like this one cannot be tried on a small table ({error}); give "
        "one of torch's optimizers, unwrapped."
    )


def _loss(table: nn.Embedding, row: int) -> float:
    with torch.enable_grad():
        table.weight.grad = None
        loss = table(torch.tensor([row], device=table.weight.device)).square().sum()
        loss.backward()
    return float(loss.detach())
