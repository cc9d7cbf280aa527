"""Which words moved, what was forgotten, what breaks: audits of fine-tuned word embeddings.

Names are loaded on first use, so that ``import driftkit`` and ``driftkit --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftkit.auditing import Audit, audit
    from driftkit.embeddings import Embeddings
    from driftkit.evaluators import Scores, compare_scores, score
    from driftkit.loaders import inspect, load
    from driftkit.neighbors import NeighborShifts, neighbor_shifts
    from driftkit.pair import Pair, align

_HOME = {
    "Audit": "auditing",
    "Embeddings": "embeddings",
    "NeighborShifts": "neighbors",
    "Pair": "pair",
    "Scores": "evaluators",
    "align": "pair",
    "audit": "auditing",
    "compare_scores": "evaluators",
    "inspect": "loaders",
    "load": "loaders",
    "neighbor_shifts": "neighbors",
    "score": "evaluators",
}

__all__ = [
    "Audit",
    "Embeddings",
    "NeighborShifts",
    "Pair",
    "Scores",
    "align",
    "audit",
    "compare_scores",
    "inspect",
    "load",
    "neighbor_shifts",
    "score",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("driftkit")
    if name == "training":  # a room of its own, with names of its own
        return import_module("driftkit.training")
    if name not in _HOME:
        raise AttributeError(f"module 'driftkit' has no attribute {name!r}")
    value = getattr(import_module(f"driftkit.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
