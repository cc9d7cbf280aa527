"""Send a monitor's values to TensorBoard, MLflow, Weights & Biases or trackio.

A writer is called with (step, values) after every check: give it to
``DriftMonitor(writers=[...])``. Any function that takes these two will do. Those made here leave
out values that could not be measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from torch.utils.tensorboard import SummaryWriter
    from trackio import Run as TrackioRun
    from wandb import Run as WandbRun

Writer = Callable[[int, Mapping[str, float]], None]

STEP = "drift/step"
"""The axis of all other values in Weights & Biases."""


def tag(name: str, monitor: str = "") -> str:
    """Return the name of a value in a form that both tools accept, behind that of its monitor.

    A benchmark's name can be a file's, and must not lead to another folder of a run. Nor may one
    value be the folder of another, as MLflow keeps them in files.

    >>> tag("overlap@10"), tag("overlap@10[moved]"), tag("spearman[ws353]")
    ('drift/overlap_at_10', 'drift/overlap_at_10.moved', 'drift/spearman.ws353')
    >>> tag("spearman[../../my set]")
    'drift/spearman..._.._my_set'
    >>> tag("moved", monitor="words")
    'drift/words/moved'
    """
    measure, _, on = name.removesuffix("]").partition("[")
    value = ".".join(part for part in (measure.replace("@", "_at_"), on) if part)
    parts = (part for part in (monitor, value) if part)
    return "/".join(["drift", *(re.sub(r"^\.|[^\w.-]", "_", part) for part in parts)])


def to_tensorboard(writer: SummaryWriter) -> Writer:
    """Return a writer to TensorBoard; closing `writer` is left to you."""
    return _each(writer.add_scalar)


def to_mlflow(client: MlflowClient, run_id: str) -> Writer:
    """Return a writer to a run of MLflow, such as that of ``mlflow.active_run().info.run_id``."""
    return _each(lambda name, value, step: client.log_metric(run_id, name, value, step=step))


def to_wandb(run: WandbRun) -> Writer:
    """Return a writer to a run of Weights & Biases, such as that of ``wandb.init()``.

    W&B drops what comes for a step that its own count has passed, as it has where each batch is
    logged. So the step goes along as ``drift/step``, which becomes the axis of these values.
    """
    run.define_metric(STEP, hidden=True)
    run.define_metric("drift/*", step_metric=STEP)

    def write(step: int, values: Mapping[str, float]) -> None:
        run.log({STEP: step, **measured(values)})

    return write


def to_trackio(run: TrackioRun) -> Writer:
    """Return a writer to a run of trackio, such as that of ``trackio.init(project="words")``."""

    def write(step: int, values: Mapping[str, float]) -> None:
        run.log(measured(values), step=step)

    return write


def measured(values: Mapping[str, float], monitor: str = "") -> dict[str, float]:
    """Return the values that were measured, by their tags.

    >>> measured({"moved": 2, "overlap@10[moved]": math.nan})
    {'drift/moved': 2.0}
    """
    return {
        tag(name, monitor): float(value) for name, value in values.items() if not math.isnan(value)
    }


def _each(write_one: Callable[[str, float, int], object]) -> Writer:
    """Return a writer that passes on each value that was measured, with its tag."""

    def write(step: int, values: Mapping[str, float]) -> None:
        for name, value in measured(values).items():
            write_one(name, value, step)

    return write
