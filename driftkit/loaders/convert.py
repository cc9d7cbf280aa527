"""Tables written in the formats other tools read, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO

import numpy as np

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.atomic import replacing
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.loaders.formats import driftkit_folder
from driftkit.progress import Progress

FORMATS = {
    "safetensors": "named tensor 'vectors', its words beside it as X.vocab.txt",
    "npy": "NumPy matrix, its words beside it as X.vocab.txt",
    "word2vec-binary": "word2vec .bin",
    "word2vec-text": "word2vec text, with a header",
    "glove-text": "GloVe text, without one",
    "driftkit": "driftkit folder",
}
"""Formats that can be written, and what each is."""

BY_ENDING = {
    ".safetensors": "safetensors",
    ".npy": "npy",
    ".bin": "word2vec-binary",
    ".vec": "word2vec-text",
    ".txt": "glove-text",
    "": "driftkit",
}
"""Format meant by a name's ending, if none is named."""


def format_of(path: str | os.PathLike[str], name: str | None = None) -> str:
    """Format to write: the one named, or the one the ending means.

    Raises
    ------
    OptionError
        If there is none.

    Examples
    --------
    >>> format_of("vectors.safetensors"), format_of("vectors.txt", "word2vec-text")
    ('safetensors', 'word2vec-text')
    """
    known = ", ".join(FORMATS)
    if name is not None:
        if name not in FORMATS:
            raise OptionError(f"no format {name!r} is written; these are: {known}.")
        return name
    ending = Path(path).suffix.lower()
    if ending not in BY_ENDING:
        raise OptionError(
            f"{path}: the ending {ending!r} means no format; use one of "
            f"{', '.join(filter(None, BY_ENDING))}, no ending for a driftkit folder, or name the "
            f"format (--to): {known}."
        )
    return BY_ENDING[ending]


def write(
    table: Embeddings,
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002 - the word people use
    *,
    progress: Progress | None = None,
) -> None:
    """Write a table.

    Parameters
    ----------
    table : Embeddings
    path : path
        Where the file, or driftkit folder, is to stand. Written whole, then renamed.
    format : str, optional
        One of `FORMATS`; by default the one the ending of `path` means.
    progress : callable, optional
        Called with (rows done, rows in all).

    Raises
    ------
    OptionError
        If the format is unknown, or the place cannot be written.
    SourceError
        If a word cannot be written in that format, as one with a newline in text.
    """
    kind = format_of(path, format)
    report = progress or _silent
    if kind == "driftkit":
        driftkit_folder.write(table, path)
    elif kind in ("safetensors", "npy"):
        _write_beside(table, Path(path), kind)
    else:
        writer = {"word2vec-binary": _binary, "word2vec-text": _headed, "glove-text": _text}[kind]
        with replacing(path) as partial, partial.open("wb") as file:
            writer(table, file, report)
    report(len(table), len(table))


def _silent(done: int, total: int) -> None:
    pass


def write_matrix(path: Path, key: str, matrix: Matrix) -> None:
    """Write one float32 tensor as safetensors, row block by row block."""
    n, d = matrix.shape
    entry = {key: {"dtype": "F32", "shape": [n, d], "data_offsets": [0, 4 * n * d]}}
    header = json.dumps({"__metadata__": {"format": "pt"}} | entry).encode()
    header += b" " * (-len(header) % 8)  # the numbers begin at a multiple of eight
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        _write_rows(file, matrix)


def _write_beside(table: Embeddings, path: Path, kind: str) -> None:
    _require_lines(table, "a list of one word a line")
    words = path.with_name(f"{path.stem}.vocab.txt")
    with replacing(path) as partial, replacing(words) as partial_words:
        partial_words.write_bytes("".join(f"{word}\n" for word in table.words).encode())
        if kind == "safetensors":
            write_matrix(partial, "vectors", table.matrix)
        else:
            with partial.open("wb") as file:
                np.lib.format.write_array_header_1_0(
                    file,
                    {"descr": "<f4", "fortran_order": False, "shape": table.matrix.shape},
                )
                _write_rows(file, table.matrix)


def _write_rows(file: IO[bytes], matrix: Matrix) -> None:
    for start in range(0, len(matrix), BLOCK_ROWS):
        file.write(np.ascontiguousarray(matrix[start : start + BLOCK_ROWS], "<f4").data)


def _binary(table: Embeddings, file: IO[bytes], report: Progress) -> None:
    _require_no(table, " \n", "word2vec .bin, where a space ends the word")
    file.write(f"{len(table)} {table.dimensions}\n".encode())
    for start in range(0, len(table), BLOCK_ROWS):
        block = np.ascontiguousarray(table.matrix[start : start + BLOCK_ROWS], "<f4")
        words = table.words[start : start + BLOCK_ROWS]
        file.write(
            b"".join(
                b"%s %s\n" % (word.encode(), row.tobytes())
                for word, row in zip(words, block, strict=True)
            )
        )
        report(start, len(table))


def _headed(table: Embeddings, file: IO[bytes], report: Progress) -> None:
    file.write(f"{len(table)} {table.dimensions}\n".encode())
    _text(table, file, report)


def _text(table: Embeddings, file: IO[bytes], report: Progress) -> None:
    """Shortest digits that give the same float32 back, so that nothing is lost."""
    import polars as pl

    _require_no(table, "\n", "text, where a newline ends the row")
    for start in range(0, len(table), BLOCK_ROWS):
        words = table.words[start : start + BLOCK_ROWS]
        block = np.asarray(table.matrix[start : start + BLOCK_ROWS], np.float32)
        columns = {str(i): block[:, i] for i in range(table.dimensions)}
        pl.DataFrame({"word": list(words)} | columns).write_csv(
            file, include_header=False, separator=" ", quote_style="never", float_scientific=None
        )
        report(start, len(table))


def _require_lines(table: Embeddings, where: str) -> None:
    _require_no(table, "\n", where)
    if any(word.endswith("\r") for word in table.words) or (
        table.words and not table.words[-1].strip("\r\n")
    ):
        raise SourceError(
            table.source.name,
            f"holds a word that ends like a line, which {where} cannot hold; write a driftkit "
            "folder.",
        )


def _require_no(table: Embeddings, characters: str, where: str) -> None:
    bad = next((word for word in table.words if any(c in word for c in characters)), None)
    if bad is not None:
        raise SourceError(
            table.source.name,
            f"holds the word {bad!r}, which cannot be written as {where}; write .safetensors or a "
            "driftkit folder.",
        )
