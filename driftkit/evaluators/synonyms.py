"""Synonym choice: which of several words means the same (Landauer & Dumais 1997).

The option with the largest cosine to the stem is chosen. k options that tie for it count 1 / k,
what guessing among them would get. A question is asked only if the table has every word
of it: without one of the wrong options it would be easier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftkit.arrays import Mask, Matrix, Values
from driftkit.datasets import ChoiceBenchmark
from driftkit.embeddings import Embeddings
from driftkit.evaluators.base import AnswerEvaluator, filled
from driftkit.evaluators.closeness import cosines
from driftkit.evaluators.lookup import Find, Items, find_groups
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.progress import Progress


class SynonymChoice(AnswerEvaluator[ChoiceBenchmark]):
    """A benchmark of synonym questions, from the user's file.

    Parameters
    ----------
    benchmark : path or ChoiceBenchmark
        A file in the format of TOEFL or of ESL, see `driftkit.datasets.read_choices`.
    case : {"exact-then-folded", "exact", "fold"}
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.

    Examples
    --------
    >>> toy = ChoiceBenchmark("toy", ("big",), (("large", "wet"),), (0,))
    >>> words = ["big", "large", "wet"]
    >>> SynonymChoice(toy).score((words, [[1, 0], [0.9, 0.1], [0, 1]])).value
    1.0
    """

    _kind, _lacks = ChoiceBenchmark, "has no synonym questions"
    _policies: Mapping[str, str] = {"ties": "shared"}
    measure = "synonym_choice"

    def _asked(self) -> dict[str, Sequence[Any]]:
        questions = zip(self.benchmark.options, self.benchmark.right, strict=True)
        return {
            "stem": self.benchmark.stems,
            "right": [options[right] for options, right in questions],
        }

    def _items(self, find: Find, is_zero: Mask) -> Items:
        questions = zip(self.benchmark.stems, self.benchmark.options, strict=True)
        return find_groups([(stem, *options) for stem, options in questions], find, is_zero)

    def _chance(self, items: Items, said: Sequence[Any]) -> float:
        del said
        sizes = [len(self.benchmark.options[at]) for at in np.flatnonzero(items.usable)]
        return float((1 / np.array(sizes)).mean())

    def _score(self, table: Embeddings, items: Items, _: Progress | None) -> Evaluation:
        credit, chosen = self._answer(table.matrix, items)
        value = float(credit.mean()) if len(credit) else math.nan
        score = Score.of(items, table, self, value, n_correct=int((credit == 1).sum()))
        columns = self._asked() | {
            "chosen": filled(chosen, items.usable, None),
            "credit": filled(credit, items.usable, np.nan),
            "correct": filled(credit == 1, items.usable, False),
            "used": items.usable,
        }
        return Evaluation((score,), self.settings, columns, ("stem", "credit", "chosen"))

    def _answer(self, matrix: Matrix, items: Items) -> tuple[Values, Sequence[Any]]:
        """Return the credit of each question, and the option chosen."""
        credit, chosen = [], []
        for at in np.flatnonzero(items.usable):
            options = self.benchmark.options[at]
            stem, *rows = items.rows[at, : len(options) + 1]
            close = cosines(matrix, np.array([(stem, row) for row in rows]))
            best = close == close.max()
            credit.append(best[self.benchmark.right[at]] / best.sum())
            chosen.append(options[int(close.argmax())])
        return np.array(credit, np.float64), chosen
