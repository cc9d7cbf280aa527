"""Words with their vectors in Python's own containers, as people pickle them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import numpy.typing as npt

from driftkit.arrays import type_name
from driftkit.embeddings import Embeddings
from driftkit.forks import one_thread_in_a_child
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.choose_tensor import Tensor, TensorFile, read_table
from driftkit.loaders.formats.format import refuse_vocabulary
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary, words_by_row
from driftkit.provenance import Rounding, Source

if TYPE_CHECKING:
    import pandas as pd

_ACCEPTED = (
    "a map from word to vector, words and their vectors, a data frame with the words as its index, "
    "and gensim's vectors are read"
)


def table_of(request: Request, value: Any) -> Embeddings:
    """Return the table that an object means: a map, words and vectors, a frame, or a matrix."""
    if type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "select_dtypes"):
        return _of_frame(request, value)
    if isinstance(value, Mapping) and value:
        if _is_words_to_vectors(value):
            return _of_map(request, value)
        parts = {_text(key): item for key, item in value.items()}
    elif isinstance(value, list | tuple):
        parts = {str(number): item for number, item in enumerate(value)}
    else:
        parts = {"": value}
    matrices = {key: array for key, part in parts.items() if (array := _matrix(part)) is not None}
    if not matrices:
        raise request.error(f"holds {_described(value)}; {_ACCEPTED}.")
    found = {words for part in parts.values() if (words := _words(part)) is not None}
    if len(found) > 1 and request.vocab is None:
        raise request.error(
            f"holds {len(found)} lists that may be the words of its rows; save the right one as a "
            "file of one word per line and name it (--vocab FILE, vocab=)."
        )
    vocabulary = next((Vocabulary(words, "the list inside the file") for words in found), None)
    only = len(matrices) == 1 and not isinstance(value, Mapping)
    named = [_tensor(None if only else key, array) for key, array in matrices.items()]
    return read_table(request, "pickle", TensorFile(tuple(named), vocabulary))


def _table(request: Request, words: Sequence[str], matrix: npt.NDArray[Any]) -> Embeddings:
    refuse_vocabulary(request)
    dtype = type_name(matrix.dtype)
    source = Source(request.name, request.path, "pickle", dtype, rounding=Rounding.of_dtype(dtype))
    return chosen_table(request, words, lambda rows: matrix[rows], source)


def _of_map(request: Request, vectors: Mapping[Any, Any]) -> Embeddings:
    if request.key is not None:
        raise request.error("maps words to vectors and holds no named tensors; leave the key out.")
    first = _vector(next(iter(vectors.values())))
    require_memory(len(vectors) * first.nbytes, request.name)
    matrix = np.empty((len(vectors), len(first)), first.dtype)
    for row, (word, vector) in enumerate(vectors.items()):
        found = _vector(vector)
        if found.shape != first.shape:
            raise request.error(
                f"maps {_text(word)!r} to a vector of shape {found.shape}, and the first word to "
                f"{len(first)} numbers; every word needs as many."
            )
        matrix[row] = found
    return _table(request, [_text(word) for word in vectors], matrix)


def _of_frame(request: Request, frame: pd.DataFrame) -> Embeddings:
    others = [str(name) for name in frame.columns if frame[name].dtype.kind not in "fiu"]
    if others or not all(isinstance(word, str | bytes) for word in frame.index):
        what = f"columns that are no numbers ({', '.join(others[:5])})" if others else "no words"
        where = "" if others else " as its index"
        raise request.error(
            f"is a data frame with {what}{where}; make the words its index and leave only the "
            "numbers: frame.set_index('word')."
        )
    return _table(request, [_text(word) for word in frame.index], frame.to_numpy())


def _is_words_to_vectors(value: Mapping[Any, Any]) -> bool:
    """Whether each key is a word and its value, of the first ones, a vector."""
    first = [item for item, _ in zip(value.values(), range(8), strict=False)]
    return all(isinstance(key, str | bytes | int) for key in value) and all(
        _matrix(item) is None and _vector(item).dtype.kind in "fiu" and _vector(item).ndim == 1
        for item in first
    )


def _vector(value: Any) -> npt.NDArray[Any]:
    """Return a list, array or tensor as an array; anything else as one of objects."""
    if hasattr(value, "detach"):
        one_thread_in_a_child()
        value = value.detach().cpu()
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    try:
        return np.asarray(value)
    except ValueError:  # lists of several lengths
        return np.array(None, object)


def _matrix(value: Any) -> npt.NDArray[Any] | None:
    """Return what is a matrix of numbers: an array, a tensor, or vectors of one length."""
    if isinstance(value, list | tuple) and value and _is_vector(value[0]):
        if len({len(row) if _is_vector(row) else -1 for row in value}) > 1:
            return None
        value = np.stack([_vector(row) for row in value])
    elif not hasattr(value, "shape"):
        return None
    array = _vector(value)
    return array if array.ndim == 2 and array.dtype.kind in "fiu" else None


def _is_vector(value: Any) -> TypeGuard[Sequence[float]]:
    return (
        not isinstance(value, str | bytes)
        and hasattr(value, "__len__")
        and _vector(value).ndim == 1
    )


def _words(value: Any) -> tuple[str, ...] | None:
    """Return a list of words, or those of a map from word to row."""
    if isinstance(value, Mapping) and value and all(type(row) is int for row in value.values()):
        return words_by_row({_text(word): row for word, row in value.items()}, "its map of words")
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "USO":
        value = value.tolist()
    is_list = isinstance(value, list | tuple) and bool(value)
    if is_list and all(isinstance(word, str | bytes) for word in value):
        return tuple(map(_text, value))
    return None


def _text(word: Any) -> str:
    """Return a word; text of Python 2 is UTF-8."""
    return word.decode("utf-8", "backslashreplace") if isinstance(word, bytes) else str(word)


def _tensor(key: str | None, array: npt.NDArray[Any]) -> Tensor:
    return Tensor(key, array.shape, type_name(array.dtype), lambda rows: array[rows])


def _described(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, Mapping | list | tuple):
        inner = list(value.values()) if isinstance(value, Mapping) else value
        what = f" of {type(inner[0]).__name__}" if inner else ""
        entries = "1 entry" if len(value) == 1 else f"{len(value):,} entries"
        return f"a {kind} of {entries}{what and f', the first{what}'}"
    return f"an object of type {kind}"
