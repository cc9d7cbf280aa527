"""Freezing layers, and unfreezing them when it is time.

Every layer gets a parameter group of its own at once; frozen means that it gets no gradient. The
optimizers of torch skip parameters without one, so frozen rows stay bit for bit as they are (weight
decay too is skipped), no optimizer state exists before the first real step, nothing already learned
about other layers is lost when one thaws, and the number of groups never changes, which is what
rate schedulers and checkpoints need.
"""

from __future__ import annotations

import gc
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.weak import WeakIdKeyDictionary

from driftkit.errors import OptionError
from driftkit.training.anchors import MAX_NORM, tied_to, warn_of_ties
from driftkit.training.optimizers import (
    Layer,
    check_rate,
    give_own_group,
    group_of,
    listed,
    parameters_of,
    row_motion,
)
from driftkit.training.ranks import processes
from driftkit.training.steps import Steps


@dataclass(frozen=True, slots=True)
class AtEpoch:
    """Unfreeze once `epoch` epochs have ended."""

    epoch: int

    def __post_init__(self) -> None:
        _check_whole("AtEpoch", self.epoch, 0)


@dataclass(frozen=True, slots=True)
class AtStep:
    """Unfreeze once `step` optimizer steps have been taken.

    Counted are the steps that the optimizer of the unfreezing took: none that a `GradScaler`
    skipped, and none of another optimizer.
    """

    step: int

    def __post_init__(self) -> None:
        _check_whole("AtStep", self.step, 0)


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

    def __post_init__(self) -> None:
        _check_whole("OnPlateau(patience)", self.patience, 1)
        if not isinstance(self.least, Real) or not 0 <= self.least < math.inf:
            raise OptionError(f"least={self.least!r} was given; it is a number from 0.")
        if self.mode not in ("max", "min"):
            raise OptionError(
                f'mode={self.mode!r} was given; it is "max" where a higher metric is better, and '
                '"min" where a lower one is.'
            )


Trigger = AtEpoch | AtStep | OnPlateau

_STATE = ("steps", "epochs", "thawed", "best", "waited")
_FROZEN_HERE = WeakIdKeyDictionary()  # parameters that an unfreezing froze, though they train


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer that starts frozen.

    Parameters
    ----------
    layer : torch.nn.Module or iterable of parameters
        What was frozen in it before, such as the weight under LoRA, stays so; unless all of it was.
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
        if not isinstance(self.when, Trigger):
            raise OptionError(
                f"{self.when!r} was given as the moment; give AtEpoch(2), AtStep(500) or "
                "OnPlateau()."
            )
        if not isinstance(self.layer, nn.Module):  # ``layer.parameters()`` can be read only once
            object.__setattr__(self, "layer", tuple(listed(self.layer)))


