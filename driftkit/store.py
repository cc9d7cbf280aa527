"""A table on disk as driftkit keeps it: a folder of words, float32 rows, and where they came from.

Only words and rows are known here; `driftkit.loaders.formats.driftkit_folder` reads the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np

from driftkit.arrays import Matrix, row_blocks
from driftkit.atomic import replacing_folder
from driftkit.escaping import to_json
from driftkit.provenance import Problem, Source

MANIFEST, WORDS, MATRIX, KEY = "driftkit.json", "words.json", "vectors.safetensors", "vectors"
SCHEMA = "driftkit.embeddings/1"


def write(
    words: Sequence[str],
    matrix: Matrix,
    source: Source,
    problems: Iterable[Problem],
    folder: str | os.PathLike[str],
) -> None:
    """Write words and rows (n, d) as a folder, whole or not at all; an older one is replaced."""
    kept = asdict(source)
    del kept["path"]
    manifest = {
        "schema": SCHEMA,
        "rows": len(matrix),
        "dimensions": matrix.shape[1],
        "source": kept,
        "problems": [asdict(problem) for problem in problems],
    }
    with replacing_folder(folder, MANIFEST) as partial:
        (partial / WORDS).write_text(to_json(list(words)), "utf-8")
        write_safetensors(partial / MATRIX, KEY, matrix)
        text = to_json(manifest, indent=1)
        (partial / MANIFEST).write_text(text + "\n", "utf-8")


def write_safetensors(path: Path, key: str, matrix: Matrix) -> None:
    """Write one float32 tensor as safetensors, block by block, so that no table is copied whole."""
    n, d = matrix.shape
    entry = {key: {"dtype": "F32", "shape": [n, d], "data_offsets": [0, 4 * n * d]}}
    header = json.dumps({"__metadata__": {"format": "pt"}} | entry).encode()
    header += b" " * (-len(header) % 8)  # the numbers begin at a multiple of eight
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        write_rows(file, matrix)


def write_rows(file: IO[bytes], matrix: Matrix) -> None:
    """Write the bytes of a matrix as float32 in C order."""
    for some in row_blocks(len(matrix)):
        file.write(np.ascontiguousarray(matrix[some], "<f4").data)
