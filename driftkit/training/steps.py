"""The steps that an optimizer really takes, whoever calls it, and whether another one steps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch.optim import Optimizer

from driftkit.training.listening import listen


class Steps:
    """Count the steps of one optimizer.

    A call of its ``step`` is none where a `GradScaler` skips it, and where gradients are being
    accumulated a loop may call what wraps the optimizer without a step of its own.

    Attributes
    ----------
    ever : bool
        Whether it has taken a step.
    other : str
        The kind of another optimizer that has, empty if none.
    rival : str
        The kind of another one that took a step since the last `taken`, and trains parameters that
        this one holds too; empty if none.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.ever, self.other, self.rival = False, "", ""
        self._taken: Counter[int] = Counter()
        wrapped = (optimizer, getattr(optimizer, "optimizer", None))
        self._is_heard = any(getattr(type(each).step, "hooked", False) for each in wrapped if each)
        listen(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        listen(self)

    def taken(self) -> int:
        """Return how many steps were taken since this was called last; 1 if nothing tells of them.

        An optimizer inside another one, with the same groups, steps once.
        """
        taken = max(self._taken.values(), default=0) if self._is_heard else 1
        self.forget()
        return taken

    def forget(self) -> None:
        """Leave out the steps taken since."""
        self._taken.clear()
        self.rival = ""

    def before_step(self, optimizer: Optimizer) -> None:
        """A step that only begins may be none."""

    def after_step(self, optimizer: Optimizer) -> None:
        """Count a step of the own optimizer, and remember one of another."""
        if optimizer.param_groups is self.optimizer.param_groups:
            overflow = getattr(optimizer, "found_inf", None)  # a fused one is told by GradScaler
            if overflow is None or not overflow.item():
                self._taken[id(optimizer)] += 1
                self.ever = True
            return
        if getattr(optimizer, "is_trial", False):  # of `row_motion`
            return
        self.other = type(optimizer).__name__
        if not self._taken and not self.rival and _ids(optimizer) & _ids(self.optimizer):
            self.rival = self.other


def _ids(optimizer: Optimizer) -> set[int]:
    return {id(each) for group in optimizer.param_groups for each in group["params"]}
