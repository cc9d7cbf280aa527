"""Which queries, documents and judgments a comparison looks at, and which it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Rows
from driftkit.display import counted, joined
from driftkit.errors import BenchmarkError
from driftkit.pair import Pair
from driftkit.retrieval.qrels import Judgments, Qrels


@dataclass(frozen=True, slots=True)
class Apart:
    """Rows that only one of two tables has, and rows that are zero in either."""

    shared: int
    only_original: int
    only_tuned: int
    zero_original: int
    zero_tuned: int

    @classmethod
    def of(cls, pair: Pair) -> Apart:
        """Count them."""
        zero = (int((norms == 0).sum()) for norms in (pair.before_norms, pair.after_norms))
        return cls(len(pair), len(pair.removed), len(pair.added), *zero)

    def notes(self, one: str, many: str, then: tuple[str, str]) -> Iterator[str]:
        """Say what only one table has, and what is zero; `then` is said of one, and of many."""
        if self.only_original or self.only_tuned:
            yield (
                f"{counted(self.only_original, one, many)} only in the original and "
                f"{self.only_tuned:,} only in the tuned table are left out"
            )
        for side, zero in (("original", self.zero_original), ("tuned", self.zero_tuned)):
            if zero:
                have = f"{one} has", f"{many} have"
                yield f"{counted(zero, *have)} a zero row in the {side} table, and {then[zero > 1]}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What of some judgments is about the queries and documents at hand.

    Parameters
    ----------
    source, form : str
        Of the judgments (see `Qrels`).
    judgments : int
        All of them.
    duplicates : int
        Lines that said again what an earlier one said.
    queries : int
        Queries with a relevant document, which the measures are over.
    unjudged : int
        Queries of the tables without a judgment.
    irrelevant : int
        Queries of the tables with judgments, none of them of a relevant document that is there.
    unknown_queries : int
        Queries of the judgments that are not in both tables of queries.
    unknown_documents, lost_judgments : int
        Judged documents that are not in both tables of documents, and judgments of them by the
        queries at hand. They are left out, as no search could find these documents.
    """

    source: str
    form: str
    judgments: int
    duplicates: int
    queries: int
    unjudged: int
    irrelevant: int
    unknown_queries: int
    unknown_documents: int
    lost_judgments: int

    def notes(self) -> Iterator[str]:
        """Say what was left out of the judgments and of the measures."""
        if self.duplicates:
            one, many = "judgment came twice and counts", "judgments came twice and count"
            yield f"{counted(self.duplicates, one, many)} once"
        if self.unknown_queries:
            named = counted(self.unknown_queries, "judged query is", "judged queries are")
            yield f"{named} not in both tables of queries"
        if self.unknown_documents:
            named = counted(self.unknown_documents, "judged document is", "judged documents are")
            left = counted(self.lost_judgments, "judgment is", "judgments are")
            yield f"{named} not in both tables of documents, and {left} left out"
        without = [
            f"{counted(count, 'query has', 'queries have')} no {what}"
            for count, what in (
                (self.unjudged, "judgment"),
                (self.irrelevant, "relevant document"),
            )
            if count
        ]
        if without:
            yield f"{joined(without)}; measures are over the other {self.queries:,}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a comparison looks at; `judged` is None without judgments."""

    queries: Apart
    documents: Apart
    judged: Judged | None

    def __str__(self) -> str:
        asked = counted(self.queries.shared, "query", "queries")
        among = counted(self.documents.shared, "document")
        judged = "" if self.judged is None else f", {self.judged.queries:,} of them judged"
        return f"{asked} in {among}{judged}"

    def notes(self) -> Iterator[str]:
        """Say what was left out, one sentence each without its full stop."""
        yield from self.queries.notes("query", "queries", ("finds nothing", "find nothing"))
        found = ("is never found", "are never found")
        yield from self.documents.notes("document", "documents", found)
        if self.judged is not None:
            yield from self.judged.notes()

    def to_dict(self) -> dict[str, Any]:
        """Return its entries in the JSON document."""
        return asdict(self)


def judge(
    qrels: Qrels, queries: Pair, documents: Pair
) -> tuple[Judged, Rows, Mapping[str, Mapping[str, int]]]:
    """Return what of the judgments counts: the counts, rows of queries (m,), and the judgments.

    Raises
    ------
    BenchmarkError
        If no query at hand has a relevant document.
    """
    kept: dict[str, Mapping[str, int]] = {}
    lost, unjudged = 0, 0
    unknown: set[str] = set()
    for query in queries.words:
        judged = qrels.judgments.get(query, {})
        here = {name: grade for name, grade in judged.items() if name in documents.index}
        lost += len(judged) - len(here)
        unjudged += not judged
        if any(grade > 0 for grade in here.values()):
            kept[query] = here
    for judged in qrels.judgments.values():
        unknown.update(name for name in judged if name not in documents.index)
    if not kept:
        raise BenchmarkError(_nothing_judged(qrels.judgments, qrels.source, queries, documents))
    counts = Judged(
        source=qrels.source,
        form=qrels.form,
        judgments=len(qrels),
        duplicates=len(qrels.problems),
        queries=len(kept),
        unjudged=unjudged,
        irrelevant=len(queries) - unjudged - len(kept),
        unknown_queries=sum(query not in queries.index for query in qrels.judgments),
        unknown_documents=len(unknown),
        lost_judgments=lost,
    )
    return counts, np.array([queries.index[query] for query in kept], np.int64), kept


def _nothing_judged(judgments: Judgments, source: str, queries: Pair, documents: Pair) -> str:
    def some(names: object) -> str:
        return ", ".join(map(repr, list(names)[:3]))  # type: ignore[call-overload]

    if not any(query in queries.index for query in judgments):
        return (
            f"{source} judges no query that both tables have ({some(judgments)} against "
            f"{some(queries.words)}); the names of rows must be the ids of queries."
        )
    judged = {name for each in judgments.values() for name in each}
    if not any(name in documents.index for name in judged):
        return (
            f"{source} judges no document that both tables have ({some(sorted(judged))} against "
            f"{some(documents.words)}); the names of rows must be the ids of documents."
        )
    return f"{source} finds no document relevant to a query of the tables; give other judgments."
