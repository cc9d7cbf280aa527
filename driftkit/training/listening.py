"""One pair of hooks on every step of every optimizer, for all who listen.

torch goes through its global hooks at each step. One that is taken off meanwhile, as garbage
collection may do with its owner at any moment, stops the training with an error, so these stay.
"""

from __future__ import annotations

import weakref
from functools import cache
from itertools import count
from typing import Any, Protocol

from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


class Listener(Protocol):
    """Who is told of steps."""

    def before_step(self, optimizer: Optimizer) -> None:
        """Hear that a step begins."""

    def after_step(self, optimizer: Optimizer) -> None:
        """Hear that it has ended."""


_COUNTER = count()
_LISTENERS: weakref.WeakValueDictionary[int, Listener] = weakref.WeakValueDictionary()


def listen(listener: Listener) -> None:
    """Tell `listener` of every step from now on, after those who began before it."""
    _hook()
    _LISTENERS[next(_COUNTER)] = listener


def ignore(listener: Listener) -> None:
    """Tell `listener` of no step any more."""
    for number, each in list(_LISTENERS.items()):
        if each is listener:
            _LISTENERS.pop(number, None)


@cache
def _hook() -> None:
    def before(optimizer: Optimizer, *_: Any) -> None:
        for each in list(_LISTENERS.values()):
            each.before_step(optimizer)

    def after(optimizer: Optimizer, *_: Any) -> None:
        for each in list(_LISTENERS.values()):
            each.after_step(optimizer)

    register_optimizer_step_pre_hook(before)
    register_optimizer_step_post_hook(after)
