"""Categorization: whether clusters of the vectors fall together with people's categories.

The clustering is one and fixed: Ward's (1963) agglomeration of the unit rows, from scipy, cut at as
many clusters as there are categories. It has no random start, so it needs no seed, the same table
always gives the same clusters, and nobody can report the best of several.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.special import comb

from driftkit.arrays import Mask, Matrix, Rows, Values, generator
from driftkit.datasets import CategorizationBenchmark
from driftkit.embeddings import Embeddings
from driftkit.evaluators.base import AnswerEvaluator, filled
from driftkit.evaluators.closeness import unit_rows
from driftkit.evaluators.lookup import Find, Items, find_items
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.progress import Progress

Labels = npt.NDArray[np.int64]

SHUFFLES = 20  # of the categories, for the purity that chance brings


class Categorization(AnswerEvaluator[CategorizationBenchmark]):
    """A categorization benchmark.

    Words the table lacks are left out, and so are those with a zero row.

    Parameters
    ----------
    benchmark : str, path or CategorizationBenchmark
    case : {"exact-then-folded", "exact", "fold"}
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.

    Examples
    --------
    >>> toy = CategorizationBenchmark("toy", ("cat", "dog", "tea"), ("animal", "animal", "drink"))
    >>> Categorization(toy).score((["cat", "dog", "tea"], [[1, 0], [0.9, 0.1], [0, 1]])).value
    1.0
    """

    _kind, _lacks = CategorizationBenchmark, "has no words with categories"
    _policies: Mapping[str, str] = {"clustering": "Ward, scipy"}
    measure = "purity"

    def _asked(self) -> dict[str, Sequence[Any]]:
        return {"word": self.benchmark.words}

    def _categories(self) -> Sequence[str]:
        return self.benchmark.labels

    def _items(self, find: Find, is_zero: Mask) -> Items:
        return find_items([(word,) for word in self.benchmark.words], find, is_zero)

    def _score(self, table: Embeddings, items: Items, _: Progress | None) -> Evaluation:
        labels, clusters = self._clusters(table.matrix, items)
        scores = []
        for measure, agree in MEASURES.items():
            value = agree(labels, clusters) if len(labels) else math.nan
            scores.append(Score.of(items, table, self, value, measure=measure))
        columns = {
            "word": self.benchmark.words,
            "category": self.benchmark.labels,
            "cluster": filled(clusters, items.usable, -1),
            "correct": filled(in_majority(labels, clusters), items.usable, False),
            "used": items.usable,
        }
        return Evaluation(scores, self.settings, columns, ("category", "cluster", "word"))

    def _answer(self, matrix: Matrix, items: Items) -> tuple[Values, Sequence[Any]]:
        labels, clusters = self._clusters(matrix, items)
        return in_majority(labels, clusters).astype(np.float64), clusters.tolist()

    def _related(self, items: Items) -> Rows:
        """Return the category of each usable word: its words change clusters together."""
        labels = np.array(self.benchmark.labels, object)[items.usable].astype(str)
        return np.unique(labels, return_inverse=True)[1].reshape(-1, 1)

    def _chance(self, items: Items, said: Sequence[Any]) -> float:
        """Return the mean purity of these clusters when the categories are shuffled."""
        labels, rng = self._related(items)[:, 0], generator(0, "shuffled categories")
        clusters = np.asarray(said, np.int64)
        return float(np.mean([purity(rng.permutation(labels), clusters) for _ in range(SHUFFLES)]))

    def _clusters(self, matrix: Matrix, items: Items) -> tuple[Labels, Labels]:
        """Return the category of each usable word, from 0 without gaps, and its cluster."""
        number = {name: i for i, name in enumerate(self.benchmark.categories)}
        used = np.flatnonzero(items.usable)
        found = np.array([number[self.benchmark.labels[i]] for i in used], np.int64)
        names, labels = np.unique(found, return_inverse=True)
        return labels, ward_clusters(matrix, items.rows[used, 0], len(names))


def ward_clusters(matrix: Matrix, rows: Rows, count: int) -> Labels:
    """Cut the unit rows (m,), none of them zero, into at most `count` clusters from 0, (m,)."""
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    tree = linkage(unit_rows(matrix, rows), "ward")
    return fcluster(tree, count, "maxclust").astype(np.int64) - 1


def contingency(categories: Labels, clusters: Labels) -> Labels:
    """Count the words of each category in each cluster, from labels (m,) that start at 0."""
    shape = (int(categories.max(initial=-1)) + 1, int(clusters.max(initial=-1)) + 1)
    table = np.zeros(shape, np.int64)
    np.add.at(table, (categories, clusters), 1)
    return table


def in_majority(categories: Labels, clusters: Labels) -> npt.NDArray[np.bool_]:
    """Return which words (m,) are of the commonest category of their cluster.

    Their share is the purity. Among equally common categories the first counts.
    """
    if len(categories) == 0:
        return np.zeros(0, bool)
    majority = contingency(categories, clusters).argmax(axis=0)
    return np.asarray(majority[clusters] == categories)


def purity(categories: Labels, clusters: Labels) -> float:
    """Return the share of words of the commonest category of their cluster (Zhao & Karypis 2001).

    >>> purity(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.75
    """
    return float(in_majority(categories, clusters).mean())


def adjusted_rand(categories: Labels, clusters: Labels) -> float:
    """Return the adjusted Rand index (Hubert & Arabie 1985): 1 if the same, 0 on average by chance.

    >>> round(adjusted_rand(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])), 4)
    0.5714
    """
    table = contingency(categories, clusters)
    together = comb(table, 2).sum()
    by_category, by_cluster = comb(table.sum(axis=1), 2).sum(), comb(table.sum(axis=0), 2).sum()
    pairs = comb(table.sum(), 2)
    expected = by_category * by_cluster / pairs if pairs else 0.0
    most = (by_category + by_cluster) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def v_measure(categories: Labels, clusters: Labels) -> float:
    """Return the harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg 2007).

    >>> v_measure(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])).__round__(4)
    0.8
    """
    joint = contingency(categories, clusters) / len(categories)
    category, cluster = joint.sum(axis=1), joint.sum(axis=0)
    known = joint > 0
    shared = float((joint[known] * np.log(joint[known] / np.outer(category, cluster)[known])).sum())
    total = _entropy(category) + _entropy(cluster)
    return 1.0 if total == 0 else 2 * shared / total


def _entropy(p: npt.NDArray[np.float64]) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


MEASURES = {"purity": purity, "adjusted_rand": adjusted_rand, "v_measure": v_measure}
