"""The JSON document of an audit, ``driftkit.audit/1``.

Within a schema version keys are only added. The schema ships beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from driftkit.drift.groups import none_if_nan

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.embeddings import Embeddings
    from driftkit.neighbors import Shift

SCHEMA = "driftkit.audit/1"
ENGINES = ("numpy", "scipy", "torch")


def audit_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every audit document follows."""
    return _schema("audit")


def check_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that the document of every check follows."""
    return _schema("check")


def _schema(name: str) -> dict[str, Any]:
    text = (files("driftkit.report") / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def audit_document(audit: Audit, top: int, explain: bool = False) -> dict[str, Any]:
    """Return an audit as plain values, ready for JSON; what could not be measured is None.

    Parameters
    ----------
    audit : Audit
    top : int
        How many of the most shifted moved, and of the unmoved, words to include.
    explain : bool
        Whether to include what explains them.
    """
    pair = audit.pair
    document = {
        "schema": SCHEMA,
        "driftkit": version("driftkit"),
        "engines": {name: version(name) for name in ENGINES},
        "settings": {**asdict(audit.settings), "measures": list(audit.settings.measures)},
        "sources": {"original": _source(pair.original), "tuned": _source(pair.tuned)},
        "verdict": audit.verdict,
        "headline": audit.headline,
        "rows": {
            "shared": len(pair),
            "moved": int(pair.moved.sum()),
            "unmoved": int((~pair.moved).sum()),
            "added": len(pair.added),
            "removed": len(pair.removed),
            "zero": int(pair.zero.sum()),
            "saturated": int(audit.saturated.sum()),
            "displaced": int(audit.displaced.sum()),
            "candidates": len(audit.shifts.candidates),
            "moved_means": pair.tolerance,
        },
        "drift": _drift(audit),
        "benchmarks": _benchmarks(audit),
        "words": list(_words(audit, audit.most_shifted(top, moved=True))),
        "unmoved_words": list(_words(audit, audit.most_shifted(top, moved=False))),
    }
    if explain:
        document["explanation"] = audit.explain(top).to_dict()
    return document


def _source(table: Embeddings) -> dict[str, Any]:
    source = table.source
    return {
        "name": source.name,
        "path": None if source.path is None else str(source.path),
        "key": source.key,
        "format": source.format,
        "rows": len(table),
        "d": table.dimensions,
        "dtype": source.dtype,
        "sha256": source.sha256(),
        "problems": len(table.problems),
    }


def _benchmarks(audit: Audit) -> list[dict[str, Any]]:
    """Entries of the benchmarks; ``null`` is what random moves would have made of ``tuned``."""
    entries = [change.to_dict() for change in audit.scores]
    if audit.null is not None:
        for entry, random in zip(entries, audit.null.scores, strict=True):
            entry["null"] = none_if_nan(random.tuned)
    return entries


def _drift(audit: Audit) -> dict[str, dict[str, Any]]:
    """Measure to group to figures, beside their null where it is known."""
    measures = _figures(audit)
    if audit.null is not None:
        for measure, groups in _figures(audit.null).items():
            for group, entry in groups.items():
                (null,) = (entry[key] for key in ("mean", "value", "tuned") if key in entry)
                measures[measure][group]["null"] = null
    return measures


def _figures(audit: Audit) -> dict[str, dict[str, Any]]:
    measures: dict[str, dict[str, Any]] = {}
    for row in audit.summaries(bands=True):
        figures = row.to_dict()
        measure, group = figures.pop("measure"), figures.pop("group")
        measures.setdefault(measure, {})[group] = figures
    for figure in audit.space:
        entry = measures.setdefault(figure.measure, {}).setdefault(
            figure.group, {"n": figure.n, "reason": figure.reason}
        )
        entry["value" if figure.of == "pair" else figure.of] = none_if_nan(figure.value)
    return measures


def _words(audit: Audit, shifts: list[Shift]) -> Iterator[dict[str, Any]]:
    """Entries of the most shifted words."""
    for shift in shifts:
        row = audit.pair.index[shift.word]
        yield {
            "word": shift.word,
            "rank": int(audit.pair.original_rows[row]) + 1,
            "moved": bool(audit.pair.moved[row]),
            "measures": _of_word(audit, row),
            **({} if audit.null is None else {"null": _of_word(audit.null, row)}),
            "before": [{"word": name, "cosine": cosine} for name, cosine in shift.before],
            "after": [{"word": name, "cosine": cosine} for name, cosine in shift.after],
            "lost": list(shift.lost),
            "gained": list(shift.gained),
        }


def _of_word(audit: Audit, row: int) -> dict[str, float | None]:
    return {name: none_if_nan(float(values[row])) for name, values in audit.figures.items()}
