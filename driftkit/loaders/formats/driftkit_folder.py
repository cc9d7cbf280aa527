"""driftkit's own folder: the words, the matrix as safetensors, and where they came from."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from driftkit.atomic import replacing_folder
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders.choose_rows import select
from driftkit.loaders.formats.safetensors_file import list_tensors
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.find import words_of_json
from driftkit.provenance import Problem, Rounding, Source

MANIFEST, WORDS, MATRIX, KEY = "driftkit.json", "words.json", "vectors.safetensors", "vectors"
SCHEMA = "driftkit.embeddings/1"


def looks_like_driftkit(folder: Path) -> bool:
    """Whether a folder was written by `Embeddings.save`."""
    return (folder / MANIFEST).is_file()


def write(table: Embeddings, folder: str | os.PathLike[str]) -> None:
    """Write a table as a folder, whole or not at all.

    Parameters
    ----------
    table : Embeddings
    folder : path
        Where it is to stand; an older driftkit folder there is replaced.

    Raises
    ------
    OptionError
        If something else stands there, or the folder around it does not exist.
    """
    from driftkit.loaders.convert import write_matrix

    with replacing_folder(folder, MANIFEST) as partial:
        (partial / WORDS).write_text(json.dumps(list(table.words), ensure_ascii=False), "utf-8")
        write_matrix(partial / MATRIX, KEY, table.matrix)
        manifest = {
            "schema": SCHEMA,
            "rows": len(table),
            "dimensions": table.dimensions,
            "source": {
                "name": table.source.name,
                "format": table.source.format,
                "dtype": table.source.dtype,
                "key": table.source.key,
                "rounding": asdict(table.source.rounding),
            },
            "problems": [asdict(problem) for problem in table.problems],
        }
        (partial / MANIFEST).write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8"
        )


def read(request: Request) -> Embeddings:
    """Open a folder that `Embeddings.save` wrote; the matrix stays memory-mapped.

    Raises
    ------
    SourceError
        If a file of it is missing or damaged.
    VocabularyError
        If there is not one word a row.
    """
    folder = request.path
    if request.key is not None:
        raise SourceError(request.name, "holds one table and no named tensors; leave the key out.")
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest["schema"] != SCHEMA:
            raise SourceError(
                request.name,
                f"is a driftkit folder of another kind ({manifest['schema']}); {SCHEMA} is read.",
            )
        held = words_of_json(json.loads((folder / WORDS).read_text("utf-8")), WORDS)
        rounding = Rounding(**manifest["source"]["rounding"])
        problems = Problems()
        problems.extend(Problem(**problem) for problem in manifest["problems"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            request.name, f"is a damaged driftkit folder ({error!r}); write it again."
        ) from None
    if not (folder / MATRIX).is_file():
        raise SourceError(request.name, f"its {MATRIX} is missing; write the folder again.")
    tensors = {tensor.key: tensor for tensor in list_tensors(folder / MATRIX, request.name)}
    tensor = tensors.get(KEY)
    if tensor is None or not tensor.is_table:
        raise SourceError(request.name, f"its {MATRIX} holds no table named {KEY!r}.")
    if tensor.shape[0] != len(held):
        raise VocabularyError(
            request.name, f"has {tensor.shape[0]:,} rows and {len(held):,} words; write it again."
        )
    rows, words = select(request, held, problems)
    # The path is the one file with the numbers, so that its checksum is the table's.
    source = Source(request.name, folder / MATRIX, "driftkit", tensor.dtype, rounding=rounding)
    return Embeddings(words, tensor.read(rows), source=source, problems=problems.all())


def count_rows(request: Request) -> int:
    """Number of rows, by the manifest."""
    return int(json.loads((request.path / MANIFEST).read_text("utf-8"))["rows"])
