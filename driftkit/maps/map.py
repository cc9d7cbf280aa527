"""A map from one space to the other, that can be applied, saved and read again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from driftkit.arguments import path_of
from driftkit.arrays import Mask, Values, row_blocks
from driftkit.display import Displayed, Text, counted
from driftkit.drift.groups import none_if_nan
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.escaping import printable
from driftkit.forks import one_thread_in_a_child
from driftkit.loaders.preconditions import require_file
from driftkit.maps.affine import Affine
from driftkit.maps.consumer import Flips, Inputs
from driftkit.provenance import Source
from driftkit.store import is_whole, read_tensors, write_tensors

if TYPE_CHECKING:
    from rich.console import RenderableType
    from torch import nn

Side = Literal["original", "tuned"]

SCHEMA = "driftkit.map/1"


@dataclass(frozen=True, slots=True)
class Trial:
    """What one map made of rows that it was not fitted on.

    `undone` is the share of the squared movement that it takes back, `turned` the same of the
    squared distance of unit vectors (NaN where no direction changed).
    """

    name: str
    parameters: int
    undone: float
    turned: float

    @property
    def least(self) -> float:
        """The smaller of the two shares."""
        return self.undone if np.isnan(self.turned) else min(self.undone, self.turned)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "undone": self.undone,
            "turned": none_if_nan(self.turned),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured before a map was given or refused, on rows that it was not fitted on.

    `chance` is what a map of the chosen kind undoes of random moves of the same size; None where
    widths differ. `found` is the share of rows whose nearest row in the other space is their own,
    by distance, or nearly equal to it, before and after the map, and `lost` the share of those
    found before and not after. `zeros` of the moved rows are zero, and stay so. `flips` is what the
    consumer decides otherwise, before (None where it cannot read rows of another width) and after,
    on inputs that had no say in the choice; `unseen` the same with maps that were not fitted on the
    words they map. A map is given if these are no more than the share `allowed`, and `p_value`, of
    a sign test that flips are taken back, is small. `inputs` says what of the documents was not
    read.
    """

    rows: int
    zeros: int
    trials: tuple[Trial, ...]
    chance: Trial | None
    found: tuple[float, float]
    lost: float
    flips: tuple[Flips | None, Flips] | None = None
    unseen: Flips | None = None
    allowed: float | None = None
    p_value: float | None = None
    inputs: Inputs | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "rows": self.rows,
            "zeros": self.zeros,
            "trials": [trial.to_dict() for trial in self.trials],
            "chance": None if self.chance is None else self.chance.to_dict(),
            "found": [none_if_nan(each) for each in self.found],
            "lost": none_if_nan(self.lost),
            "flips": None
            if self.flips is None
            else [each and each.to_dict() for each in self.flips],
            "unseen": None if self.unseen is None else self.unseen.to_dict(),
            "allowed": self.allowed,
            "p_value": self.p_value,
            "inputs": None if self.inputs is None else self.inputs.to_dict(),
        }


@dataclass(frozen=True, repr=False)
class Refusal(Displayed):
    """Why there is no map; it counts as false.

    Parameters
    ----------
    reason : str
        A sentence without its full stop.
    evidence : Evidence or None
        None where nothing was fitted.
    """

    reason: str
    evidence: Evidence | None = None

    def __bool__(self) -> bool:
        return False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        evidence = None if self.evidence is None else self.evidence.to_dict()
        return {"map": None, "reason": self.reason, "evidence": evidence}

    def __rich__(self) -> RenderableType:
        return Text(f"No map: {self.reason}.")


