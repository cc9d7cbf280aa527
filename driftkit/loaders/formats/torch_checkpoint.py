"""torch checkpoints: state dicts, nested dicts and bare tensors, read without running code."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from driftkit.errors import UnsafePickleError, VocabularyError
from driftkit.forks import one_thread_in_a_child
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile, words_inside
from driftkit.loaders.formats import torch_records
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.quantized import scaled
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.pickled import looks_like_torch_archive
from driftkit.loaders.vocabulary.words import Vocabulary, words_by_row
from driftkit.provenance import Rounding

if TYPE_CHECKING:
    import torch

# How files begin that torch wrote before 1.6: a pickled magic number.
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
_WORD_KEYS = frozenset({"words", "vocab", "vocabulary", "itos", "stoi", "index_to_key"})
_SUBBYTE = re.compile(r"float4|float8_e8m0|u?int[1-7]$|bits")
DEEPEST = 100  # dicts inside one another; checkpoints have five or six
MOST = 250_000  # dicts and tensors in all; a dict may hold another many times over
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")


def looks_like_torch(head: bytes) -> bool:
    """Whether a file that starts so was written by ``torch.save``."""
    return head.startswith(_LEGACY) or looks_like_torch_archive(head)


def tensors(request: Request) -> TensorFile:
    """Open a checkpoint, memory-mapped where its format allows, and list its tensors."""
    import torch

    loaded = _load(request)
    if isinstance(loaded, torch.nn.Module):
        loaded = loaded.state_dict()
    if isinstance(loaded, torch.Tensor):
        return TensorFile((_tensor(None, loaded),))
    if isinstance(loaded, list | tuple):
        loaded = _named_parts(loaded)
    if not isinstance(loaded, Mapping):
        raise request.error(
            f"holds an object of type {type(loaded).__name__}, not tensors; save them with "
            "torch.save(model.state_dict(), path)."
        )
    found: list[Tensor] = []
    vocabulary: Vocabulary | None = None
    for key, value in _leaves(request, loaded):
        if isinstance(value, torch.Tensor):
            found.append(_tensor(key, value))
            vocabulary = words_inside(found[-1]) or vocabulary
        else:
            words = _words(key, value)
            if request.vocab is None:
                _require_agreement(request, vocabulary, words)
            vocabulary = words
    return TensorFile(tuple(found), vocabulary)


def _named_parts(loaded: Sequence[Any]) -> Any:
    """Give names to the parts of a list: torchtext caches (itos, stoi, vectors, dim).

    What holds no tensor, or other things than a cache does, is returned as it is.
    """
    import torch

    kinds = {torch.Tensor: "vectors", list: "itos", tuple: "itos", dict: "stoi"}
    names = [
        next((name for kind, name in kinds.items() if isinstance(part, kind)), None)
        for part in loaded
        if not isinstance(part, int)
    ]
    words = [part for part in loaded if isinstance(part, list | tuple | dict)]
    if "vectors" not in names or len(set(names)) < len(names) or not all(map(_are_words, words)):
        return loaded
    parts = (part for part in loaded if not isinstance(part, int))
    return {name: part for name, part in zip(names, parts, strict=True) if name is not None}


def _words(key: str, value: Any) -> Vocabulary:
    where = f"{key} inside the file"
    words = words_by_row(value, where) if isinstance(value, Mapping) else tuple(value)
    return Vocabulary(words, where)


def _require_agreement(request: Request, first: Vocabulary | None, second: Vocabulary) -> None:
    """Refuse two vocabularies of one file that name other words for the same rows."""
    if first is not None and len(first) == len(second) and first.words != second.words:
        raise VocabularyError(
            request.name,
            f"{first.where} and {second.where} name other words for the same rows; say which are "
            "meant (--vocab FILE, vocab=).",
        )


def to_numpy(tensor: torch.Tensor) -> npt.NDArray[np.generic]:
    """Return a tensor as numpy, in float32 where numpy has no such type, else without a copy."""
    import torch

    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float64, torch.float16):
        tensor = tensor.float()
    array: npt.NDArray[np.generic] = tensor.numpy()
    return array


def _load(request: Request) -> Any:
    import torch

    path = request.path
    if torch_records.is_script(path):
        raise request.error(
            "is a TorchScript archive, a program with its weights inside, which is not run; save "
            "the weights alone, torch.save(torch.jit.load(path).state_dict(), other_path)."
        )
    try:
        is_stored = torch_records.all_stored(path)
        # torch warns of its own plans, such as to give up quantized tensors.
        with torch.serialization.safe_globals(_plain_classes()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            safe = not request.unsafe_pickle
            loaded = torch.load(path, map_location="cpu", weights_only=safe, mmap=is_stored)
        torch_records.require_whole(path)
        return loaded
    except torch_records.ShortRecordError as error:
        raise request.damaged("torch checkpoint", error) from None
    except (ModuleNotFoundError, AttributeError) as error:
        if not request.unsafe_pickle:
            raise request.damaged("torch checkpoint", error) from None
        raise request.error(
            f"holds objects of a class that is not installed here ({error}); save the tensors "
            "alone, torch.save(model.state_dict(), path)."
        ) from None
    except pickle.UnpicklingError as error:
        named = _GLOBAL.search(str(error))
        if named is None:
            raise request.damaged("torch checkpoint", error) from None
        raise UnsafePickleError(
            request.name,
            f"is a pickle that would run code to load ({named[1]}), so it was not opened; a whole "
            "saved module is one too. Save the tensors alone, "
            "torch.save(model.state_dict(), path), or pass --unsafe-pickle (unsafe_pickle=True) "
            "if you trust where it comes from.",
        ) from None
    except Exception as error:  # torch raises many kinds for damaged files
        raise request.damaged("torch checkpoint", error) from None


def _plain_classes() -> list[Any]:
    """Classes that trainers put into checkpoints and that only hold values."""
    import argparse
    from pathlib import PosixPath, PurePosixPath

    scalar: Any = np.float64(0).__reduce__()[0]
    dtypes: list[Any] = [type(np.dtype(name)) for name in ("f4", "f8", "i4", "i8", "?")]
    old = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    lightning = (  # its own dict of hyperparameters, opened as a plain one
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "lightning.pytorch.utilities.parsing.AttributeDict",
        "lightning_fabric.utilities.data.AttributeDict",
        "lightning.fabric.utilities.data.AttributeDict",
    )
    return [
        argparse.Namespace,
        PosixPath,
        PurePosixPath,
        np.dtype,
        *dtypes,
        *((scalar, name) for name in old),
        *((dict, name) for name in lightning),
    ]


def _tensor(key: str | None, tensor: torch.Tensor) -> Tensor:
    dtype = str(tensor.dtype).removeprefix("torch.")

    def read(chosen: Rows) -> npt.NDArray[np.generic]:
        import torch

        one_thread_in_a_child()
        at = torch.from_numpy(chosen) if isinstance(chosen, np.ndarray) else chosen
        claimed = tensor.numel() * tensor.element_size()
        if claimed > tensor.untyped_storage().nbytes():  # expanded: a few numbers, many times
            require_memory(claimed, f"tensor {key}" if key else "the tensor")
        return to_numpy(tensor[at])

    if why := _unreadable(tensor):
        shape = () if tensor.is_nested else tuple(tensor.shape)
        return Tensor(key, shape, dtype, read, unreadable=why)
    if tensor.is_quantized:
        return _dequantized(key, tensor, dtype)
    storage = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.stride())
    return Tensor(key, tuple(tensor.shape), dtype, read, storage)


def _unreadable(tensor: torch.Tensor) -> str | None:
    """Say why the numbers of a tensor cannot be read as a table; None where they can."""
    import torch

    if tensor.is_nested:
        return "is a nested tensor, with rows of several lengths; save one row of d numbers a word"
    if tensor.layout != torch.strided:
        layout = str(tensor.layout).removeprefix("torch.").replace("_", " ")
        return f"is stored as {layout}; save it dense, tensor.to_dense()"
    if tensor.is_meta:
        return "is on the device meta, so it has no numbers; save the model after it is loaded"
    if _SUBBYTE.match(str(tensor.dtype).removeprefix("torch.")):
        return "holds several numbers in one byte; dequantize the model and save its floats"
    return None


def _dequantized(key: str | None, tensor: torch.Tensor, dtype: str) -> Tensor:
    """The table of a tensor that torch quantized; its scales and zero points are in itself."""
    import torch

    def read(chosen: Rows) -> npt.NDArray[np.generic]:
        one_thread_in_a_child()
        at = torch.from_numpy(chosen) if isinstance(chosen, np.ndarray) else chosen
        return to_numpy(tensor.int_repr()[at])

    stored = Tensor(key, tuple(tensor.shape), dtype, read)
    if "per_tensor" in str(tensor.qscheme()):
        scale = np.full((1, 1), tensor.q_scale())
        return scaled(stored, scale, np.full((1, 1), float(tensor.q_zero_point())), Rounding())
    along = [1] * tensor.dim()
    along[tensor.q_per_channel_axis()] = -1
    scale = to_numpy(tensor.q_per_channel_scales()).astype(np.float64).reshape(along)
    zero = to_numpy(tensor.q_per_channel_zero_points()).astype(np.float64).reshape(along)
    return scaled(stored, scale, zero, Rounding())


def _leaves(request: Request, loaded: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Tensors and word lists of nested dicts, with their keys joined by points."""
    import torch

    waiting: list[tuple[str, int, Any]] = [("", 0, loaded)]
    seen = 0
    while waiting:
        path, depth, item = waiting.pop()
        if not isinstance(item, Mapping) or depth < 0:  # words in a map are a leaf, too
            yield path, item
            continue
        inner = [
            (f"{path}.{key}" if depth else f"{key}", -1 if words else depth + 1, value)
            for key, value in item.items()
            if (words := key in _WORD_KEYS and _are_words(value))
            or isinstance(value, torch.Tensor | Mapping)
        ]
        seen += len(inner)
        if depth > DEEPEST or seen > MOST:
            raise request.error(
                f"nests dicts more than {DEEPEST} deep, or holds more than {MOST:,} of them; save "
                "the tensors alone, torch.save(model.state_dict(), path)."
            )
        waiting += reversed(inner)


def _are_words(item: Any) -> bool:
    if isinstance(item, Mapping):
        return bool(item) and all(isinstance(row, int) for row in item.values())
    return isinstance(item, list | tuple) and all(isinstance(word, str) for word in item)


FORMAT = Format(
    "torch",
    "torch .pt/.pth/.ckpt/.bin",
    looks_like_torch,
    tensors=tensors,
    endings=(".pt", ".pth", ".ckpt"),
)
