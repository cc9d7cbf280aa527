"""Figures of an accepted release, kept in a file for later checks."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from driftkit.atomic import replacing
from driftkit.audits import Audit
from driftkit.errors import BaselineError, DriftkitError
from driftkit.gate.facts import ROUNDING, Figure, Figures, figures_of
from driftkit.gate.fingerprint import describe_benchmarks, describe_settings, describe_table
from driftkit.gate.subjects import parse_subjects

SCHEMA = "driftkit.baseline/1"

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


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured of an accepted table, against an original.

    Parameters
    ----------
    name : str
        File it was read from, or name of the accepted table.
    document : mapping
        The whole document ``driftkit.baseline/1``.
    figures : dict of Subject to Figure
        Its figures.
    """

    name: str
    document: Mapping[str, Any] = field(repr=False)
    figures: Figures = field(repr=False)

    def to_json(self) -> str:
        """Return the file's text: keys sorted, one figure a line."""
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
    """Make a baseline of an audit.

    Parameters
    ----------
    audit : Audit
        The accepted table against its original.
    words : iterable of str
        Protected words, whose own figures are kept too.
    bands : iterable of str
        Bands of ranks over which per-word measures are summed up, too.
    """
    pair = audit.pair
    figures = figures_of(audit, words, bands)
    document = {
        "schema": SCHEMA,
        **describe_settings(audit),
        "rounding": ROUNDING,
        "original": describe_table(pair.original),
        "tuned": describe_table(pair.tuned),
        "benchmarks": describe_benchmarks(audit),
        "figures": {str(subject): _stored(figure) for subject, figure in figures.items()},
    }
    return Baseline(pair.tuned.source.name, document, figures)


def write_baseline(baseline: Baseline, path: str | os.PathLike[str]) -> None:
    """Write a baseline in one step.

    Raises
    ------
    OptionError
        If the folder does not exist.
    """
    with replacing(path) as partial:
        partial.write_text(baseline.to_json(), encoding="utf-8")


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read a baseline.

    Raises
    ------
    BaselineError
        If there is none, or it cannot be read.
    """
    file = Path(path)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BaselineError(
            path, "there is no such baseline; make it with `driftkit baseline write`."
        ) from None
    except OSError as error:
        raise BaselineError(path, f"cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BaselineError(path, f"is no baseline: it is not UTF-8 text. {RESTORE}") from None
    except json.JSONDecodeError as error:
        raise BaselineError(
            path,
            f"is no baseline: it is not JSON from line {error.lineno}, column {error.colno} on. "
            f"{RESTORE}",
        ) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise BaselineError(
            path,
            f"is not a baseline this driftkit reads: its schema is {schema!r}, not {SCHEMA!r}. "
            f"{AGAIN}",
        )
    if lacking := _lacking(document):
        raise BaselineError(path, f"is damaged: it has no {lacking!r}. {RESTORE}")
    figures = {}
    for name, entry in document["figures"].items():
        try:
            figures[parse_subjects(name, name)[0]] = _figure(entry)
        except (DriftkitError, TypeError, ValueError):
            raise BaselineError(
                path,
                f"is damaged: {name!r}: {json.dumps(entry)} is not a figure, which has a name that "
                f"rules know and a number, [number, low, high] or null. {RESTORE}",
            ) from None
    return Baseline(str(path), document, figures)


def require_comparable(baseline: Baseline, current: Baseline) -> None:
    """Refuse a baseline that says nothing about this check.

    Parameters
    ----------
    baseline : Baseline
    current : Baseline
        Of the table that is being checked.

    Raises
    ------
    BaselineError
        If the original table, the settings, the release series of driftkit or a benchmark differ.
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
    """Name the libraries whose versions differ; figures can differ in their last digits then."""
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
            inside = inside.get(step)
            if not isinstance(inside, dict):
                break
        if not isinstance(inside, kind):
            return name
    return None


def _series(version: str) -> tuple[str, ...]:
    """Major and minor version: within a series measures keep their meaning."""
    return tuple(version.split(".")[:2])


def _stored(figure: Figure) -> float | list[float | None] | None:
    """Return a number, or [value, low, high] of what is uncertain; null for what is not known."""
    value, low, high = (
        None if math.isnan(number) else number for number in (figure.value, figure.low, figure.high)
    )
    return [value, low, high] if figure.uncertain else value


def _figure(entry: float | list[float | None] | None) -> Figure:
    value, low, high = (
        math.nan if number is None else float(number)
        for number in (entry if isinstance(entry, list) else [entry, None, None])
    )
    return Figure(value, low, high, uncertain=isinstance(entry, list))
