"""Compile a function the first time it is called, where numba is installed.

Compiled code is kept in numba's cache: beside the module where that folder can be written, else in
the user's cache folder, else nowhere, and then each process compiles once (about two seconds).
The interpreter's lock is released inside, so plain threads run side by side and numba's own
thread pool, which is global, is never started.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def can_compile() -> bool:
    """Whether numba is installed and not told to interpret, which is far slower than torch."""
    return os.environ.get("NUMBA_DISABLE_JIT", "") in ("", "0") and find_spec("numba") is not None


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; floating point keeps its order and its bits."""
    njit: Any = import_module("numba").njit
    made: F
    try:
        made = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder that can be written
        made = njit(nogil=True)(function)
    return made
