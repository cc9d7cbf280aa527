"""What was measured of one tuned table, as the gate compares it and a baseline keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from driftkit.audits import Audit
from driftkit.embeddings import Embeddings
from driftkit.gate.facts import ROUNDING, Facts, facts_of
from driftkit.gate.subjects import Subject
from driftkit.report.document import ENGINES

COMPARED = ("k", "candidates", "resamples", "seed")
"""Settings of an audit that change its values; measures asked for besides only add some."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of one tuned table, against an original.

    Parameters
    ----------
    name : str
        Name of the tuned table.
    document : mapping
        Where the values come from: ``original``, ``tuned``, ``settings``, ``benchmarks``,
        ``rounding``, ``driftkit``, ``engines``, and the audit's ``headline``.
    facts : dict of Subject to Fact
        The values, by name.
    """

    name: str
    document: Mapping[str, Any] = field(repr=False)
    facts: Facts = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the table's words and vectors."""
        return str(self.document["tuned"]["sha256"])

    @property
    def headline(self) -> str:
        """The sentence of its audit; empty where it was not kept."""
        return str(self.document.get("headline", ""))

    def n_used(self, subject: Subject) -> int:
        """Return how many items of a benchmark both tables answered."""
        name = str(Subject("benchmark", subject.measure, on=subject.on))
        return int(self.document["benchmarks"][name]["n_used"])


def run_of(audit: Audit, words: Iterable[str] = (), bands: Iterable[str] = ()) -> Run:
    """Return what an audit measured, and the values of chosen words and bands of ranks."""
    pair = audit.pair
    document = {
        "driftkit": version("driftkit"),
        "engines": {name: version(name) for name in ENGINES},
        "settings": {name: getattr(audit.settings, name) for name in COMPARED},
        "rounding": ROUNDING,
        "original": _describe_table(pair.original),
        "tuned": _describe_table(pair.tuned),
        "headline": audit.headline,
        "benchmarks": {
            str(Subject("benchmark", change.measure, on=change.name)): {
                "margin": change.margin,
                "n_total": change.n_total,
                "n_used": change.n_used,
                "items_sha256": change.items_sha256,
            }
            for change in audit.scores
        },
    }
    return Run(pair.tuned.source.name, document, facts_of(audit, words, bands))


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
