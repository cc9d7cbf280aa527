"""From whatever people saved to `Embeddings`: one file per format."""

from driftkit.loaders.inspecting import inspect
from driftkit.loaders.inspection import Inspection, TableInfo
from driftkit.loaders.loading import load

__all__ = ["Inspection", "TableInfo", "inspect", "load"]
