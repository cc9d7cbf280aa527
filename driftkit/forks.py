"""Torch in a process that was forked from another.

Threads do not come along into a child. Torch, which does not notice, would hand work to those that
the parent had started, and wait for them for ever.

``import driftkit`` imports this module, so that a fork is noted whatever was used before it.
"""

from __future__ import annotations

import os

_is_child = False


def _note() -> None:
    global _is_child
    _is_child = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note)


def one_thread_in_a_child() -> None:
    """Have torch work alone in this thread, if the process was forked; called before it works.

    A thread keeps a number of its own, so this is said again each time. Children that do not use
    driftkit stay as they are.
    """
    if _is_child:
        import torch

        torch.set_num_threads(1)
