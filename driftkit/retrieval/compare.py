"""The same queries with both models, in the old index and in the new one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from driftkit.arguments import DEEPEST, require, shown, whole
from driftkit.arrays import Rows, Values, generator
from driftkit.defaults import RESAMPLES, K
from driftkit.display import counted
from driftkit.encoders.items import TextItems, as_items
from driftkit.errors import AlignmentError, OptionError
from driftkit.evaluators.comparison.compare import FEWEST_RESAMPLES, MOST_RESAMPLES
from driftkit.evaluators.comparison.verdict import FEWEST_ITEMS, status_of
from driftkit.evaluators.comparison.verdict import Status as Outcome
from driftkit.evaluators.significance import (
    Interval,
    MeanDifference,
    detectable_difference,
    holm,
)
from driftkit.neighbors.overlap import CANDIDATES_PER_NEIGHBOR, Lists, overlap
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress, part
from driftkit.questions.finding import Status
from driftkit.questions.neighbors import BROKEN, KEPT
from driftkit.retrieval.coverage import Apart, Coverage, judge
from driftkit.retrieval.measures import (
    MARGIN,
    MEASURES,
    Effectiveness,
    parse,
    parse_all,
    require_library,
    values_of,
)
from driftkit.retrieval.qrels import Qrels, as_qrels
from driftkit.retrieval.result import (
    MeasureChange,
    Name,
    RetrievalChanges,
    SearchChange,
    said_of,
)

if TYPE_CHECKING:
    from driftkit.neighbors.search.exact import Search

OLD = ("original", "original")

SEARCHES: Mapping[Name, tuple[str, str]] = {
    "tuned": ("tuned", "tuned"),
    "mixed": ("tuned", "original"),
    "reversed": ("original", "tuned"),
}
"""Which model made the queries, and which the index."""


def compare_retrieval(
    pair: Pair,
    queries: Pair,
    qrels: Qrels | Mapping[str, Mapping[str, int]] | str | PathLike[str] | None = None,
    *,
    k: int = K,
    measures: Sequence[str] | None = None,
    margins: Mapping[str, float] | None = None,
    texts: TextItems | Mapping[str, str] | str | PathLike[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    device: str = "cpu",
    progress: Progress | bool | None = None,
) -> RetrievalChanges:
    """Search the same documents for the same queries with two models, and compare the results.

    Old queries in the old index are compared with three other searches: new queries in the new
    index (``tuned``: everything is embedded anew), new queries in the old index (``mixed``: does
    the link to the old index hold), and old queries in the new index (``reversed``: queries that
    were cached). Search is exact, by cosine; of equally near documents the earlier row comes first.

    Parameters
    ----------
    pair : Pair
        The documents, a row each, by both models. Those that both tables have are searched.
    queries : Pair
        The queries, a row each, by both models.
    qrels : Qrels, path or mapping, optional
        What people judged relevant: a file in TREC's or BEIR's form (see `read_qrels`), or a
        dictionary of queries, each with documents and their relevance. Without it nothing is said
        of better or worse, only of how many results were kept.
    k : int
        Depth of the lists whose overlap is taken.
    measures : sequence of str, optional
        Measures of the results by their judgments: ``AP``, ``P``, ``R``, ``RR``, ``Rprec``,
        ``Success`` and ``nDCG``, as ir-measures writes them; ``nDCG@10``, ``R@100`` and ``RR@10``
        by default. One without a cut-off looks at the first 1,000 results. A query counts if it
        has a document as relevant as the measure asks for.
    margins : mapping of str to float, optional
        The smallest change that counts, by measure; 0.01 for the others.
    texts : TextItems, path or mapping, optional
        Texts of queries by id, to name them by, such as BEIR's ``queries.jsonl`` (see
        `driftkit.encoders.read_items`).
    seed : int
        Seed of the bootstrap; each search and measure draws from a stream of its own.
    resamples : int
        Number of bootstrap resamples, 100 or more.
    device : str
        Where torch takes the products, such as ``"cpu"`` or ``"cuda"``.
    progress : callable or True, optional
        Called with (done, total); True draws a bar.

    Returns
    -------
    RetrievalChanges

    Raises
    ------
    OptionError
        If `pair` or `queries` is not a pair, an option is out of its range, or measures are asked
        for without judgments.
    AlignmentError
        If queries and documents of a model have different dimensions.
    BenchmarkError
        If `qrels` cannot be read, or no query at hand has a relevant document.
    SourceError
        If `texts` cannot be read.
    UnknownNameError
        If a measure is not known.
    MissingExtraError
        If judgments are given and ir-measures is not installed.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> documents = Embeddings(["d1", "d2", "d3"], [[1, 0], [0, 1], [1, 1]])
    >>> original = Embeddings(["q"], [[1, 0.1]])
    >>> tuned = Embeddings(["q"], [[0.1, 1]])
    >>> found = compare_retrieval(align(documents, documents), align(original, tuned), k=1)
    >>> found["mixed"].least_kept()
    [{'query': 'q', 'overlap': 0.0, 'first_before': 'd1', 'first_after': 'd2'}]
    """
    require(pair, Pair, "dk.compare_retrieval")
    if not isinstance(queries, Pair):
        raise OptionError(
            "dk.compare_retrieval takes the queries as a pair too, a row each by both models, and "
            f"{shown(queries)} was given; call dk.compare_retrieval(pair, "
            "dk.align(original_queries, tuned_queries))."
        )
    whole(1, DEEPEST, k=k)
    whole(0, seed=seed)
    whole(FEWEST_RESAMPLES, MOST_RESAMPLES, resamples=resamples)
    _require_same_dimensions(pair, queries)
    asked, margins = parse_all(measures), _margins(margins)
    named = TextItems((), ()) if texts is None else as_items(texts)
    coverage, judged = Coverage(Apart.of(queries), Apart.of(pair), None), None
    depth = k
    if qrels is not None:
        require_library()
        counts, rows, judgments = judge(as_qrels(qrels), queries, pair)
        judged = _Judged(asked, margins, rows, judgments, seed, resamples)
        coverage = replace(coverage, judged=counts)
        depth = max([k, *(each.depth for each in asked)])
    elif measures is not None or margins:
        raise OptionError("measures go by judgments; give qrels as well, or leave measures out.")
    depth = min(depth, len(pair))
    told = as_progress(progress, "searches")
    ways = (OLD, *SEARCHES.values())
    equal = pair.original.dimensions == pair.tuned.dimensions
    indexes = {side: _index(pair, side, device) for side in ("original", "tuned")}
    lists: dict[tuple[str, str], Lists] = {}
    for step, (asker, side) in enumerate(ways):
        if asker == side or equal:
            vectors = queries.before if asker == "original" else queries.after
            none = np.full((len(vectors), 1), -1, np.int64)
            search = indexes[side]
            found, _ = search.nearest(
                search.of_vectors(vectors, none), depth, progress=part(told, step, len(ways))
            )
            lists[asker, side] = found
    return RetrievalChanges(
        searches=tuple(
            _search_change(name, lists[OLD], lists.get(way), pair, queries, k, judged)
            for name, way in SEARCHES.items()
        ),
        k=k,
        coverage=coverage,
        texts=dict(zip(named.ids, named.texts, strict=True)),
    )


def _require_same_dimensions(documents: Pair, queries: Pair) -> None:
    """Refuse queries of another width than the documents of the same model."""
    for side in ("original", "tuned"):
        indexed, asked = getattr(documents, side), getattr(queries, side)
        if indexed.dimensions != asked.dimensions:
            raise AlignmentError(
                f"the {side} documents have {indexed.dimensions} dimensions and the {side} queries "
                f"{asked.dimensions}; both must come from the same model."
            )


def _margins(margins: Mapping[str, float] | None) -> dict[str, float]:
    """Return the margins by measure, with or without its cut-off; refuse those not above zero."""
    for measure, margin in (margins or {}).items():
        if measure not in MEASURES:
            parse(measure)
        if not 0 < margin < math.inf:
            raise OptionError(f"margin {measure}={margin} cannot be used; give a number above 0.")
    return dict(margins or {})


def _index(pair: Pair, side: str, device: str) -> Search:
    from driftkit.neighbors.search.exact import Search
    from driftkit.neighbors.search.space import Space

    if side == "original":
        return Search.over(Space.of(pair.before, pair.before_norms, device))
    return Search.over(Space.of(pair.after, pair.after_norms, device))


def _search_change(
    name: Name,
    old: Lists,
    new: Lists | None,
    pair: Pair,
    queries: Pair,
    k: int,
    judged: _Judged | None,
) -> SearchChange:
    if new is None:
        asker, side = (getattr(pair, each).dimensions for each in SEARCHES[name])
        why = f"queries of {asker} dimensions cannot search an index of {side}"
        return SearchChange(name, "broken", why, k, reason=why)
    same = pair.original.dimensions == pair.tuned.dimensions
    same = same and not (pair.changed.any() or queries.changed.any())
    before, after = old[:, :k], new[:, :k]
    kept = np.where(after[:, 0] < 0, 0.0, overlap(before, after))
    found = SearchChange(
        name,
        "kept",
        "no vector changed",
        k,
        queries.words,
        pair.words,
        before=before,
        after=after,
        overlap=np.where(before[:, 0] < 0, np.nan, kept),
    )
    if judged is not None:
        found = replace(
            found,
            measures=judged.changes(name, old, new, pair.words, same=same),
            judged=(judged.share(before, pair.index), judged.share(after, pair.index)),
        )
    if same:
        return found
    status, said = _by_judgments(found) if found.measures else _by_overlap(found)
    return replace(found, status=status, sentence=said)


def _by_judgments(search: SearchChange) -> tuple[Status, str]:
    """Return the status of a search whose results were judged, and why."""
    outcomes: set[Outcome] = {change.status for change in search.measures}
    status: Status = "kept" if "retained" in outcomes else "not tested"
    if "gained" in outcomes:
        status = "changed"
    if "inconclusive" in outcomes:
        status = "not tested"
    return "broken" if "lost" in outcomes else status, said_of(search.measures)


def _by_overlap(search: SearchChange) -> tuple[Status, str]:
    """Return the status of a search without judgments, and why."""
    n, k = len(search.documents), search.k
    if n < CANDIDATES_PER_NEIGHBOR * k:
        fewer = "; ask for fewer results" if n >= CANDIDATES_PER_NEIGHBOR else ""
        return "not tested", f"{counted(n, 'document')}: lists of {k} agree by chance{fewer}"
    share = search.adjusted_overlap
    if math.isnan(share):
        return "not tested", "no query found anything before"
    status: Status = "kept" if share >= KEPT else "broken" if share < BROKEN else "changed"
    return status, (
        f"queries kept {max(share, 0):.0%} of their first {k} results beyond chance, and "
        f"{search.same_first:.0%} of them the first one; only judgments would tell what that means"
    )


@dataclass(frozen=True)
class _Judged:
    """The judgments of m queries, and how results are measured by them."""

    measures: tuple[Effectiveness, ...]
    margins: Mapping[str, float]
    rows: Rows  # (m,) of the queries that have a relevant document
    judgments: Mapping[str, Mapping[str, int]]
    seed: int
    resamples: int

    def changes(
        self, name: str, old: Lists, new: Lists, documents: Sequence[str], *, same: bool
    ) -> tuple[MeasureChange, ...]:
        """Return what became of each measure in a search."""
        before, after = (self._values(lists, documents) for lists in (old, new))
        found = [
            self._change(each, before[str(each)], after[str(each)], name, same=same)
            for each in self.measures
        ]
        adjusted = holm([change.p_value for change in found])
        return tuple(replace(each, p_holm=p) for each, p in zip(found, adjusted, strict=True))

    def share(self, lists: Lists, where: Mapping[str, int]) -> float:
        """Return the share of the results (q, k) of the m queries that somebody judged."""
        known = total = 0
        for row, judged in zip(self.rows.tolist(), self.judgments.values(), strict=True):
            listed = lists[row][lists[row] >= 0]
            known += int(np.isin(listed, [where[document] for document in judged]).sum())
            total += len(listed)
        return known / total if total else math.nan

    def _values(self, lists: Lists, documents: Sequence[str]) -> dict[str, Values]:
        """Return the values (m,) of each measure; one without a cut-off sees `DEPTH` results."""
        found: dict[str, Values] = {}
        names = tuple(self.judgments)
        for uncut in (False, True):
            some = [each for each in self.measures if (each.cutoff is None) == uncut]
            if some:
                deepest = max(each.depth for each in some)
                results = (
                    [documents[at] for at in listed if at >= 0]
                    for listed in lists[self.rows, :deepest].tolist()
                )
                found |= values_of(some, self.judgments, names, results)
        return found

    def _change(
        self, measure: Effectiveness, before: Values, after: Values, search: str, *, same: bool
    ) -> MeasureChange:
        margin = self.margins.get(str(measure), self.margins.get(measure.name, MARGIN))
        least = measure.relevance or 1
        counts = np.array([max(each.values()) >= least for each in self.judgments.values()])
        before, after, m = before[counts], after[counts], int(counts.sum())
        delta = float((after - before).mean()) if m else math.nan
        bounds, error = Interval(), math.nan
        status: Outcome = "not measured"
        reason: str | None = (
            f"{counted(m, 'query has', 'queries have')} a document as relevant as it asks for; a "
            f"verdict needs {FEWEST_ITEMS}"
        )
        if m >= FEWEST_ITEMS or (same and m):
            difference = MeanDifference(before, after)
            rng = generator(self.seed, f"{search} {measure}")
            drawn = difference.resample(self.resamples, rng)
            bounds, error = difference.percentiles(drawn), float(drawn.std())
            status, reason = status_of(delta, bounds, margin), None
        if status in ("retained", "inconclusive") and not same:
            status, reason = _what_they_can_say(status, m, float(before.mean()), margin)
        return MeasureChange(
            measure=str(measure),
            queries=tuple(compress(self.judgments, counts)),
            before_values=before,
            after_values=after,
            ci_low=bounds.low,
            ci_high=bounds.high,
            p_value=bounds.p_value,
            p_holm=math.nan,
            status=status,
            margin=margin,
            reason=reason,
            detectable=detectable_difference(error),
            least_visible_fall=max(margin, bounds.high - delta) if m >= FEWEST_ITEMS else math.nan,
        )


def _what_they_can_say(
    status: Outcome, m: int, before: float, margin: float
) -> tuple[Outcome, str | None]:
    """Return the status of a measure that neither fell nor rose, or why m queries cannot tell."""
    if before < margin:
        return "not measured", (
            f"nothing to lose: the original's own value of {before:.3g} is less than the smallest "
            f"change that counts, {margin:g}"
        )
    if status == "retained" and m * margin < 1:
        return "inconclusive", (
            f"{m:,} queries, of which a single one can outweigh the margin of {margin:g}; "
            f"{math.ceil(1 / margin):,} would do"
        )
    return status, None
