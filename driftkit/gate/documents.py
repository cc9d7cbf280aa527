"""Runs read back from the documents of audits, as ``driftkit audit --json`` wrote them.

A document has every value that rules go by, but those of words it does not list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from driftkit.arguments import cut, shown
from driftkit.documents import read_json
from driftkit.errors import DriftkitError, SourceError
from driftkit.gate.baseline import OF_ONE_RUN
from driftkit.gate.baseline import SCHEMA as BASELINE
from driftkit.gate.facts import (
    NAN,
    ROUNDING,
    Fact,
    by_chance,
    facts_of_scores,
    of_damage,
    of_questions,
    of_rows,
    of_space,
    of_statuses,
    of_word,
    of_words,
    portable,
)
from driftkit.gate.run import COMPARED, Run
from driftkit.gate.subjects import Subject
from driftkit.gate.verdict import SCHEMA as CHECK
from driftkit.measures.registry import parse_measure
from driftkit.report.document import SCHEMA, SEVERAL

AGAIN = "audit the tables again (`driftkit audit ... --json FILE`)"

_NO_AUDITS: Mapping[str, str] = {
    BASELINE: "is a baseline; give it as --baseline FILE (baseline=... in Python)",
    OF_ONE_RUN: "is a baseline; give it as --baseline FILE (baseline=... in Python)",
    CHECK: "is a check, which holds what its rules came to and not what was measured; keep what "
    "`driftkit audit --json FILE`, or `driftkit check --audit FILE`, writes",
}
"""Documents that hold no whole audit, and what to do about them."""

NO_VALUE = "its row is zero in one of the tables, or it has no neighbors there"

_TABLE = ("name", "key", "format", "dtype", "rows", "d")
_NUMBERS = ("original", "tuned", "delta", "ci_low", "ci_high", "margin")


@dataclass(frozen=True, slots=True)
class Written:
    """An audit as it was written.

    Parameters
    ----------
    run : Run
        What it measured.
    time : datetime or None
        When; None where the document does not tell.
    verdict : str
        What the audit advises.
    file : str
        Where it stands; empty for one that was never written.
    """

    run: Run
    time: datetime | None
    verdict: str
    file: str


def read_audits(path: Path) -> list[Written]:
    """Read the audits of a file; one that holds anything else is a SourceError."""
    document = read_json(path, lambda why: SourceError(path, why))
    return audits_of(document, str(path))


def kind_of(document: object) -> str | None:
    """Say what a document is that holds no audit; None for audits, and for what is damaged."""
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema in (SCHEMA, SEVERAL):
        return None
    if isinstance(schema, str) and schema in _NO_AUDITS:
        return _NO_AUDITS[schema]
    given = "no schema" if schema is None else f"the schema {shown(schema)}"
    return f"is no audit: it has {given}, not {SCHEMA!r}"


def audits_of(document: Any, file: str) -> list[Written]:
    """Return the audits of a document, ``driftkit.audit/1`` or ``driftkit.audits/1``."""
    if (why := kind_of(document)) is not None:
        raise SourceError(file, f"{why}.")
    several = document.get("audits") if document["schema"] == SEVERAL else [document]
    if not isinstance(several, list) or not several:
        raise SourceError(file, f"is damaged: 'audits' is no list of audits; {AGAIN}.")
    return [_written(each, file) for each in several]


def _written(document: Any, file: str) -> Written:
    try:
        lacking = next(_lacking(document), None)
        if lacking is not None:
            older = f"was written by a driftkit that did not keep {lacking}; {AGAIN}."
            raise SourceError(file, older)
        time = datetime.fromisoformat(document["time"]) if "time" in document else None
        if time is not None and time.tzinfo is None:
            raise ValueError(f"the time {shown(document['time'])} names no zone")
        return Written(
            _run(document), time and time.astimezone(UTC), str(document["verdict"]), file
        )
    except SourceError:
        raise
    except DriftkitError as error:
        why = f"cannot be judged here (--plugin loads what it was written with): {error}"
        raise SourceError(file, why) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"is damaged ({type(error).__name__}: {cut(str(error))}); {AGAIN}."
        raise SourceError(file, why) from None


def _lacking(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what documents of an older driftkit do not say."""
    if any("content_sha256" not in each for each in document["sources"].values()):
        yield "which words and vectors it compared"
    if any("items_sha256" not in each for each in document["benchmarks"]):
        yield "which items it asked"


