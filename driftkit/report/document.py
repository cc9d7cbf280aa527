"""The JSON document of an audit, ``driftkit.audit/1``.

Within a schema version keys are only added. The schemas ship beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np

from driftkit.drift.groups import none_if_nan
from driftkit.embeddings import Embeddings
from driftkit.findings import Findings
from driftkit.neighbors import Shift

SCHEMA = "driftkit.audit/1"
SEVERAL = "driftkit.audits/1"
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


def audit_document(
    findings: Findings, top: int, explain: bool = False, words: Sequence[str] = ()
) -> dict[str, Any]:
    """Return an audit as plain values, ready for JSON; what could not be measured is None.

    At most `top` of the most shifted moved, and of the unmoved, words are included, and those of
    `words` that both tables have.
    """
    pair = findings.pair
    moved, unmoved = (findings.most_shifted(top, moved=moved) for moved in (True, False))
    document = {
        "schema": SCHEMA,
        "time": findings.time.isoformat(timespec="microseconds"),
        "driftkit": version("driftkit"),
        "engines": {name: version(name) for name in ENGINES},
        "settings": {**asdict(findings.settings), "measures": list(findings.settings.measures)},
        "sources": {"original": _source(pair.original), "tuned": _source(pair.tuned)},
        "verdict": findings.verdict,
        "headline": findings.headline,
        "findings": [finding.to_dict() for finding in findings.findings],
        "rows": {
            "shared": len(pair),
            "moved": int(pair.moved.sum()),
            "unmoved": int((~pair.moved).sum()),
            "changed": int(pair.changed.sum()),
            "added": len(pair.added),
            "removed": len(pair.removed),
            "zero": int(pair.zero.sum()),
            **findings.damaged,
            "reason": pair.mismatch,
            "candidates": len(findings.shifts.candidates),
            "moved_means": pair.tolerance,
        },
        "drift": _drift(findings),
        "benchmarks": _benchmarks(findings),
        "words": [_word(findings, shift) for shift in moved],
        "moved_words": [pair.words[row] for row in np.flatnonzero(pair.moved).tolist()],
        "unmoved_words": [_word(findings, shift) for shift in unmoved],
    }
    if words:
        document["asked_words"] = _asked(findings, words)
    if explain:
        document["explanation"] = findings.explain(top).to_dict()
    return document


def several_document(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the document ``driftkit.audits/1`` that holds those of several audits."""
    return {"schema": SEVERAL, "audits": list(documents)}


def one_or_several(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the document of one audit as it is, and those of several in one."""
    return documents[0] if len(documents) == 1 else several_document(documents)


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
        "content_sha256": table.sha256,
        "problems": len(table.problems),
    }


def _benchmarks(findings: Findings) -> list[dict[str, Any]]:
    """Entries of the benchmarks; ``null`` is what random moves would have made of ``tuned``."""
    entries = [
        change.to_dict() | {"items_sha256": change.items_sha256} for change in findings.scores
    ]
    if findings.null is not None:
        for entry, random in zip(entries, findings.null.scores, strict=True):
            entry["null"] = none_if_nan(random.tuned)
    return entries


def _drift(findings: Findings) -> dict[str, dict[str, Any]]:
    """Measure to group to entry, each with its null where that is known."""
    measures: dict[str, dict[str, Any]] = {}
    for row in findings.summaries(bands=True):
        entry = row.to_dict()
        measure, group = entry.pop("measure"), entry.pop("group")
        measures.setdefault(measure, {})[group] = entry
    for each in findings.space:
        entry = measures.setdefault(each.measure, {}).setdefault(
            each.group, {"n": each.n, "reason": each.reason}
        )
        entry["value" if each.of == "pair" else each.of] = none_if_nan(each.value)
    if findings.null is not None:
        for measure, groups in _drift(findings.null).items():
            for group, entry in groups.items():
                (null,) = (entry[key] for key in ("mean", "value", "tuned") if key in entry)
                measures[measure][group]["null"] = null
    return measures


def _word(findings: Findings, shift: Shift) -> dict[str, Any]:
    """Entry of one of the most shifted words."""
    row = findings.pair.index[shift.word]
    null = findings.null
    return {
        "word": shift.word,
        "rank": int(findings.pair.original_rows[row]) + 1,
        "moved": bool(findings.pair.moved[row]),
        "measures": _measures(findings, row),
        **({} if null is None else {"null": _measures(null, row)}),
        **shift.lists(),
    }


def _asked(findings: Findings, words: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of words that need not be candidates."""
    shared = [word for word in dict.fromkeys(words) if word in findings.pair.index]
    if not shared:
        return []
    shifts = findings.shifts_of(shared)
    return [
        _word(findings, shifts.at(at))
        | {
            "measures": _measures(findings, findings.pair.index[word])
            | {name: none_if_nan(float(each[at])) for name, each in shifts.values.items()}
        }
        for at, word in enumerate(shared)
    ]


def _measures(findings: Findings, row: int) -> dict[str, float | None]:
    return {name: none_if_nan(float(values[row])) for name, values in findings.values.items()}