class Unfreezing:
    """Freeze layers now and unfreeze them, one stage after the other, when their time comes.

    Call `step` after every optimizer step and `end_epoch` after every epoch. Where the optimizer
    took none, as while gradients are accumulated, nothing is counted. Make it before any
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
        model does not hold a layer, the optimizer takes one group only, or DistributedDataParallel
        would not join its gradients.
    """

    def __init__(
        self, optimizer: Optimizer, stages: Sequence[Stage], *, model: nn.Module | None = None
    ) -> None:
        self.optimizer, self.stages, self._model = optimizer, tuple(stages), model
        self._layers = [_to_train(each) for each in parameters_of(s.layer for s in self.stages)]
        _check(optimizer)
        self._joined: set[int] = set()  # parameters whose gradients the replicas join
        self._check_replicas()
        for stage, layer in zip(self.stages, self._layers, strict=True):
            give_own_group(optimizer, layer, stage.rate)
            _train(layer, False)
            for parameter in layer:
                parameter.grad = None
        self._asked = self._rates()
        self._taken, self._calls, self._is_told = Steps(optimizer), 0, False
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
        """What moves in the layers though nothing trains it, and what does not train once thawed.

        Settings of the optimizer that move rows of embeddings outside the batch, `max_norm`, the
        running mean of a BatchNorm, and parameters that were frozen before.
        """
        layers = [stage.layer for stage in self.stages if isinstance(stage.layer, nn.Module)]
        notes: list[str] = []
        for module in (module for layer in layers for module in layer.modules()):
            if isinstance(module, nn.Embedding | nn.EmbeddingBag):
                if group_of(self.optimizer, module.weight) is not None:
                    notes += row_motion(self.optimizer, module.weight)
                if module.max_norm is not None:
                    notes.append(MAX_NORM)
            elif isinstance(module, _BatchNorm) and module.track_running_stats:
                notes.append(
                    "BatchNorm goes on updating its running mean while it is frozen; call its "
                    "eval() after model.train()"
                )
        for stage, layer in zip(self.stages, self._layers, strict=True):
            if left := len(listed(stage.layer)) - len(layer):
                notes.append(
                    f"{left} parameters of a layer were frozen before and stay so; call "
                    "requires_grad_(True) on them before, to train them once it is unfrozen"
                )
        return tuple(dict.fromkeys(notes))

    def step(self) -> int:
        """Count the steps the optimizer took; return the number of stages this unfroze.

        Warns once if another optimizer is the one that steps, or if a frozen layer trains.

        Raises
        ------
        OptionError
            At the first step, if DistributedDataParallel wrapped the model while a layer was
            frozen and so does not know it, or a scheduler made since does not keep to a rate.
        """
        self._begin()
        self._calls += 1
        rival, taken = self._taken.rival, self._taken.taken()
        self.steps += taken
        if rival and not taken:
            self._tell_of_steps(rival)
        elif not self._taken.ever and not taken and self._is_late():
            self._tell_of_steps(self._taken.other)
        self._look()
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
        if self._taken.other and not self._taken.ever:
            self._tell_of_steps(self._taken.other)
        self._look(self._model)
        return self._thaw_what_is_due(metric, epoch_ended=True)

    def _begin(self) -> None:
        if not self._begun:
            self._check_replicas()  # the model may have been wrapped since this was made
            _check_schedulers(self.optimizer, self._asked)
            self._look(self._model)
            self._begun = True

    def _rates(self) -> list[tuple[nn.Parameter, float]]:
        """Return a parameter of each group for which a rate was asked, and the rate."""
        asked = zip(self.stages, self._layers, strict=True)
        rated = {id(each) for stage, layer in asked if stage.rate is not None for each in layer}
        firsts = ((group["params"][0], group["lr"]) for group in self.optimizer.param_groups)
        return [(first, float(rate)) for first, rate in firsts if id(first) in rated]

    def _is_late(self) -> bool:
        """Whether a stage would be due by now if every call of `step` were a step.

        While gradients are accumulated, or a scaler looks for its scale, some calls are none; and
        another optimizer may step more often.
        """
        when = self.stages[self.thawed].when if self.thawed < len(self.stages) else None
        patience = 10 if self._taken.other else 100
        return isinstance(when, AtStep) and self._calls >= max(when.step, patience)

    def _tell_of_steps(self, other: str) -> None:
        another = f", and another one ({other}) does" if other else ""
        self._tell(
            f"the optimizer of this unfreezing takes no steps{another}, so no step is counted and "
            "what thaws may not train; make the unfreezing with the optimizer that trains the "
            "model, after the model and the optimizer were made."
        )

    def _look(self, model: nn.Module | None = None) -> None:
        """Warn if what is frozen here trains, or is no longer what the model holds."""
        frozen = [each for layer in self._layers[self.thawed :] for each in layer]
        if any(parameter.requires_grad for parameter in frozen):
            self._tell(
                "a layer that this unfreezing holds frozen trains: something called "
                "requires_grad_(True) on it since. Leave requires_grad to the unfreezing, or make "
                "it after that."
            )
        held = [stage.layer for stage in self.stages if isinstance(stage.layer, nn.Module)]
        inside = {id(each) for layer in held for each in layer.parameters()}
        modules = zip(self.stages, self._layers, strict=True)
        own = [
            id(p) for stage, layer in modules if isinstance(stage.layer, nn.Module) for p in layer
        ]
        everywhere = inside if model is None else {id(each) for each in model.parameters()}
        if not (inside & everywhere).issuperset(own):
            self._tell(
                "a layer of this unfreezing, or its weight, was replaced in the model since; what "
                "took its place is not frozen. Make the unfreezing after that, with the new layer."
            )

    def _tell(self, sentence: str) -> None:
        if not self._is_told:
            self._is_told = True
            warnings.warn(sentence, stacklevel=4)

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
            _train(self._layers[self.thawed], True)
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
        number = _number(metric)
        _check_shared(number)
        if math.isnan(number):
            warnings.warn(
                f"the metric of epoch {self.epochs} is NaN, and the next stage waits for a plateau "
                "of it; this epoch is not counted.",
                stacklevel=5,
            )
            return False
        value = number if plateau.mode == "max" else -number
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
        self._taken.forget()
        for stage, layer in enumerate(self._layers):
            _train(layer, stage < self.thawed)


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
    if len(set(map(str, metrics))) > 1:  # NaN is not equal to itself
        raise OptionError(
            f"the processes gave end_epoch different metrics ({metrics}) and would unfreeze at "
            "different times; give all of them the same, such as the mean over all processes."
        )


