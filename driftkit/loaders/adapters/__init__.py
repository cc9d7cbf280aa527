"""Adapters of peft: the tensors that a model has once they are merged into its base."""

from driftkit.loaders.adapters.config import DEFAULT, adapter_folders, adapters_of
from driftkit.loaders.adapters.model import merged

__all__ = ["DEFAULT", "adapter_folders", "adapters_of", "merged"]
