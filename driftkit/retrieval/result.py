"""What a change of model does to search: the results, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table

from driftkit.arguments import cut, position
from driftkit.arrays import Values
from driftkit.display import (
    Displayed,
    Text,
    counted,
    interval,
    joined,
    number,
    reasons,
    section,
    signed,
    table,
)
from driftkit.evaluators.comparison.result import MARKS
from driftkit.evaluators.comparison.verdict import Status as Outcome
from driftkit.evaluators.scores import plain
from driftkit.neighbors.overlap import Lists, beyond_chance
from driftkit.questions.finding import Status
from driftkit.retrieval.coverage import Coverage

if TYPE_CHECKING:
    import pandas as pd

Name = Literal["tuned", "mixed", "reversed"]

TITLES: Mapping[Name, str] = {
    "tuned": "new queries, new index",
    "mixed": "new queries, old index",
    "reversed": "old queries, new index",
}
"""The searches that are compared with old queries in the old index, as they are shown."""

_SAID: Mapping[Status, str] = {
    "kept": "kept",
    "changed": "changed",
    "broken": "broken",
    "not tested": "not settled",
}
"""How statuses are shown: what was searched was tested, but what it showed may be too little."""

NAMED = 5  # queries named in a printed list
LISTED = 20  # queries named in the JSON document, of each kind

_VALUES = ("before", "after", "delta", "ci_low", "ci_high", "p_value", "p_holm")
_KEYS = ("measure", "n", *_VALUES, "status", "margin", "reason", "detectable", "least_visible_fall")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeasureChange(Displayed):
    """A measure of the results of the same m queries, before and after.

    Parameters
    ----------
    measure : str
        Such as ``"nDCG@10"``.
    queries : tuple of str
        The m queries that have a relevant document.
    before_values, after_values : ndarray of float64, shape (m,)
        The value of each query; 0 where nothing was found.
    ci_low, ci_high : float
        95 % paired bootstrap interval of `delta`, queries resampled.
    p_value, p_holm : float
        Two-sided, alone and adjusted for the measures of the same search.
    status : {"retained", "lost", "gained", "inconclusive", "not measured"}
        See `driftkit.evaluators.comparison.verdict.status_of`.
    margin : float
        Smallest change that counts.
    reason : str or None
        Why the status is *not measured*, or *inconclusive* whatever the interval.
    detectable : float
        The change these queries would find in 80 of 100 cases with the spread seen here.
    least_visible_fall : float
        The smallest fall that would have been called *lost* with the spread seen here.
    """

    measure: str
    queries: tuple[str, ...]
    before_values: Values
    after_values: Values
    ci_low: float
    ci_high: float
    p_value: float
    p_holm: float
    status: Outcome
    margin: float
    reason: str | None
    detectable: float
    least_visible_fall: float

    @property
    def n(self) -> int:
        """Number of queries, m."""
        return len(self.queries)

    @property
    def before(self) -> float:
        """Mean before; NaN without queries."""
        return float(self.before_values.mean()) if self.n else math.nan

    @property
    def after(self) -> float:
        """Mean after."""
        return float(self.after_values.mean()) if self.n else math.nan

    @property
    def delta(self) -> float:
        """Mean after less mean before."""
        return self.after - self.before

    def broken(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return the queries whose value fell, farthest first: ``query``, ``before``, ``after``."""
        return self._ordered(self.after_values - self.before_values, most)

    def fixed(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return the queries whose value rose, farthest first."""
        return self._ordered(self.before_values - self.after_values, most)

    def _ordered(self, worse: Values, most: int | None) -> list[dict[str, Any]]:
        order = np.argsort(worse, kind="stable")
        return [
            {
                "query": self.queries[row],
                "before": float(self.before_values[row]),
                "after": float(self.after_values[row]),
            }
            for row in order[worse[order] < 0][:most].tolist()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in the JSON document, without the queries; NaN becomes None."""
        return {key: plain(getattr(self, key)) for key in _KEYS}

    def __rich__(self) -> RenderableType:
        return _measures_table([self])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SearchChange(Displayed):
    """One search, compared with old queries in the old index.

    Parameters
    ----------
    name : {"tuned", "mixed", "reversed"}
        New queries in the new index, new queries in the old index, old queries in the new index.
    status : {"kept", "changed", "broken", "not tested"}
        With judgments: *broken* if a measure was lost, *not tested* if one was not settled,
        *changed* if one was gained, else *kept*. Without: by the results that were kept.
    sentence : str
        The same as a clause without a full stop.
    k : int
        Depth of the lists that are compared.
    queries, documents : tuple of str
        The q queries asked, and the documents they were asked of.
    measures : tuple of MeasureChange
        None without judgments, or where nothing was searched.
    before, after : ndarray of int32, shape (q, k)
        Positions of the results in `documents`, best first; -1 where there is none.
    overlap : ndarray of float64, shape (q,)
        Share of the first k results that were kept; NaN where there was none before.
    judged : tuple of (float, float)
        Share of the first k results that somebody judged, before and after; NaN without judgments.
    reason : str or None
        Why there was no such search.
    """

    name: Name
    status: Status
    sentence: str
    k: int
    queries: tuple[str, ...] = field(default=())
    documents: tuple[str, ...] = field(default=())
    measures: tuple[MeasureChange, ...] = ()
    before: Lists = field(default_factory=lambda: np.empty((0, 1), np.int32))
    after: Lists = field(default_factory=lambda: np.empty((0, 1), np.int32))
    overlap: Values = field(default_factory=lambda: np.empty(0))
    judged: tuple[float, float] = (math.nan, math.nan)
    reason: str | None = None

    def __getitem__(self, measure: str | int) -> MeasureChange:
        """Return the change of a measure, by name or by position."""
        return self.measures[
            position(measure, [str(each.measure) for each in self.measures], "measure")
        ]

    @property
    def mean_overlap(self) -> float:
        """Mean share of the first k results that were kept; NaN if nobody had any."""
        known = self.overlap[~np.isnan(self.overlap)]
        return float(known.mean()) if len(known) else math.nan

    @property
    def adjusted_overlap(self) -> float:
        """The same corrected for the k of n documents that two random lists have in common."""
        n = len(self.documents)
        if n <= self.k:
            return math.nan
        return float(beyond_chance(np.array(self.mean_overlap), self.k, n + 1))

    @property
    def same_first(self) -> float:
        """Share of the queries whose first result is the same; NaN if nobody had any."""
        had = self.before[:, 0] >= 0
        return float((self.before == self.after)[had, 0].mean()) if had.any() else math.nan

    def least_kept(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return the queries that kept least, with their first results: those that lost some."""
        order = np.argsort(self.overlap, kind="stable")
        return [
            {
                "query": self.queries[row],
                "overlap": float(self.overlap[row]),
                "first_before": self._first(self.before, row),
                "first_after": self._first(self.after, row),
            }
            for row in order[self.overlap[order] < 1][:most].tolist()
        ]

    def _first(self, lists: Lists, row: int) -> str | None:
        at = int(lists[row, 0])
        return self.documents[at] if at >= 0 else None

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each query.

        Columns: ``search``, ``query``, ``overlap``, ``first_before``, ``first_after``, and for
        each measure its value before and after (``nDCG@10 before``), NaN for queries without a
        relevant document.
        """
        import pandas as pd

        rows = range(len(self.queries))
        columns: dict[str, Any] = {
            "search": self.name,
            "query": self.queries,
            "overlap": self.overlap,
            "first_before": [self._first(self.before, row) for row in rows],
            "first_after": [self._first(self.after, row) for row in rows],
        }
        for change in self.measures:
            for when, values in (("before", change.before_values), ("after", change.after_values)):
                known = dict(zip(change.queries, values.tolist(), strict=True))
                columns[f"{change.measure} {when}"] = [
                    known.get(query, math.nan) for query in self.queries
                ]
        return pd.DataFrame(columns)

    def to_dict(self, texts: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return its entry in the JSON document; queries are named with their texts."""
        before, after = self.judged

        def told(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [{**each, "text": (texts or {}).get(each["query"])} for each in entries]

        return {
            "name": self.name,
            "status": self.status,
            "sentence": self.sentence,
            "reason": self.reason,
            "overlap": plain(self.mean_overlap),
            "adjusted_overlap": plain(self.adjusted_overlap),
            "same_first": plain(self.same_first),
            "judged": {"before": plain(before), "after": plain(after)},
            "least_kept": told(self.least_kept(LISTED)),
            "measures": [
                {
                    **change.to_dict(),
                    "n_broken": len(change.broken()),
                    "n_fixed": len(change.fixed()),
                    "broken": told(change.broken(LISTED)),
                    "fixed": told(change.fixed(LISTED)),
                }
                for change in self.measures
            ],
        }

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(f"{TITLES[self.name]}: {self.sentence}")]
        if self.measures:
            parts.append(_measures_table(self.measures))
        return Group(*parts)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RetrievalChanges(Displayed):
    """What a change of model did to search: ``changes["mixed"]`` by name, or by position.

    Parameters
    ----------
    searches : tuple of SearchChange
        ``tuned``, ``mixed`` and ``reversed``, each compared with old queries in the old index.
    k : int
        Depth of the lists that are compared.
    coverage : Coverage
        Which queries, documents and judgments were looked at.
    texts : mapping of str to str
        Texts of queries, to name them by.
    """

    searches: tuple[SearchChange, ...]
    k: int
    coverage: Coverage
    texts: Mapping[str, str]

    def __iter__(self) -> Iterator[SearchChange]:
        return iter(self.searches)

    def __len__(self) -> int:
        return len(self.searches)

    def __getitem__(self, search: str | int) -> SearchChange:
        """Return what one search gave."""
        return self.searches[position(search, [each.name for each in self.searches], "search")]

    @property
    def link(self) -> SearchChange:
        """New queries in the old index: whether the old index may stay."""
        return self["mixed"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and what that means, one sentence each without its full stop."""
        return (*self.coverage.notes(), *self._judged())

    def _judged(self) -> Iterator[str]:
        tuned = self["tuned"]
        before, after = tuned.judged
        if not math.isnan(before) and min(before, after) < 1:
            yield (
                f"of the first {self.k} results {before:.0%} were judged before and {after:.0%} "
                "after; what nobody judged counts as not relevant"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON (``driftkit.retrieval/1``)."""
        return {
            "schema": "driftkit.retrieval/1",
            "k": self.k,
            **self.coverage.to_dict(),
            "link": {"status": self.link.status, "sentence": self.link.sentence},
            "searches": [search.to_dict(self.texts) for search in self.searches],
            "notes": list(self.notes),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame of all searches: `SearchChange.to_frame`, and ``text``."""
        import pandas as pd

        searched = [each.to_frame() for each in self.searches if each.reason is None]
        frame = pd.concat(searched, ignore_index=True)
        frame.insert(2, "text", frame["query"].map(dict(self.texts)))
        return frame

    def measure_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per search and measure; empty without judgments."""
        import pandas as pd

        rows = [
            {"search": search.name, **change.to_dict()}
            for search in self.searches
            for change in search.measures
        ]
        floats = dict.fromkeys((*_VALUES, "margin", "detectable", "least_visible_fall"), "float64")
        return pd.DataFrame(rows, columns=["search", *_KEYS]).astype(floats)

    def __rich__(self) -> RenderableType:
        searched = [each for each in self.searches if each.reason is None]
        judged = [each for each in searched if each.measures]
        parts: list[RenderableType] = [Text(str(self.coverage), "bold")]
        parts += [
            section(_capital(TITLES[each.name]), _measures_table(each.measures)) for each in judged
        ]
        made = table("results", right=(f"overlap@{self.k}", "beyond chance", "same first"))
        for search in searched:
            values = (search.mean_overlap, search.adjusted_overlap)
            share = "-" if math.isnan(search.same_first) else f"{search.same_first:.0%}"
            made.add_row(TITLES[search.name], *(number(value, 3) for value in values), share)
        parts += [Text(""), made, Text("")]
        parts += [
            Text(f"{_capital(TITLES[search.name])} ({_SAID[search.status]}): {search.sentence}.")
            for search in self.searches
        ]
        parts += reasons(
            (f"{change.measure}, {TITLES[search.name]}", change.reason)
            for search in judged
            for change in search.measures
        )
        parts += [Text(f"{_capital(note)}.", "dim") for note in self.notes]
        parts += self._named(self["tuned"])
        return Group(*parts)

    def _named(self, search: SearchChange) -> Iterator[RenderableType]:
        """Name the queries that changed most."""
        if not search.measures:
            found = search.least_kept()
            lines = [
                f"{self._query(each)}: {each['overlap']:.0%} kept; first {each['first_before']} "
                f"before, {each['first_after'] or 'nothing'} now"
                for each in found[:NAMED]
            ]
            if lines:
                counts = f"{len(found):,} of {counted(len(search.queries), 'query', 'queries')}"
                yield section(f"Results that changed most ({counts} lost some)", *map(Text, lines))
            return
        first = search.measures[0]
        for title, verb, found in (
            ("What broke", "fell", first.broken()),
            ("What was fixed", "rose", first.fixed()),
        ):
            if found:
                counts = f"{len(found):,} of {counted(first.n, 'query', 'queries')} {verb}"
                lines = [
                    f"{self._query(each)}: {number(each['before'], 3)} before, "
                    f"{number(each['after'], 3)} now"
                    for each in found[:NAMED]
                ]
                yield section(f"{title} ({first.measure}: {counts})", *map(Text, lines))

    def _query(self, entry: Mapping[str, Any]) -> str:
        query = entry["query"]
        text = self.texts.get(query)
        return query if text is None else f"{query} {cut(text)!r}"


def _capital(clause: str) -> str:
    return clause[0].upper() + clause[1:]


def _measures_table(changes: Iterable[MeasureChange]) -> Table:
    """Make a table that 80 columns hold: what was searched stands above it."""
    made = table("measure", right=("n", "before", "after", "change", "95 % interval"))
    made.add_column("verdict", no_wrap=True)
    for change in changes:
        made.add_row(*_cells(change))
    return made


def _cells(change: MeasureChange) -> Sequence[str | Text]:
    sign, style = MARKS[change.status]
    return (
        change.measure,
        f"{change.n:,}",
        number(change.before, 3),
        number(change.after, 3),
        signed(change.delta),
        interval(change.ci_low, change.ci_high),
        Text(f"{sign} {change.status}", style),
    )


def said_of(changes: Sequence[MeasureChange]) -> str:
    """Return a clause that says what became of each measure.

    A change that counts comes with both values: ``lost nDCG@10 (0.652 to 0.431)``.
    """
    phrases: Mapping[Outcome, str] = {
        "lost": "lost",
        "gained": "gained",
        "retained": "retained",
        "inconclusive": "inconclusive on",
        "not measured": "could not measure",
    }
    spoken = []
    for outcome, phrase in phrases.items():
        some = [change for change in changes if change.status == outcome]
        with_values = outcome in ("lost", "gained")
        names = [
            f"{each.measure} ({each.before:.3f} to {each.after:.3f})"
            if with_values
            else each.measure
            for each in some
        ]
        if names:
            spoken.append(f"{phrase} {joined(names)}")
    return "; ".join(spoken)
