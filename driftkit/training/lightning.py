"""Lightning callbacks that watch a table drift, and that unfreeze layers when it is time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer

from driftkit.errors import MissingExtraError, OptionError, UnknownNameError
from driftkit.training.monitor import DriftMonitor
from driftkit.training.optimizers import group_of, parameters_of
from driftkit.training.unfreezing import Stage, Unfreezing
from driftkit.training.writers import measured

if TYPE_CHECKING or find_spec("lightning") is not None:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    Callback = object


class _Resumed(Callback):  # type: ignore[misc]
    """A callback that counts optimizer steps, has a name, and must be in the checkpoint."""

    def __init__(self, name: str) -> None:
        if find_spec("lightning") is None:
            raise MissingExtraError("the Lightning callback", "lightning", "lightning")
        self.name = name
        self._steps = 0
        self._restored = False

    @property
    def state_key(self) -> str:
        """The callback's place in a checkpoint."""
        return f"{type(self).__name__}[{self.name}]"

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Refuse a checkpoint without this callback."""
        late = trainer.strategy.restore_checkpoint_after_setup
        if trainer.ckpt_path and not self._restored and not late:
            raise OptionError(
                f"{trainer.ckpt_path} holds no {self.state_key}; resume with the callbacks and "
                "names it was saved with, or load its weights alone and start a new run."
            )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start counting from where the trainer is."""
        self._steps = trainer.global_step

    def _stepped(self, trainer: Trainer) -> bool:
        """Whether the optimizer took a step, so that gradients are not just accumulated."""
        before, self._steps = self._steps, trainer.global_step
        return self._steps != before