def _check(optimizer: Optimizer) -> None:
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise OptionError(
            "this optimizer has a learning rate scheduler already, which knows only the groups of "
            "that moment; make the unfreezing first, then the scheduler."
        )
    if isinstance(optimizer, LBFGS):
        raise OptionError(
            "LBFGS takes one parameter group, and an unfreezing gives each layer its own; use "
            "another optimizer, such as Adam."
        )


def _check_schedulers(optimizer: Optimizer, asked: list[tuple[nn.Parameter, float]]) -> None:
    """Refuse a scheduler that knows fewer groups than there are, or raises a rate over the asked.

    The optimizer does not know its schedulers, and some write rates of their own into its groups.
    """
    groups = optimizer.param_groups
    highest = [float(group.get("max_lr", 0)) for group in groups]  # OneCycleLR keeps it there
    for each in gc.get_objects():
        if not issubclass(type(each), LRScheduler):
            continue
        if getattr(getattr(each, "optimizer", None), "param_groups", None) is not groups:
            continue
        if getattr(each, "default_min_lr", 0) is None and len(each.min_lrs) != len(groups):
            raise OptionError(
                f"this {type(each).__name__} was made before the unfreezing, with a min_lr for "
                f"{len(each.min_lrs)} groups, and there are {len(groups)} now; make the unfreezing "
                "first, then the scheduler."
            )
        if len(own := getattr(each, "max_lrs", ())) == len(groups):
            highest = [max(pair) for pair in zip(highest, map(float, own), strict=True)]
    rates = {id(parameter): rate for parameter, rate in asked}
    fitting = [
        rates.get(id(group["params"][0]), high) for group, high in zip(groups, highest, strict=True)
    ]
    for rate, high in zip(fitting, highest, strict=True):
        if high > rate * (1 + 1e-9):
            raise OptionError(
                f"a layer was to have the rate {rate:g}, and max_lr of the scheduler takes it to "
                f"{high:g}; give max_lr a list with a rate for each of optimizer.param_groups, "
                f"such as [{', '.join(f'{each:g}' for each in fitting)}]."
            )


def _check_whole(name: str, number: object, least: int) -> None:
    if isinstance(number, bool) or not isinstance(number, Integral) or number < least:
        raise OptionError(
            f"{name} was given {number!r}; epochs and steps are whole numbers that start at 0, "
            "patience at 1."
        )


def _number(metric: object) -> float:
    if isinstance(metric, Real) or (isinstance(metric, Tensor) and metric.numel() == 1):
        return float(metric)
    raise OptionError(f"end_epoch was given {metric!r} as the metric; give one number.")


def _to_train(layer: list[nn.Parameter]) -> list[nn.Parameter]:
    """Return what an unfreezing freezes and unfreezes of a layer: all if all was frozen before."""
    return [each for each in layer if each.requires_grad or each in _FROZEN_HERE] or layer


def _train(layer: list[nn.Parameter], is_trained: bool) -> None:
    for parameter in layer:
        parameter.requires_grad_(is_trained)
        if is_trained:
            _FROZEN_HERE.pop(parameter, None)
        else:
            _FROZEN_HERE[parameter] = True
