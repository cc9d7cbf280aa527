"""What was measured of an accepted release, kept in a file for later checks."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from driftkit.arrays import BLOCK_ROWS
from driftkit.atomic import replacing
from driftkit.audits import Audit
from driftkit.embeddings import Embeddings
from driftkit.errors import BaselineError, DriftkitError
from driftkit.evaluators import ScoreChange
from driftkit.gate.facts import ROUNDING, Fact, Facts, facts_of, portable
from driftkit.gate.subjects import Subject, parse_subjects
from driftkit.report.document import ENGINES

SCHEMA = "driftkit.baseline/1"

COMPARED = ("k", "candidates", "resamples", "seed")
"""Settings of an audit that change its values; measures asked for besides only add some."""

AGAIN = "Write it again with `driftkit baseline update`."
RESTORE = "Restore the file as it was committed, or write it again with `driftkit baseline update`."

_ENTRIES = {
    "driftkit": str,
    "engines": dict,
    "settings": dict,
    "benchmarks": dict,
    "figures": dict,
    "original.name": str,
    "original.sha256": str,
    "tuned.name": str,
    "tuned.sha256": str,
}
"""What every baseline has."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured of an accepted table, against an original.

    Parameters
    ----------
    name : str
        File it was read from, or name of the accepted table.
    document : mapping
        The whole document ``driftkit.baseline/1``.
    facts : dict of Subject to Fact
        The values in it, by name.
    """

    name: str
    document: Mapping[str, Any] = field(repr=False)
    facts: Facts = field(repr=False)

    def to_json(self) -> str:
        """Return the file's text: keys sorted, one line for each value."""
        lines = (
            f"    {json.dumps(name, ensure_ascii=False)}: {json.dumps(entry)}"
            for name, entry in sorted(self.document["figures"].items())
        )
        listed = "{\n" + ",\n".join(lines) + "\n  }"
        text = json.dumps(
            {**self.document, "figures": None}, indent=2, sort_keys=True, ensure_ascii=False
        )
        return text.replace('"figures": null', f'"figures": {listed}', 1) + "\n"


def baseline_of(audit: Audit, words: Iterable[str] = (), bands: Iterable[str] = ()) -> Baseline:
    """Make a baseline of the audit of an accepted table.

    Parameters
    ----------
    audit : Audit
    words, bands : iterable of str
        Protected words, whose own values are kept too, and bands of ranks (``rank 1-1000``) over
        which per-word measures are summed up, too.
    """
    pair = audit.pair
    facts = facts_of(audit, words, bands)
    document = {
        "schema": SCHEMA,
        "driftkit": version("driftkit"),
        "engines": {name: version(name) for name in ENGINES},
        "settings": {name: getattr(audit.settings, name) for name in COMPARED},
        "rounding": ROUNDING,
        "original": _describe_table(pair.original),
        "tuned": _describe_table(pair.tuned),
        "benchmarks": {
            str(Subject("benchmark", change.measure, on=change.name)): {
                "margin": change.margin,
                "n_total": change.n_total,
                "n_used": change.n_used,
                "items_sha256": items_sha256(change),
            }
            for change in audit.scores
        },
        "figures": {str(subject): _to_entry(fact) for subject, fact in facts.items()},
    }
    return Baseline(pair.tuned.source.name, document, facts)


def content_sha256(table: Embeddings) -> str:
    """SHA-256 of the words, each ended by a line feed, then the float32 rows, little endian.

    The same table gives the same digest whatever file format it was read from.
    """
    digest = hashlib.sha256()
    for start in range(0, len(table), BLOCK_ROWS):
        words = table.words[start : start + BLOCK_ROWS]
        digest.update("".join(f"{word}\n" for word in words).encode("utf-8", "surrogatepass"))
    for start in range(0, len(table), BLOCK_ROWS):
        digest.update(np.ascontiguousarray(table.matrix[start : start + BLOCK_ROWS], "<f4").data)
    return digest.hexdigest()


def items_sha256(change: ScoreChange) -> str:
    """SHA-256 of the items of a benchmark that both tables answered, with the gold answers."""
    text = repr((change.measure, sorted(change.items.questions().items())))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _describe_table(table: Embeddings) -> dict[str, Any]:
    source = table.source
    return {
        "name": source.name,
        "key": source.key,
        "format": source.format,
        "dtype": source.dtype,
        "rows": len(table),
        "d": table.dimensions,
        "sha256": content_sha256(table),
    }


