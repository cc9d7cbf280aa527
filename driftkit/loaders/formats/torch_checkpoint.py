"""torch checkpoints: state dicts, nested dicts and bare tensors, read without running code."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

from driftkit.errors import UnsafePickleError
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile, words_inside
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.pickled import looks_like_torch_archive
from driftkit.loaders.vocabulary.words import Vocabulary, words_by_row

if TYPE_CHECKING:
    import torch

# How files begin that torch wrote before 1.6: a pickled magic number.
_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
_WORD_KEYS = frozenset({"words", "vocab", "vocabulary", "itos", "stoi", "index_to_key"})
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
    if not isinstance(loaded, Mapping):
        raise request.error(
            f"holds an object of type {type(loaded).__name__}, not tensors; save them with "
            "torch.save(model.state_dict(), path)."
        )
    found: list[Tensor] = []
    vocabulary: Vocabulary | None = None
    for key, value in _leaves(loaded):
        if isinstance(value, torch.Tensor):
            if value.layout == torch.strided:
                found.append(_tensor(key, value))
                vocabulary = words_inside(found[-1]) or vocabulary
        else:
            where = f"{key} inside the file"
            words = words_by_row(value, where) if isinstance(value, Mapping) else tuple(value)
            vocabulary = Vocabulary(words, where)
    return TensorFile(tuple(found), vocabulary)


def to_numpy(tensor: torch.Tensor) -> npt.NDArray[np.generic]:
    """Return a tensor as numpy, in float32 where numpy has no such type, else without a copy."""
    import torch

    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float64, torch.float16):
        tensor = tensor.float()
    array: npt.NDArray[np.generic] = tensor.numpy()
    return array


def _load(request: Request) -> Any:
    import torch

    path = request.path

    try:
        with ZipFile(path) as archive:
            is_zip = bool(archive.namelist())
    except Exception:  # zipfile raises many kinds for damaged archives
        is_zip = False
    try:
        with torch.serialization.safe_globals(_plain_classes()):
            safe = not request.unsafe_pickle
            return torch.load(path, map_location="cpu", weights_only=safe, mmap=is_zip)
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

        claimed = tensor.numel() * tensor.element_size()
        if claimed > tensor.untyped_storage().nbytes():  # expanded: a few numbers, many times
            require_memory(claimed, f"tensor {key}" if key else "the tensor")
        at = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen)
        return to_numpy(tensor[at])

    storage = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.stride())
    return Tensor(key, tuple(tensor.shape), dtype, read, storage)


def _leaves(value: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Tensors and word lists of nested dicts, with their keys joined by points."""
    import torch

    for key, item in value.items():
        path = f"{prefix}{key}"
        if isinstance(item, torch.Tensor) or (key in _WORD_KEYS and _are_words(item)):
            yield path, item
        elif isinstance(item, Mapping):
            yield from _leaves(item, f"{path}.")


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
