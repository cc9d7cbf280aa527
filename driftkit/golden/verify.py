"""Whether a model still behaves as its lock says, and if not, how it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from rich.console import Group, RenderableType

from driftkit.arguments import require, shown, strings
from driftkit.arrays import Values, row_norms
from driftkit.audits import audit
from driftkit.display import Displayed, Text, counted, first_few, section
from driftkit.display import number as written
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError
from driftkit.gate import Verdict, check
from driftkit.golden.causes import looks_like
from driftkit.golden.differences import Differences, Off, fits, percent, turned_back
from driftkit.golden.lock import Lock, Texts, items_of, read_lock, versions
from driftkit.pair import align

SCHEMA = "driftkit.verify/1"

Status = Literal[
    "same", "scaled", "rotated", "changed", "another width", "texts differ", "items missing"
]

UNITS = 4
"""Units of rounding that a row may lie off, measured by its length.

Rounding adds up through the layers of a model, so it is measured: of 200 sentences, MiniLM (six
layers) in float16 and in bfloat16 came out at most 3.1 units from its float32 outputs, whatever the
batch and the threads. With weights in int8 it came out 6 to 10 units of bfloat16 away, and 42 to
116 where what goes into a layer is int8 too.
"""
UNIT = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Half of the last place, finest first; `verify` takes the coarsest, and says which was enough."""

