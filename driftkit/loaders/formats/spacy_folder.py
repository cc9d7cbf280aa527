"""spaCy's vectors: a pipeline's folder, its ``vocab``, or what ``Vectors.to_disk`` wrote.

The matrix does not stand in the order of ``strings.json``: ``key2row`` maps a word's number to its
row, and several words may share one row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import type_name
from driftkit.embeddings import Embeddings
from driftkit.errors import MissingExtraError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats.format import Format
from driftkit.loaders.formats.spacy_keys import keys_of
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.provenance import Rounding, Source

_MATRIX, _ROWS, _WORDS, _SETTINGS = "vectors", "key2row", "strings.json", "vectors.cfg"


def looks_like_spacy(folder: Path) -> bool:
    """Whether a folder holds the vectors of a spaCy pipeline."""
    return _vectors(folder) is not None


def read(request: Request) -> Embeddings:
    """Read each word with the row that spaCy gives it; words without a vector are left out."""
    folder = _vectors(request.path)
    assert folder is not None  # told by looks_like_spacy
    if request.key is not None:
        raise request.error("holds one table and no named tensors; leave the key out.")
    settings = _json(request, folder / _SETTINGS) if (folder / _SETTINGS).is_file() else {}
    if isinstance(settings, dict) and settings.get("mode", "default") != "default":
        raise request.error(
            f"its vectors are in {settings['mode']} mode: rows of hashed pieces, from which spaCy "
            "makes a vector for any word; write out those of the words you need."
        )
    matrix = _matrix(request, folder / _MATRIX)
    if min(matrix.shape) == 0:
        raise request.error("its vectors are empty; small spaCy pipelines (_sm) come without any.")
    words = _json(request, folder / _WORDS)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise request.error(f"its {_WORDS} is not a list of words; save the pipeline again.")
    rows, problems = _rows(request, folder / _ROWS), Problems()
    if not all(row < len(matrix) for row in rows.values()):
        raise request.error(
            f"its {_ROWS} names rows past the {len(matrix):,} of its matrix; save it again."
        )
    known = keys_of(words)
    unknown = sum(key not in known for key in rows)
    if unknown:
        what = f"{unknown:,} of {len(rows):,} keys are no word of {_WORDS}; left out"
        problems.add("row without a word", None, what)
    held = sorted((row, word) for key, row in rows.items() if (word := known.get(key)) is not None)
    if not held:
        raise request.error(f"none of its {len(rows):,} keys is the number of a word in {_WORDS}.")
    at = np.array([row for row, _ in held], np.int64)
    require_memory(4 * len(at) * matrix.shape[1], request.name)
    dtype = type_name(matrix.dtype)
    rounding = Rounding.of_dtype(dtype)
    source = Source(request.name, folder / _MATRIX, "spacy", dtype, rounding=rounding)
    named = [word for _, word in held]
    return chosen_table(request, named, lambda some: matrix[at[some]], source, problems)


def _vectors(folder: Path) -> Path | None:
    """The folder of the vectors: this one, its vocab, or that of the one pipeline inside."""
    places = [folder, folder / "vocab"]
    packaged = [path.parent for path in sorted(folder.glob(f"*/vocab/{_ROWS}"))]
    places += packaged if len(packaged) == 1 else []
    found = (place for place in places if (place / _ROWS).is_file())
    return next((place for place in found if (place / _MATRIX).is_file()), None)


def _matrix(request: Request, path: Path) -> npt.NDArray[Any]:
    try:
        matrix: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises many kinds for damaged files
        raise request.damaged("spaCy pipeline", error) from None
    if matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise request.error(
            f"its vectors have shape {matrix.shape} and type {matrix.dtype}; a table of word "
            "vectors has two dimensions of floating-point numbers."
        )
    return matrix


def _rows(request: Request, path: Path) -> Mapping[int, int]:
    """The row of each key that has one; -1 stands for none."""
    try:
        import msgpack
    except ModuleNotFoundError:
        raise MissingExtraError(f"reading {request.name}", "msgpack", "spacy") from None
    require_memory(path.stat().st_size, request.name)
    try:
        rows = msgpack.unpackb(path.read_bytes(), strict_map_key=False)
    except Exception as error:  # msgpack raises many kinds for damaged files
        raise request.damaged("spaCy pipeline", error) from None
    if not isinstance(rows, dict) or not all(type(row) is int for row in rows.values()):
        raise request.error(f"its {_ROWS} is no map from key to row; save the pipeline again.")
    return {key: row for key, row in rows.items() if row >= 0}


def _json(request: Request, path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8", "surrogatepass"))
    except (OSError, ValueError, RecursionError) as error:
        raise request.error(
            f"its {path.name} cannot be read ({error}); save the pipeline again."
        ) from None


FORMAT = Format(
    "spacy",
    "a spaCy pipeline or its vectors",
    looks_like_spacy,
    read,
    is_folder=True,
    has_words=True,
    has_keys=False,
)
