"""What was measured of an accepted release, kept in a file, and what has changed since."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftkit.arguments import cut, path_of, shown
from driftkit.arrays import generator
from driftkit.atomic import replacing
from driftkit.audits import Audit
from driftkit.documents import read_json
from driftkit.embeddings import Embeddings
from driftkit.errors import BaselineError, DriftkitError, OptionError, UnknownNameError
from driftkit.escaping import to_json
from driftkit.evaluators import ScoreChange
from driftkit.gate.facts import NAN, ROUNDING, Fact, Facts, facts_of, portable
from driftkit.gate.subjects import Subject, parse_subjects
from driftkit.report.document import ENGINES

SCHEMA = "driftkit.baseline/1"

PairedInterval = Callable[[Subject], tuple[float, float]]
"""Return the interval of candidate minus previous release on a benchmark."""

COMPARED = ("k", "candidates", "resamples", "seed")
"""Settings of an audit that change its values; measures asked for besides only add some."""

AGAIN = "Write it again with `driftkit baseline update`."
RESTORE = "Restore the file as it was committed, or write it again with `driftkit baseline update`."

_ENTRIES = {
    "driftkit": str,
    "engines": dict,
    "settings": dict,
    "rounding": str,
    "benchmarks": dict,
    "figures": dict,
    "original.name": str,
    "original.rows": int,
    "original.sha256": str,
    "tuned.name": str,
    "tuned.rows": int,
    "tuned.sha256": str,
}
_OF_BENCHMARK = {"n_total": int, "n_used": int, "items_sha256": str}


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
            f"    {to_json(name)}: {json.dumps(entry)}"
            for name, entry in sorted(self.document["figures"].items())
        )
        listed = "{\n" + ",\n".join(lines) + "\n  }"
        text = to_json({**self.document, "figures": None}, indent=2, sort_keys=True)
        return text.replace('"figures": null', f'"figures": {listed}', 1) + "\n"


def baseline_of(audit: Audit, words: Iterable[str] = (), bands: Iterable[str] = ()) -> Baseline:
    """Make a baseline of the `audit` of an accepted table.

    The values of `words`, the protected ones, are kept too, and per-word measures are summed up
    over `bands` of ranks (``rank 1-1000``) as well.
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
        "figures": {
            str(subject): _to_entry(fact)
            for subject, fact in facts.items()
            if subject.kind != "question"  # an answer, which rests on figures
        },
    }
    return Baseline(pair.tuned.source.name, document, facts)


def require_acceptable(audit: Audit) -> None:
    """Refuse to make a baseline of a table that its own audit says not to ship."""
    if audit.verdict == "do not ship":
        raise OptionError(
            f"{audit.headline} A baseline of {audit.pair.tuned.source.name} would accept that; if "
            "it is meant, give --force to `driftkit baseline write` or `driftkit baseline update`."
        )


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
        "sha256": table.sha256,
    }