FEWEST_TO_ROTATE = 10
"""Of few items the cosines may agree by chance, and then a rotation fits anything."""
WORST = 5


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Displayed):
    """What `driftkit.verify` found.

    Parameters
    ----------
    status : str
        ``"same"`` (within rounding), ``"scaled"``, ``"rotated"``, ``"changed"``, or why nothing
        was compared: ``"another width"``, ``"texts differ"``, ``"items missing"``.
    sentence : str
        The status and what it rests on, in one sentence.
    items : int
        Locked items.
    beyond : int
        Those farther off than `tolerance`.
    tolerance : float
        How far off an item may lie, in lengths of its locked vector, and still be the same.
    within : str or None
        The finest type of numbers whose rounding explains every difference.
    worst : tuple of Off
        The items farthest off, `id`, `distance` and `cosine`; all of them are beyond the tolerance
        unless the status is ``"same"``.
    factor : tuple of float or None
        The smallest and the largest factor of length, of ``"scaled"`` and ``"rotated"``.
    named : tuple of str
        Ids of the items that are missing, or whose texts differ.
    looks_like : tuple of str
        What may have caused a change, each a sentence with its evidence.
    notes : tuple of str
        Settings and versions that are not those of the lock, and what was not checked.
    verdict : Verdict or None
        That of the rules, if there were any.
    """

    status: Status
    sentence: str
    items: int
    tolerance: float
    beyond: int = 0
    within: str | None = None
    worst: tuple[Off, ...] = ()
    factor: tuple[float, float] | None = None
    named: tuple[str, ...] = ()
    looks_like: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    verdict: Verdict | None = field(default=None)

    @property
    def exit_code(self) -> int:
        """0 for the same model, else 1; where items were compared and rules given, theirs."""
        if self.verdict is not None:
            return self.verdict.exit_code
        return int(self.status != "same")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.verify/1`` as plain values."""
        worst = [
            {"id": off.id, "distance": _plain(off.distance), "cosine": _plain(off.cosine)}
            for off in self.worst
        ]
        return {
            "schema": SCHEMA,
            "status": self.status,
            "sentence": self.sentence,
            "exit_code": self.exit_code,
            "items": self.items,
            "beyond": self.beyond,
            "tolerance": _plain(self.tolerance),
            "within": self.within,
            "worst": worst,
            "factor": None if self.factor is None else [*map(_plain, self.factor)],
            "named": list(self.named),
            "looks_like": list(self.looks_like),
            "notes": list(self.notes),
            "check": None if self.verdict is None else self.verdict.to_dict(),
        }

    def __rich__(self) -> RenderableType:
        lines: list[RenderableType] = [
            Text(self.sentence, "bold green" if self.status == "same" else "bold red")
        ]
        lines += [Text(line) for line in self.looks_like]
        if self.status == "changed":
            lines += [
                Text(f"  {off.id}: cosine {written(off.cosine, 4)}, {percent(off.distance)} off")
                for off in self.worst
            ]
        lines += [Text(f"{line}.", "dim") for line in self.notes]
        if self.verdict is not None:
            lines.append(section("Rules", self.verdict))
        return Group(*lines)


def _plain(value: float) -> float | None:
    """Round to the digits that every processor agrees on; None for NaN and infinity."""
    return float(f"{value:.3g}") if np.isfinite(value) else None


def verify(
    table: Embeddings,
    locked: str | os.PathLike[str] | Lock,
    *,
    texts: Texts | None = None,
    rules: Sequence[str] = (),
    tolerance: float | None = None,
) -> Verification:
    """Compare a model's vectors of the golden items with those of a lock.

    Parameters
    ----------
    table : Embeddings
        The new vectors, under the same ids; further items are left out.
    locked : path or Lock
        What `driftkit.lock` wrote.
    texts : mapping of str to str or sequence of str, optional
        The text of each item of `table`, as for `driftkit.lock`: compared with the hashes.
    rules : sequence of str, optional
        Rules of the gate, such as ``"overlap@10 mean >= 0.95"``, among the golden items. They
        decide what a change leads to, instead of the tolerance.
    tolerance : float, optional
        How far off an item may lie, in lengths of its locked vector. By default what rounding in
        bfloat16 gives, 0.016, and that of the lock.

    Returns
    -------
    Verification

    Raises
    ------
    SourceError
        If the lock cannot be read.
    OptionError, RuleError
        If an option or a rule cannot be used.

    Examples
    --------
    >>> import tempfile, driftkit as dk
    >>> from pathlib import Path
    >>> place = Path(tempfile.mkdtemp()) / "embed.lock"
    >>> vectors = np.random.default_rng(0).normal(size=(20, 8))
    >>> names = [f"item {i}" for i in range(20)]
    >>> _ = dk.lock(dk.Embeddings(names, vectors), place)
    >>> dk.verify(dk.Embeddings(names, vectors.astype("float16")), place).status
    'same'
    >>> dk.verify(dk.Embeddings(names, vectors[:, ::-1]), place).status
    'rotated'
    """
    require(table, Embeddings, "dk.verify")
    if tolerance is not None and not (isinstance(tolerance, float | int) and 0 < tolerance < 1):
        raise OptionError(f"tolerance={shown(tolerance)} was given; it is between 0 and 1.")
    asked = strings("rules", rules, "rules")
    old = locked if isinstance(locked, Lock) else read_lock(locked)
    found = {item.id: row for row, item in enumerate(items_of(table, texts))}
    coarsest = UNITS * _unit(old, "bfloat16") if tolerance is None else tolerance
    about: dict[str, Any] = {"items": len(old), "tolerance": coarsest + UNIT["float16"]}
    notes = tuple(_notes(table, old, texts))

    missing = tuple(item.id for item in old.items if item.id not in found)
    if missing:
        which = f"{first_few(missing)}; {len(found) - len(old) + len(missing):,} are not locked"
        sentence = f"Items missing: {len(missing):,} of {counted(len(old), 'item')}: {which}."
        return Verification("items missing", sentence, **about, named=missing, notes=notes)
    rows = np.array([found[item.id] for item in old.items])
    if texts is not None:
        now = items_of(table, texts)
        pairs = ((item, now[row]) for item, row in zip(old.items, rows.tolist(), strict=True))
        edited = tuple(was.id for was, new in pairs if was.sha256 and was.sha256 != new.sha256)
        if edited:
            sentence = (
                f"Texts differ: those of {len(edited):,} of {counted(len(old), 'item')} are not "
                f"the ones that were locked: {first_few(edited)}."
            )
            return Verification("texts differ", sentence, **about, named=edited, notes=notes)
    width = old.vectors.shape[1]
    if table.dimensions != width:
        sentence = f"Another width: {width:,} numbers in a vector then, {table.dimensions:,} now."
        return Verification("another width", sentence, **about, notes=notes)

    new = Embeddings([item.id for item in old.items], table.matrix[rows], source=table.source)
    verdict = None
    if asked:
        verdict = check(audit(align(old.table, new), benchmarks=[]), asked)
    return _compared(old, new.matrix.astype(np.float64), tolerance, about, notes, verdict)


# --- what the differences are ---------------------------------------------------------------------


def _unit(old: Lock, computed: str) -> float:
    """The rounding of two runs: that of the locked one, and of one that computed in this type."""
    then = UNIT.get(str(old.settings.get("dtype")), 0.0)
    return float(np.hypot(UNIT[computed], then))


def _compared(
    old: Lock,
    new: Values,
    tolerance: float | None,
    about: dict[str, Any],
    notes: tuple[str, ...],
    verdict: Verdict | None,
) -> Verification:
    was = old.vectors.astype(np.float64)
    n, d = was.shape
    lengths = row_norms(was)
    # float16 keeps a number to half of its last place, and below 2**-14 to a fixed step.
    scale = float(np.abs(was).max())
    kept: Values = UNIT["float16"] * lengths + 2.0**-25 * d**0.5 * max(1.0, scale / 2.0**15)

    levels = {name: kept + UNITS * _unit(old, name) * lengths for name in UNIT}
    most = levels["bfloat16"] if tolerance is None else kept + tolerance * lengths
    offs = Differences(old.items, was, new, most)
    within = next((name for name, level in levels.items() if (offs.distances <= level).all()), None)
    more: dict[str, Any] = {**about, "notes": notes, "verdict": verdict, "within": within}
    one = float((was * new).sum() / max(np.square(was).sum(), 1e-300))
    if not offs.beyond.any() and not _is_factor(one, was, new, kept):
        far = offs.worst(1)
        much = f"the farthest, {far[0].id}, is {percent(far[0].distance)} of its length off"
        rounding = f", within the rounding of {within}" if within else ""
        sentence = f"Same model within rounding: of {counted(n, 'item')} {much}{rounding}."
        return Verification("same", sentence, **more, worst=far)
    more |= {"beyond": int(offs.beyond.sum()), "worst": offs.worst(WORST)}

    factors = row_norms(new) / np.where(lengths == 0, 1, lengths)
    if one > 0 and fits(new / one, was, most):
        sentence = (
            f"Scaled: every vector is {one:.4g} times as long as it was. Cosines are the same; "
            "dot products, distances and what was trained on the lengths are not."
        )
        return Verification("scaled", sentence, **more, factor=(one, one))
    if (factors > 0).all() and (lengths > 0).all() and fits(new / factors[:, None], was, most):
        low, high = float(factors.min()), float(factors.max())
        sentence = (
            f"Scaled: every vector has its old direction, and {low:.4g} to {high:.4g} times its "
            "old length. Cosines are the same; dot products and distances are not. Was a "
            "normalization switched on or off?"
        )
        return Verification("scaled", sentence, **more, factor=(low, high))
    turned, size = turned_back(was, new)
    if n >= FEWEST_TO_ROTATE and size > 0 and fits(turned / size, was, most):
        longer = "" if abs(size - 1) < 0.01 else f" and made {size:.4g} times as long"
        sentence = (
            f"Rotated: one orthogonal map explains all {n:,} items. The space was turned{longer}: "
            "cosines between new vectors are as they were, but an index built before is useless "
            "to new queries."
        )
        return Verification("rotated", sentence, **more, factor=(size, size))

    cosines = offs.cosines[~np.isnan(offs.cosines)]
    middle = f"{np.median(cosines):.4f}" if len(cosines) else "-"
    items = counted(n, "item")
    sentence = (
        f"Changed: {int(offs.beyond.sum()):,} of {items} are farther off than rounding takes "
        f"them; worst items {first_few([off.id for off in offs.worst(3)])}; median cosine {middle}."
    )
    return Verification("changed", sentence, **more, looks_like=tuple(looks_like(offs)))


def _is_factor(one: float, was: Values, new: Values, kept: Values) -> bool:
    """Whether a common factor, however near to 1, explains most of the differences.

    Rounding has none; differences that may be the rounding of the lock are left alone.
    """
    off, left = (float(np.square(row_norms(each - was)).sum()) for each in (new, new / (one or 1)))
    return off > float(np.square(kept).sum()) and left < off / 4


def _notes(table: Embeddings, old: Lock, texts: Texts | None) -> Iterator[str]:
    then = old.settings
    for name, what in (("key", "settings"), ("dtype", "type of numbers")):
        now = getattr(table.source, name)
        if then.get("format") == table.source.format and then.get(name) != now:
            yield f"{what}: {_said(then.get(name))} in the lock, {_said(now)} now"
    now = getattr(table.source, "fingerprint", None)
    if then.get("fingerprint") and now:
        same = then["fingerprint"] == now
        yield f"the model's files are {'those' if same else 'not those'} that were locked"
    before, after = then.get("versions") or {}, versions(table.source)
    for name in sorted({*before} & {*after}):
        if before[name] != after[name]:
            yield f"{name} {before[name]} in the lock, {after[name]} now"
    if texts is None and any(item.sha256 for item in old.items):
        yield "texts were not compared, since none were given"


def _said(value: object) -> str:
    return "none" if value is None else str(value)