class DriftCallback(_Resumed):
    """Count every optimizer step for a `DriftMonitor`, and stop when it says so.

    The last steps of a run are checked too. That check is in the history and the loggers, and not
    in checkpoints, so that a resumed run has the history of one that was never stopped. Where
    weights are averaged when training ends, the history has one more check, of the average.

    The values of each check reach every logger of the trainer at the step they were measured,
    under ``drift/`` and names that all loggers take, such as ``drift/overlap_at_10``. Other
    callbacks find them there too. The state of the monitor is saved in Lightning's checkpoints and
    restored from them. Make the monitor from the original table, before a checkpoint is loaded::

        trainer = Trainer(callbacks=[DriftCallback(monitor)])

    Parameters
    ----------
    monitor : DriftMonitor
    name : str
        Tells several monitors of a run apart: values are then under ``drift/NAME/``.
    """

    def __init__(self, monitor: DriftMonitor, name: str = "") -> None:
        super().__init__(name)
        self.monitor = monitor
        self._before_end: dict[str, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting from where the trainer is."""
        super().on_train_start(trainer, pl_module)
        self._before_end = {}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """Count a step, unless gradients are still being accumulated."""
        if not self._stepped(trainer):
            return
        checks = len(self.monitor.history)
        if self.monitor.step():
            trainer.should_stop = True
        if len(self.monitor.history) > checks:
            # Lightning itself would pass on only what falls on every log_every_n_steps-th batch.
            pl_module.log_dict(self._log(trainer), logger=False)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Check the last steps too; a checkpoint is as if there were more to come."""
        self._before_end = self.monitor.state_dict()
        checks = len(self.monitor.history)
        self.monitor.end()
        if len(self.monitor.history) > checks:
            self._log(trainer)

    def on_fit_end(self, *_: Any, **__: Any) -> None:
        """Check again if weights were averaged (EMA, SWA) after that, for the history alone."""
        self.monitor.end()

    def _log(self, trainer: Trainer) -> dict[str, float]:
        values = measured(self.monitor.latest, self.name)
        for logger in trainer.loggers:
            logger.log_metrics(values, step=trainer.global_step)
        return values

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the monitor, for the checkpoint."""
        return self._before_end or self.monitor.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the monitor from a checkpoint."""
        self.monitor.load_state_dict(state_dict)
        self._restored = True


class UnfreezingCallback(_Resumed):
    """Freeze layers when the training starts and unfreeze them when their time comes.

    It finds the optimizer and its schedulers itself, counts steps and epochs, and is saved in
    Lightning's checkpoints and restored from them. On several devices give the trainer
    ``strategy="ddp_find_unused_parameters_true"``::

        Trainer(callbacks=[UnfreezingCallback(Stage(model.embedding, AtEpoch(2), rate=1e-4))])

    Parameters
    ----------
    *stages : Stage
        In the order in which they are unfrozen; see `gradual_stages`.
    metric : str
        Name of the logged value that `OnPlateau` waits for.
    name : str
        Tells several of these in one run apart.

    Attributes
    ----------
    recipe : Unfreezing
        Made when the training starts.

    Raises
    ------
    OptionError
        At the start, if no optimizer trains the layers or `Unfreezing` refuses.
    """

    recipe: Unfreezing

    def __init__(self, *stages: Stage, metric: str = "", name: str = "") -> None:
        super().__init__(name)
        self.stages, self.metric = stages, metric
        self._state: dict[str, Any] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Freeze, once the optimizers are there and before their state is restored."""
        super().on_fit_start(trainer, pl_module)
        state = self.state_dict()
        first = parameters_of(stage.layer for stage in self.stages)[0]
        trains = (o for o in trainer.optimizers if any(group_of(o, each) for each in first))
        if (optimizer := next(trains, None)) is None:
            raise OptionError(
                "no optimizer trains the first layer to unfreeze; let configure_optimizers return "
                "one that does."
            )
        schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
        self.recipe = _under_schedulers(schedulers, optimizer, self.stages, pl_module)
        if state:
            self.recipe.load_state_dict(state)

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        """Count a step, unless gradients are still being accumulated."""
        if self._stepped(trainer):
            self.recipe.step()

    def on_train_batch_start(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        """Count an epoch that Lightning took up again after its last step: it has no end."""
        self._end_epochs(trainer, trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        """Count an epoch."""
        self._end_epochs(trainer, trainer.current_epoch + 1)

    def _end_epochs(self, trainer: Trainer, ended: int) -> None:
        while self.recipe.epochs < ended:
            values = trainer.callback_metrics
            if self.metric and self.metric not in values:
                rare = trainer.check_val_every_n_epoch
                hint = (
                    f"check_val_every_n_epoch={rare} leaves out validations; a value of the "
                    "validation needs one after every epoch."
                )
                raise UnknownNameError(
                    "value logged in this epoch", self.metric, values, hint if rare != 1 else ""
                )
            self.recipe.end_epoch(float(values[self.metric]) if self.metric else None)

    def state_dict(self) -> dict[str, Any]:
        """Return where the recipe stands, for the checkpoint."""
        return self.recipe.state_dict() if hasattr(self, "recipe") else self._state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._state, self._restored = state_dict, True
        if hasattr(self, "recipe"):
            self.recipe.load_state_dict(state_dict)


_OF_EACH_GROUP = (  # lists that schedulers keep
    "base_lrs",
    "lr_lambdas",
    "min_lrs",
    "max_lrs",
    "base_momentums",
    "max_momentums",
    "_last_lr",
)


def _under_schedulers(
    schedulers: Iterable[Any], optimizer: Optimizer, stages: Sequence[Stage], model: LightningModule
) -> Unfreezing:
    """Make an unfreezing although schedulers were made first; a rate becomes one they start from.

    Lightning asks for optimizers and schedulers at once, so schedulers get to know the groups here.
    """
    scheduled = [each for outer in schedulers for each in _flat(outer)]
    scheduled = [each for each in scheduled if each.optimizer is optimizer]
    keeps = any("max_lr" in group for group in optimizer.param_groups)
    keeps = keeps or any(hasattr(each, "max_lrs") for each in scheduled)
    if keeps and any(stage.rate is not None for stage in stages):
        raise OptionError(
            "this scheduler keeps a highest rate for each group (OneCycleLR, CyclicLR), so a rate "
            "cannot be given to a layer after it was made; call freeze_then_unfreeze in "
            "configure_optimizers, before you make it."
        )
    before = [dict(group) for group in optimizer.param_groups]
    for at, group in enumerate(optimizer.param_groups):
        group["lr"], group["was"] = group.pop("initial_lr", group["lr"]), at
    recipe = Unfreezing(optimizer, stages, model=model)
    origin = [group.pop("was", -1) for group in optimizer.param_groups]
    for group, was in zip(optimizer.param_groups, origin, strict=True):
        old = before[was]
        if "initial_lr" in old:  # ReduceLROnPlateau needs none
            start = group["initial_lr"] = group["lr"]
            same = start == old["initial_lr"] or old["initial_lr"] == 0
            group["lr"] = old["lr"] if same else start * old["lr"] / old["initial_lr"]
    for each in scheduled:
        for name in _OF_EACH_GROUP:
            if len(values := getattr(each, name, ())) == len(before):
                setattr(each, name, [values[was] for was in origin])
        if hasattr(each, "base_lrs"):
            each.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
    return recipe


def _flat(scheduler: Any) -> Iterator[Any]:
    """Yield a scheduler and those it is made of (SequentialLR, ChainedScheduler)."""
    yield scheduler
    for inner in getattr(scheduler, "_schedulers", ()):
        yield from _flat(inner)