@dataclass(frozen=True, repr=False)
class Map(Displayed):
    """A map of rows of one space into the other.

    Made by `driftkit.fit_map`. Mapped to ``"original"``, tuned rows can be given to what reads the
    original vectors. Mapped to ``"tuned"``, an index of original rows can be searched with tuned
    queries.

    Parameters
    ----------
    to : {"original", "tuned"}
        The space it leads to.
    affine : Affine
    names : frozenset of str or None
        Rows that are mapped; the others stay, as they did not move. None where all are.
    hashes : dict of str to str
        Digest of the words and rows of the ``original`` and of the ``tuned`` table.
    evidence : Evidence or None
        What it was judged by; not saved.
    """

    to: Side
    affine: Affine
    names: frozenset[str] | None
    hashes: dict[str, str]
    evidence: Evidence | None = field(default=None)

    def __call__(self, rows: Any) -> Any:
        """Return rows (m, d) mapped: an array for an array, a tensor for a tensor.

        All of them are, moved or not, but zero rows: these have no direction and stay zero. They
        keep their type; of whole numbers or truth values they become float32.

        Raises
        ------
        OptionError
            If they are of another width, are no real numbers, or hold NaN or infinity, or if mapped
            ones are past what their type holds.
        """
        if not hasattr(rows, "detach"):
            given = np.asarray(rows)
            kind = given.dtype if given.dtype.kind == "f" else np.dtype(np.float32)
            return _within(self._mapped(given), np.finfo(kind)).astype(kind)
        import torch

        one_thread_in_a_child()
        held = rows.detach().cpu()
        wide = held if held.is_complex() else held.double()  # NumPy lacks some narrow types
        dtype = held.dtype if held.is_floating_point() else torch.float32
        mapped = _within(self._mapped(wide.numpy()), torch.finfo(dtype))
        return torch.from_numpy(mapped).to(rows.device, dtype)

    def _mapped(self, given: npt.NDArray[Any]) -> Values:
        """Return rows (m, d) mapped, in float64."""
        if given.ndim != 2 or given.shape[1] != len(self.affine.matrix):
            raise OptionError(
                f"rows of shape {given.shape} were given; this map takes (m, "
                f"{len(self.affine.matrix)})."
            )
        if given.dtype.kind not in "fiub":
            raise OptionError(
                f"rows of type {given.dtype} were given; a map takes real numbers, such as float32."
            )
        if not (finite := np.isfinite(given).all(axis=1)).all():
            raise OptionError(
                f"{(~finite).sum():,} of {len(given):,} rows hold NaN or infinity; rows must be "
                "finite, and a map makes none of what is not."
            )
        with np.errstate(over="ignore", invalid="ignore"):  # past what float64 holds
            mapped = self.affine(given.astype(np.float64))
        mapped[~given.any(axis=1)] = 0
        return mapped

    @overload
    def apply(self, table: Embeddings) -> Embeddings: ...

    @overload
    def apply(self, table: nn.Embedding, words: Sequence[str] | None = None) -> nn.Embedding: ...

    def apply(
        self, table: Embeddings | nn.Embedding, words: Sequence[str] | None = None
    ) -> Embeddings | nn.Embedding:
        """Return a table, or an embedding layer, whose rows are mapped where they moved.

        Give what the map was fitted on: of anything else its evidence says nothing, and what it
        mapped before would be mapped twice. The digests tell, and a warning says so.

        Parameters
        ----------
        table : Embeddings or torch.nn.Embedding
        words : sequence of str, optional
            The word of each row of a layer, unless this is a `driftkit.training.WordEmbedding`.

        Returns
        -------
        Embeddings or torch.nn.Embedding
            A new one. A layer has the type and device of the given one, and its settings.

        Raises
        ------
        OptionError
            If it is the table that the map leads to, has none of the names that moved, or another
            width, or is neither a table nor a layer.
        """
        if isinstance(table, Embeddings):
            return self._applied(table)
        given = _table_of(table, words)
        return _layer_like(table, self._applied(given), self._mask(given))

    def _recognise(self, table: Embeddings) -> None:
        """Refuse the table that the map leads to; warn of any but the one it was fitted on."""
        fitted_on = "tuned" if self.to == "original" else "original"
        name = printable(table.source.name)
        if table.sha256 == self.hashes[self.to]:
            raise OptionError(
                f"{name} is the {self.to} table, to which this map leads; give the {fitted_on} one."
            )
        if table.sha256 != self.hashes[fitted_on]:
            warnings.warn(
                f"{name} is not the {fitted_on} table that this map was fitted on, so what was "
                "measured does not hold for it; if it was mapped already, it is now mapped twice.",
                stacklevel=4,
            )

    def _applied(self, table: Embeddings) -> Embeddings:
        mapped = self._mask(table)
        if not mapped.any():
            raise OptionError(
                f"{table.source.name} holds none of the {len(self.names or ()):,} names that this "
                "map moves; give the tuned table, or another one trained with it."
            )
        self._recognise(table)
        matrix = np.empty((len(table), self.affine.matrix.shape[1]), np.float32)
        for some in row_blocks(*matrix.shape):
            rows, chosen = table.matrix[some], mapped[some]
            block = matrix[some]
            block[chosen] = self(rows[chosen])
            if not chosen.all():
                block[~chosen] = rows[~chosen]
        name = f"{table.source.name}, mapped to {self.to}"
        return Embeddings(table.words, matrix, source=Source(name))

    def stream(self, rows: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield names with their rows (d,), arrays or tensors, mapped where they moved.

        A stream cannot be told from another before it ends, so nothing is said of a foreign one.
        """
        for name, row in rows:
            if self.names is None or name in self.names:
                row = self(row[None] if hasattr(row, "detach") else np.asarray(row)[None])[0]
            yield name, row

    def _mask(self, table: Embeddings) -> Mask:
        if self.names is None:
            return np.ones(len(table), bool)
        return np.fromiter((word in self.names for word in table.words), bool, len(table))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the map as a safetensors file, whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written there.
        """
        tensors: dict[str, Any] = {"matrix": self.affine.matrix, "shift": self.affine.shift}
        if self.names is not None:
            text = json.dumps(sorted(self.names), ensure_ascii=True)
            tensors["names"] = np.frombuffer(text.encode(), np.uint8)
        about = {
            "schema": SCHEMA,
            "to": self.to,
            "family": self.affine.name,
            "parameters": str(self.affine.parameters),
            **{f"sha256_{side}": digest for side, digest in sorted(self.hashes.items())},
        }
        write_tensors(path, tensors, about)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; the numbers of the map are in its own file."""
        return {
            "map": self.affine.name,
            "to": self.to,
            "parameters": self.affine.parameters,
            "rows": None if self.names is None else len(self.names),
            "sha256": dict(self.hashes),
            "evidence": None if self.evidence is None else self.evidence.to_dict(),
        }

    def __rich__(self) -> RenderableType:
        d, e = self.affine.matrix.shape
        names = self.names
        which = "every row" if names is None else f"{counted(len(names), 'row')} that moved"
        text = f"{self.affine.name.capitalize()} to the {self.to} space ({d} to {e}), for {which}"
        if self.evidence is not None:
            before, after = self.evidence.found
            text += f": {after:.1%} of rows it was not fitted on find their place"
            text += "" if np.isnan(before) else f", {before:.1%} without"
            if self.evidence.lost > 0:
                text += f"; {self.evidence.lost:.1%} lose theirs by it"
            if self.evidence.flips is not None:
                old, new = self.evidence.flips
                text += (
                    f"; the consumer decides {new.flipped:.1%} otherwise "
                    f"({new.low:.1%} to {new.high:.1%})"
                )
                text += "" if old is None else f", {old.flipped:.1%} without"
            if self.evidence.zeros:
                text += f"; {counted(self.evidence.zeros, 'zero row stays', 'zero rows stay')} zero"
        return Text(f"{text}.")


def load_map(path: str | PathLike[str]) -> Map:
    """Read a map that `Map.save` wrote.

    Raises
    ------
    SourceError
        If the file is no map, or damaged.
    OptionError
        If it is no path.
    """
    accepted = "a file that Map.save or `driftkit link` wrote"
    require_file(path_of(path, "load_map"), str(path), SourceError, accepted)
    tensors, about = read_tensors(path, "a map")
    if about.get("schema") != SCHEMA or not {"matrix", "shift"} <= tensors.keys():
        raise SourceError(path, f"is no map; give {accepted}.")
    matrix, shift = tensors["matrix"], tensors["shift"]
    is_sound = is_whole(tensors, about) and _finite(matrix, shift)
    if not is_sound or matrix.ndim != 2 or shift.shape != matrix.shape[1:]:
        raise SourceError(path, "is a damaged map; write it anew.")
    names = None
    if "names" in tensors:
        names = frozenset(json.loads(tensors["names"].tobytes()))
    side: Any = about["to"]
    hashes = {each: about[f"sha256_{each}"] for each in ("original", "tuned")}
    affine = Affine(about["family"], int(about["parameters"]), matrix, shift)
    return Map(side, affine, names, hashes)


def _table_of(layer: Any, words: Sequence[str] | None) -> Embeddings:
    """Return the rows of an embedding layer with their words."""
    import torch

    kind = torch.nn.Embedding
    if not isinstance(layer, kind) or type(layer).forward is not kind.forward:
        raise OptionError(
            f"a map was applied to an object of type {type(layer).__name__}; give a table of "
            "dk.load, or an nn.Embedding with its words, or call the map with rows."
        )
    words = getattr(layer, "words", None) if words is None else words
    if words is None:
        raise OptionError("a layer does not know its words; call map.apply(layer, words).")
    table = Embeddings(words, layer, source=Source("the layer"))
    if len(table) < layer.num_embeddings:
        raise OptionError("words repeat in the layer; give each of its rows another one.")
    return table


def _layer_like(layer: nn.Embedding, table: Embeddings, mapped: Mask) -> nn.Embedding:
    """Return a layer with the mapped rows of a table, and with its own where none was mapped."""
    import torch

    one_thread_in_a_child()
    weight = layer.weight.detach()
    made = torch.from_numpy(_within(np.array(table.matrix), torch.finfo(weight.dtype))).to(weight)
    if made.shape == weight.shape:  # of float64, the table has a part only
        made = torch.where(torch.from_numpy(mapped).to(weight.device)[:, None], made, weight)
    like: nn.Embedding = torch.nn.Embedding.from_pretrained(
        made,
        freeze=not layer.weight.requires_grad,
        padding_idx=layer.padding_idx,
        max_norm=layer.max_norm,
        norm_type=layer.norm_type,
        scale_grad_by_freq=layer.scale_grad_by_freq,
        sparse=layer.sparse,
    )
    return like


def _within(mapped: Any, kind: Any) -> Any:
    """Return mapped rows (m, e); refuse those past the largest number of a type, by its finfo."""
    if not np.float64(np.abs(mapped).max(initial=0)) <= kind.max:  # nor is NaN
        raise OptionError(
            f"mapped rows are past what {kind.dtype} holds; give rows, or a layer, of a wider type."
        )
    return mapped


def _finite(*arrays: Values) -> bool:
    return all(np.isfinite(each).all() for each in arrays)
