"""Outliers: whether a table sees the word that does not belong (Camacho-Collados & Navigli 2016).

A set is the n words of a group and one outlier. Leaving out w, the compactness of the rest is the
mean cosine of its pairs; that is highest when w is the word least like the others. The position of
the outlier is the number of group words more like the others than it is: n when it was seen.

- OPP, outlier position percentage: the mean of position / n.
- accuracy: the share of sets whose outlier has position n.

A tie counts against the outlier. A set is asked if the table has its outlier and two words or more
of its group; words of the group it lacks are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from driftkit.arrays import Matrix
from driftkit.datasets import OutlierBenchmark, get
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators.comparison.paired_items import PairedAnswers
from driftkit.evaluators.evaluation import Evaluation
from driftkit.evaluators.inputs import as_table
from driftkit.evaluators.lookup import (
    Case,
    Items,
    Mask,
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

FEWEST_WORDS = 2
"""Words a group needs for an outlier to stand out from it."""

TIE = 1e-12

MEASURES = ("opp", "outlier_accuracy")


def position(matrix: Matrix, group: Rows, outlier: int) -> int:
    """Count the words of a group that are more like the others than the outlier is.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    group : ndarray of int64, shape (g,)
        Rows of the group, none of them zero.
    outlier : int
        Row of the outlier.
    """
    vectors = matrix[np.append(group, outlier)].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.sum(axis=0) - 1  # sum of cosines to the others, (g + 1,)
    return int((likeness[:-1] > likeness[-1] + TIE).sum())


@dataclass(frozen=True, slots=True)
class _Sets:
    """The sets asked, of all s sets."""

    items: Items
    rows: Rows  # rows of group and, last, outlier; -1 where empty or absent, (s, w)


class Outliers:
    """An outlier-detection benchmark.

    Parameters
    ----------
    benchmark : str, path or OutlierBenchmark
    measure : {"opp", "outlier_accuracy"}
        The main figure, and the one two tables are compared by.
    case : {"exact-then-folded", "exact", "fold"}

    Examples
    --------
    >>> from driftkit.datasets import OutlierGroup
    >>> toy = OutlierBenchmark("toy", (OutlierGroup("pets", ("cat", "dog", "hamster"), ("tea",)),))
    >>> words = ["cat", "dog", "hamster", "tea"]
    >>> Outliers(toy).score((words, [[1, 0], [0.9, 0.1], [0.8, 0.1], [0, 1]])).value
    1.0
    """

    def __init__(
        self,
        benchmark: str | PathLike[str] | OutlierBenchmark,
        measure: str = "opp",
        *,
        case: Case = "exact-then-folded",
    ) -> None:
        found = get(benchmark)
        if not isinstance(found, OutlierBenchmark):
            raise BenchmarkError(f"{found.name} has no groups with outliers.")
        if measure not in MEASURES:
            raise UnknownNameError("measure of outliers", measure, MEASURES)
        check_case(case)
        self.benchmark = found
        self.measure = measure
        self.case: Case = case
        self.sets = [(group, word) for group in found.groups for word in group.outliers]

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        return {"oov": "skip the outlier, drop words of the group", "case": self.case}

    def score(self, source: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score one table: OPP and accuracy.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
        progress : callable, optional
            Called with (done, total).
        """
        table = as_table(source)
        sets = self._sets(lookup(table.index, self.case), table.norms == 0)
        share = self._shares(table.matrix, sets)
        used = sets.items.usable
        scores = []
        for measure in sorted(MEASURES, key=lambda name: name != self.measure):
            values = share if measure == "opp" else (share == 1).astype(np.float64)
            scores.append(
                Score(
                    source=table.source.name,
                    benchmark=self.benchmark.name,
                    measure=measure,
                    value=float(values[used].mean()) if used.any() else math.nan,
                    n_total=len(used),
                    n_used=int(used.sum()),
                    n_correct=int((share[used] == 1).sum()),
                    oov=sets.items.oov,
                    zero=sets.items.zero,
                    reason=None if used.any() else "no set has its outlier and two of its words",
                )
            )
        if progress is not None:
            progress(1, 1)
        columns = {
            "group": [group.name for group, _ in self.sets],
            "outlier": [word for _, word in self.sets],
            "position": share,
            "correct": share == 1,
            "used": used,
        }
        return Evaluation(tuple(scores), self.settings, columns, ("group", "position", "outlier"))

    def pair(
        self, pair: Pair, memo: object = None, progress: Progress | None = None
    ) -> tuple[Items, PairedAnswers]:
        """Ask both tables about the sets of words both have."""
        del memo, progress
        sets = self._sets(lookup(pair.index, self.case), pair.zero)
        used = np.flatnonzero(sets.items.usable)
        rows = sets.rows[used]
        shares = [self._shares(matrix, sets)[used] for matrix in (pair.before, pair.after)]
        values = [s if self.measure == "opp" else (s == 1).astype(np.float64) for s in shares]
        there = rows >= 0
        return sets.items, PairedAnswers(
            self.measure,
            {
                "group": [self.sets[i][0].name for i in used],
                "outlier": [self.sets[i][1] for i in used],
            },
            (shares[0].tolist(), shares[1].tolist()),
            values[0],
            values[1],
            there.sum(axis=1),
            (pair.moved[rows] & there).sum(axis=1),
            rarest(pair, rows),
            tuple(self.sets[i][0].name for i in used),
        )

    def _sets(self, find: Callable[[str], int], is_zero: Mask) -> _Sets:
        width = max((len(group.words) for group, _ in self.sets), default=0) + 1
        rows = np.full((len(self.sets), width), -1, np.int64)
        known: dict[str, int] = {}
        flat = dict.fromkeys(word for group, out in self.sets for word in (*group.words, out))
        each = find_items([(word,) for word in flat], find, is_zero)
        for word, (row,), usable in zip(flat, each.rows, each.usable, strict=True):
            known[word] = int(row) if usable else -1
        for at, (group, outlier) in enumerate(self.sets):
            rows[at, : len(group.words)] = [known[word] for word in group.words]
            rows[at, -1] = known[outlier]
        enough = (rows[:, :-1] >= 0).sum(axis=1) >= FEWEST_WORDS
        usable = enough & (rows[:, -1] >= 0)
        return _Sets(Items(rows, usable, each.oov, each.zero), rows)

    def _shares(self, matrix: Matrix, sets: _Sets) -> Values:
        """Position over size of every set, NaN where it is not asked, (s,)."""
        share = np.full(len(self.sets), np.nan)
        for at in np.flatnonzero(sets.items.usable):
            group = sets.rows[at, :-1]
            group = group[group >= 0]
            share[at] = position(matrix, group, int(sets.rows[at, -1])) / len(group)
        return share
