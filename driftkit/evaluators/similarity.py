"""Word similarity: how far a table orders pairs of words as people do."""

from __future__ import annotations

import math
from dataclasses import replace
from os import PathLike
from typing import Any, Literal, Unpack, get_args

import numpy as np
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.datasets import SimilarityBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.base import BuiltIn, Memo, filled
from driftkit.evaluators.closeness import CLOSENESS, Closeness, cosines_of
from driftkit.evaluators.comparison.paired_items import PairedSimilarity
from driftkit.evaluators.correlations import CORRELATIONS, undefined_reason
from driftkit.evaluators.lookup import Case, Find, Items, Spelling, find_items
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.pair import Pair
from driftkit.progress import Progress

OutOfVocabulary = Literal["skip", "zero", "mean", "gensim"]

GENSIM_LIMIT = 300_000
"""gensim looks at this many rows; words that come later are out of vocabulary, silently."""

FOR_ENCODERS = (
    "it asks about sentences, which no table of words has; give an encoder: dk.encode(model, "
    "items), or --items FILE, or driftkit score MODEL --encode"
)

SCIPY: dict[str, Any] = {"spearman": spearmanr, "pearson": pearsonr, "kendall": kendalltau}
"""The correlations that gensim takes."""


class Similarity(BuiltIn[SimilarityBenchmark, Items]):
    """A word-similarity benchmark and the policies to score it by.

    Parameters
    ----------
    benchmark : str, path or SimilarityBenchmark
        A name in the registry, or a file.
    measure : {"spearman", "pearson", "kendall"}
        The main value, and the one two tables are compared by.
    oov : {"skip", "zero", "mean", "gensim"}
        What happens to a pair with a word the table lacks. ``skip``: it is left out. ``zero``: it
        scores 0. ``mean``: the word gets the mean of all rows. ``gensim``: everything as
        ``KeyedVectors.evaluate_word_pairs`` does it, to the last bit: pairs are skipped, words
        are folded to upper case, rows past 300,000 are not looked at, cosines are in float32.
    case : {"exact-then-folded", "exact", "fold"}, optional
        ``exact-then-folded``, and ``fold`` where `oov` is ``gensim``.
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.
    closeness : {"cosine", "dot", "euclidean"}
        How close two words are. Rows of zero have no cosine, so pairs with one are OOV there.
    limit : int, optional
        Look at this many rows only, the first ones.

    Examples
    --------
    >>> toy = SimilarityBenchmark(
    ...     "toy", (("a", "b"), ("a", "c"), ("b", "c")), np.array([9.0, 1.0, 4.0])
    ... )
    >>> found = Similarity(toy).score((["a", "b", "c"], [[1.0, 0.1], [1.0, 0.3], [0.0, 1.0]]))
    >>> [(s.measure, round(s.value, 3)) for s in found.scores]
    [('spearman', 1.0), ('pearson', 0.984), ('kendall', 1.0)]
    """

    _kind, _lacks = SimilarityBenchmark, "has no word pairs with human scores"

    def __init__(
        self,
        benchmark: str | PathLike[str] | SimilarityBenchmark,
        *,
        measure: str = "spearman",
        oov: OutOfVocabulary = "skip",
        case: Case | None = None,
        closeness: Closeness = "cosine",
        limit: int | None = None,
        **spelling: Unpack[Spelling],
    ) -> None:
        gensim = oov == "gensim"
        usual: Case = "fold" if gensim else "exact-then-folded"
        super().__init__(benchmark, case=case or usual, **spelling)
        if measure not in CORRELATIONS:
            raise UnknownNameError("measure of similarity", measure, CORRELATIONS)
        if oov not in get_args(OutOfVocabulary):
            raise UnknownNameError("OOV policy", oov, get_args(OutOfVocabulary))
        if closeness not in CLOSENESS:
            raise UnknownNameError("closeness", closeness, CLOSENESS)
        if oov == "gensim" and closeness != "cosine":
            raise OptionError(f"closeness={closeness!r} was given, but gensim only has the cosine.")
        self.measure = measure
        self.oov: OutOfVocabulary = oov
        self.closeness: Closeness = closeness
        rows = self._look_at(GENSIM_LIMIT if gensim and limit is None else limit)
        self._policies = {"oov": oov, "closeness": closeness, "rows": rows}

    def _items(self, find: Find, is_zero: Mask) -> Items:
        if self.closeness != "cosine":
            is_zero = np.zeros_like(is_zero)
        found = find_items(self.benchmark.pairs, find, is_zero)
        if not found.usable.any() and self.benchmark.is_of_sentences:
            return replace(found, why=FOR_ENCODERS)
        return found

    def _score(self, table: Embeddings, items: Items, _: Progress | None) -> Evaluation:
        close, answered = self._close(table, items)
        gold = self.benchmark.gold[answered]
        scores = []
        for measure in sorted(CORRELATIONS, key=lambda name: name != self.measure):
            value = self._correlation(measure, gold, close[answered])
            reason = None
            if math.isnan(value):
                reason = (items.reason if len(gold) == 0 else None) or undefined_reason(gold)
            more = {"measure": measure, "n_used": len(gold), "reason": reason}
            scores.append(Score.of(items, table, self, value, **more))
        plot = ("gold", "score", "pair")
        return Evaluation(scores, self.settings, self._columns(close, answered), plot)

    def _compare(
        self, pair: Pair, items: Items, _memo: Memo | None, _: Progress | None
    ) -> PairedSimilarity:
        """Leave out words one table lacks, whatever `oov` says: no filling is compared."""
        if self.measure == "kendall":
            raise OptionError(
                "two tables are compared by spearman or pearson; kendall can be scored, "
                "but its bootstrap would take minutes."
            )
        used = np.flatnonzero(items.usable)
        before, after = (
            CLOSENESS[self.closeness](side, items.rows[used]) for side in (pair.before, pair.after)
        )
        pairs, gold = [self.benchmark.pairs[i] for i in used], self.benchmark.gold[used]
        return PairedSimilarity(self.measure, pair, items, before, after, pairs=pairs, gold=gold)

    def _close(self, table: Embeddings, items: Items) -> tuple[Values, Mask]:
        """Return the closeness of every pair, NaN where there is none, and which pairs count."""
        used = items.usable
        close = np.full(items.n_total, np.nan)
        measure = _gensim_cosines if self.oov == "gensim" else CLOSENESS[self.closeness]
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

    def _correlation(self, measure: str, gold: Values, close: Values) -> float:
        if self.oov != "gensim":
            return CORRELATIONS[measure](gold, close)
        if len(gold) < 2 or np.ptp(gold) == 0 or np.ptp(close) == 0:
            return math.nan
        return float(SCIPY[measure](gold, close)[0])

    def _columns(self, close: Values, used: Mask) -> dict[str, Any]:
        first, second = zip(*self.benchmark.pairs, strict=True)
        gold = self.benchmark.gold
        return {
            "word1": first,
            "word2": second,
            "pair": [f"{a} / {b}" for a, b in self.benchmark.pairs],
            "gold": gold,
            "score": close,
            "gold_rank": filled(rankdata(-gold[used]), used, np.nan),
            "rank": filled(rankdata(-close[used]), used, np.nan),
            "used": used,
        }


def _gensim_cosines(matrix: Matrix, pairs: Rows) -> Values:
    """Return cosines as gensim takes them, one pair at a time in float32."""
    from gensim.matutils import unitvec

    found = [np.dot(unitvec(matrix[a]), unitvec(matrix[b])) for a, b in pairs]
    return np.array(found, np.float64)
