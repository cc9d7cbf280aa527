"""Synonym choice: which of several words means the same (Landauer & Dumais 1997).

The option with the largest cosine to the stem is chosen. k options that tie for it count 1 / k,
what guessing among them would get. A question is asked only if the table has its every word:
without one of the wrong options it would be easier.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from driftkit.arrays import Matrix
from driftkit.datasets import ChoiceBenchmark
from driftkit.datasets.choice import read_choices
from driftkit.evaluators.closeness import cosines
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


class SynonymChoice:
    """A benchmark of synonym questions, from the user's file.

    Parameters
    ----------
    benchmark : path or ChoiceBenchmark
        A file in the format of TOEFL or of ESL, see `driftkit.datasets.choice`.
    case : {"exact-then-folded", "exact", "fold"}

    Examples
    --------
    >>> toy = ChoiceBenchmark("toy", ("big",), (("large", "wet"),), (0,))
    >>> words = ["big", "large", "wet"]
    >>> SynonymChoice(toy).score((words, [[1, 0], [0.9, 0.1], [0, 1]])).value
    1.0
    """

    measure = "synonym_choice"

    def __init__(
        self, benchmark: str | PathLike[str] | ChoiceBenchmark, *, case: Case = "exact-then-folded"
    ) -> None:
        check_case(case)
        if not isinstance(benchmark, ChoiceBenchmark):
            benchmark = read_choices(str(benchmark))
        self.benchmark = benchmark
        self.case: Case = case

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        return {"oov": "skip", "case": self.case, "ties": "shared"}

    def score(self, source: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score one table.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
        progress : callable, optional
            Called with (done, total).
        """
        table = as_table(source)
        items = self._items(lookup(table.index, self.case), table.norms == 0)
        used = items.usable
        credit, chosen = self._choose(table.matrix, items)
        score = Score(
            source=table.source.name,
            benchmark=self.benchmark.name,
            measure=self.measure,
            value=float(credit[used].mean()) if used.any() else math.nan,
            n_total=items.n_total,
            n_used=items.n_used,
            n_correct=int((credit[used] == 1).sum()),
            oov=items.oov,
            zero=items.zero,
            reason=items.reason,
        )
        if progress is not None:
            progress(1, 1)
        columns = {
            "stem": self.benchmark.stems,
            "right": self._right(),
            "chosen": chosen,
            "credit": credit,
            "correct": credit == 1,
            "used": used,
        }
        return Evaluation((score,), self.settings, columns, ("stem", "credit", "chosen"))

    def pair(
        self, pair: Pair, memo: object = None, progress: Progress | None = None
    ) -> tuple[Items, PairedAnswers]:
        """Ask both tables the questions whose words both have."""
        del memo, progress
        items = self._items(lookup(pair.index, self.case), pair.zero)
        used = np.flatnonzero(items.usable)
        before, said = self._choose(pair.before, items)
        after, says = self._choose(pair.after, items)
        rows = items.rows[used]
        there = rows >= 0
        right = self._right()
        return items, PairedAnswers(
            self.measure,
            {
                "stem": [self.benchmark.stems[i] for i in used],
                "right": [right[i] for i in used],
            },
            ([said[i] for i in used], [says[i] for i in used]),
            before[used],
            after[used],
            there.sum(axis=1),
            (pair.moved[rows] & there).sum(axis=1),
            rarest(pair, rows),
            ("",) * len(used),
        )

    def _right(self) -> list[str]:
        pairs = zip(self.benchmark.options, self.benchmark.right, strict=True)
        return [options[right] for options, right in pairs]

    def _items(self, find: Callable[[str], int], is_zero: Mask) -> Items:
        questions = list(zip(self.benchmark.stems, self.benchmark.options, strict=True))
        flat = dict.fromkeys(word for stem, options in questions for word in (stem, *options))
        each = find_items([(word,) for word in flat], find, is_zero)
        row = {
            word: int(found[0]) if usable else -1
            for word, found, usable in zip(flat, each.rows, each.usable, strict=True)
        }
        width = 1 + max(map(len, self.benchmark.options))
        rows = np.full((len(questions), width), -1, np.int64)
        usable = np.zeros(len(questions), bool)
        for at, (stem, options) in enumerate(questions):
            found = [row[word] for word in (stem, *options)]
            rows[at, : len(found)] = found
            usable[at] = min(found) >= 0
        return Items(rows, usable, each.oov, each.zero)

    def _choose(self, matrix: Matrix, items: Items) -> tuple[Values, list[str | None]]:
        """Credit of each question, NaN where it is not asked, and the option chosen."""
        credit = np.full(items.n_total, np.nan)
        chosen: list[str | None] = [None] * items.n_total
        for at in np.flatnonzero(items.usable):
            options = self.benchmark.options[at]
            rows: Rows = items.rows[at, 1 : len(options) + 1]
            close = cosines(matrix, np.stack([np.full(len(rows), items.rows[at, 0]), rows], 1))
            best = close == close.max()
            credit[at] = best[self.benchmark.right[at]] / best.sum()
            chosen[at] = options[int(close.argmax())]
        return credit, chosen
