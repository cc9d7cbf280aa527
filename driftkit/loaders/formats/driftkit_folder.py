"""driftkit's own folder, as `driftkit.store` writes it; its matrix stays memory-mapped."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from driftkit.documents import parse_json, read_json
from driftkit.embeddings import Embeddings
from driftkit.errors import VocabularyError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats import safetensors_file
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import read_words
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import words_of_json
from driftkit.provenance import Problem, Rounding, Source
from driftkit.store import KEY, MANIFEST, MARKS, SCHEMA, files


def looks_like_driftkit(folder: Path) -> bool:
    """Whether a folder was written by `Embeddings.save`."""
    return (folder / MANIFEST).is_file()


def read(request: Request) -> Embeddings:
    """Open a folder that `Embeddings.save` wrote."""
    folder = request.path
    try:
        manifest = _manifest(request)
        if manifest["schema"] != SCHEMA:
            raise request.error(
                f"is a driftkit folder of another kind ({manifest['schema']}); {SCHEMA} is read."
            )
        words_file, matrix_file = files(MARKS[MARKS.index(manifest.get("mark", MARKS[0]))])
        held = _words(folder / words_file)
        rounding = Rounding(**manifest["source"]["rounding"])
        sizes = (rounding.relative, rounding.absolute, rounding.of_length)
        if not all(map(_is_size, sizes)):
            raise ValueError("a rounding must be a number, 0 or more")
        problems = Problems(Problem(**problem) for problem in manifest["problems"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise request.error(f"is a damaged driftkit folder ({error!r}); write it again.") from None
    if not (folder / matrix_file).is_file():
        raise request.error(f"its {matrix_file} is missing; write the folder again.")
    file = safetensors_file.tensors(replace(request, target=str(folder / matrix_file)))
    tensor = next((tensor for tensor in file.tensors if tensor.key == KEY), None)
    if tensor is None or not tensor.is_table:
        raise request.error(f"its {matrix_file} holds no table named {KEY!r}.")
    if tensor.shape[0] != len(held):
        raise VocabularyError(
            request.name, f"has {tensor.shape[0]:,} rows and {len(held):,} words; write it again."
        )
    # The path is the one file with the numbers, so that its checksum is the table's.
    source = Source(request.name, folder / matrix_file, "driftkit", tensor.dtype, rounding=rounding)
    return chosen_table(request, held, tensor.read, source, problems)


def count_rows(request: Request) -> int:
    """Return the number of rows that the manifest names."""
    return int(_manifest(request)["rows"])


def _manifest(request: Request) -> Any:
    return read_json(request.path / MANIFEST, lambda why: request.error(f"its {MANIFEST} {why}"))


def _words(path: Path) -> tuple[str, ...]:
    return words_of_json(parse_json(read_words(path, path.name, VocabularyError)), path.name)


def _is_size(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= cast(float, value) < math.inf


def last_word(request: Request) -> str | None:
    """Return the last of the words listed."""
    name, _ = files(_manifest(request).get("mark", MARKS[0]))
    return _words(request.path / name)[-1]


FORMAT = Format(
    "driftkit",
    "a driftkit folder",
    looks_like_driftkit,
    read,
    rows=count_rows,
    last_word=last_word,
    is_folder=True,
    has_words=True,
    has_keys=False,
)
