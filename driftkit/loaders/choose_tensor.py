"""Files that hold tensors and no words: choose the table, and put the words to its rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.errors import UnknownNameError, VocabularyError
from driftkit.loaders.choose_rows import Rows, chosen_table
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.find import find_vocabulary, read_vocabulary
from driftkit.loaders.vocabulary.words import Vocabulary, words_of_json
from driftkit.provenance import Rounding, Source

# A tensor is described by evenly spaced rows: no more than these, and of no more bytes.
SAMPLE_BYTES = 1 << 24
SAMPLE_ROWS = 4_096

_OPTIMIZER = re.compile(r"(^|[._])optim|exp_avg|momentum_buffer|square_avg")
_INPUT = re.compile(
    r"(word_embeddings?|embed_tokens|token_embeddings?|tok_embeddings|wte|word_emb|shared"
    r"|emb|embed|embeddings?|embedding_layer|vectors)(\.weight|\.emb\.weight)?$"
)
_POSITIONS = re.compile(r"position|wpe|token_type|segment|lm_head|decoder|output|head")


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
        ``read(rows)`` returns those rows, given as a slice or as row numbers.
    storage : object, optional
        Where its numbers lie; two tensors for which it is equal share them (tied weights).
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[Rows], npt.NDArray[Any]]
    storage: object = None

    @property
    def is_table(self) -> bool:
        """Whether it may be a word table: floating, (n, d), and not an optimizer's state."""
        floating = self.dtype.startswith(("float", "bfloat"))
        named_so = self.key is None or not _OPTIMIZER.search(self.key)
        return floating and named_so and len(self.shape) == 2 and min(self.shape) > 0

    @property
    def is_named_input(self) -> bool:
        """Whether its name is one that input embeddings usually have."""
        key = self.key or ""
        return bool(_INPUT.search(key)) and not _POSITIONS.search(key)

    def sample(self) -> npt.NDArray[Any]:
        """Return evenly spaced rows, few enough to be read in a moment."""
        n, d = self.shape
        rows = min(SAMPLE_ROWS, max(SAMPLE_BYTES // (4 * d), 1))
        return np.asarray(self.read(slice(None, None, math.ceil(n / rows))))

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


def words_inside(tensor: Tensor) -> Vocabulary | None:
    """Return the words, if this is the state in which a `WordEmbedding` saves them."""
    key = tensor.key or ""
    named = key.rpartition(".")[2] == "_extra_state"
    if not named or tensor.dtype != "uint8" or len(tensor.shape) != 1:
        return None
    try:
        state = parse_json(bytes(tensor.read(slice(None))))
    except ValueError:
        return None
    words = state.get("words") if isinstance(state, dict) else None
    where = f"{key} inside the file"
    return None if words is None else Vocabulary(words_of_json(words, where), where)


def vocabulary_for(request: Request, inside: Vocabulary | None) -> Vocabulary | None:
    """Return the words for a file's rows: those the caller names, those inside it, those beside."""
    if request.vocab is not None:
        return read_vocabulary(request.vocab, unsafe_pickle=request.unsafe_pickle)
    return inside or find_vocabulary(request.path)


def read_table(request: Request, layout: str, file: TensorFile) -> Embeddings:
    """Read the table that a request means, with its words; padding past them is left out."""
    vocabulary = vocabulary_for(request, file.vocabulary)
    tensor = _choose(request, file.tensors, vocabulary)
    if vocabulary is None:
        raise _no_words(request, f"its {tensor.shape[0]:,} rows")
    problems = Problems(vocabulary.problems)
    if len(vocabulary) != tensor.shape[0]:
        problems.add("padding rows", len(vocabulary), _padding(request, tensor, vocabulary))
    rounding = Rounding.of_dtype(tensor.dtype)
    source = Source(request.name, request.path, layout, tensor.dtype, tensor.key, rounding)

    def read(rows: Rows) -> npt.NDArray[Any]:
        if tensor.dtype != "float32" or not isinstance(rows, slice):
            count = rows.stop if isinstance(rows, slice) else len(rows)
            require_memory(4 * count * tensor.shape[1], request.name)
        return tensor.read(rows)

    return chosen_table(request, vocabulary.words, read, source, problems)


def _no_words(request: Request, rows: str, more: str = "") -> VocabularyError:
    return VocabularyError(
        request.name,
        f"no words were found for {rows}; name the file that lists them (--vocab FILE, vocab=), or "
        f"save it beside as {request.path.stem}.vocab.txt.{more}",
    )


def fits(tensor: Tensor, vocabulary: Vocabulary) -> bool:
    """Whether each row has a word, leaving padding rows aside."""
    rows, words = tensor.shape[0], len(vocabulary)
    return rows == words or (rows > words and _is_padding(tensor, vocabulary))


def _is_padding(tensor: Tensor, vocabulary: Vocabulary) -> bool:
    # Rows cannot be anyone's past a tokenizer's last token, or where they are all zero.
    # A table with twice the rows belongs to other words, whatever its last rows hold.
    if tensor.shape[0] > 2 * len(vocabulary) + 1024:
        return False
    if vocabulary.is_tokenizer:
        return True
    return not np.asarray(tensor.read(slice(len(vocabulary), None))).any()


def _padding(request: Request, tensor: Tensor, vocabulary: Vocabulary) -> str:
    if not fits(tensor, vocabulary):
        raise VocabularyError(request.name, misfit(tensor, vocabulary))
    why = "without a token" if vocabulary.is_tokenizer else "of zeros past the last word"
    extra = tensor.shape[0] - len(vocabulary)
    return f"{extra:,} row{'s' if extra > 1 else ''} {why} left out"


def misfit(tensor: Tensor, vocabulary: Vocabulary) -> str:
    """Say how the numbers of rows and words differ, and why that usually happens."""
    rows, words = tensor.shape[0], len(vocabulary)
    named = f"tensor {tensor.key}" if tensor.key else "the matrix"
    counts = f"{named} has {rows:,} rows and {vocabulary.where} has {words:,} words"
    if rows > words:
        extra = "extra row is" if rows == words + 1 else f"{rows - words:,} extra rows are"
        return (
            f"{counts}; the {extra} usually padding: add words such as '<pad>' and '<unk>' where "
            "the trainer put them, or cut those rows off."
        )
    return (
        f"{counts}; that vocabulary probably belongs to another table: give the one this table was "
        "trained with."
    )


def tied_to(tensor: Tensor, others: Sequence[Tensor]) -> Tensor | None:
    """Return the first other tensor that shares its numbers with this one."""
    if tensor.storage is None:
        return None
    shared = (t for t in others if t is not tensor and t.storage == tensor.storage)
    return next((t for t in shared if t.shape == tensor.shape), None)


def _choose(request: Request, tensors: Sequence[Tensor], vocabulary: Vocabulary | None) -> Tensor:
    if request.key is not None:
        return tensor_named(request, tensors)
    if len(tensors) == 1 and tensors[0].key is None:
        return _require_table(request, tensors[0])
    candidates = [tensor for tensor in tensors if tensor.is_table]
    if not tensors:
        raise request.error("holds no dense tensor.")
    if not candidates:
        raise request.error(
            f"holds no two-dimensional tensor of floating-point numbers, only {_listed(tensors)}."
        )
    if vocabulary is None:
        raise _no_words(request, "its rows", f" Tables it may mean: {_listed(candidates)}.")
    fitting = [tensor for tensor in candidates if tensor.shape[0] == len(vocabulary)]
    fitting = fitting or [tensor for tensor in candidates if fits(tensor, vocabulary)]
    if len(fitting) > 1:
        # Of several with a row for each word, the one named like input embeddings is meant; a
        # tied output layer holds the same numbers.
        inputs = [tensor for tensor in fitting if tensor.is_named_input]
        fitting = inputs if len(inputs) == 1 else fitting
    if len(fitting) == 1 or (fitting and all(tied_to(t, fitting) for t in fitting)):
        return fitting[0]
    if len(candidates) == 1:
        raise VocabularyError(request.name, misfit(candidates[0], vocabulary))
    if not fitting:
        raise VocabularyError(
            request.name,
            f"no table has a row for each of the {len(vocabulary):,} words of {vocabulary.where}: "
            f"{_listed(candidates)}. Give the vocabulary the model was trained with.",
        )
    raise request.error(
        f"{len(fitting)} tables fit the {len(vocabulary):,} words of {vocabulary.where}: "
        f"{_listed(fitting)}. Name one as {request.name}::{fitting[0].key}."
    )


def tensor_named(request: Request, tensors: Sequence[Tensor]) -> Tensor:
    """Return the table with the key of a request, or the only one whose name ends so."""
    keys = {tensor.key: tensor for tensor in tensors if tensor.key is not None}
    if not keys:
        raise request.error(
            f"holds one unnamed matrix, so there is no tensor {request.key!r}; leave the key out."
        )
    key = str(request.key)
    if key in keys:
        return _require_table(request, keys[key])
    # Wrappers put prefixes before the names people know: module., _orig_mod., model., ...
    wrapped = [tensor for whole, tensor in keys.items() if whole.endswith(f".{key}")]
    if len(wrapped) == 1:
        return _require_table(request, wrapped[0])
    raise UnknownNameError(
        f"tensor in {request.path}", key, keys, f"`driftkit inspect {request.path}` lists them."
    )


def _require_table(request: Request, tensor: Tensor) -> Tensor:
    if len(tensor.shape) != 2 or min(tensor.shape) == 0:
        raise request.error(
            f"has shape {tensor.shape}; a table of word vectors has two dimensions, "
            "(words, numbers in a vector)."
        )
    return tensor


def _listed(tensors: Sequence[Tensor]) -> str:
    shown = ", ".join(str(tensor) for tensor in tensors[:10])
    return shown + (f" and {len(tensors) - 10:,} more" if len(tensors) > 10 else "")
