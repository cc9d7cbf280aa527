"""Files that hold tensors and no words: choose the table, and put the words to its rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, UnknownNameError, VocabularyError
from driftkit.loaders.source import Request
from driftkit.loaders.vocabulary import Vocabulary, find_vocabulary, read_vocabulary
from driftkit.source import Rounding, Source

SAMPLE_ROWS = 65_536
"""Rows looked at, evenly spaced, when zero rows are counted."""

_OPTIMIZER = re.compile(r"(^|[._])optim|exp_avg|momentum_buffer|square_avg")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file, not read yet.

    Parameters
    ----------
    key : str or None
        Its name; None where the file holds only one, unnamed.
    shape : tuple of int
    dtype : str
        As stored, such as ``"float32"`` or ``"bfloat16"``.
    read : callable
        ``read(step)`` gives every step-th row, in float32 unless stored wider or whole.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[int], npt.NDArray[Any]]

    @property
    def is_table(self) -> bool:
        """Whether this looks like a word table: floating, (n, d), and no optimizer's state."""
        floating = self.dtype.startswith(("float", "bfloat"))
        named_so = self.key is None or not _OPTIMIZER.search(self.key)
        return floating and named_so and len(self.shape) == 2 and min(self.shape) > 0

    @property
    def zero_share(self) -> float:
        """Share of rows that are all zero, of at most `SAMPLE_ROWS` evenly spaced ones."""
        rows = self.read(math.ceil(self.shape[0] / SAMPLE_ROWS))
        return float(1 - np.asarray(rows).any(axis=1).mean())

    def __str__(self) -> str:
        size = " x ".join(f"{length:,}" for length in self.shape) or "one number"
        return f"{self.key} ({size}, {self.dtype})" if self.key else f"{size}, {self.dtype}"


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What a file of tensors holds.

    Parameters
    ----------
    tensors : tuple of Tensor
    vocabulary : Vocabulary, optional
        Words kept inside the file itself.
    """

    tensors: tuple[Tensor, ...]
    vocabulary: Vocabulary | None = None


def vocabulary_for(request: Request, inside: Vocabulary | None) -> Vocabulary | None:
    """Give the words for a file's rows: those the caller names, those inside it, those beside."""
    if request.vocab is not None:
        return read_vocabulary(request.vocab)
    return inside or find_vocabulary(request.path)


def read_table(request: Request, layout: str, file: TensorFile) -> Embeddings:
    """Read the table a request means, with its words.

    Raises
    ------
    UnknownNameError
        If no tensor has the key asked for.
    VocabularyError
        If there are no words, or not one a row.
    SourceError
        If it is not clear which tensor is meant, or the one meant is no table.
    """
    vocabulary = vocabulary_for(request, file.vocabulary)
    tensor = _choose(request, file.tensors, vocabulary)
    if vocabulary is None:
        raise VocabularyError(
            request.name,
            f"no words were found for its {tensor.shape[0]:,} rows; name the file that lists them "
            f"(--vocab FILE, vocab=), or save it beside as {request.path.stem}.vocab.txt.",
        )
    if len(vocabulary) != tensor.shape[0]:
        raise VocabularyError(request.name, misfit(tensor, vocabulary))
    source = Source(
        request.name,
        request.path,
        layout,
        tensor.dtype,
        tensor.key,
        Rounding.of_dtype(tensor.dtype),
    )
    return Embeddings(vocabulary.words, tensor.read(1), source=source)


def misfit(tensor: Tensor, vocabulary: Vocabulary) -> str:
    """Say how rows and words differ in number, and why that usually happens."""
    rows, words = tensor.shape[0], len(vocabulary)
    named = f"tensor {tensor.key}" if tensor.key else "the matrix"
    counts = f"{named} has {rows:,} rows and {vocabulary.where} has {words:,} words"
    if rows > words:
        return (
            f"{counts}; the {rows - words:,} more are usually padding rows: add their words, such "
            "as '<pad>' and '<unk>', where the trainer put them, or cut those rows off."
        )
    return f"{counts}; it is probably the vocabulary of another table: give the one trained with."


def _choose(request: Request, tensors: Sequence[Tensor], vocabulary: Vocabulary | None) -> Tensor:
    if request.key is not None:
        return _named(request, tensors)
    if len(tensors) == 1 and tensors[0].key is None:
        return _require_table(request, tensors[0])
    candidates = [tensor for tensor in tensors if tensor.is_table]
    if not candidates:
        held = _listed(tensors) or "no tensor at all"
        raise SourceError(
            request.name, f"holds no two-dimensional tensor of floating numbers, only {held}."
        )
    if vocabulary is None:
        raise VocabularyError(
            request.name,
            "no words were found for its rows; name the file that lists them (--vocab FILE, "
            f"vocab=), or save it beside as {request.path.stem}.vocab.txt. "
            f"Tables it may mean: {_listed(candidates)}.",
        )
    fitting = [tensor for tensor in candidates if tensor.shape[0] == len(vocabulary)]
    if len(fitting) == 1:
        return fitting[0]
    if len(candidates) == 1:
        raise VocabularyError(request.name, misfit(candidates[0], vocabulary))
    if not fitting:
        raise VocabularyError(
            request.name,
            f"no table has a row for each of the {len(vocabulary):,} words of {vocabulary.where}: "
            f"{_listed(candidates)}. Give the vocabulary the model was trained with.",
        )
    raise SourceError(
        request.name,
        f"{len(fitting)} tables fit the {len(vocabulary):,} words of {vocabulary.where}: "
        f"{_listed(fitting)}. Name one as {request.name}::{fitting[0].key}.",
    )


def _named(request: Request, tensors: Sequence[Tensor]) -> Tensor:
    for tensor in tensors:
        if tensor.key is not None and tensor.key == request.key:
            return _require_table(request, tensor)
    keys = [tensor.key for tensor in tensors if tensor.key is not None]
    if not keys:
        raise SourceError(
            request.name,
            f"holds one unnamed matrix, so there is no tensor {request.key!r}; leave the key out.",
        )
    raise UnknownNameError(
        f"tensor in {request.path}",
        str(request.key),
        keys,
        f"`driftkit inspect {request.path}` lists them.",
    )


def _require_table(request: Request, tensor: Tensor) -> Tensor:
    if len(tensor.shape) != 2 or min(tensor.shape) == 0:
        raise SourceError(
            request.name,
            f"has shape {tensor.shape}; a table of word vectors has two dimensions, "
            "(words, numbers in a vector).",
        )
    return tensor


def _listed(tensors: Sequence[Tensor]) -> str:
    shown = ", ".join(str(tensor) for tensor in tensors[:10])
    return shown + (f" and {len(tensors) - 10:,} more" if len(tensors) > 10 else "")
