"""What was measured of accepted runs, kept in a file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from pathlib import Path
from statistics import fmean
from typing import Any

from driftkit.arguments import cut, path_of, shown
from driftkit.atomic import replacing
from driftkit.audits import Audit
from driftkit.documents import read_json
from driftkit.errors import BaselineError, DriftkitError, OptionError, UnknownNameError
from driftkit.escaping import to_json
from driftkit.gate.facts import Fact, Facts, portable, rounded
from driftkit.gate.run import Run, run_of
from driftkit.gate.subjects import parse_subjects

SCHEMA = "driftkit.baseline/2"
OF_ONE_RUN = "driftkit.baseline/1"
"""The schema before: the entries of one run, at the top."""

AGAIN = "Write it again with `driftkit baseline update`."
RESTORE = "Restore the file as it was committed, or write it again with `driftkit baseline update`."

_COMMON = ("original", "settings", "rounding")
"""Entries that all runs share."""

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
    """What was measured of accepted runs, against one original.

    Parameters
    ----------
    name : str
        File it was read from, or name of the accepted table.
    runs : tuple of Run
        The oldest first.
    """

    name: str
    runs: tuple[Run, ...] = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """The whole document ``driftkit.baseline/2``."""
        first = self.runs[0].document
        return {
            "schema": SCHEMA,
            **{name: first[name] for name in _COMMON},
            "runs": [
                {name: entry for name, entry in run.document.items() if name not in _COMMON}
                | {"figures": _to_figures(run.facts)}
                for run in self.runs
            ],
        }

    def to_json(self) -> str:
        """Return the file's text: keys sorted, one line for each value."""
        document = self.document
        listed = []
        for run in document["runs"]:
            figures = sorted(run["figures"].items())
            lines = (f"        {to_json(name)}: {json.dumps(entry)}" for name, entry in figures)
            listed.append('"figures": {\n' + ",\n".join(lines) + "\n      }")
            run["figures"] = None
        parts = to_json(document, indent=2, sort_keys=True).split('"figures": null')
        return "".join(chain(*zip_longest(parts, listed, fillvalue=""))) + "\n"


def baseline_of(
    audits: Audit | Sequence[Audit], words: Iterable[str] = (), bands: Iterable[str] = ()
) -> Baseline:
    """Make a baseline of the audit of an accepted table, or of several, the oldest first.

    Parameters
    ----------
    audits : Audit or sequence of Audit
        Of runs of one recipe with other seeds, against one original.
    words : iterable of str
        Protected words, whose values are kept too.
    bands : iterable of str
        Bands of ranks, such as ``"rank 1-1000"``, over which per-word measures are summed up too.

    Returns
    -------
    Baseline

    Raises
    ------
    OptionError
        If there is no audit, or two are of one table.
    BaselineError
        If they are of other originals, or were made with other settings.
    """
    each = [audits] if isinstance(audits, Audit) else list(audits)
    if not each:
        raise OptionError("a baseline needs the audit of one accepted table or more.")
    words, bands = list(words), list(bands)
    first, *others = (run_of(audit, words, bands) for audit in each)
    made = Baseline(first.name, (first,))
    return added(made, others) if others else made


def added(baseline: Baseline, runs: Iterable[Run], keep: int | None = None) -> Baseline:
    """Return a baseline with more runs, and of all of them the `keep` newest, by default all.

    A run that is in it already, or that lacks values the others have, is an OptionError; one that
    cannot be compared with them a BaselineError.
    """
    for run in runs:
        if known := next((each for each in baseline.runs if each.sha256 == run.sha256), None):
            raise OptionError(
                f"{run.name} is the same table as {known.name}, which is in the baseline, and a "
                "run counts once: how runs scatter is seen of other seeds only."
            )
        require_comparable(baseline, run)
        if lacking := baseline.runs[-1].facts.keys() - run.facts.keys():
            raise OptionError(
                f"{run.name} was measured without {min(lacking)}, which the runs of the baseline "
                "have; give the options that it was written with, such as -b and --rule."
            )
        baseline = replace(baseline, runs=(*baseline.runs, run))
    return baseline if keep is None else replace(baseline, runs=baseline.runs[-keep:])


def summary(baseline: Baseline, *, several: bool) -> dict[str, Any]:
    """Return every value by name: [mean, least, most] of several runs, or the last one's entry."""
    listed = [_to_figures(run.facts) for run in baseline.runs]
    if not several:
        return listed[-1]
    found: dict[str, Any] = {}
    for name in dict.fromkeys(chain(*listed)):
        entries = [figures.get(name) for figures in listed]
        values = [entry[0] if isinstance(entry, list) else entry for entry in entries]
        known = [value for value in values if value is not None]
        found[name] = [rounded(fmean(known)), min(known), max(known)] if known else None
    return found


