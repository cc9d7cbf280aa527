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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Unpack

import numpy as np

from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.datasets import OutlierBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import UnknownNameError
from driftkit.evaluators.base import AnswerEvaluator, filled
from driftkit.evaluators.closeness import TIE, unit_rows
from driftkit.evaluators.lookup import Case, Find, Items, Spelling, find_groups
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.progress import Progress

FEWEST_WORDS = 2  # words a group needs for an outlier to stand out from it

MEASURES = ("opp", "outlier_accuracy")


class Outliers(AnswerEvaluator[OutlierBenchmark]):
    """An outlier-detection benchmark.

    Parameters
    ----------
    benchmark : str, path or OutlierBenchmark
    measure : {"opp", "outlier_accuracy"}
        The main value, and the one two tables are compared by.
    case : {"exact-then-folded", "exact", "fold"}
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.

    Examples
    --------
    >>> from driftkit.datasets import OutlierGroup
    >>> toy = OutlierBenchmark("toy", (OutlierGroup("pets", ("cat", "dog", "hamster"), ("tea",)),))
    >>> words = ["cat", "dog", "hamster", "tea"]
    >>> Outliers(toy).score((words, [[1, 0], [0.9, 0.1], [0.8, 0.1], [0, 1]])).value
    1.0
    """

    _kind, _lacks = OutlierBenchmark, "has no groups with outliers"
    _policies: Mapping[str, str] = {"oov": "skip the outlier, drop words of the group"}

    def __init__(
        self,
        benchmark: str | PathLike[str] | OutlierBenchmark,
        measure: str = "opp",
        *,
        case: Case = "exact-then-folded",
        **spelling: Unpack[Spelling],
    ) -> None:
        super().__init__(benchmark, case=case, **spelling)
        if measure not in MEASURES:
            raise UnknownNameError("measure of outliers", measure, MEASURES)
        self.measure = measure
        groups = self.benchmark.groups
        self.sets = [(group, word) for group in groups for word in group.outliers]

    def _asked(self) -> dict[str, Sequence[Any]]:
        return {"group": self._categories(), "outlier": [word for _, word in self.sets]}

    def _categories(self) -> Sequence[str]:
        return [group.name for group, _ in self.sets]

    def _items(self, find: Find, is_zero: Mask) -> Items:
        """Look up the sets: a group, then its outlier; -1 for words that are left out."""
        found = find_groups([(*group.words, out) for group, out in self.sets], find, is_zero)
        sizes = np.array([len(group.words) for group, _ in self.sets], np.int64)
        there = found.rows >= 0
        outlier = there[np.arange(len(sizes)), sizes]
        usable = outlier & (there.sum(axis=1) > FEWEST_WORDS)
        return replace(found, usable=usable, why="no set has its outlier and two of its words")

    def _related(self, items: Items) -> Rows:
        """Return the group and the outlier of each usable set."""
        used = np.flatnonzero(items.usable)
        sizes = np.array([len(self.sets[at][0].words) for at in used], np.int64)
        names = np.array([self.sets[at][0].name for at in used], object).astype(str)
        groups = np.unique(names, return_inverse=True)[1]
        outliers = items.rows[used, sizes]
        return np.stack([groups, outliers + len(self.sets)], axis=1)

    def _chance(self, items: Items, said: Sequence[Any]) -> float:
        """Return half the positions, or one of the words of a set."""
        del said
        if self.measure == "opp":
            return 0.5
        return float((1 / (items.rows[items.usable] >= 0).sum(axis=1)).mean())

    def _score(self, table: Embeddings, items: Items, _: Progress | None) -> Evaluation:
        shares = self._shares(table.matrix, items)
        n_correct = int((shares == 1).sum())
        scores = []
        for measure in sorted(MEASURES, key=lambda name: name != self.measure):
            value = float(_values(measure, shares).mean()) if len(shares) else math.nan
            scores.append(Score.of(items, table, self, value, measure=measure, n_correct=n_correct))
        columns = self._asked() | {
            "position": filled(shares, items.usable, np.nan),
            "correct": filled(shares == 1, items.usable, False),
            "used": items.usable,
        }
        return Evaluation(scores, self.settings, columns, ("group", "position", "outlier"))

    def _answer(self, matrix: Matrix, items: Items) -> tuple[Values, Sequence[Any]]:
        shares = self._shares(matrix, items)
        return _values(self.measure, shares), shares.tolist()

    def _shares(self, matrix: Matrix, items: Items) -> Values:
        """Return position over size of every usable set, (m,)."""
        shares = []
        for at in np.flatnonzero(items.usable):
            size = len(self.sets[at][0].words)
            group, outlier = items.rows[at, :size], int(items.rows[at, size])
            group = group[group >= 0]
            shares.append(position(matrix, group, outlier) / len(group))
        return np.array(shares, np.float64)


def _values(measure: str, shares: Values) -> Values:
    return shares if measure == "opp" else (shares == 1).astype(np.float64)


def position(matrix: Matrix, group: Rows, outlier: int) -> int:
    """Count the words of a group that are more like the others than the outlier is.

    `group` (g,) and `outlier` are rows of the matrix, none of them zero.
    """
    unit = unit_rows(matrix, np.append(group, outlier))
    likeness = unit @ unit.sum(axis=0) - 1  # sum of cosines to the others, (g + 1,)
    return int((likeness[:-1] > likeness[-1] + TIE).sum())
