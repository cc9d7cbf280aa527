"""What changed between a tuned table and its restored one, as a file of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from driftkit.arguments import path_of, require
from driftkit.arrays import Mask, Matrix, changed_rows
from driftkit.display import OneLine, counted
from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.loaders.preconditions import require_file
from driftkit.store import is_whole, read_tensors, write_tensors

SCHEMA = "driftkit.patch/1"
SIDES = ("original", "tuned", "restored")


@dataclass(frozen=True, eq=False)
class Patch(OneLine):
    """The rows in which a restored table differs from the tuned one, both ways.

    Made by `driftkit.Restored.patch`, or by `between`. It belongs to one tuned table, known by its
    digest, and is refused for any other.

    Parameters
    ----------
    names : tuple of str
        The m rows that differ.
    before, after : ndarray of float32, shape (m, d)
        These rows of the tuned table, and of the restored one.
    hashes : dict of str to str
        `Embeddings.sha256` of the ``original``, the ``tuned`` and the ``restored`` table.

    Examples
    --------
    >>> tuned = Embeddings(["good", "bad"], [[1, 2], [3, 4]])
    >>> restored = Embeddings(["good", "bad"], [[1, 2], [3, 3]])
    >>> patch = Patch.between(tuned, restored, original=restored)
    >>> patch.names, patch.apply(tuned)["bad"].tolist(), patch.undo(restored)["bad"].tolist()
    (('bad',), [3.0, 3.0], [3.0, 4.0])
    """

    names: tuple[str, ...]
    before: Matrix = field(repr=False)
    after: Matrix = field(repr=False)
    hashes: dict[str, str] = field(repr=False)

    @classmethod
    def between(cls, tuned: Embeddings, restored: Embeddings, original: Embeddings) -> Patch:
        """Return the patch that makes the restored table of the tuned one.

        Raises
        ------
        OptionError
            If the two do not have the same words in the same order, and one width.
        """
        for table in (tuned, restored, original):
            require(table, Embeddings, "dk.Patch.between")
        if restored.words != tuned.words or restored.dimensions != tuned.dimensions:
            raise OptionError(
                f"{restored.source.name} and {tuned.source.name} differ in words, order or width; "
                "a patch changes the numbers of rows, and nothing else."
            )
        rows = np.flatnonzero(differing_rows(tuned.matrix, restored.matrix))
        return cls(
            tuple(tuned.words[row] for row in rows.tolist()),
            np.array(tuned.matrix[rows]),
            np.array(restored.matrix[rows]),
            dict(zip(SIDES, (original.sha256, tuned.sha256, restored.sha256), strict=True)),
        )

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Patch of {counted(len(self), 'row')} x {self.before.shape[1]}>"

    def apply(self, table: Embeddings) -> Embeddings:
        """Return the restored table of the tuned one.

        Raises
        ------
        OptionError
            If it is another table.
        """
        require(table, Embeddings, "patch.apply")
        return self._changed(table, "tuned", self.after, "restored")

    def undo(self, table: Embeddings) -> Embeddings:
        """Return the tuned table of the restored one.

        Raises
        ------
        OptionError
            If it is another table.
        """
        require(table, Embeddings, "patch.undo")
        return self._changed(table, "restored", self.before, "tuned")

    def _changed(self, table: Embeddings, side: str, values: Matrix, to: str) -> Embeddings:
        if table.sha256 != self.hashes[side]:
            raise self.refused(table.source.name, side)
        made = self.put(table, values)
        if made.sha256 != self.hashes[to]:
            raise self.damaged
        return made

    @property
    def damaged(self) -> OptionError:
        """The error for numbers that are not those of the tables this patch was made from."""
        return OptionError(
            "the patch is damaged: its numbers are not those of the tables it was made from; "
            "write it anew (driftkit restore --patch)."
        )

    def put(self, table: Embeddings, values: Matrix) -> Embeddings:
        """Return a table with other values (m, d) in the rows of this patch."""
        matrix = np.array(table.matrix)
        matrix[table.rows(self.names)] = values
        return Embeddings(table.words, matrix, source=table.source)

    def refused(self, name: str, side: str) -> OptionError:
        """Return the error for a table that is not the one this patch is for."""
        return OptionError(
            f"this patch is for another table than {name}: the {side} one has sha256 "
            f"{self.hashes[side][:12]}...; give the table that it was made from, with its words "
            "in the same order."
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the patch as a safetensors file, whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written there.
        """
        names = json.dumps(list(self.names), ensure_ascii=True).encode()
        tensors: dict[str, Any] = {
            "names": np.frombuffer(names, np.uint8),
            "before": self.before,
            "after": self.after,
        }
        about = {f"sha256_{side}": self.hashes[side] for side in SIDES}
        about["schema"] = SCHEMA
        write_tensors(path, tensors, about)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; the numbers are in the patch's own file."""
        return {"rows": len(self), "dimensions": self.before.shape[1], "sha256": dict(self.hashes)}


def differing_rows(one: Matrix, other: Matrix) -> Mask:
    """Return which rows differ in their bytes: -0.0 and 0.0 are one number, and two files."""
    return changed_rows(one.view(np.uint32), other.view(np.uint32))


def read_patch(path: str | PathLike[str]) -> Patch:
    """Read a patch that `Patch.save` or ``driftkit restore --patch`` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Patch

    Raises
    ------
    SourceError
        If the file is no patch, or damaged.
    OptionError
        If it is no path.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> table = Embeddings(["good", "bad"], [[1, 2], [3, 4]])
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "back.patch"
    >>> Patch.between(table, Embeddings(["good", "bad"], [[1, 2], [0, 0]]), table).save(path)
    >>> read_patch(path)
    <Patch of 1 row x 2>
    """
    accepted = "a file that `driftkit restore --patch` wrote"
    require_file(path_of(path, "dk.read_patch"), str(path), SourceError, accepted)
    tensors, about = read_tensors(path, "a patch")
    hashes = {side: about.get(f"sha256_{side}", "") for side in SIDES}
    if about.get("schema") != SCHEMA or set(tensors) != {"names", "before", "after"}:
        raise SourceError(path, f"is no patch; give {accepted}.")
    before, after = tensors["before"], tensors["after"]
    try:
        names = parse_json(tensors["names"].tobytes())
    except ValueError:
        names = None
    sound = (
        is_whole(tensors, about)
        and isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names)
        and before.ndim == 2
        and before.shape == after.shape
        and len(names) == len(before)
        and before.dtype == after.dtype == np.float32
        and np.isfinite(before).all()
        and np.isfinite(after).all()
        and all(hashes.values())
    )
    if not sound:
        raise SourceError(path, "is a damaged patch; write it anew.")
    return Patch(tuple(names), before, after, hashes)
