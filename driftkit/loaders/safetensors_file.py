"""safetensors: named tensors, opened lazily, one read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.source import Request
from driftkit.loaders.tensors import Tensor, TensorFile, read_table
from driftkit.loaders.vocabulary import Vocabulary, is_state_of_words, words_of_state

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that starts so is safetensors: a length in 8 bytes, then JSON."""
    return len(head) > 9 and head[8:9] == b"{" and head[6:8] == b"\0\0"


def tensors(request: Request) -> TensorFile:
    """List the tensors by the file's header alone.

    Raises
    ------
    SourceError
        If the header does not fit the file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        file: Any = safe_open(request.path, framework="pt")
        listed: list[Tensor] = []
        vocabulary: Vocabulary | None = None
        for key in file.keys():  # noqa: SIM118 (the handle is no dict)
            part = file.get_slice(key)
            dtype = _DTYPES.get(part.get_dtype(), part.get_dtype().lower())
            listed.append(Tensor(key, tuple(part.get_shape()), dtype, _reader(file, key)))
            if is_state_of_words(key, listed[-1].dtype, listed[-1].shape):
                state = bytes(listed[-1].read(1))
                vocabulary = words_of_state(state, f"{key} inside the file") or vocabulary
    except SafetensorError as error:
        raise SourceError(
            request.name,
            f"is a damaged or truncated safetensors file ({error}); save or copy it again.",
        ) from None
    return TensorFile(tuple(listed), vocabulary)


def _reader(file: Any, key: str) -> Any:
    def read_rows(step: int) -> npt.NDArray[np.generic]:
        from driftkit.loaders.torch_checkpoint import to_numpy

        return to_numpy(file.get_tensor(key)[::step])

    return read_rows


def read(request: Request) -> Embeddings:
    """Read one tensor of a safetensors file."""
    return read_table(request, "safetensors", tensors(request))
