"""NumPy ``.npy``: one matrix, memory-mapped; its words come from a vocabulary."""

from __future__ import annotations

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders.source import Request
from driftkit.loaders.tensors import Tensor, TensorFile, read_table


def looks_like_npy(head: bytes) -> bool:
    """Whether a file that starts so is ``.npy``."""
    return head.startswith(b"\x93NUMPY")


def tensors(request: Request) -> TensorFile:
    """Map the one matrix of the file; nothing is read yet.

    Raises
    ------
    UnsafePickleError
        If it is an array of Python objects, which is a pickle.
    SourceError
        If the header or the length of the file is wrong.
    """
    try:
        array = np.load(request.path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        if "Python objects" in str(error) or "Object arrays" in str(error):
            raise UnsafePickleError(
                request.name,
                "is an array of Python objects, which is a pickle and is never opened; save the "
                "matrix as numbers: np.save(path, np.asarray(matrix, np.float32)).",
            ) from None
        raise SourceError(
            request.name, f"is a damaged or truncated .npy file ({error}); save or copy it again."
        ) from None
    return TensorFile((Tensor(None, array.shape, str(array.dtype), lambda step: array[::step]),))


def read(request: Request) -> Embeddings:
    """Read a ``.npy`` matrix; float32 in C order stays memory-mapped."""
    return read_table(request, "npy", tensors(request))
