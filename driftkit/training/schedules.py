"""Learning rates that forget less: slanted triangular, warm-up, and lower rates further down.

A schedule here is a plain `torch.optim.lr_scheduler.LRScheduler`: call ``step()`` after every step
of the optimizer, and save it with ``state_dict()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from driftkit.errors import OptionError
from driftkit.training.optimizers import Layer, Times, check_rate, parameters_of


def slanted_triangular(t: int, total: int, cut_frac: float = 0.1, ratio: float = 32) -> float:
    """Return the share of the highest rate that step t gets, ``(1 + p (ratio - 1)) / ratio``.

    p rises from 0 to 1 until step `cut`, then falls to 0. As published it falls below 0 where the
    floor has rounded `cut` down, and divides by zero where `cut` is 0; here p stops at 0, and
    without a rise it falls evenly from 1 at step 0 to 0 at step `total`.

    >>> [slanted_triangular(t, 100) for t in (0, 10, 100)]
    [0.03125, 1.0, 0.03125]
    """
    cut = int(total * cut_frac)
    if t < cut:
        p = t / cut
    elif cut == 0:
        p = 1 - t / total
    else:
        p = 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return (1 + max(p, 0.0) * (ratio - 1)) / ratio


class SlantedTriangular(LRScheduler):
    """Raise every group's rate steeply from 1 / `ratio` of its own, then lower it slowly again.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The rate each group has now is its highest.
    total : int
        Steps of the whole training.
    cut_frac : float
        Share of the steps with a rising rate, at least 0 and below 1.
    ratio : float
        How many times lower the lowest rate is than the highest, 1 or more.

    Raises
    ------
    OptionError
        If an option is out of range.

    References
    ----------
    Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", eq. 3,
    with a rate that never falls below the lowest.

    Examples
    --------
    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.32)
    >>> schedule = SlantedTriangular(optimizer, total=100)
    >>> round(schedule.get_last_lr()[0], 6)
    0.01
    """

    def __init__(
        self, optimizer: Optimizer, total: int, *, cut_frac: float = 0.1, ratio: float = 32
    ) -> None:
        if total < 1 or not 0 <= cut_frac < 1 or ratio < 1:
            raise OptionError(
                f"total={total}, cut_frac={cut_frac} and ratio={ratio} were given; total and ratio "
                "must be 1 or more, cut_frac at least 0 and below 1."
            )
        self.total, self.cut_frac, self.ratio = total, cut_frac, ratio
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """Return the rate of each group at the present step."""
        t = min(self.last_epoch, self.total)  # torch calls the number of steps so far last_epoch
        share = slanted_triangular(t, self.total, self.cut_frac, self.ratio)
        return [rate * share for rate in self.base_lrs]


class WarmUp(LRScheduler):
    """Raise every group's rate evenly to its own within the first steps, and keep it there.

    Step t from 0 gets ``min(1, (t + 1) / steps)`` of the rate: no step has rate 0.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    steps : int
        Steps until the full rate: step number `steps`, counted from 1, is the first to have it.

    Raises
    ------
    OptionError
        If `steps` is below 1.
    """

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        if steps < 1:
            raise OptionError(f"steps={steps} was given; a warm-up takes 1 step or more.")
        self.steps = steps
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """Return the rate of each group at the present step."""
        share = min(1.0, (self.last_epoch + 1) / self.steps)
        return [rate * share for rate in self.base_lrs]


def discriminative_rates(
    layers: Sequence[Layer], rate: float, factor: float = 2.6
) -> list[dict[str, Any]]:
    """Return parameter groups whose rate is divided by `factor` with every layer down.

    Parameters
    ----------
    layers : sequence of torch.nn.Module or of parameters
        From the bottom, the embedding, to the top.
    rate : float
        Rate of the top layer.
    factor : float
        2.6 in the paper.

    Returns
    -------
    list of dict
        For an optimizer's constructor, in the order of `layers`.

    Raises
    ------
    OptionError
        If a parameter belongs to two layers, a layer has none, or an option is out of range.

    References
    ----------
    Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", 3.2.

    Examples
    --------
    >>> from torch import nn
    >>> groups = discriminative_rates([nn.Embedding(3, 2), nn.Linear(2, 2), nn.Linear(2, 1)], 0.676)
    >>> [round(group["lr"], 3) for group in groups]
    [0.1, 0.26, 0.676]
    """
    check_rate(rate)
    if isinstance(rate, Times) or rate == 0 or factor < 1:
        raise OptionError(
            f"rate={rate} and factor={factor} were given; the rate must be a positive number, as "
            "no optimizer has one yet, and the factor 1 or more."
        )
    top_down = enumerate(parameters_of(layers)[::-1])
    groups = [{"params": layer, "lr": rate / factor**depth} for depth, layer in top_down]
    return groups[::-1]
