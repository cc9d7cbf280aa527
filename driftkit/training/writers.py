"""Send a monitor's figures to TensorBoard or MLflow.

A writer is called with (step, figures) after every check: give it to
``DriftMonitor(writers=[...])``. Any function of that shape will do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from torch.utils.tensorboard import SummaryWriter

Writer = Callable[[int, Mapping[str, float]], None]


def tag(figure: str) -> str:
    """Name of a figure that both tools accept.

    Examples
    --------
    >>> tag("overlap@10"), tag("overlap@10[moved]"), tag("spearman[ws353]")
    ('drift/overlap_at_10', 'drift/overlap_at_10/moved', 'drift/spearman/ws353')
    """
    plain = figure.replace("@", "_at_").replace("[", "/").rstrip("]")
    return "drift/" + re.sub(r"[^\w./-]", "_", plain)


def to_tensorboard(writer: SummaryWriter) -> Writer:
    """Write to TensorBoard.

    Parameters
    ----------
    writer : torch.utils.tensorboard.SummaryWriter
        Yours to close.

    Returns
    -------
    callable
        Figures that could not be measured are left out.
    """

    def write(step: int, figures: Mapping[str, float]) -> None:
        for name, value in _measured(figures).items():
            writer.add_scalar(name, value, step)

    return write


def to_mlflow(client: MlflowClient, run_id: str) -> Writer:
    """Write to a run of MLflow.

    Parameters
    ----------
    client : mlflow.MlflowClient
    run_id : str
        The run's id, such as ``mlflow.active_run().info.run_id``.

    Returns
    -------
    callable
        Figures that could not be measured are left out.
    """

    def write(step: int, figures: Mapping[str, float]) -> None:
        for name, value in _measured(figures).items():
            client.log_metric(run_id, name, value, step=step)

    return write


def _measured(figures: Mapping[str, float]) -> dict[str, float]:
    return {tag(name): float(v) for name, v in figures.items() if not math.isnan(v)}
