"""What a verdict or a baseline says about where its figures come from."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any

import numpy as np

from driftkit.arrays import BLOCK_ROWS
from driftkit.audits import Audit
from driftkit.embeddings import Embeddings
from driftkit.evaluators import ScoreChange
from driftkit.gate.subjects import Subject
from driftkit.report.serialize import ENGINES

COMPARED = ("k", "candidates", "resamples", "seed")
"""Settings that change figures; further measures only add some."""


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


def describe_table(table: Embeddings) -> dict[str, Any]:
    """Return the entry of a table."""
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


def describe_benchmarks(audit: Audit) -> dict[str, dict[str, Any]]:
    """Return the entry of each benchmark and measure: what was asked and what was answered."""
    return {
        str(Subject("benchmark", change.measure, on=change.name)): {
            "margin": change.margin,
            "n_total": change.n_total,
            "n_used": change.n_used,
            "items_sha256": items_sha256(change),
        }
        for change in audit.scores
    }


def describe_settings(audit: Audit) -> dict[str, Any]:
    """Return the settings of the audit and the versions that computed it."""
    return {
        "driftkit": version("driftkit"),
        "engines": {name: version(name) for name in ENGINES},
        "settings": {name: getattr(audit.settings, name) for name in COMPARED},
    }
