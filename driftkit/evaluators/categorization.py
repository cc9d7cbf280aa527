"""Categorization: whether clusters of the vectors fall together with people's categories.

The clustering is one and fixed: Ward's (1963) agglomeration of the unit rows, from scipy, cut at as
many clusters as there are categories. It has no random start, so it needs no seed, the same table
always gives the same clusters, and nobody can report the best of several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from driftkit.arrays import Matrix
from driftkit.datasets import CategorizationBenchmark, get
from driftkit.errors import BenchmarkError
from driftkit.evaluators.comparison.paired_items import PairedAnswers
from driftkit.evaluators.evaluation import Evaluation
from driftkit.evaluators.inputs import as_table
from driftkit.evaluators.lookup import (
    Case,
    Items,
    Mask,
    Rows,
    check_case,
    find_items,
    lookup,
    rarest,
)
from driftkit.evaluators.partitions import Labels, adjusted_rand, in_majority, purity, v_measure
from driftkit.evaluators.scores import Score
from driftkit.pair import Pair
from driftkit.progress import Progress

if TYPE_CHECKING:
    from driftkit.evaluators.inputs import Table

MEASURES = {"purity": purity, "adjusted_rand": adjusted_rand, "v_measure": v_measure}


def ward_clusters(matrix: Matrix, rows: Rows, count: int) -> Labels:
    """Cut the unit rows into at most `count` clusters by Ward's method.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    rows : ndarray of int64, shape (m,)
        Rows to cluster, none of them zero.
    count : int

    Returns
    -------
    ndarray of int64, shape (m,)
        Clusters from 0.
    """
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    vectors = matrix[rows].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tree = linkage(vectors, "ward")
    clusters: Labels = fcluster(tree, count, "maxclust").astype(np.int64) - 1
    return clusters


class Categorization:
    """A categorization benchmark.

    Words the table lacks are left out, and so are those with a zero row.

    Parameters
    ----------
    benchmark : str, path or CategorizationBenchmark
    case : {"exact-then-folded", "exact", "fold"}

    Examples
    --------
    >>> toy = CategorizationBenchmark("toy", ("cat", "dog", "tea"), ("animal", "animal", "drink"))
    >>> Categorization(toy).score((["cat", "dog", "tea"], [[1, 0], [0.9, 0.1], [0, 1]])).value
    1.0
    """

    measure = "purity"

    def __init__(
        self,
        benchmark: str | PathLike[str] | CategorizationBenchmark,
        *,
        case: Case = "exact-then-folded",
    ) -> None:
        found = get(benchmark)
        if not isinstance(found, CategorizationBenchmark):
            raise BenchmarkError(f"{found.name} has no words with categories.")
        check_case(case)
        self.benchmark = found
        self.case: Case = case

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        return {"oov": "skip", "case": self.case, "clustering": "Ward, scipy"}

    def score(self, source: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score one table: purity, adjusted Rand index and V-measure.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
        progress : callable, optional
            Called with (done, total).
        """
        table = as_table(source)
        items = self._items(lookup(table.index, self.case), table.norms == 0)
        used = np.flatnonzero(items.usable)
        categories = self._categories(used)
        clusters = self._clusters(table.matrix, items, categories)
        scores = tuple(
            Score(
                source=table.source.name,
                benchmark=self.benchmark.name,
                measure=name,
                value=measure(categories, clusters) if len(used) else math.nan,
                n_total=items.n_total,
                n_used=len(used),
                oov=items.oov,
                zero=items.zero,
                reason=items.reason,
            )
            for name, measure in MEASURES.items()
        )
        cluster, fits = np.full(items.n_total, -1), np.zeros(items.n_total, bool)
        cluster[used], fits[used] = clusters, in_majority(categories, clusters)
        columns = {
            "word": self.benchmark.words,
            "category": self.benchmark.labels,
            "cluster": cluster,
            "correct": fits,
            "used": items.usable,
        }
        if progress is not None:
            progress(1, 1)
        return Evaluation(scores, self.settings, columns, ("category", "cluster", "word"))

    def pair(
        self, pair: Pair, memo: object = None, progress: Progress | None = None
    ) -> tuple[Items, PairedAnswers]:
        """Cluster the words both tables have, in each; purity is compared."""
        del memo, progress
        items = self._items(lookup(pair.index, self.case), pair.zero)
        used = np.flatnonzero(items.usable)
        rows = items.rows[used]  # (m, 1)
        categories = self._categories(used)
        sides = [self._clusters(matrix, items, categories) for matrix in (pair.before, pair.after)]
        before, after = (in_majority(categories, side).astype(np.float64) for side in sides)
        labels = [self.benchmark.labels[i] for i in used]
        return items, PairedAnswers(
            self.measure,
            {"word": [self.benchmark.words[i] for i in used]},
            (sides[0].tolist(), sides[1].tolist()),
            before,
            after,
            np.ones(len(used), np.int64),
            pair.moved[rows].sum(axis=1),
            rarest(pair, rows),
            tuple(labels),
        )

    def _items(self, find: Callable[[str], int], is_zero: Mask) -> Items:
        return find_items([(word,) for word in self.benchmark.words], find, is_zero)

    def _categories(self, used: Rows) -> Labels:
        names = {name: i for i, name in enumerate(self.benchmark.categories)}
        found = np.array([names[self.benchmark.labels[i]] for i in used], np.int64)
        _, dense = np.unique(found, return_inverse=True)
        return np.asarray(dense, np.int64)

    def _clusters(self, matrix: Matrix, items: Items, categories: Labels) -> Labels:
        rows = items.rows[items.usable][:, 0]
        return ward_clusters(matrix, rows, len(np.unique(categories)))