def _run(document: Mapping[str, Any]) -> Run:
    for name in (*document["drift"], *(each["measure"] for each in document["benchmarks"])):
        parse_measure(name)  # one of a plugin may not be known here
    original, tuned = (_table(document["sources"][side]) for side in ("original", "tuned"))
    benchmarks = {
        str(Subject("benchmark", each["measure"], on=each["name"])): {
            name: each[name] for name in ("margin", "n_total", "n_used", "items_sha256")
        }
        for each in document["benchmarks"]
    }
    about = {
        "driftkit": document["driftkit"],
        "engines": document["engines"],
        "settings": {name: document["settings"][name] for name in COMPARED},
        "rounding": ROUNDING,
        "original": original,
        "tuned": tuned,
        "headline": document["headline"],
        "benchmarks": benchmarks,
    }
    facts = dict(_facts(document))
    rounded = {subject: portable(subject, fact) for subject, fact in facts.items()}
    return Run(tuned["name"], about, rounded | facts_of_scores(_changes(document)))


def _table(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: source[name] for name in _TABLE} | {"sha256": source["content_sha256"]}


def _changes(document: Mapping[str, Any]) -> list[SimpleNamespace]:
    """Return the entries of benchmarks with the names of the fields of `ScoreChange`."""
    return [
        SimpleNamespace(**(each | {name: _number(each[name]) for name in _NUMBERS}))
        for each in document["benchmarks"]
    ]


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[Subject, Fact]]:
    """Yield every value but those of single benchmarks."""
    rows, settings = document["rows"], document["settings"]
    sources, shared = document["sources"], rows["shared"]
    yield from of_questions((SimpleNamespace(**each) for each in document["findings"]), shared)
    yield from of_rows(rows, sources["original"]["rows"], sources["tuned"]["rows"])
    candidates, k = rows["candidates"], settings["k"]
    of_both = candidates - min(rows["added"], settings["candidates"])
    yield from of_damage(rows, of_both, shared, rows["reason"])
    yield from of_statuses(_changes(document))
    yield from of_words(_summaries(document["drift"]), candidates, k)
    yield from of_space(_space(document["drift"]))
    listed = (*document["words"], *document["unmoved_words"], *document.get("asked_words", ()))
    for each in listed:
        for measure, value in each["measures"].items():
            subject, fact = of_word(each["word"], measure, _number(value), NO_VALUE)
            yield subject, replace(fact, reason=fact.reason or by_chance(measure, candidates, k))


def _summaries(drift: Mapping[str, Any]) -> Iterator[SimpleNamespace]:
    for measure, groups in drift.items():
        for group, entry in groups.items():
            if "mean" in entry:
                numbers = {name: _number(each) for name, each in entry.items() if name != "reason"}
                row = numbers | {"n": entry["n"], "reason": entry["reason"]}
                yield SimpleNamespace(measure=measure, group=group, **row)


def _space(drift: Mapping[str, Any]) -> Iterator[SimpleNamespace]:
    for measure, groups in drift.items():
        for group, entry in groups.items():
            for of, key in (("pair", "value"), ("original", "original"), ("tuned", "tuned")):
                if key in entry and "mean" not in entry:
                    yield SimpleNamespace(
                        measure=measure, group=group, of=of, value=_number(entry[key]),
                        n=entry["n"], reason=entry["reason"],
                    )  # fmt: skip


def _number(value: object) -> float:
    """Return a number of a document, NaN for null."""
    if value is None:
        return NAN
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
        raise TypeError(f"{shown(value)} is not a number")
    return float(value)