def write_baseline(baseline: Baseline, path: str | os.PathLike[str]) -> None:
    """Write a `baseline` to the file at `path`, in one step.

    A folder that does not exist, or a full disk, is an OutputError.
    """
    with replacing(path) as partial:
        partial.write_bytes(baseline.to_json().encode(errors="backslashreplace"))


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read the baseline at `path`; one that is missing or damaged is a BaselineError."""
    if not path_of(path, "read_baseline").exists():
        raise BaselineError(path, "does not exist; make it with `driftkit baseline write`.")
    document = read_json(Path(path), lambda why: BaselineError(path, f"{why} {RESTORE}"))
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        given = shown(schema)
        why = f"is not one this driftkit reads: its schema is {given}, not {SCHEMA!r}. {AGAIN}"
        raise BaselineError(path, why)
    if lacking := _lacking(document):
        raise BaselineError(path, f"is damaged: it has no {lacking!r}. {RESTORE}")
    facts: Facts = {}
    for name, entry in document["figures"].items():
        try:
            subject = parse_subjects(name, name)[0]
            facts[subject] = portable(subject, _from_entry(entry))
        except UnknownNameError as error:
            raise BaselineError(
                path,
                f"holds {shown(name)}, and {error.kind} {error.name!r} is not known here; give the "
                "options that it was written with, such as --plugin and -b, or restore the file as "
                "it was committed.",
            ) from None
        except (DriftkitError, TypeError, ValueError):
            raise BaselineError(
                path,
                f"is damaged: {shown(name)}: {cut(json.dumps(entry))} is not a name that rules "
                f"know with a number, [number, low, high] or null. {RESTORE}",
            ) from None
    for subject, fact in facts.items():
        if subject.kind == "benchmark" and fact.uncertain:
            whole, tuned = (str(replace(subject, of=of)) for of in ("", "tuned"))
            lacks = whole if whole not in document["benchmarks"] else tuned
            if lacks == whole or tuned not in document["figures"]:
                raise BaselineError(path, f"is damaged: it has no {shown(lacks)}. {RESTORE}")
    return Baseline(str(path), document, facts)


def require_comparable(baseline: Baseline, current: Baseline) -> None:
    """Refuse a baseline that says nothing about the table that is being checked.

    The original, the settings, the release series of driftkit and the benchmarks must be the same.
    """
    for why in _incomparable(baseline.document, current.document):
        raise BaselineError(baseline.name, why)


def _incomparable(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if then["original"]["sha256"] != now["original"]["sha256"]:
        yield (
            f"is foreign: it was made against {then['original']['name']} with other words or "
            f"vectors than {now['original']['name']} (sha256 {then['original']['sha256'][:12]}... "
            f"and {now['original']['sha256'][:12]}...). Give that original, or write the baseline "
            "again with `driftkit baseline update`."
        )
    if _series(then["driftkit"]) != _series(now["driftkit"]):
        yield (
            f"is outdated: driftkit {then['driftkit']} wrote it and this is {now['driftkit']}, "
            f"whose measures may differ. {AGAIN}"
        )
    for name, value in now["settings"].items():
        if (before := then["settings"].get(name)) != value:
            yield (
                f"was made with {name} {before} and this check uses {name} {value}; use the same, "
                "or write it again with `driftkit baseline update`."
            )
    for name, entry in now["benchmarks"].items():
        # Only a rule that needs a benchmark may complain that there is none.
        before = then["benchmarks"].get(name, entry)
        same_count = before["n_used"] == entry["n_used"]
        other_items = same_count and before["items_sha256"] != entry["items_sha256"]
        if before["n_total"] != entry["n_total"] or other_items:
            yield f"is outdated: {name} is measured on other items now. {AGAIN}"


def difference(
    subject: Subject, current: Baseline, stored: Baseline, paired: PairedInterval | None = None
) -> Fact:
    """Return candidate minus baseline; not measured when the two answered other items.

    With the audit of the previous release the two tables are compared item by item, by the paired
    bootstrap that the audit itself uses. A file holds no items, so the interval is put together
    from the two intervals against the original as if they were independent (MOVER, Zou & Donner
    2008): with d = d2 - d1, its ends are d - sqrt((d2 - l2)^2 + (u1 - d1)^2) and
    d + sqrt((u2 - d2)^2 + (d1 - l1)^2). Both answer the same items, so their errors tend to agree
    and this interval is, if anything, too wide: inconclusive more often, wrong no more often.
    """
    now, then = current.facts[subject], stored.facts[subject]
    name = str(replace(subject, of=""))
    n_then, n_now = (each.document["benchmarks"][name]["n_used"] for each in (stored, current))
    empty = replace(now, value=NAN, low=NAN, high=NAN, unchanged=0.0, detail="")
    if now.reason is not None:
        return replace(empty, reason=now.reason)
    if math.isnan(then.value) or math.isnan(then.low):
        return replace(empty, reason="the baseline could not measure it")
    if n_then != n_now:
        why = f"the baseline answered {n_then:,} items and this table {n_now:,}"
        return replace(empty, reason=f"{why}, and only answers to the same items can be compared")
    value = now.value - then.value
    if stored.document["tuned"]["sha256"] == current.document["tuned"]["sha256"]:
        low = high = value  # the very same table: nothing is uncertain
        empty = replace(empty, doubt=None)
    elif paired is None:
        low = value - math.hypot(now.value - now.low, then.high - then.value)
        high = value + math.hypot(now.high - now.value, then.value - then.low)
    else:
        low, high = paired(subject)
    before, after = (each.facts[replace(subject, of="tuned")].value for each in (stored, current))
    detail = f"{before:.3f} in the baseline, {after:.3f} now"
    return portable(subject, replace(empty, value=value, low=low, high=high, detail=detail))


def paired_interval(audit: Audit, previous: Audit, subject: Subject) -> tuple[float, float]:
    """Resample the items that both releases answered, the previous one in the original's place."""
    items, older = (
        next(
            change.items
            for change in each.scores
            if (change.name, change.measure) == (subject.on, subject.measure)
        )
        for each in (audit, previous)
    )
    settings = audit.settings
    rng = generator(settings.seed, subject.on)
    bounds = items.since(older).spread(settings.resamples, rng).bounds()
    return bounds.low, bounds.high


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
        if not _is(kind, inside):
            return name
    for name, entry in document["benchmarks"].items():
        for step, kind in _OF_BENCHMARK.items():
            if not isinstance(entry, dict) or not _is(kind, entry.get(step)):
                return f"benchmarks.{name[:60]}.{step}"
    return None


def _is(kind: type, value: object) -> bool:
    """Whether a value has a kind; for Python true and false are whole numbers, for us not."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _series(version: str) -> tuple[str, ...]:
    """Major and minor version: within a series measures keep their meaning."""
    return tuple(version.split(".")[:2])


def _to_entry(fact: Fact) -> float | list[float | None] | None:
    """Return a number, or [value, low, high] of what is uncertain; null for what is not known."""
    value, low, high = (
        None if math.isnan(number) else number for number in (fact.value, fact.low, fact.high)
    )
    return [value, low, high] if fact.uncertain else value


def _from_entry(entry: Any) -> Fact:
    value, low, high = map(_to_number, entry if isinstance(entry, list) else [entry, None, None])
    return Fact(value, low, high, uncertain=isinstance(entry, list))


def _to_number(given: object) -> float:
    if given is None:
        return math.nan
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise TypeError(given)
    return float(given)
