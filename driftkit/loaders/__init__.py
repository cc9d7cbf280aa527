"""From whatever people saved to `Embeddings`: one file per format, and a way to add one."""

from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.registry import register_format
from driftkit.loaders.inspect import Inspection, TableInfo, inspect
from driftkit.loaders.load import load
from driftkit.loaders.request import Request

__all__ = [
    "Inspection",
    "Request",
    "TableInfo",
    "Tensor",
    "TensorFile",
    "inspect",
    "load",
    "register_format",
]
