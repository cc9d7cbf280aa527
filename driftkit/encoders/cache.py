"""Rows that were encoded before, on disk: one file for a model's fingerprint and a set of texts.

They lie beside the downloaded benchmarks, in ``encoded``. A file holds numbers and no text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from driftkit.arrays import Matrix
from driftkit.datasets import source
from driftkit.errors import OutputError, SourceError
from driftkit.store import is_whole, read_tensors, write_tensors

_LIBRARIES = ("sentence-transformers", "transformers", "tokenizers", "model2vec", "torch")
_ROWS, _DTYPE = "rows", "dtype"


def key_of(fingerprint: str, texts: Sequence[str]) -> str:
    """Return the name under which the rows of these texts are kept.

    Another release of a library that runs the model may give other numbers, so releases count.
    """
    parts = [fingerprint, {name: _version(name) for name in _LIBRARIES}, list(texts)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def path_of(key: str) -> Path:
    """Return where the rows of a key lie, or are to lie."""
    return source.folder() / "encoded" / f"{key}.safetensors"


def read(key: str) -> tuple[Matrix, str] | None:
    """Return rows (u, d) and the type they were computed in; None if none are kept, or damaged."""
    try:
        tensors, about = read_tensors(path_of(key), "rows that were kept")
        return (tensors[_ROWS], about[_DTYPE]) if is_whole(tensors, about) else None
    except (SourceError, KeyError):
        return None


def write(key: str, rows: Matrix, dtype: str) -> None:
    """Keep rows (u, d), whole or not at all; where nothing can be written, nothing is kept."""
    path = path_of(key)
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {_ROWS: rows}, {_DTYPE: dtype})


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
