"""A patch applied to a user's own file: one tensor is replaced, and nothing else."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix, Rows
from driftkit.atomic import locked, replacing
from driftkit.display import counted, joined
from driftkit.embeddings import Embeddings
from driftkit.errors import DriftkitError, OptionError
from driftkit.loaders import load
from driftkit.loaders.request import parse
from driftkit.patches.patch import Patch, differing_rows
from driftkit.patches.places import Place, Record, decoded, encoded, place_of

_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done to a file: how many rows were written, and how far rounding moved a number.

    `same` rows of the patch are in the file as they were, since its type is too coarse for the
    change; where all are, or the patch is empty, nothing was written. `rounding` is the largest
    distance of a number in the file from the one of the patch: 0 in float32. `links` is how many
    other names (hard links) the file had: they keep the file as it was. `copies` names the other
    tensors of the file that held the same numbers, and still do.
    """

    path: Path
    key: str | None
    rows: int
    same: int
    dtype: str
    rounding: float
    links: int
    copies: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was written, in one sentence."""
        text = f"{self.path}::{self.key}: " if self.key else f"{self.path}: "
        if not self.rows:
            why = "changes no row"
            if self.same:
                why = f"changes {counted(self.same, 'row')} by less than {self.dtype} can hold"
            return f"{text}nothing was written, since the patch {why}"
        text += f"{counted(self.rows, 'row')} written, every other byte as it was"
        if self.rounding:
            text += f"; kept as {self.dtype}, which moved a number by up to {self.rounding:.2g}"
        if self.same:
            text += f" and left {counted(self.same, 'row')} as before"
        if self.links:
            text += f"; the file had {counted(self.links, 'other hard link')}, now to the old one"
        if self.copies:
            text += f"; {joined(self.copies)}, which had the same numbers, keeps them"
        return text


def apply_patch(patch: Patch, source: str | os.PathLike[str], *, vocab: Any = None) -> Applied:
    """Write a patch into the ``.safetensors`` or ``.pt`` file that it belongs to.

    The bytes of the one tensor are replaced in a copy, which then takes the place of the file:
    whoever reads it, and whenever the machine stops, sees the old file or the new one. Every other
    byte stays, but for the checksum that an archive of torch keeps of the tensor. The type of the
    numbers stays too: in float16 they are rounded. Other hard links to the file keep the old one,
    and it is said how many there are.

    Parameters
    ----------
    patch : Patch
    source : path
        The file, or ``FILE::KEY``, as for `driftkit.load`.
    vocab : path or sequence of str, optional
        The words of its rows, as for `driftkit.load`.

    Returns
    -------
    Applied

    Raises
    ------
    OptionError
        If the file holds another table than the patch is for, the patch does not make of it what it
        was made for, or the tensor cannot be replaced: of another format, tied, quantized,
        compressed, or not stored row by row; or the file holds the table twice and no key says
        which one is meant.
    OutputError
        If another run is writing the file.
    SourceError
        If the file cannot be read.
    """
    with _locked(source):
        return write_rows(*_ready(patch, source, vocab), patch.after)


def refusal(
    patch: Patch, source: str | os.PathLike[str], *, vocab: Any = None
) -> DriftkitError | None:
    """Return the error that `apply_patch` would raise for what a file holds; None for none."""
    try:
        table, place, _ = _ready(patch, source, vocab)
        _held(table, place, patch.after)
    except DriftkitError as error:
        return error
    return None


def _ready(patch: Patch, source: Any, vocab: Any) -> tuple[Embeddings, Place, Rows]:
    table, place, rows = _opened(patch, source, vocab)
    if table.sha256 != patch.hashes["tuned"]:
        new = encoded(patch.after, place.dtype)
        if _same(place.rows()[rows], new) and _is_tuned(patch, table):
            raise OptionError(f"{table.source.name} has this patch already; nothing was written.")
        raise patch.refused(table.source.name, "tuned")
    if not _same(table.matrix[rows], patch.before):
        raise patch.damaged
    patch.apply(table)  # what the patch makes is what it was made for, or nothing is written
    if not _same(encoded(patch.before, place.dtype), place.rows()[rows]):
        raise OptionError(
            f"{table.source.name} holds {place.dtype} numbers finer than float32, which undo could "
            "not give back; write the whole table instead (driftkit restore -o)."
        )
    return table, place, rows


def undo_patch(patch: Patch, source: str | os.PathLike[str], *, vocab: Any = None) -> Applied:
    """Give a file back the bytes that it had before `apply_patch`; the options are the same.

    Raises
    ------
    OptionError
        If the file does not hold what this patch made of it.
    """
    with _locked(source):
        return _undone(patch, source, vocab)


@contextmanager
def _locked(source: Any) -> Iterator[None]:
    """Hold the lock of a file from when it is read, so that what is known of it stays true."""
    path = parse(source).path
    with locked(path) if path.is_file() else nullcontext():
        yield


def _undone(patch: Patch, source: Any, vocab: Any) -> Applied:
    table, place, rows = _opened(patch, source, vocab)
    new = encoded(patch.after, place.dtype)
    if not _same(place.rows()[rows], new) or not _is_tuned(patch, table):
        if table.sha256 == patch.hashes["tuned"]:
            raise OptionError(f"{table.source.name} has no patch to undo; nothing was written.")
        if table.sha256 == patch.hashes["restored"]:
            raise patch.damaged
        raise patch.refused(table.source.name, "restored")
    return write_rows(table, place, rows, patch.before)


def _opened(patch: Patch, source: Any, vocab: Any) -> tuple[Embeddings, Place, Rows]:
    table = load(source, vocab=vocab)
    if table.dimensions != patch.before.shape[1] or any(name not in table for name in patch.names):
        raise patch.refused(table.source.name, "tuned")
    return table, place_of(table, alone=parse(source).key is None), table.rows(patch.names)


def _is_tuned(patch: Patch, table: Embeddings) -> bool:
    """Whether a table is the tuned one but for the rows of the patch."""
    return patch.put(table, patch.before).sha256 == patch.hashes["tuned"]


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


def _held(table: Embeddings, place: Place, meant: Matrix) -> Matrix:
    """Return numbers as the file will hold them."""
    values: Matrix = decoded(encoded(meant, place.dtype), place.dtype)
    if not np.isfinite(values).all():
        raise OptionError(
            f"{table.source.name} is kept as {place.dtype}, too narrow for the numbers of this "
            "patch; write the whole table instead (driftkit restore -o)."
        )
    return values


def write_rows(table: Embeddings, place: Place, rows: Rows, meant: Matrix) -> Applied:
    """Replace rows of a table (m,) by others (m, d) in a file that holds it."""
    values = _held(table, place, meant)
    rounding = float(np.abs(values.astype(np.float64) - meant).max(initial=0))
    some = np.flatnonzero(differing_rows(values, table.matrix[rows]))
    links = place.path.stat().st_nlink - 1
    copies = place.copies
    if len(some):
        _replace(place, rows[some], encoded(meant[some], place.dtype))
    same, key = len(rows) - len(some), table.source.key
    return Applied(place.path, key, len(some), same, place.dtype, rounding, links, copies)


def _replace(place: Place, rows: Rows, new: npt.NDArray[Any]) -> None:
    """Write rows as they are stored into a copy of the file, and put it in the file's place."""
    width = new.dtype.itemsize * place.shape[1]
    with replacing(place.path) as partial:
        shutil.copyfile(place.path, partial)
        with partial.open("r+b") as file:
            old = None if place.record is None else _checksum(file, place.record)
            for row, numbers in zip(rows.tolist(), new, strict=True):
                file.seek(place.offset + row * width)
                file.write(numbers.tobytes())
            if place.record is not None and old is not None:
                _replace_checksum(file, place.record, old)


def _checksum(file: IO[bytes], record: Record) -> bytes:
    """CRC-32 of a record, as it is written."""
    file.seek(record.start)
    value, left = 0, record.size
    while left:
        block = file.read(min(left, _BLOCK))
        value, left = zlib.crc32(block, value), left - len(block)
    return value.to_bytes(4, "little")


def _replace_checksum(file: IO[bytes], record: Record, old: bytes) -> None:
    """Write the new checksum wherever the old one was."""
    new = _checksum(file, record)
    for at in record.checksums:
        file.seek(at)
        if file.read(4) == old:
            file.seek(at)
            file.write(new)
