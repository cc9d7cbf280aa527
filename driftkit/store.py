"""A table on disk as driftkit keeps it: a folder of words, float32 rows, and where they came from.

Only words and rows are known here; `driftkit.loaders.formats.driftkit_folder` reads the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np

from driftkit.arrays import Matrix, row_blocks
from driftkit.atomic import locked, new_folder, place, replacing, writing
from driftkit.errors import OutputError, SourceError
from driftkit.escaping import to_json
from driftkit.provenance import Problem, Source

MANIFEST, WORDS, MATRIX, KEY = "driftkit.json", "words.json", "vectors.safetensors", "vectors"
SCHEMA = "driftkit.embeddings/1"

WORDS_KEY = "_extra_state"
"""The tensor of a safetensors file that holds its words: JSON in bytes, ``{"words": [...]}``."""

MARKS = ("", "-2")
"""What stands in the names of the files that a manifest means: a rewritten folder takes turns."""


def write(
    words: Sequence[str],
    matrix: Matrix,
    source: Source,
    problems: Iterable[Problem],
    folder: str | os.PathLike[str],
) -> None:
    """Write words and rows (n, d) as a folder, whole or not at all; an older one is replaced.

    The manifest names the files of words and rows. New ones are written beside older ones, and
    the manifest is replaced last, in one step.
    """
    kept = asdict(source)
    del kept["path"]
    manifest = {
        "schema": SCHEMA,
        "rows": len(matrix),
        "dimensions": matrix.shape[1],
        "source": kept,
        "problems": [asdict(problem) for problem in problems],
    }
    target = place(folder, is_folder=True)
    if target is None or (target.exists() and not (target / MANIFEST).is_file()):
        what = "a folder of other things" if Path(folder).is_dir() else "a file"
        raise OutputError(folder, f"it is {what}; name a new folder.")
    with locked(folder), writing(folder):
        if not target.exists():
            with new_folder(folder) as partial:
                _fill(partial, MARKS[0], words, matrix, manifest)
            return
        older = _mark_of(target)
        newer = MARKS[1] if older == MARKS[0] else MARKS[0]
        try:
            _fill(target, newer, words, matrix, manifest | {"mark": newer})
        finally:
            unused = older if _mark_of(target) == newer else newer
            for name in files(unused):
                (target / name).unlink(missing_ok=True)


def files(mark: str) -> tuple[str, str]:
    """Return the names of the files of words and of rows that go with a mark.

    Examples
    --------
    >>> files("-2")
    ('words-2.json', 'vectors-2.safetensors')
    """
    return WORDS.replace(".", f"{mark}."), MATRIX.replace(".", f"{mark}.")


def _fill(
    folder: Path, mark: str, words: Sequence[str], matrix: Matrix, manifest: dict[str, Any]
) -> None:
    words_file, matrix_file = files(mark)
    with replacing(folder / words_file) as partial:
        partial.write_text(to_json(list(words)), "utf-8")
    with replacing(folder / matrix_file) as partial:
        write_safetensors(partial, KEY, matrix)
    with replacing(folder / MANIFEST) as partial:
        partial.write_text(to_json(manifest, indent=1) + "\n", "utf-8")


def _mark_of(folder: Path) -> str:
    """Return the mark of the files that are in use; that of a damaged folder does not matter."""
    try:
        mark = json.loads((folder / MANIFEST).read_bytes()).get("mark")
    except (OSError, ValueError, AttributeError, RecursionError):
        mark = None
    return mark if mark in MARKS else MARKS[0]


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Any], about: dict[str, str]
) -> None:
    """Write arrays by name, and what is said about them, as safetensors, whole or not at all.

    A digest of all of it is added, which `is_whole` checks. ``save_file`` would put a file of its
    own in place of the locked one, that only its owner reads.
    """
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(each) for name, each in tensors.items()}
    with replacing(path) as partial:
        partial.write_bytes(save(whole, about | {"sha256": _digest(whole, about)}))


def read_tensors(path: str | os.PathLike[str], what: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return arrays by name, and what is said about them.

    Raises
    ------
    SourceError
        If the file cannot be read as safetensors, and so not as `what`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SourceError(path, f"cannot be read as {what} ({error}).") from None
    return tensors, about


def is_whole(tensors: Mapping[str, Any], about: Mapping[str, str]) -> bool:
    """Whether all is as `write_tensors` wrote it."""
    return _digest(tensors, about) == about.get("sha256")


def _digest(tensors: Mapping[str, Any], about: Mapping[str, str]) -> str:
    """Return the sha256 of arrays by name and of what is said about them, but for a digest.

    Examples
    --------
    >>> _digest({"a": np.ones(2)}, {}) == _digest({"a": np.ones(2)}, {"sha256": "of it"})
    True
    >>> _digest({"a": np.ones(2)}, {}) == _digest({"a": -np.ones(2)}, {})
    False
    """
    made = sha256(to_json(sorted((k, v) for k, v in about.items() if k != "sha256")).encode())
    for name, each in sorted(tensors.items()):
        made.update(to_json([name, each.dtype.str, list(each.shape)]).encode())
        made.update(np.ravel(each).view(np.uint8).data)
    return made.hexdigest()


def write_safetensors(
    path: Path, key: str, matrix: Matrix, words: Sequence[str] | None = None
) -> None:
    """Write one float32 tensor as safetensors, block by block, so that no table is copied whole.

    Words, if given, become a second tensor, `WORDS_KEY`, in the form of `WordEmbedding`.
    """
    n, d = matrix.shape
    end = 4 * n * d
    entries: dict[str, Any] = {key: {"dtype": "F32", "shape": [n, d], "data_offsets": [0, end]}}
    inside = b"" if words is None else json.dumps({"words": list(words)}).encode()
    if inside:
        ends = [end, end + len(inside)]
        entries[WORDS_KEY] = {"dtype": "U8", "shape": [len(inside)], "data_offsets": ends}
    header = json.dumps({"__metadata__": {"format": "pt"}} | entries).encode()
    header += b" " * (-len(header) % 8)  # the numbers begin at a multiple of eight
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        write_rows(file, matrix)
        file.write(inside)


def write_npy(words: Sequence[str], matrix: Matrix, path: Path, beside: Path) -> None:
    """Write the rows as .npy, and the words, one on each line, to a file beside it.

    No system replaces two files in one step, so rows are never put in the place of rows that have
    other words. New words come before their rows: without rows they are no table.
    """
    if place(path) is None:
        why = "it is no file, so no words can stand beside it; write .safetensors, which holds its"
        raise OutputError(path, f"{why} words.")
    text = "".join(f"{word}\n" for word in words).encode()
    with locked(path), replacing(path) as partial:
        is_new = not beside.exists()
        if path.exists() if is_new else beside.read_bytes() != text:
            lacks = f"is there without {beside.name}"
            differs = f"belongs to {beside.name}, which holds other words than those to write"
            raise OutputError(
                path,
                f"{path.name} {lacks if is_new else differs}, and two files cannot be replaced in "
                "one step; remove both first, name another file, or write .safetensors, which "
                "holds its words.",
            )
        header = {"descr": "<f4", "fortran_order": False, "shape": matrix.shape}
        with partial.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            write_rows(file, matrix)
        if is_new:
            with replacing(beside) as partial_words:
                partial_words.write_bytes(text)


def write_rows(file: IO[bytes], matrix: Matrix) -> None:
    """Write the bytes of a matrix as float32 in C order."""
    for some in row_blocks(len(matrix)):
        file.write(np.ascontiguousarray(matrix[some], "<f4").data)
