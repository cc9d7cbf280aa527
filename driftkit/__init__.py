"""What moved, what was forgotten, what breaks: audits of fine-tuned embeddings.

Names are loaded on first use, so that ``import driftkit`` and ``driftkit --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import driftkit.forks  # noqa: F401 - from here on, it is noted when this process is forked

if TYPE_CHECKING:
    from driftkit.audits import Audit, audit
    from driftkit.checkpoints import ComparedAudits, compare_audits
    from driftkit.datasets import register_benchmark
    from driftkit.embeddings import Embeddings
    from driftkit.encoders import encode
    from driftkit.evaluators import Scores, compare_scores, register_evaluator, score
    from driftkit.gate import History, Verdict, check, history
    from driftkit.golden import Lock, Verification, lock, read_lock, verify
    from driftkit.links import Link, link
    from driftkit.loaders import inspect, load, register_format
    from driftkit.maps import Map, fit_map
    from driftkit.measures import register_measure
    from driftkit.mteb import compare_results
    from driftkit.neighbors import NeighborShifts, neighbor_shifts
    from driftkit.pair import Pair, align
    from driftkit.patches import Patch, read_patch
    from driftkit.restoring import Restored, restore
    from driftkit.retrieval import RetrievalChanges, compare_retrieval
    from driftkit.thresholds import TranslatedThreshold, translate_threshold

_HOME = {
    "Audit": "audits",
    "ComparedAudits": "checkpoints",
    "Embeddings": "embeddings",
    "History": "gate",
    "Link": "links",
    "Map": "maps",
    "Lock": "golden",
    "NeighborShifts": "neighbors",
    "Pair": "pair",
    "Patch": "patches",
    "Restored": "restoring",
    "RetrievalChanges": "retrieval",
    "Scores": "evaluators",
    "TranslatedThreshold": "thresholds",
    "Verdict": "gate",
    "Verification": "golden",
    "align": "pair",
    "audit": "audits",
    "check": "gate",
    "compare_audits": "checkpoints",
    "compare_results": "mteb",
    "compare_retrieval": "retrieval",
    "compare_scores": "evaluators",
    "fit_map": "maps",
    "encode": "encoders",
    "history": "gate",
    "inspect": "loaders",
    "link": "links",
    "load": "loaders",
    "lock": "golden",
    "neighbor_shifts": "neighbors",
    "read_lock": "golden",
    "read_patch": "patches",
    "restore": "restoring",
    "register_benchmark": "datasets",
    "register_evaluator": "evaluators",
    "register_format": "loaders",
    "register_measure": "measures",
    "score": "evaluators",
    "translate_threshold": "thresholds",
    "verify": "golden",
}

_ROOMS = ("datasets", "encoders", "evaluators", "retrieval", "training")
"""Rooms with names of their own, reached as ``dk.evaluators.Similarity``."""

__all__ = [
    "Audit",
    "ComparedAudits",
    "Embeddings",
    "History",
    "Link",
    "Lock",
    "Map",
    "NeighborShifts",
    "Pair",
    "Patch",
    "Restored",
    "RetrievalChanges",
    "Scores",
    "TranslatedThreshold",
    "Verdict",
    "Verification",
    "align",
    "audit",
    "check",
    "compare_audits",
    "compare_results",
    "compare_retrieval",
    "compare_scores",
    "encode",
    "fit_map",
    "history",
    "inspect",
    "link",
    "load",
    "lock",
    "neighbor_shifts",
    "read_lock",
    "read_patch",
    "register_benchmark",
    "register_evaluator",
    "register_format",
    "register_measure",
    "restore",
    "score",
    "translate_threshold",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("driftkit")
    if name in _ROOMS:
        return import_module(f"driftkit.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'driftkit' has no attribute {name!r}")
    value = getattr(import_module(f"driftkit.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, and the dunder names that tools look for."""
    dunder = (name for name in globals() if name.startswith("__") and name.endswith("__"))
    return sorted({*dunder, "__version__", *_HOME, *_ROOMS})
