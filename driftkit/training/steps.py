"""The steps that an optimizer really takes, whoever calls it, and whether another one steps."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any

from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook


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
        self._listen()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "close"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._listen()

    def _listen(self) -> None:
        this = weakref.ref(self)

        def after(stepped: Optimizer, *_: Any) -> None:
            if (steps := this()) is not None:
                steps._note(stepped)

        self.close = weakref.finalize(self, register_optimizer_step_post_hook(after).remove)

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

    def _note(self, stepped: Optimizer) -> None:
        if stepped.param_groups is self.optimizer.param_groups:
            overflow = getattr(stepped, "found_inf", None)  # a fused one is told by GradScaler
            if overflow is None or not overflow.item():
                self._taken[id(stepped)] += 1
                self.ever = True
            return
        if getattr(stepped, "is_trial", False):  # of `row_motion`
            return
        self.other = type(stepped).__name__
        if not self._taken and not self.rival and _ids(stepped) & _ids(self.optimizer):
            self.rival = self.other


def _ids(optimizer: Optimizer) -> set[int]:
    return {id(each) for group in optimizer.param_groups for each in group["params"]}
