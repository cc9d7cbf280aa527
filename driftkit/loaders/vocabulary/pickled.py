"""A vocabulary kept as a pickle or saved by torch: opened only when the caller says so."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from driftkit.errors import UnsafePickleError, VocabularyError
from driftkit.loaders.vocabulary.forms import of_value
from driftkit.loaders.vocabulary.words import Vocabulary


def looks_like_pickle(head: bytes) -> bool:
    """Whether a file that starts so is a pickle of protocol 2 or later."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def looks_like_torch_archive(head: bytes) -> bool:
    """Whether a file that starts so is the .zip archive that ``torch.save`` writes since 1.6."""
    return head.startswith(b"PK\x03\x04") and b"data.pkl" in head


def read(path: Path, unsafe_pickle: bool) -> Vocabulary:
    """Return the words of a pickled list, map, or object with ``itos`` or ``stoi``."""
    if not unsafe_pickle:
        raise UnsafePickleError(
            path,
            "is a Python pickle, and opening one runs any code it carries. Pass --unsafe-pickle "
            "(unsafe_pickle=True) if you trust where it comes from, or save the words as JSON.",
        )
    try:
        value = _load(path)
    except Exception as error:  # a pickle may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise VocabularyError(path, f"could not be unpickled ({reason}).") from None
    value = words_held(value)
    if not isinstance(value, list | tuple | Mapping) or not value:
        raise VocabularyError(
            path,
            f"holds an object of type {type(value).__name__} without words; give a list, a map "
            "from word to row, or a torchtext vocabulary.",
        )
    return of_value(value, path.name, path)


def words_held(value: Any) -> Any:
    """Return the list or map that an object of torchtext, gensim or Keras keeps its words in."""
    if callable(itos := getattr(value, "get_itos", None)):
        return itos()
    for name in ("itos", "index_to_key", "stoi", "word_index", "token_to_idx"):
        value = getattr(value, name, value)
    return value


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            import torch

            return torch.load(path, map_location="cpu", weights_only=False)
        file.seek(0)
        return pickle.load(file)
