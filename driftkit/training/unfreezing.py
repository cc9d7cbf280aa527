"""Freezing layers, and unfreezing them when it is time.

Every layer gets a parameter group of its own at once; frozen means that it gets no gradient. The
optimizers of torch skip parameters without one, so frozen rows stay bit for bit as they are (weight
decay too is skipped), no optimizer state exists before the first real step, nothing already learned
about other layers is lost when one thaws, and the number of groups never changes, which is what
rate schedulers and checkpoints need.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from driftkit.errors import OptionError
from driftkit.training.anchors import tied_to, warn_of_ties
from driftkit.training.optimizers import (
    Layer,
    check_rate,
    give_own_group,
    parameters_of,
    row_motion,
)
from driftkit.training.ranks import processes


@dataclass(frozen=True, slots=True)
class AtEpoch:
    """Unfreeze once `epoch` epochs have ended."""

    epoch: int


@dataclass(frozen=True, slots=True)
class AtStep:
    """Unfreeze once `step` optimizer steps have been taken."""

    step: int


@dataclass(frozen=True, slots=True)
class OnPlateau:
    """Unfreeze once a metric has not improved for `patience` epochs in a row.

    Parameters
    ----------
    patience : int
    least : float
        What counts as an improvement: more than this.
    mode : {"max", "min"}
        Whether a higher or a lower metric is better.
    """

    patience: int = 2
    least: float = 0.0
    mode: Literal["max", "min"] = "max"


Trigger = AtEpoch | AtStep | OnPlateau

_STATE = ("steps", "epochs", "thawed", "best", "waited")


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer that starts frozen.

    Parameters
    ----------
    layer : torch.nn.Module or iterable of parameters
    when : AtEpoch, AtStep or OnPlateau
    rate : float, optional
        Its learning rate once unfrozen, such as ``1e-4``, or ``Times(0.1)`` for a tenth of that of
        the group it is in; that of the group unless given.
    """

    layer: Layer
    when: Trigger
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.rate is not None:
            check_rate(self.rate)
        if not isinstance(self.layer, nn.Module):  # ``layer.parameters()`` can be read only once
            object.__setattr__(self, "layer", tuple(self.layer))


