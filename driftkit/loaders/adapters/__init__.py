"""Adapters of peft: the tensors that a model has once they are merged into its base."""

from driftkit.loaders.adapters.config import adapter_folders
from driftkit.loaders.adapters.model import merged

__all__ = ["adapter_folders", "merged"]
