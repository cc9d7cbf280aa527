"""Whether a model still behaves as its lock says, and if not, how it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from rich.console import Group, RenderableType

from driftkit.arguments import cut, require, shown, strings
from driftkit.arrays import Values, row_norms
from driftkit.audits import audit
from driftkit.display import Displayed, Text, counted, first_few, section
from driftkit.display import number as written
from driftkit.embeddings import Embeddings
from driftkit.encoders import encoder_of
from driftkit.errors import OptionError, RuleError
from driftkit.gate import Verdict, check
from driftkit.gate.rules import Rule, parse_rule
from driftkit.gate.subjects import STATISTICS
from driftkit.golden.causes import looks_like
from driftkit.golden.differences import Differences, Off, fits, percent, turned_back
from driftkit.golden.lock import (
    Item,
    Lock,
    Texts,
    exponents_of,
    items_of,
    read_lock,
    settings_of,
    texts_of,
)
from driftkit.golden.reruns import explained_by
from driftkit.measures.registry import parse_measure
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
ON_MOVEMENT = {
    "moved": ("<=", "<", "="), "displaced": ("<=", "<", "="), "unmoved": (">=", ">", "="),
    "neighbors": ("=", "!="), "link": ("=", "!="),
}  # fmt: skip
"""Counts and questions that a rule may bound so, besides measures that compare the vectors."""
NOT_ON_MOVEMENT = ("norm_ratio", "k_occurrence_change")
"""Measures of words that a vector which points elsewhere may keep."""
WORST = 5
ALIKE = {
    "dtype": "type of numbers", "pooling": "pooling", "prompt": "prompt", "max_length": "tokens"
}  # fmt: skip
"""Settings that are told where they are not those of the lock."""


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
        What may have caused a change, each a sentence with its evidence. Where the table is that of
        an encoder, some items are encoded again, used otherwise: in lower case, with another
        prompt or pooling; if that gives the locked vectors, it is shown and not guessed.
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
                Text(f"  {name}: cosine {written(off.cosine, 4)}, {percent(off.distance)} off")
                for name, off in zip(_names(self.worst), self.worst, strict=True)
            ]
        lines += [Text(f"{line}.", "dim") for line in self.notes]
        if self.verdict is not None:
            lines.append(section("Rules", self.verdict))
        return Group(*lines)


def _names(offs: Sequence[Off]) -> list[str]:
    """Names as sentences have them; a long one, which may be a text, is cut."""
    return [cut(off.id, 40) for off in offs]


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
    texts : path, mapping of str to str or sequence of str, optional
        The text of each item of `table`, as for `driftkit.lock`: compared with the hashes.
    rules : sequence of str, optional
        Rules of the gate on how far the items moved, such as ``"self_cosine min >= 0.99"``. They
        decide what a change leads to, instead of the tolerance. One on neighbors, such as
        ``"overlap@10 mean >= 0.95"``, needs ten items for each: among fewer they agree by chance.
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
    for rule in asked:
        _require_movement(parse_rule(rule))
    old = locked if isinstance(locked, Lock) else read_lock(locked)
    n, width = old.vectors.shape
    given = texts_of(texts)
    now = items_of(table, given)
    coarsest = UNITS * _unit(old, "bfloat16") if tolerance is None else tolerance
    about: dict[str, Any] = {"items": n, "tolerance": coarsest + UNIT["float16"]}
    about["notes"] = tuple(_notes(table, old, given is not None))

    found = {item.id: row for row, item in enumerate(now)}
    if given is None:  # an item that goes by its text
        found = {Item.of(item.id, item.id).id: row for row, item in enumerate(now)} | found
    missing = tuple(item.id for item in old.items if item.id not in found)
    if missing:
        few = first_few([cut(name, 40) for name in missing])
        sentence = f"Items missing: {len(missing):,} of {counted(n, 'item')}: {few}."
        return Verification("items missing", sentence, **about, named=missing)
    rows = [found[item.id] for item in old.items]
    pairs = [(item, now[row]) for item, row in zip(old.items, rows, strict=True)]
    edited = tuple(
        new.id for was, new in pairs if was.sha256 and new.sha256 and was.sha256 != new.sha256
    )
    if edited:
        sentence = (
            f"Texts differ: those of {len(edited):,} of {counted(n, 'item')} are not the ones that "
            f"were locked: {first_few([cut(name, 40) for name in edited])}."
        )
        return Verification("texts differ", sentence, **about, named=edited)
    if table.dimensions != width:
        sentence = f"Another width: {width:,} numbers in a vector then, {table.dimensions:,} now."
        return Verification("another width", sentence, **about)

    if asked:
        ids = [item.id for item in old.items]
        new_table = Embeddings(ids, table.matrix[rows], source=table.source)
        about["verdict"] = check(audit(align(old.table, new_table), benchmarks=[]), asked)
    was, new = old.vectors.astype(np.float64), table.matrix[rows].astype(np.float64)
    lengths = row_norms(was)
    # float16 keeps a number to half of its last place, and below 2**-14 to a fixed step, as float32
    # does with the smallest of all.
    step = np.maximum(np.exp2(exponents_of(old.vectors) - 25.0), 2.0**-149)
    smallest = step * width**0.5
    kept: Values = UNIT["float16"] * lengths + smallest
    levels = {name: kept + UNITS * _unit(old, name) * lengths for name in UNIT}
    most = levels["bfloat16"] if tolerance is None else kept + tolerance * lengths
    named = [replace(item, id=table.words[row]) for item, row in zip(old.items, rows, strict=True)]
    offs = Differences(named, was, new, most)
    about["within"] = next((name for name in UNIT if (offs.distances <= levels[name]).all()), None)
    judged = _judged(offs, kept, about)
    encoder = encoder_of(table)
    if judged.status != "changed" or encoder is None:
        return judged
    some = np.flatnonzero(offs.beyond)
    by_row = [given[word] for word in table.words] if isinstance(given, Mapping) else given
    again = [(by_row or table.words)[rows[row]] for row in some.tolist()]
    shown_by = explained_by(encoder, old, again, was[some], most[some])
    return judged if shown_by is None else replace(judged, looks_like=(shown_by,))


def _require_movement(rule: Rule) -> None:
    """Refuse a rule that a model which changed could keep whatever became of its vectors."""
    for subject in rule.subjects:
        measured = subject.kind in ("group", "word") and subject.of in ("", *STATISTICS)
        if measured and parse_measure(subject.measure).name not in NOT_ON_MOVEMENT:
            continue
        if rule.operator not in ON_MOVEMENT.get(subject.measure, ()):
            raise RuleError(
                rule.text,
                f"{subject} {rule.operator} says nothing of how far the vectors lie from the "
                "locked ones; give a rule on self_cosine, l2, relative_l2, overlap@10, cka, moved, "
                "displaced, neighbors or link, such as self_cosine min >= 0.99.",
            )


# --- what the differences are ---------------------------------------------------------------------


def _unit(old: Lock, computed: str) -> float:
    """The rounding of two runs: that of the locked one, and of one that computed in this type."""
    then = UNIT.get(str(old.settings.get("dtype")), 0.0)
    return float(np.hypot(UNIT[computed], then))


def _judged(offs: Differences, kept: Values, about: Mapping[str, Any]) -> Verification:
    """Tell which of the statuses the differences have, the simplest first."""
    was, new, most, lengths = offs.was, offs.new, offs.most, offs.lengths
    (n, d), within = was.shape, about["within"]
    one = float((was * new).sum() / max(np.square(was).sum(), 1e-300))
    if not offs.beyond.any() and not _is_factor(one, was, new, kept):
        far = offs.worst(1)
        much = f"the farthest, {_names(far)[0]}, is {percent(far[0].distance)} of its length off"
        rounding = f", within the rounding of {within}" if within else ""
        sentence = f"Same model within rounding: of {counted(n, 'item')} {much}{rounding}."
        if not offs.distances.any():
            are = counted(n, "item is as it was", "items are as they were")
            sentence = f"Same model: {are} locked, in every number."
        return Verification("same", sentence, **about, worst=far)
    more = {**about, "beyond": int(offs.beyond.sum()), "worst": offs.worst(WORST)}

    factors = row_norms(new) / np.where(lengths == 0, 1, lengths)
    if one > 0 and fits(new / one, was, most):
        sentence = (
            f"Scaled: every vector is {one:.4g} times as long as it was. Cosines are the same; "
            "dot products, distances and what was trained on the lengths are not."
        )
        return Verification("scaled", sentence, **more, factor=(one, one))
    own = new / np.where(factors == 0, 1, factors)[:, None]
    if lengths.all() and factors.all() and fits(own, was, most) and offs.explained(own, d - 1):
        low, high = float(factors.min()), float(factors.max())
        sentence = (
            f"Scaled: every vector has its old direction, and {low:.4g} to {high:.4g} times its "
            "old length. Cosines are the same; dot products and distances are not. Was a "
            "normalization switched on or off?"
        )
        return Verification("scaled", sentence, **more, factor=(low, high))
    turned, size = turned_back(was, new)
    turned /= size or 1
    left = (n + 1) / 2 if n < d else d - d * (d - 1) / (2 * n)
    if n >= FEWEST_TO_ROTATE and fits(turned, was, most) and offs.explained(turned, left):
        longer = "" if abs(size - 1) < 0.01 else f" and made {size:.4g} times as long"
        sentence = (
            f"Rotated: one orthogonal map explains all {n:,} items. The space was turned{longer}: "
            "cosines between new vectors are as they were, but an index built before is useless "
            "to new queries."
        )
        return Verification("rotated", sentence, **more, factor=(size, size))

    cosines = offs.cosines[~np.isnan(offs.cosines)]
    middle = f"median cosine {np.median(cosines):.4f}" if len(cosines) else "no cosine is known"
    if 0 < len(cosines) < n:
        middle += f" of the {len(cosines):,} that have one"
    off = int(offs.beyond.sum())
    sentence = (
        f"Changed: {off:,} of {counted(n, 'item')} {'is' if off == 1 else 'are'} farther off than "
        f"rounding takes {'it' if off == 1 else 'them'}; worst {'item' if off == 1 else 'items'} "
        f"{first_few(_names(offs.worst(3)))}; {middle}."
    )
    return Verification("changed", sentence, **more, looks_like=tuple(looks_like(offs)))


def _is_factor(one: float, was: Values, new: Values, kept: Values) -> bool:
    """Whether a common factor, however near to 1, explains most of the differences.

    Rounding has none; differences that may be the rounding of the lock are left alone.
    """
    off, left = (float(np.square(row_norms(each - was)).sum()) for each in (new, new / (one or 1)))
    return off > float(np.square(kept).sum()) and left < off / 4


def _notes(table: Embeddings, old: Lock, have_texts: bool) -> Iterator[str]:
    then, now = old.settings, settings_of(table)
    if then.get("format") == now["format"]:
        for name, what in ALIKE.items():
            if then.get(name) != now.get(name):
                yield f"{what}: {_said(then.get(name))} in the lock, {_said(now.get(name))} now"
    if then.get("fingerprint") and now["fingerprint"]:
        same = then["fingerprint"] == now["fingerprint"]
        yield f"the model's files and settings are {'' if same else 'not '}those that were locked"
    before = then.get("versions") or {}
    for name, version in now["versions"].items():
        if before.get(name, version) != version:
            yield f"{name} {before[name]} in the lock, {version} now"
    if not have_texts and any(item.sha256 for item in old.items):
        yield "texts were not compared, since none were given"


def _said(value: object) -> str:
    return "none" if value is None else repr(value)
