"""Train without forgetting: schedules and regularizers that keep knowledge, a monitor of drift.

Names are loaded on first use. What needs a library of its own is imported from its module:
``driftkit.training.lightning``, ``.transformers`` and ``.writers``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftkit.training.embedding import MixoutEmbedding, WordEmbedding, embedding_from
    from driftkit.training.monitor import Budget, DriftMonitor
    from driftkit.training.optimizers import Times, row_motion
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
        gradual_stages,
        gradual_unfreezing,
    )

_HOMES = {
    "embedding": ("MixoutEmbedding", "WordEmbedding", "embedding_from"),
    "monitor": ("Budget", "DriftMonitor"),
    "optimizers": ("Times", "row_motion"),
    "regularizers": ("EWC", "L2SP", "NeighborPreserving", "fisher_diagonal"),
    "rows": ("Ball", "mask_rare_rows", "mask_rows"),
    "schedules": ("SlantedTriangular", "WarmUp", "discriminative_rates"),
    "unfreezing": (
        *("AtEpoch", "AtStep", "OnPlateau", "Stage", "Unfreezing"),
        *("freeze_then_unfreeze", "gradual_stages", "gradual_unfreezing"),
    ),
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
    "Times",
    "Unfreezing",
    "WarmUp",
    "WordEmbedding",
    "discriminative_rates",
    "embedding_from",
    "fisher_diagonal",
    "freeze_then_unfreeze",
    "gradual_stages",
    "gradual_unfreezing",
    "mask_rare_rows",
    "mask_rows",
    "row_motion",
]


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'driftkit.training' has no attribute {name!r}")
    value = getattr(import_module(f"driftkit.training.{home}"), name)
    globals()[name] = value
    return value
