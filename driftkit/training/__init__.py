"""Train without forgetting: schedules and regularizers that keep knowledge, a monitor of drift.

Names are loaded on first use. The adapters keep to their modules, ``driftkit.training.lightning``,
``.transformers`` and ``.writers``, since each needs a library of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftkit.training.budget import Budget
    from driftkit.training.embedding import WordEmbedding, embedding_from
    from driftkit.training.mixout import MixoutEmbedding
    from driftkit.training.monitor import DriftMonitor
    from driftkit.training.regularizers import EWC, L2SP, NeighborPreserving, fisher_diagonal
    from driftkit.training.rows import Ball, mask_rare_rows, mask_rows
    from driftkit.training.schedules import SlantedTriangular, WarmUp, discriminative_rates
    from driftkit.training.unfreezing import (
        AtEpoch,
        AtStep,
        OnPlateau,
        Stage,
        Unfreezing,
        freeze_then_unfreeze,
        gradual_unfreezing,
    )

_HOME = {
    "AtEpoch": "unfreezing",
    "AtStep": "unfreezing",
    "Ball": "rows",
    "Budget": "budget",
    "DriftMonitor": "monitor",
    "EWC": "regularizers",
    "L2SP": "regularizers",
    "MixoutEmbedding": "mixout",
    "NeighborPreserving": "regularizers",
    "OnPlateau": "unfreezing",
    "SlantedTriangular": "schedules",
    "Stage": "unfreezing",
    "Unfreezing": "unfreezing",
    "WarmUp": "schedules",
    "WordEmbedding": "embedding",
    "discriminative_rates": "schedules",
    "embedding_from": "embedding",
    "fisher_diagonal": "regularizers",
    "freeze_then_unfreeze": "unfreezing",
    "gradual_unfreezing": "unfreezing",
    "mask_rare_rows": "rows",
    "mask_rows": "rows",
}

__all__ = [
    "EWC",
    "L2SP",
    "AtEpoch",
    "AtStep",
    "Ball",
    "Budget",
    "DriftMonitor",
    "MixoutEmbedding",
    "NeighborPreserving",
    "OnPlateau",
    "SlantedTriangular",
    "Stage",
    "Unfreezing",
    "WarmUp",
    "WordEmbedding",
    "discriminative_rates",
    "embedding_from",
    "fisher_diagonal",
    "freeze_then_unfreeze",
    "gradual_unfreezing",
    "mask_rare_rows",
    "mask_rows",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'driftkit.training' has no attribute {name!r}")
    value = getattr(import_module(f"driftkit.training.{_HOME[name]}"), name)
    globals()[name] = value
    return value