class Unfreezing:
    """Freeze layers now and unfreeze them, one stage after the other, when their time comes.

    Call `step` after every optimizer step and `end_epoch` after every epoch. Make it before any
    learning rate scheduler, since it gives the layers parameter groups of their own. Under
    DistributedDataParallel wrap the model first, with ``find_unused_parameters=True``.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Any. Layers may be among its parameters or not yet.
    stages : sequence of Stage
        A stage waits for those before it. A plateau is counted from the thaw before.
    model : torch.nn.Module, optional
        The one that holds the layers: if another part of it is tied to a layer, such as a head to
        the embedding, it is frozen as well, and a warning names it. Callbacks give it themselves.

    Attributes
    ----------
    thawed : int
        Stages unfrozen so far.

    Raises
    ------
    OptionError
        If a scheduler was made before, a parameter occurs twice, a number is out of range, the
        model does not hold a layer, or DistributedDataParallel would not join its gradients.
    """

    def __init__(
        self, optimizer: Optimizer, stages: Sequence[Stage], *, model: nn.Module | None = None
    ) -> None:
        self.optimizer, self.stages = optimizer, tuple(stages)
        self._layers = parameters_of(stage.layer for stage in self.stages)
        _check(optimizer, self.stages)
        self._joined: set[int] = set()  # parameters whose gradients the replicas join
        self._check_replicas()
        for stage, layer in zip(self.stages, self._layers, strict=True):
            give_own_group(optimizer, layer, stage.rate)
            for parameter in layer:
                parameter.requires_grad_(False)
                parameter.grad = None
        self.thawed = self.steps = self.epochs = self.waited = 0
        self.best: float | None = None
        self._thaw_what_is_due(None)
        self._begun = False
        if model is not None:
            so = "freezing one freezes all; untie them if only one should wait."
            for stage, layer in zip(self.stages, self._layers, strict=True):
                for parameter in layer:
                    if not parameter.requires_grad and _is_tied_outside(stage, parameter, model):
                        warn_of_ties(model, parameter, so)

    @property
    def notes(self) -> tuple[str, ...]:
        """Settings of the optimizer that move rows of the layers' embeddings outside the batch."""
        layers = (stage.layer for stage in self.stages if isinstance(stage.layer, nn.Module))
        modules = (module for layer in layers for module in layer.modules())
        tables = (module for module in modules if isinstance(module, nn.Embedding))
        notes = (note for table in tables for note in row_motion(self.optimizer, table.weight))
        return tuple(dict.fromkeys(notes))

    def step(self) -> int:
        """Count an optimizer step; return the number of stages this unfroze.

        Raises
        ------
        OptionError
            At the first step, if DistributedDataParallel wrapped the model while a layer was
            frozen and so does not know it.
        """
        self._begin()
        self.steps += 1
        return self._thaw_what_is_due(None)

    def end_epoch(self, metric: float | None = None) -> int:
        """Count an epoch; return the number of stages this unfroze.

        Parameters
        ----------
        metric : float, optional
            The one that may have reached a plateau, such as the accuracy on held-out examples.

        Raises
        ------
        OptionError
            If the next stage waits for a plateau and no metric is given, or processes that train
            together give different ones.
        """
        self._begin()
        self.epochs += 1
        return self._thaw_what_is_due(metric, epoch_ended=True)

    def _begin(self) -> None:
        if not self._begun:
            self._check_replicas()  # the model may have been wrapped since this was made
            self._begun = True

    def _check_replicas(self) -> None:
        """Refuse to go on where replicas of the model would drift apart once a layer is unfrozen.

        What trains when a model is wrapped is joined from then on, and nothing else ever is.
        """
        everything = [parameter for layer in self._layers for parameter in layer]
        for wrapper in _replicas():
            inside = {id(parameter) for parameter in wrapper.module.parameters()}
            held = [parameter for parameter in everything if id(parameter) in inside]
            if held:
                _check_wrapper(wrapper, {id(parameter) for parameter in held})
            self._joined |= {id(parameter) for parameter in held if parameter.requires_grad}
            if any(id(parameter) not in self._joined for parameter in held):
                raise OptionError(
                    "a layer was frozen before DistributedDataParallel wrapped the model, so its "
                    "gradients would never be joined and the replicas would drift apart; wrap the "
                    "model first, with find_unused_parameters=True, then make the unfreezing."
                )

    def _thaw_what_is_due(self, metric: float | None, *, epoch_ended: bool = False) -> int:
        before = self.thawed
        while self.thawed < len(self.stages):
            if not self._is_due(self.stages[self.thawed].when, metric, epoch_ended):
                break
            for parameter in self._layers[self.thawed]:
                parameter.requires_grad_(True)
            self.thawed += 1
            self.best, self.waited, epoch_ended = None, 0, False
        return self.thawed - before

    def _is_due(self, when: Trigger, metric: float | None, epoch_ended: bool) -> bool:
        if isinstance(when, AtEpoch):
            return self.epochs >= when.epoch
        if isinstance(when, AtStep):
            return self.steps >= when.step
        return epoch_ended and self._has_stalled(when, metric)

    def _has_stalled(self, plateau: OnPlateau, metric: float | None) -> bool:
        if metric is None:
            raise OptionError(
                "the next stage waits for a plateau and end_epoch was given no metric; call "
                "end_epoch(metric), such as the accuracy on held-out examples."
            )
        _check_shared(metric)
        value = metric if plateau.mode == "max" else -metric
        if self.best is None or value > self.best + plateau.least:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited >= plateau.patience

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, as plain numbers."""
        return {name: getattr(self, name) for name in _STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another one with the same stages stood."""
        if not 0 <= state["thawed"] <= len(self.stages):
            raise OptionError(
                f"the saved state has {state['thawed']} stages unfrozen and there are "
                f"{len(self.stages)} here; give the same stages."
            )
        self._check_replicas()
        for name in _STATE:
            setattr(self, name, state[name])
        for stage, layer in enumerate(self._layers):
            for parameter in layer:
                parameter.requires_grad_(stage < self.thawed)


def freeze_then_unfreeze(
    optimizer: Optimizer,
    layer: Layer,
    when: Trigger,
    rate: float | None = None,
    *,
    model: nn.Module | None = None,
) -> Unfreezing:
    """Keep a layer, such as the embedding, frozen for a while, then train it at a lower rate.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    layer : torch.nn.Module or iterable of parameters
    when : AtEpoch, AtStep or OnPlateau
    rate : float, optional
        Rate once unfrozen, such as ``1e-4``, or ``Times(0.1)`` for a tenth of the optimizer's.
    model : torch.nn.Module, optional
        The one that holds the layer: what is tied to it, such as a head, is then named.

    References
    ----------
    Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification".

    Examples
    --------
    >>> import torch
    >>> table, head = nn.Embedding(9, 4), nn.Linear(4, 2)
    >>> optimizer = torch.optim.Adam([*table.parameters(), *head.parameters()], lr=1e-3)
    >>> recipe = freeze_then_unfreeze(optimizer, table, AtEpoch(8), rate=1e-4)
    >>> table.weight.requires_grad, [group["lr"] for group in optimizer.param_groups]
    (False, [0.001, 0.0001])
    >>> [recipe.end_epoch() for _ in range(8)], table.weight.requires_grad
    ([0, 0, 0, 0, 0, 0, 0, 1], True)
    """
    return Unfreezing(optimizer, [Stage(layer, when, rate)], model=model)


