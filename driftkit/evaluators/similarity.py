"""Word similarity: how far a table orders pairs of words as people do."""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy.stats import rankdata

from driftkit.arrays import Matrix
from driftkit.datasets import SimilarityBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, OptionError, UnknownNameError
from driftkit.evaluators.closeness import CLOSENESS, Closeness, cosines_of
from driftkit.evaluators.comparison.paired_items import PairedSimilarity
from driftkit.evaluators.correlations import CORRELATIONS, undefined_reason
from driftkit.evaluators.evaluation import Evaluation
from driftkit.evaluators.inputs import as_table
from driftkit.evaluators.lookup import (
    Case,
    Items,
    Rows,
    Values,
    check_case,
    find_items,
    lookup,
    rarest,
)
from driftkit.evaluators.scores import Score
from driftkit.pair import Pair
from driftkit.progress import Progress

if TYPE_CHECKING:
    from driftkit.evaluators.inputs import Table

OutOfVocabulary = Literal["skip", "zero", "mean", "gensim"]

GENSIM_LIMIT = 300_000
"""gensim looks at so many rows; words that come later are out of vocabulary, silently."""


class Similarity:
    """A word-similarity benchmark and the policies to score it by.

    Parameters
    ----------
    benchmark : str, path or SimilarityBenchmark
        A name in the registry, or a file.
    measure : {"spearman", "pearson", "kendall"}
        The main figure, and the one two tables are compared by.
    oov : {"skip", "zero", "mean", "gensim"}
        What happens to a pair with a word the table lacks. ``skip``: it is left out. ``zero``: it
        scores 0. ``mean``: the word gets the mean of all rows. ``gensim``: everything as
        ``KeyedVectors.evaluate_word_pairs`` does it, to the last bit: pairs are skipped, words
        are folded to upper case, rows past 300,000 are not looked at, cosines are in float32.
    case : {"exact-then-folded", "exact", "fold"}, optional
        ``exact-then-folded``, and ``fold`` where `oov` is ``gensim``.
    closeness : {"cosine", "dot", "euclidean"}
        How close two words are. Rows of zero have no cosine, so pairs with one are OOV there.
    limit : int, optional
        Look at the first so many rows only.

    Examples
    --------
    >>> toy = SimilarityBenchmark(
    ...     "toy", (("a", "b"), ("a", "c"), ("b", "c")), np.array([9.0, 1.0, 4.0])
    ... )
    >>> found = Similarity(toy).score((["a", "b", "c"], [[1.0, 0.1], [1.0, 0.3], [0.0, 1.0]]))
    >>> [(s.measure, round(s.value, 3)) for s in found.scores]
    [('spearman', 1.0), ('pearson', 0.984), ('kendall', 1.0)]
    """

    def __init__(
        self,
        benchmark: str | PathLike[str] | SimilarityBenchmark,
        *,
        measure: str = "spearman",
        oov: OutOfVocabulary = "skip",
        case: Case | None = None,
        closeness: Closeness = "cosine",
        limit: int | None = None,
    ) -> None:
        found = get(benchmark)
        if not isinstance(found, SimilarityBenchmark):
            raise BenchmarkError(f"{found.name} has no word pairs with human scores.")
        if measure not in CORRELATIONS:
            raise UnknownNameError("measure of similarity", measure, CORRELATIONS)
        if oov not in get_args(OutOfVocabulary):
            raise UnknownNameError("OOV policy", oov, get_args(OutOfVocabulary))
        if closeness not in CLOSENESS:
            raise UnknownNameError("closeness", closeness, CLOSENESS)
        if oov == "gensim" and closeness != "cosine":
            raise OptionError(f"closeness={closeness!r} was given, but gensim only has the cosine.")
        if limit is not None and limit < 1:
            raise OptionError(f"limit={limit} leaves no row; give 1 or more.")
        gensim = oov == "gensim"
        self.benchmark = found
        self.measure = measure
        self.oov: OutOfVocabulary = oov
        self.case: Case = case if case is not None else "fold" if gensim else "exact-then-folded"
        check_case(self.case)
        self.closeness: Closeness = closeness
        self.limit = limit if limit is not None or not gensim else GENSIM_LIMIT

    def score(self, source: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score one table.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
            See `driftkit.evaluators.inputs.as_table`.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        Evaluation
            Spearman, Pearson and Kendall, the one asked for first.
        """
        table = as_table(source)
        items = self._items(table.index, table.norms == 0)
        close, answered = self._close(table, items)
        gold = self.benchmark.gold[answered]
        scores = [
            self._score(table, items, measure, gold, close[answered])
            for measure in sorted(CORRELATIONS, key=lambda name: name != self.measure)
        ]
        if progress is not None:
            progress(1, 1)
        return Evaluation(
            tuple(scores), self.settings, self._columns(close, answered), ("gold", "score", "pair")
        )

    def pair(
        self, pair: Pair, memo: object = None, progress: Progress | None = None
    ) -> tuple[Items, PairedSimilarity]:
        """Take what both tables of a pair say about the word pairs both can answer.

        Words one table lacks are skipped whatever `oov` says: filling them in would compare the
        filling.
        """
        del memo, progress
        if self.measure == "kendall":
            raise OptionError(
                "two tables are compared by spearman or pearson; kendall can be scored, "
                "but its bootstrap would take minutes."
            )
        items = self._items(pair.index, pair.zero)
        used = np.flatnonzero(items.usable)
        rows = items.rows[used]  # (m, 2)
        close = CLOSENESS[self.closeness]
        return items, PairedSimilarity(
            self.measure,
            tuple(self.benchmark.pairs[i] for i in used),
            self.benchmark.gold[used],
            close(pair.before, rows),
            close(pair.after, rows),
            pair.moved[rows].sum(axis=1),
            rarest(pair, rows),
        )

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        return {
            "oov": self.oov,
            "case": self.case,
            "closeness": self.closeness,
            "rows": "all" if self.limit is None else f"the first {self.limit:,}",
        }

    def _items(self, index: dict[str, int], is_zero: np.ndarray) -> Items:
        if self.limit is not None:
            index = {word: row for word, row in index.items() if row < self.limit}
        if self.closeness != "cosine":
            is_zero = np.zeros_like(is_zero)
        return find_items(self.benchmark.pairs, lookup(index, self.case), is_zero)

    def _close(self, table: Embeddings, items: Items) -> tuple[Values, np.ndarray]:
        """Closeness of every pair, NaN where there is none, and which pairs count."""
        used = items.usable
        close = np.full(items.n_total, np.nan)
        measure: Callable[[Matrix, Rows], Values] = CLOSENESS[self.closeness]
        if self.oov == "gensim":
            measure = _gensim_cosines
        close[used] = measure(table.matrix, items.rows[used])
        if self.oov == "zero":
            return np.where(used, close, 0.0), np.ones_like(used)
        if self.oov == "mean":
            lacks = (items.rows < 0).any(axis=1)
            close[lacks] = self._with_mean(table, items.rows[lacks])
            used = ~np.isnan(close)
        return close, used

    def _with_mean(self, table: Embeddings, rows: Rows) -> Values:
        mean = table.matrix.mean(axis=0, dtype=np.float64)
        sides = [
            np.where(side[:, None] < 0, mean, table.matrix[side].astype(np.float64))
            for side in rows.T
        ]
        if self.closeness == "cosine":
            with np.errstate(invalid="ignore"):  # a zero row has no direction: NaN, left out
                return cosines_of(*sides)
        if self.closeness == "dot":
            return np.asarray(np.einsum("ij,ij->i", *sides))
        return np.asarray(-np.linalg.norm(sides[0] - sides[1], axis=1))

    def _score(
        self, table: Embeddings, items: Items, measure: str, gold: Values, close: Values
    ) -> Score:
        if self.oov == "gensim":
            value = _scipy_correlation(measure, gold, close)
        else:
            value = CORRELATIONS[measure](gold, close)
        undefined = math.isnan(value)
        return Score(
            source=table.source.name,
            benchmark=self.benchmark.name,
            measure=measure,
            value=value,
            n_total=items.n_total,
            n_used=len(gold),
            oov=items.oov,
            zero=items.zero,
            reason=((items.reason if len(gold) == 0 else None) or undefined_reason(gold))
            if undefined
            else None,
        )

    def _columns(self, close: Values, used: np.ndarray) -> dict[str, Any]:
        first, second = zip(*self.benchmark.pairs, strict=True)
        ranks = {}
        for name, values in (("gold_rank", self.benchmark.gold), ("rank", close)):
            ranks[name] = np.full(len(used), np.nan)
            ranks[name][used] = rankdata(-values[used])
        return {
            "word1": first,
            "word2": second,
            "pair": [f"{a} / {b}" for a, b in self.benchmark.pairs],
            "gold": self.benchmark.gold,
            "score": close,
            **ranks,
            "used": used,
        }


def _gensim_cosines(matrix: Matrix, pairs: Rows) -> Values:
    """Cosines as gensim takes them, one pair at a time in float32."""
    from gensim.matutils import unitvec

    found = [np.dot(unitvec(matrix[a]), unitvec(matrix[b])) for a, b in pairs]
    return np.array(found, np.float64)


def _scipy_correlation(measure: str, gold: Values, close: Values) -> float:
    from scipy import stats

    if len(gold) < 2 or np.ptp(gold) == 0 or np.ptp(close) == 0:
        return math.nan
    by_name: dict[str, Any] = {
        "spearman": stats.spearmanr,
        "pearson": stats.pearsonr,
        "kendall": stats.kendalltau,
    }
    return float(by_name[measure](gold, close)[0])
