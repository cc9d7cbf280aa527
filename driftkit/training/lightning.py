"""A Lightning callback that watches a table drift and stops the training on a budget."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from driftkit.errors import MissingExtraError
from driftkit.training.monitor import DriftMonitor
from driftkit.training.optimizers import group_of

if TYPE_CHECKING or find_spec("lightning") is not None:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    Callback = object


class DriftCallback(Callback):  # type: ignore[misc]
    """Count every optimizer step for a `DriftMonitor`, and stop when it says so.

    The values of each check are logged under ``drift/`` with the module's own loggers, and the
    state of the monitor is saved in Lightning's checkpoints and restored from them. Make the
    monitor from the original table, before a checkpoint is loaded::

        trainer = Trainer(callbacks=[DriftCallback(monitor)])
    """

    def __init__(self, monitor: DriftMonitor) -> None:
        if find_spec("lightning") is None:
            raise MissingExtraError("the Lightning callback", "lightning", "lightning")
        self.monitor = monitor
        self._steps = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start counting from where the trainer is."""
        self._steps = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """Count a step, unless gradients are still being accumulated."""
        if trainer.global_step == self._steps:
            return
        self._steps = trainer.global_step
        checks = len(self.monitor.history)
        weight = self.monitor.embedding.weight
        trains = (each for each in trainer.optimizers if group_of(each, weight) is not None)
        stop = self.monitor.step(next(trains, None))
        if len(self.monitor.history) > checks:
            values = self.monitor.latest.items()
            pl_module.log_dict({f"drift/{name}": float(value) for name, value in values})
        if stop:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the monitor, for the checkpoint."""
        return self.monitor.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the monitor from a checkpoint."""
        self.monitor.load_state_dict(state_dict)