def gradual_unfreezing(
    optimizer: Optimizer,
    layers: Sequence[Layer],
    *,
    every: int = 1,
    rates: Sequence[float] = (),
    model: nn.Module | None = None,
) -> Unfreezing:
    """Unfreeze one more layer after every `every` epochs, from the top down, the embedding last.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    layers : sequence of torch.nn.Module or of parameters
        From the bottom, the embedding, to the top, which is trained from the start.
    every : int
        Epochs between two thaws.
    rates : sequence of float, optional
        A rate for each layer, such as ``group["lr"]`` of each group of `discriminative_rates`; the
        optimizer's unless given.
    model : torch.nn.Module, optional
        The one that holds the layers: what is tied to one, such as a head, is then named.

    Notes
    -----
    In the paper the learning rate is slanted once. The authors' code begins a new schedule at each
    thaw. In a loop of your own two lines do that, with a schedule for the steps to the next thaw::

        if recipe.end_epoch():
            schedule = SlantedTriangular(optimizer, steps)

    A schedule of torch that computes each rate from the one before (CosineAnnealingLR, StepLR,
    LinearLR) begins at the rate of the moment, so put back that of the start before you make it
    anew: ``group["lr"] = group["initial_lr"]``, for each of ``optimizer.param_groups``.

    References
    ----------
    Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", 3.3.

    fastai 0.7, ``courses/dl2/imdb_scripts/train_clas.py``: every ``learn.freeze_to`` is followed by
    a ``learn.fit(..., use_clr=...)`` of its own.
    """
    return Unfreezing(optimizer, gradual_stages(layers, every=every, rates=rates), model=model)


def gradual_stages(
    layers: Sequence[Layer], *, every: int = 1, rates: Sequence[float] = ()
) -> list[Stage]:
    """Return the stages of `gradual_unfreezing`, for a callback.

    Parameters
    ----------
    layers : sequence of torch.nn.Module or of parameters
        From the bottom to the top.
    every : int
        Epochs between two thaws.
    rates : sequence of float, optional
        A rate for each layer.

    Examples
    --------
    >>> embedding, middle, top = nn.Embedding(3, 2), nn.Linear(2, 2), nn.Linear(2, 1)
    >>> [stage.when.epoch for stage in gradual_stages([embedding, middle, top])]
    [0, 1, 2]
    """
    if not isinstance(rates, Sequence) or isinstance(rates, str):
        raise OptionError(f"rates={rates!r} was given; give a list, with a rate for each layer.")
    if rates and len(rates) != len(layers):
        raise OptionError(f"{len(rates)} rates were given for {len(layers)} layers; give one each.")
    each_rate = list(rates) if rates else [None] * len(layers)
    top_down = zip(reversed(layers), reversed(each_rate), strict=True)
    return [Stage(layer, AtEpoch(every * i), rate) for i, (layer, rate) in enumerate(top_down)]


def _is_tied_outside(stage: Stage, parameter: nn.Parameter, model: nn.Module) -> bool:
    """Whether a parameter has names in the model that its layer does not know."""
    layer = stage.layer
    inside = len(tied_to(layer, parameter)) if isinstance(layer, nn.Module) else 1
    return len(tied_to(model, parameter)) != inside


def _check_wrapper(wrapper: DistributedDataParallel, layers: set[int]) -> None:
    if wrapper.static_graph or not wrapper.find_unused_parameters:
        raise OptionError(
            "DistributedDataParallel waits for a gradient of every layer, and frozen ones have "
            "none; wrap the model with find_unused_parameters=True and without static_graph."
        )
    for module in wrapper.module.modules():
        if getattr(module, "sparse", False) and id(module.weight) in layers:
            raise OptionError(
                "DistributedDataParallel cannot do without the gradient of a table with "
                "sparse=True while it is frozen; make the table with sparse=False."
            )


def _replicas() -> Iterator[DistributedDataParallel]:
    """Yield the wrapped models of this process; the parameters do not know who wraps them."""
    if processes() > 1:
        for each in gc.get_objects():
            if issubclass(type(each), DistributedDataParallel):
                yield each


def _check_shared(metric: float) -> None:
    if processes() == 1:
        return
    metrics = [metric] * processes()
    distributed.all_gather_object(metrics, metric)
    if len(set(metrics)) > 1:
        raise OptionError(
            f"the processes gave end_epoch different metrics ({metrics}) and would unfreeze at "
            "different times; give all of them the same, such as the mean over all processes."
        )


def _check(optimizer: Optimizer, stages: Sequence[Stage]) -> None:
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise OptionError(
            "this optimizer has a learning rate scheduler already, which knows only the groups of "
            "that moment; make the unfreezing first, then the scheduler."
        )
    for stage in stages:
        when = stage.when
        number = when.epoch if isinstance(when, AtEpoch) else 0
        number = when.step if isinstance(when, AtStep) else number
        if number < 0 or (isinstance(when, OnPlateau) and when.patience < 1):
            raise OptionError(f"{when} was given; epochs and steps start at 0, patience at 1.")