def write_baseline(baseline: Baseline, path: str | os.PathLike[str]) -> None:
    """Write a `baseline` to the file at `path`, in one step.

    Raises
    ------
    OptionError
        If the folder does not exist.
    """
    with replacing(path) as partial:
        partial.write_text(baseline.to_json(), encoding="utf-8")


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read the baseline at `path`.

    Raises
    ------
    BaselineError
        If there is none, or it cannot be read.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BaselineError(
            path, "does not exist; make it with `driftkit baseline write`."
        ) from None
    except OSError as error:
        raise BaselineError(path, f"cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BaselineError(path, f"is not UTF-8 text. {RESTORE}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BaselineError(path, f"is not JSON from {place} on. {RESTORE}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise BaselineError(
            path,
            f"is not one this driftkit reads: its schema is {schema!r}, not {SCHEMA!r}. {AGAIN}",
        )
    if lacking := _lacking(document):
        raise BaselineError(path, f"is damaged: it has no {lacking!r}. {RESTORE}")
    facts = {}
    for name, entry in document["figures"].items():
        try:
            subject = parse_subjects(name, name)[0]
            facts[subject] = portable(subject, _from_entry(entry))
        except (DriftkitError, TypeError, ValueError):
            raise BaselineError(
                path,
                f"is damaged: {name!r}: {json.dumps(entry)} is not a name that rules know with a "
                f"number, [number, low, high] or null. {RESTORE}",
            ) from None
    return Baseline(str(path), document, facts)


def require_comparable(baseline: Baseline, current: Baseline) -> None:
    """Refuse a baseline that says nothing about the table that is being checked.

    The original, the settings, the release series of driftkit and the benchmarks must be the same.
    """
    then, now = baseline.document, current.document
    if then["original"]["sha256"] != now["original"]["sha256"]:
        raise BaselineError(
            baseline.name,
            f"is foreign: it was made against {then['original']['name']} with other words or "
            f"vectors than {now['original']['name']} (sha256 {then['original']['sha256'][:12]}... "
            f"and {now['original']['sha256'][:12]}...). Give that original, or write the baseline "
            "again with `driftkit baseline update`.",
        )
    if _series(then["driftkit"]) != _series(now["driftkit"]):
        raise BaselineError(
            baseline.name,
            f"is outdated: driftkit {then['driftkit']} wrote it and this is {now['driftkit']}, "
            f"whose measures may differ. {AGAIN}",
        )
    for name, value in now["settings"].items():
        if then["settings"].get(name) != value:
            raise BaselineError(
                baseline.name,
                f"was made with {name} {then['settings'].get(name)} and this check uses {name} "
                f"{value}; use the same, or write it again with `driftkit baseline update`.",
            )
    for name, entry in now["benchmarks"].items():
        before = then["benchmarks"].get(name)
        if before is None:
            continue  # only a rule that needs it may complain
        same_items = before["n_used"] != entry["n_used"] or (
            before["items_sha256"] == entry["items_sha256"]
        )
        if before["n_total"] != entry["n_total"] or not same_items:
            raise BaselineError(
                baseline.name, f"is outdated: {name} is measured on other items now. {AGAIN}"
            )


def engine_changes(baseline: Baseline, current: Baseline) -> tuple[str, ...]:
    """Name the libraries whose versions differ, with which last digits may differ."""
    then, now = baseline.document["engines"], current.document["engines"]
    return tuple(
        f"made with {name} {then.get(name)}, and this check with {now[name]}"
        for name in now
        if then.get(name) != now[name]
    )


def _lacking(document: Mapping[str, Any]) -> str | None:
    """Name the first entry that every baseline has and this one does not."""
    for name, kind in _ENTRIES.items():
        inside: Any = document
        for step in name.split("."):
            inside = inside.get(step) if isinstance(inside, dict) else None
        if not isinstance(inside, kind):
            return name
    return None


def _series(version: str) -> tuple[str, ...]:
    """Major and minor version: within a series measures keep their meaning."""
    return tuple(version.split(".")[:2])


def _to_entry(fact: Fact) -> float | list[float | None] | None:
    """Return a number, or [value, low, high] of what is uncertain; null for what is not known."""
    value, low, high = (
        None if math.isnan(number) else number for number in (fact.value, fact.low, fact.high)
    )
    return [value, low, high] if fact.uncertain else value


def _from_entry(entry: float | list[float | None] | None) -> Fact:
    value, low, high = (
        math.nan if number is None else float(number)
        for number in (entry if isinstance(entry, list) else [entry, None, None])
    )
    return Fact(value, low, high, uncertain=isinstance(entry, list))