def require_acceptable(audit: Audit) -> None:
    """Refuse to make a baseline of a table that its own audit says not to ship."""
    if audit.verdict == "do not ship":
        raise OptionError(
            f"{audit.headline} A baseline of {audit.pair.tuned.source.name} would accept that; if "
            "it is meant, give --force to `driftkit baseline write`, `add` or `update`."
        )


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
    if schema not in (SCHEMA, OF_ONE_RUN):
        given = shown(schema)
        why = f"is not one this driftkit reads: its schema is {given}, not {SCHEMA!r}. {AGAIN}"
        raise BaselineError(path, why)
    return Baseline(str(path), tuple(_read_run(path, each) for each in _entries(path, document)))


def _entries(path: str | os.PathLike[str], document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of each run, with those that all share."""
    document = {name: entry for name, entry in document.items() if name != "schema"}
    if "runs" not in document:
        return [document]
    runs = document.pop("runs")
    if not isinstance(runs, list) or not runs or not all(isinstance(run, dict) for run in runs):
        raise BaselineError(path, f"is damaged: 'runs' is no list of runs. {RESTORE}")
    return [{**run, **document} for run in runs]


def _read_run(path: str | os.PathLike[str], document: dict[str, Any]) -> Run:
    if lacking := _lacking(document):
        raise BaselineError(path, f"is damaged: it has no {lacking!r}. {RESTORE}")
    figures = document.pop("figures")
    facts: Facts = {}
    for name, entry in figures.items():
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
            if lacks == whole or tuned not in figures:
                raise BaselineError(path, f"is damaged: it has no {shown(lacks)}. {RESTORE}")
    return Run(document["tuned"]["name"], document, facts)


def require_comparable(baseline: Baseline, current: Run) -> None:
    """Refuse a baseline that says nothing about the table that is being checked.

    The original, the settings, the release series of driftkit and the benchmarks must be the same.
    """
    for run in baseline.runs:
        for why, advice in differences(run, current, "this check"):
            raise BaselineError(baseline.name, f"{why}{advice}")


def differences(earlier: Run, later: Run, here: str) -> Iterator[tuple[str, str]]:
    """Say why two runs cannot be compared, and what to do where one is of a baseline.

    `here` is what the later one is called.
    """
    then, now = earlier.document, later.document
    if then["original"]["sha256"] != now["original"]["sha256"]:
        yield (
            f"is foreign: it was made against {then['original']['name']} with other words or "
            f"vectors than {now['original']['name']} (sha256 {then['original']['sha256'][:12]}... "
            f"and {now['original']['sha256'][:12]}...)",
            ". Give that original, or write the baseline again with `driftkit baseline update`.",
        )
    if _series(then["driftkit"]) != _series(now["driftkit"]):
        yield (
            f"is outdated: driftkit {then['driftkit']} wrote it and this is {now['driftkit']}, "
            "whose measures may differ",
            f". {AGAIN}",
        )
    for name, value in now["settings"].items():
        if (before := then["settings"].get(name)) != value:
            yield (
                f"was made with {name} {before} and {here} uses {name} {value}",
                "; use the same, or write it again with `driftkit baseline update`.",
            )
    for name, entry in now["benchmarks"].items():
        # Only a rule that needs a benchmark may complain that there is none.
        before = then["benchmarks"].get(name, entry)
        same_count = before["n_used"] == entry["n_used"]
        other_items = same_count and before["items_sha256"] != entry["items_sha256"]
        if before["n_total"] != entry["n_total"] or other_items:
            yield f"is outdated: {name} is measured on other items now", f". {AGAIN}"


def engine_changes(baseline: Baseline, current: Run) -> tuple[str, ...]:
    """Name the libraries whose versions differ, with which last digits may differ."""
    now = current.document["engines"]
    return tuple(
        dict.fromkeys(
            f"made with {name} {run.document['engines'].get(name)}, and this check with {now[name]}"
            for run in baseline.runs
            for name in now
            if run.document["engines"].get(name) != now[name]
        )
    )


def _lacking(document: Mapping[str, Any]) -> str | None:
    """Name the first entry that every run has and this one does not."""
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


def _to_figures(facts: Facts) -> dict[str, Any]:
    return {
        str(subject): _to_entry(fact)
        for subject, fact in facts.items()
        if subject.kind != "question"  # an answer, which rests on figures
    }


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
