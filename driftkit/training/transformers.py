"""Trainer callbacks of transformers that watch a table drift, and that unfreeze layers."""

from __future__ import annotations

import base64
import io
import zlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from driftkit.errors import MissingExtraError, OptionError
from driftkit.training.monitor import DriftMonitor
from driftkit.training.unfreezing import Stage, Unfreezing
from driftkit.training.writers import measured

if TYPE_CHECKING or find_spec("transformers") is not None:
    from transformers import (
        Trainer,
        TrainerCallback,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )
else:
    TrainerCallback = object


class _Resumed(TrainerCallback):  # type: ignore[misc]
    """A callback with a name, whose part of a run is kept in ``trainer_state.json``.

    That file goes where its checkpoint goes, and the Trainer reads it before training begins.
    """

    part: DriftMonitor | Unfreezing

    def __init__(self, trainer: Trainer, name: str) -> None:
        if find_spec("transformers") is None:
            raise MissingExtraError("the Trainer callback", "transformers", "transformers")
        if trainer.model_init is not None:
            raise OptionError(
                "this Trainer has a model_init, so it makes a new model when training starts, "
                "which is not the one of this callback; make the Trainer with model=model_init()."
            )
        self.trainer, self.name = trainer, name

    @property
    def _key(self) -> str:
        return f"driftkit {type(self).__name__}[{self.name}]"

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        *_: Any,
        **__: Any,
    ) -> None:
        """Go on from the checkpoint if the training resumes."""
        if not state.global_step:
            return
        if self._key not in state.stateful_callbacks:
            raise OptionError(
                f"the checkpoint of step {state.global_step} holds no {self._key}; resume with the "
                "callbacks and names it was saved with, or load its weights alone and start a new "
                "run."
            )
        packed = zlib.decompress(base64.b64decode(state.stateful_callbacks[self._key]))
        self.part.load_state_dict(torch.load(io.BytesIO(packed), weights_only=True))

    def _keep(self, state: TrainerState) -> None:
        file = io.BytesIO()
        torch.save(self.part.state_dict(), file)
        packed = base64.b64encode(zlib.compress(file.getvalue()))
        state.stateful_callbacks[self._key] = packed.decode("ascii")


class DriftTrainerCallback(_Resumed):
    """Count every optimizer step for a `DriftMonitor`, and stop when it says so.

    The last steps of a run are checked too. That check is in the history and the logs, and not in
    checkpoints, so that a resumed run has the history of one that was never stopped. With
    ``load_best_model_at_end`` the history has one more check, of the model that was loaded.

    The values of each check are logged by the Trainer at the step they were measured, under
    ``drift/`` and names that all trackers take, such as ``drift/overlap_at_10``, and so reach
    whatever it reports to. The state of the monitor is saved in every checkpoint and restored from
    it. Make the monitor from the original table, before training resumes::

        trainer.add_callback(DriftTrainerCallback(trainer, monitor))

    Parameters
    ----------
    trainer : transformers.Trainer
    monitor : DriftMonitor
    name : str
        Tells several monitors of a run apart: values are then under ``drift/NAME/``.
    """

    def __init__(self, trainer: Trainer, monitor: DriftMonitor, name: str = "") -> None:
        super().__init__(trainer, name)
        self.monitor = self.part = monitor

    def on_step_end(
        self, _: TrainingArguments, state: TrainerState, control: TrainerControl, **__: Any
    ) -> None:
        """Count a step."""
        checks = len(self.monitor.history)
        if self.monitor.step():
            control.should_training_stop = True
        self._log_since(checks)
        if control.should_save:
            self._keep(state)

    def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
        """Check the last steps too, when the Trainer sums up.

        All is saved by then, and the best model not yet loaded in place of the last.
        """
        if "train_runtime" in logs:
            checks = len(self.monitor.history)
            self.monitor.end()
            self._log_since(checks)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Check again if the best model was loaded in place of the last, for the history alone.

        Trackers have closed their runs by then.
        """
        self.monitor.end()

    def _log_since(self, checks: int) -> None:
        if len(self.monitor.history) > checks:
            self.trainer.log(measured(self.monitor.latest, self.name))

    def on_epoch_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Keep the state for a checkpoint of this epoch."""
        self._keep(state)

    def on_evaluate(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Keep the state for a checkpoint that this evaluation may call for."""
        self._keep(state)


class UnfreezingTrainerCallback(_Resumed):
    """Freeze layers when the training starts and unfreeze them when their time comes.

    It uses the Trainer's own optimizer, counts steps and epochs, and is saved in every checkpoint
    and restored from it::

        trainer.add_callback(
            UnfreezingTrainerCallback(trainer, Stage(model.embedding, AtEpoch(2), rate=1e-4))
        )

    Parameters
    ----------
    trainer : transformers.Trainer
    *stages : Stage
        In the order in which they are unfrozen; see `gradual_stages`.
    metric : str
        Name of the evaluated value that `OnPlateau` waits for, such as ``eval_loss``.
    name : str
        Tells several of these in one run apart.

    Attributes
    ----------
    recipe : Unfreezing

    Raises
    ------
    OptionError
        If `Unfreezing` refuses, or the Trainer does not evaluate `metric` after every epoch.
    """

    def __init__(self, trainer: Trainer, *stages: Stage, metric: str = "", name: str = "") -> None:
        super().__init__(trainer, name)
        evaluated, saved = trainer.args.eval_strategy, trainer.args.save_strategy
        if metric and (evaluated != "epoch" or saved == "steps"):
            raise OptionError(
                f"metric={metric!r} is read after every epoch; give TrainingArguments "
                'eval_strategy="epoch" and save_strategy="epoch".'
            )
        self.metric = metric
        self.recipe = self.part = Unfreezing(
            trainer.create_optimizer(), stages, model=trainer.model
        )
        self._is_training, self._start = False, self.recipe.state_dict()
        for layer in self.recipe._layers:  # a model is wrapped when training starts: all must train
            for parameter in layer:
                parameter.requires_grad_(True)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any
    ) -> None:
        """Freeze, or go on from the checkpoint."""
        # A smaller batch is tried (auto_find_batch_size): the steps begin anew.
        again = self._is_training and not state.global_step
        self.recipe.load_state_dict(self._start if again else self.recipe.state_dict())
        self._start, self._is_training = self.recipe.state_dict(), True
        super().on_train_begin(args, state)
        if not self.metric:  # a checkpoint of the last step of an epoch is saved before it ends
            self._end_epochs(state, None)

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Remember that this training is over."""
        self._is_training = False

    def on_step_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Count a step."""
        self.recipe.step()
        self._keep(state)

    def on_epoch_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Count an epoch, unless its evaluation is still to come."""
        if not self.metric:
            self._end_epochs(state, None)
        elif self.recipe.epochs + 1 < int(state.epoch or 0):
            raise OptionError(
                f"no evaluation gave metric={self.metric!r}; name one that compute_metrics "
                "returns, with eval_ before it, or eval_loss."
            )

    def on_evaluate(
        self,
        _: TrainingArguments,
        state: TrainerState,
        __: TrainerControl,
        metrics: dict[str, float],
        **___: Any,
    ) -> None:
        """Count an epoch whose evaluation this was."""
        if self.metric in metrics:
            self._end_epochs(state, metrics[self.metric])

    def _end_epochs(self, state: TrainerState, metric: float | None) -> None:
        while self.recipe.epochs < int(state.epoch or 0):
            self.recipe.end_epoch(metric)
        self._keep(state)
