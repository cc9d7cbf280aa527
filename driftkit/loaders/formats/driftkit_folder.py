"""driftkit's own folder, as `driftkit.store` writes it; its matrix stays memory-mapped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from driftkit.embeddings import Embeddings
from driftkit.errors import VocabularyError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats import safetensors_file
from driftkit.loaders.formats.format import Format
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
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest["schema"] != SCHEMA:
            raise request.error(
                f"is a driftkit folder of another kind ({manifest['schema']}); {SCHEMA} is read."
            )
        words_file, matrix_file = files(MARKS[MARKS.index(manifest.get("mark", MARKS[0]))])
        held = words_of_json(json.loads((folder / words_file).read_text("utf-8")), words_file)
        rounding = Rounding(**manifest["source"]["rounding"])
        problems = Problems(Problem(**problem) for problem in manifest["problems"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
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
    return int(json.loads((request.path / MANIFEST).read_text("utf-8"))["rows"])


def last_word(request: Request) -> str | None:
    """Return the last of the words listed."""
    manifest = json.loads((request.path / MANIFEST).read_text("utf-8"))
    name, _ = files(manifest.get("mark", MARKS[0]))
    return words_of_json(json.loads((request.path / name).read_text("utf-8")), name)[-1]


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
