"""Which words moved, what was forgotten, what breaks: audits of fine-tuned word embeddings.

Names are loaded on first use, so that ``import driftkit`` and ``driftkit --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftkit.embeddings import Embeddings
    from driftkit.pair import Pair, align

__version__ = version("driftkit")

_HOME = {
    "Embeddings": "driftkit.embeddings",
    "Pair": "driftkit.pair",
    "align": "driftkit.pair",
}

__all__ = ["Embeddings", "Pair", "align"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'driftkit' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
