"""Tables written in the formats other tools read, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np

from driftkit.arrays import row_blocks
from driftkit.atomic import replacing
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.loaders.vocabulary.find import is_list_of
from driftkit.progress import Progress, as_progress
from driftkit.store import write_npy, write_safetensors

FORMATS = {
    "safetensors": ".safetensors",
    "npy": ".npy",
    "word2vec-binary": ".bin",
    "word2vec-text": ".vec",
    "glove-text": ".txt",
    "driftkit": "",
}
"""Formats that can be written, and the ending that means each if none is named."""

BY_ENDING = {ending: name for name, ending in FORMATS.items()}


def format_of(path: str | os.PathLike[str], name: str | None = None) -> str:
    """Return the format to write: the one named, or the one that the ending means.

    Examples
    --------
    >>> format_of("vectors.safetensors"), format_of("vectors.txt", "word2vec-text")
    ('safetensors', 'word2vec-text')
    """
    known = ", ".join(FORMATS)
    if name is not None:
        if name not in FORMATS:
            raise OptionError(f"format {name!r} cannot be written; these can: {known}.")
        return name
    ending = Path(path).suffix.lower()
    if ending not in BY_ENDING:
        raise OptionError(
            f"{path}: the ending {ending!r} does not name a format; use one of "
            f"{', '.join(filter(None, BY_ENDING))}, no ending for a driftkit folder, or name the "
            f"format (--to): {known}."
        )
    return BY_ENDING[ending]


def write(
    table: Embeddings,
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002 - the word people use
    *,
    progress: Progress | bool | None = None,
) -> None:
    """Write a table as a file or driftkit folder, in one of `FORMATS`, told by default by `path`.

    A format that cannot hold a word, such as one with a newline in text, raises a `SourceError`.
    """
    kind = format_of(path, format)
    report = as_progress(progress, f"writing {os.fspath(path)}") or _silent
    if kind == "driftkit":
        table.save(path)
    elif kind == "npy":
        _write_npy(table, Path(path))
    elif kind == "safetensors":
        with replacing(path) as partial:
            write_safetensors(partial, "vectors", table.matrix, table.words)
    else:
        with replacing(path) as partial, partial.open("wb") as file:
            if kind != "glove-text":
                file.write(f"{len(table)} {table.dimensions}\n".encode())
            (_binary if kind == "word2vec-binary" else _text)(table, file, report)
    report(len(table), len(table))


def _silent(done: int, total: int) -> None:
    pass


def _write_npy(table: Embeddings, path: Path) -> None:
    """Write the rows, and the words in a file beside them."""
    where = "a list of one word per line"
    _require_no(table, "\n\0", where)
    if any(word.endswith("\r") for word in table.words) or not table.words[-1].strip("\r\n"):
        raise SourceError(
            table.source.name,
            f"holds a word that ends like a line, which {where} cannot hold; write .safetensors.",
        )
    vocabulary = path.with_name(f"{path.stem}.vocab.txt")
    if not is_list_of(table.words, vocabulary):
        raise SourceError(
            table.source.name,
            f"holds words such as {table.words[0]!r} that would be read otherwise from {where}; "
            "write .safetensors.",
        )
    write_npy(table.words, table.matrix, path, vocabulary)


def _binary(table: Embeddings, file: IO[bytes], report: Progress) -> None:
    _require_no(table, " \n", "word2vec .bin, where a space ends the word")
    for some in row_blocks(len(table)):
        block = np.ascontiguousarray(table.matrix[some], "<f4")
        lines = zip(table.words[some], block, strict=True)
        file.write(b"".join(b"%s %s\n" % (word.encode(), row.tobytes()) for word, row in lines))
        report(some.start, len(table))


def _text(table: Embeddings, file: IO[bytes], report: Progress) -> None:
    """Write the shortest digits that give the same float32 back, so that nothing is lost."""
    import polars as pl

    _require_no(table, "\n", "text, where a newline ends the row")
    for some in row_blocks(len(table)):
        block = np.asarray(table.matrix[some], np.float32)
        columns = {str(i): block[:, i] for i in range(table.dimensions)}
        frame = pl.DataFrame({"word": list(table.words[some])} | columns)
        text = frame.write_csv(
            include_header=False, separator=" ", quote_style="never", float_scientific=None
        )
        file.write(text.encode())  # polars, given the file, would say what it meets its own way
        report(some.start, len(table))


def _is_text(word: str) -> bool:
    """Whether UTF-8 can hold it, which half of a surrogate pair prevents."""
    return word.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in word)


def _require_no(table: Embeddings, characters: str, where: str) -> None:
    bad = next((w for w in table.words if not _is_text(w) or any(c in w for c in characters)), None)
    if bad is not None:
        raise SourceError(
            table.source.name,
            f"holds the word {bad!r}, which cannot be written as {where}; write .safetensors or a "
            "driftkit folder.",
        )
