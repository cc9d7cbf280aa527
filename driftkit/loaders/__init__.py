"""From whatever people saved to `Embeddings`: one file per format."""

from driftkit.loaders.inspection import Inspection, TableInfo, inspect
from driftkit.loaders.loading import load

__all__ = ["Inspection", "TableInfo", "inspect", "load"]
