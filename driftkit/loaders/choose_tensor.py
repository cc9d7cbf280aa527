"""Files that hold tensors and no words: choose the table, and put the words to its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, UnknownNameError, VocabularyError
from driftkit.loaders.choose_rows import Rows, chosen_table
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.tensor_roles import input_strength, is_accessory, is_other_table
from driftkit.loaders.vocabulary.columns import NUMBER_BESIDE
from driftkit.loaders.vocabulary.find import find_vocabulary, read_vocabulary
from driftkit.loaders.vocabulary.words import ROW_0, Vocabulary, words_of_json
from driftkit.provenance import Problem, Rounding, Source

# A tensor is described by evenly spaced rows: no more than these, and of no more bytes.
SAMPLE_BYTES = 1 << 24
SAMPLE_ROWS = 4_096

_NARROW = ("int8", "uint8")  # of quantized tables; other whole numbers are counts or row numbers


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
    rounding : Rounding, optional
        How finely its numbers are kept, where its type does not tell: those of a table that is
        quantized in the file, and floating as it is read.
    unreadable : str, optional
        Why its numbers cannot be read and what to do, as a phrase that follows its name.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[Rows], npt.NDArray[Any]]
    storage: object = None
    rounding: Rounding | None = None
    unreadable: str | None = None

    @property
    def is_table(self) -> bool:
        """Whether it may be a word table: floating, (n, d), and not a part of something else."""
        floating = self.dtype.startswith(("float", "bfloat")) or self.rounding is not None
        readable = floating and self.unreadable is None and not is_accessory(self.key or "")
        return readable and len(self.shape) == 2 and min(self.shape) > 0

    @property
    def is_named_input(self) -> bool:
        """Whether its name is one that input embeddings usually have."""
        return self.input_strength > 0

    @property
    def input_strength(self) -> int:
        """How surely its name is that of the input embedding, from 0 to 3."""
        return input_strength(self.key or "")

    def sample(self) -> npt.NDArray[Any]:
        """Return evenly spaced rows, few enough to be read in a moment."""
        n, d = self.shape
        rows = min(SAMPLE_ROWS, max(SAMPLE_BYTES // (4 * d), 1))
        return np.asarray(self.read(slice(None, None, math.ceil(n / rows))))

    def __str__(self) -> str:
        size = " x ".join(f"{length:,}" for length in self.shape) or "one number"
        return f"{self.key} ({size}, {self.dtype})" if self.key else f"{size}, {self.dtype}"


def no_numbers(_: Rows) -> npt.NDArray[Any]:
    """Stand in for what reads a tensor that is unreadable, which nothing asks for its numbers."""
    raise AssertionError("the numbers of an unreadable tensor are never read")


@dataclass(frozen=True, slots=True)
class TensorFile:
    """What a file of tensors holds.

    Parameters
    ----------
    tensors : tuple of Tensor
    vocabulary : Vocabulary, optional
        Words kept inside the file itself.
    problems : tuple of Problem
        What is to be known about the tensors.
    base_vocabulary : Vocabulary, optional
        Words of the model that an adapter changes, where the adapter brings none.
    """

    tensors: tuple[Tensor, ...]
    vocabulary: Vocabulary | None = None
    problems: tuple[Problem, ...] = ()
    base_vocabulary: Vocabulary | None = None


def words_inside(tensor: Tensor) -> Vocabulary | None:
    """Return the words, if this is the state in which a `WordEmbedding` saves them."""
    key = tensor.key or ""
    named = key.rpartition(".")[2] == "_extra_state"
    plain = tensor.dtype == "uint8" and len(tensor.shape) == 1 and tensor.unreadable is None
    if not named or not plain:
        return None
    try:
        state = parse_json(bytes(tensor.read(slice(None))))
    except ValueError:
        return None
    words = state.get("words") if isinstance(state, dict) else None
    where = f"{key} inside the file"
    return None if words is None else Vocabulary(words_of_json(words, where), where)


def vocabulary_for(request: Request, file: TensorFile) -> Vocabulary | None:
    """Return the words for a file's rows: those the caller names, those inside it, those beside."""
    if request.vocab is not None:
        return read_vocabulary(request.vocab, unsafe_pickle=request.unsafe_pickle)
    return file.vocabulary or find_vocabulary(request.path) or file.base_vocabulary


def read_table(request: Request, layout: str, file: TensorFile) -> Embeddings:
    """Read the table that a request means, with its words; padding past them is left out."""
    vocabulary = vocabulary_for(request, file)
    tensor = choose(request, file.tensors, vocabulary)
    if vocabulary is None:
        raise _no_words(request, f"its {tensor.shape[0]:,} rows")
    problems = Problems((*file.problems, *vocabulary.problems))
    if len(vocabulary) != tensor.shape[0]:
        problems.add("padding rows", len(vocabulary), _padding(request, tensor, vocabulary))
    rounding = tensor.rounding or Rounding.of_dtype(tensor.dtype)
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
    if rows == words + 4 and any(p.kind == NUMBER_BESIDE for p in vocabulary.problems):
        return (
            f"{counts}; fairseq's dict.txt leaves out <s>, <pad>, </s> and <unk>, which take its "
            "first four rows: list the words alone, these four first."
        )
    if rows == words - 1 and vocabulary.words[0] == ROW_0:
        return (
            f"{counts}; that vocabulary numbers its rows from 1, which leaves row 0 to padding, "
            "and this table has no such row: if its rows are those words in order, number them "
            "from 0."
        )
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


class NoInputEmbeddingError(SourceError):
    """A file whose input embedding cannot be read; another table is taken only if named."""


