"""A Trainer callback of transformers that watches a table drift and stops on a budget."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from driftkit.atomic import replacing
from driftkit.errors import MissingExtraError
from driftkit.training.monitor import DriftMonitor

if TYPE_CHECKING or find_spec("transformers") is not None:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
else:
    TrainerCallback = object

STATE = "driftkit-monitor.pt"  # holds the monitor's state beside a checkpoint's weights


class DriftTrainerCallback(TrainerCallback):  # type: ignore[misc]
    """Count every optimizer step for a `DriftMonitor`, and stop when it says so.

    The values of each check enter the Trainer's log history, and so reach whatever it reports to.
    The state of the monitor is saved in every ``checkpoint-N`` folder and restored when training
    resumes from one. Make the monitor from the original table, before training resumes::

        Trainer(model, arguments, callbacks=[DriftTrainerCallback(monitor)], ...)
    """

    def __init__(self, monitor: DriftMonitor) -> None:
        if find_spec("transformers") is None:
            raise MissingExtraError("the Trainer callback", "transformers", "transformers")
        self.monitor = monitor

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any
    ) -> None:
        """Restore the monitor if the training resumes."""
        saved = _folder(args, state) / STATE
        if state.global_step and saved.is_file():
            self.monitor.load_state_dict(torch.load(saved, weights_only=True))

    def on_step_end(
        self, _: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Count a step."""
        checks = len(self.monitor.history)
        optimizer = kwargs.get("optimizer")
        if self.monitor.step(getattr(optimizer, "optimizer", optimizer)):
            control.should_training_stop = True
        if len(self.monitor.history) > checks:
            values = {f"drift/{name}": value for name, value in self.monitor.latest.items()}
            state.log_history.append({**values, "step": state.global_step})

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Save the monitor's state beside the checkpoint."""
        with replacing(_folder(args, state) / STATE) as partial:
            torch.save(self.monitor.state_dict(), partial)


def _folder(args: TrainingArguments, state: TrainerState) -> Path:
    return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
