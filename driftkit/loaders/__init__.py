"""From whatever people saved to `Embeddings`: one file per format."""

from driftkit.loaders.inspect import inspect
from driftkit.loaders.inspection import Inspection, TableInfo
from driftkit.loaders.load import load

__all__ = ["Inspection", "TableInfo", "inspect", "load"]