def choose(request: Request, tensors: Sequence[Tensor], vocabulary: Vocabulary | None) -> Tensor:
    """Return the one tensor that a request can mean: that of its key, or the input embedding."""
    if request.key is not None:
        if group := of_adapter(request, tensors):
            return choose(replace(request, key=None), group, vocabulary)
        return tensor_named(request, tensors)
    if len(tensors) == 1 and tensors[0].key is None:
        return _require_table(request, tensors[0])
    candidates = [tensor for tensor in tensors if tensor.is_table]
    if not tensors:
        raise request.error("holds no tensor.")
    if vocabulary is None or not candidates:
        _require_input(request, candidates, tensors)
    if not candidates:
        hidden = next((tensor for tensor in tensors if tensor.unreadable), None)
        if hidden is not None:
            raise request.error(f"holds no table that can be read: {hidden} {hidden.unreadable}.")
        raise request.error(
            f"holds no two-dimensional tensor of floating-point numbers, only {_listed(tensors)}."
        )
    if vocabulary is None:
        raise _no_words(request, "its rows", f" Tables it may mean: {_listed(candidates)}.")
    fitting = [tensor for tensor in candidates if tensor.shape[0] == len(vocabulary)]
    fitting = fitting or [tensor for tensor in candidates if fits(tensor, vocabulary)]
    _require_input(request, fitting, tensors)
    if len(fitting) > 1:
        # Of several with a row for each word, the one named like input embeddings is meant; a
        # tied output layer holds the same numbers.
        surest = max(tensor.input_strength for tensor in fitting)
        inputs = [tensor for tensor in fitting if 0 < tensor.input_strength == surest]
        fitting = inputs if len(inputs) == 1 else fitting
    if len(fitting) == 1 or (fitting and all(tied_to(t, fitting) for t in fitting)):
        return _require_no_rival(request, fitting[0], tensors)
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


def of_adapter(request: Request, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors of the adapter that a key names, of several in one checkpoint."""
    return [tensor for tensor in tensors if (tensor.key or "").startswith(f"{request.key}::")]


def _require_input(request: Request, fitting: Sequence[Tensor], tensors: Sequence[Tensor]) -> None:
    """Refuse to choose at all where the input embedding is there but cannot be read.

    Whatever else fits the words, such as an output layer, is another table: it must be named.
    """
    surest = max((tensor.input_strength for tensor in fitting), default=0)
    for tensor in sorted(tensors, key=lambda tensor: -tensor.input_strength):
        if tensor.input_strength >= max(surest, 1) and (why := _why_no_table(tensor)):
            # A sure name outweighs its equals; a name such as "emb" gives way to its equals.
            if tensor.input_strength == surest == 1:
                return
            other = next((each for each in fitting if each.input_strength < 2), None)
            more = ""
            if other is not None:
                named = f"{request.name}::{other.key}"
                more = f" Another table is read only if it is named, such as {named}."
            raise NoInputEmbeddingError(request.name, f"its input embedding {tensor} {why}.{more}")


def _why_no_table(tensor: Tensor) -> str | None:
    """Say why a tensor in the place of the input embedding is no table; None where it may be."""
    if tensor.is_table or is_accessory(tensor.key or ""):
        return None
    if tensor.unreadable:
        return tensor.unreadable
    if 0 in tensor.shape:
        return (
            "is empty, as a shard of DeepSpeed ZeRO-3 or FSDP is saved; gather the weights before "
            "saving"
        )
    if len(tensor.shape) == 2 and "int" in tensor.dtype:
        return (
            "holds whole numbers, and no scale that turns them into a table's is beside them; save "
            "the table as floats"
        )
    if len(tensor.shape) == 2:
        return f"holds {tensor.dtype}, no real numbers; save the table as floats"
    # By a less sure name, class_embedding and num_embeddings are no tables by right.
    if tensor.input_strength == 1 and tensor.dtype not in _NARROW:
        return None
    return "is not two-dimensional, as a shard or packed numbers are; save the whole table"


def _require_no_rival(request: Request, chosen: Tensor, tensors: Sequence[Tensor]) -> Tensor:
    """Return the chosen table, unless its name or another tensor says that it may not be meant."""
    if chosen.is_named_input:
        return chosen
    key = f"{request.name}::{chosen.key}"
    if is_other_table(chosen.key or ""):
        raise NoInputEmbeddingError(
            request.name,
            f"{chosen} has a row for each word, and by its name it is not the input embedding, "
            f"which is not among the tensors; name it as {key} if it is meant.",
        )
    for rival in tensors:
        hidden = rival.dtype in _NARROW or rival.unreadable is not None
        alike = len(rival.shape) == 2 and rival.shape[0] == chosen.shape[0]
        if hidden and alike and not rival.is_table:
            why = rival.unreadable or f"holds {rival.dtype}; save it as floats"
            raise NoInputEmbeddingError(
                request.name,
                f"{chosen} and {rival} both have a row for each word, and the latter {why}. Name "
                f"the first as {key} if it is meant.",
            )
    return chosen


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
    if tensor.unreadable:
        raise request.error(f"{tensor} {tensor.unreadable}.")
    if len(tensor.shape) != 2 or min(tensor.shape) == 0:
        raise request.error(
            f"has shape {tensor.shape}; a table of word vectors has two dimensions, "
            "(words, numbers in a vector)."
        )
    return tensor


def _listed(tensors: Sequence[Tensor]) -> str:
    shown = ", ".join(str(tensor) for tensor in tensors[:10])
    return shown + (f" and {len(tensors) - 10:,} more" if len(tensors) > 10 else "")
