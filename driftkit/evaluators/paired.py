"""Two tables on the items both can answer, item by item."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.embeddings import BLOCK_ROWS
from driftkit.evaluators.analogy import Answers, answer, answer_again
from driftkit.evaluators.items import Items, Mask
from driftkit.evaluators.progress import Progress, part
from driftkit.evaluators.significance import resample_accuracy, resample_spearman
from driftkit.evaluators.similarity import Values, cosines, spearman, undefined_reason
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

Memo = MutableMapping[Any, Answers]
"""Answers of an original table, kept for the next tuned table compared with it."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairedSimilarity:
    """A similarity benchmark answered by both tables.

    Parameters
    ----------
    pairs : tuple of (str, str)
        The m pairs both can answer.
    gold, before, after : ndarray of float64, shape (m,)
        Human scores, and cosines in the original and the tuned table.
    moved : ndarray of int64, shape (m,)
        How many words of the pair moved.
    """

    measure: ClassVar[str] = "spearman"
    words_per_item: ClassVar[int] = 2

    pairs: tuple[tuple[str, str], ...]
    gold: Values
    before: Values
    after: Values
    moved: Counts

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Spearman's correlation of both tables over the chosen pairs."""
        gold = self.gold[chosen]
        return spearman(gold, self.before[chosen]), spearman(gold, self.after[chosen])

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Differences over resampled pairs."""
        return resample_spearman(self.gold, self.before, self.after, resamples=resamples, rng=rng)

    def undefined(self) -> str | None:
        """Why no verdict is possible though pairs were answered; None if one is."""
        if np.isnan(self.values(np.ones(len(self.gold), bool))).any():
            return undefined_reason(self.gold)
        return None

    def to_frame(self) -> pd.DataFrame:
        """Give a row for each pair; rank 1 is the most similar, ties share their average rank."""
        import pandas as pd

        before, after = rankdata(-self.before), rankdata(-self.after)
        first, second = zip(*self.pairs, strict=True) if self.pairs else ((), ())
        return pd.DataFrame(
            {
                "word1": first,
                "word2": second,
                "gold": self.gold,
                "original": self.before,
                "tuned": self.after,
                "gold_rank": rankdata(-self.gold),
                "original_rank": before,
                "tuned_rank": after,
                "rank_change": after - before,
                "moved": self.moved,
            }
        )


@dataclass(frozen=True, slots=True, eq=False)
class PairedAnalogies:
    """An analogy benchmark answered by both tables, over one list of candidates.

    Parameters
    ----------
    quadruples : tuple of (str, str, str, str)
        The m questions both can answer.
    categories : tuple of str
        Section of each; the empty string where the file has none.
    before, after : tuple of (str or None)
        The answer of the original and of the tuned table; None if there was no candidate.
    before_correct, after_correct : ndarray of bool, shape (m,)
    moved : ndarray of int64, shape (m,)
        How many of the four words moved.
    """

    measure: ClassVar[str] = "3cosadd@1"
    words_per_item: ClassVar[int] = 4

    quadruples: tuple[tuple[str, str, str, str], ...]
    categories: tuple[str, ...]
    before: tuple[str | None, ...]
    after: tuple[str | None, ...]
    before_correct: Mask
    after_correct: Mask
    moved: Counts

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Accuracy of both tables over the chosen questions; NaN if there are none."""
        if not chosen.any():
            return float("nan"), float("nan")
        before, after = self.before_correct[chosen], self.after_correct[chosen]
        return float(before.mean()), float(after.mean())

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Differences over resampled questions."""
        return resample_accuracy(
            self.before_correct, self.after_correct, resamples=resamples, rng=rng
        )

    def undefined(self) -> str | None:
        """Why no verdict is possible though questions were answered; None if one is."""
        if not self.before_correct.any() and not self.after_correct.any():
            return "neither table answers one question rightly, so there was nothing to lose"
        return None

    def to_frame(self) -> pd.DataFrame:
        """Give a row for each question, with both answers and whether it broke or was mended."""
        import pandas as pd

        frame = pd.DataFrame(list(self.quadruples), columns=["a", "b", "c", "d"])
        return frame.assign(
            category=list(self.categories),
            original=pd.Series(self.before, dtype=object),
            tuned=pd.Series(self.after, dtype=object),
            original_correct=self.before_correct,
            tuned_correct=self.after_correct,
            broke=self.before_correct & ~self.after_correct,
            mended=self.after_correct & ~self.before_correct,
            moved=self.moved,
        )


Paired = PairedSimilarity | PairedAnalogies


def pair_similarity(pair: Pair, benchmark: SimilarityBenchmark, items: Items) -> PairedSimilarity:
    """Take the cosines of both tables on the items both can answer."""
    used = np.flatnonzero(items.usable)
    rows = items.rows[used]  # (m, 2)
    return PairedSimilarity(
        tuple(benchmark.pairs[i] for i in used),
        benchmark.gold[used],
        cosines(pair.before, rows),
        cosines(pair.after, rows),
        pair.moved[rows].sum(axis=1),
    )


def pair_analogies(
    pair: Pair,
    benchmark: AnalogyBenchmark,
    items: Items,
    memo: Memo | None = None,
    progress: Progress | None = None,
) -> PairedAnalogies:
    """Answer the analogies both tables can answer, over the shared words.

    Words that are zero in either table are candidates in neither.
    """
    used = np.flatnonzero(items.usable)
    rows = items.rows[used]  # (m, 4)
    questions = rows[:, :3]
    before_norms = np.where(pair.zero, 0.0, pair.before_norms)
    after_norms = np.where(pair.zero, 0.0, pair.after_norms)

    memo = {} if memo is None else memo
    key = (pair.original, pair.words, questions.tobytes(), pair.zero.tobytes())
    if key not in memo:
        memo[key] = answer(pair.before, before_norms, questions, progress=part(progress, 0, 2))
    before = memo[key]
    after = answer_again(
        pair.after, after_norms, questions, before, _changed(pair), progress=part(progress, 1, 2)
    )
    return PairedAnalogies(
        tuple(benchmark.quadruples[i] for i in used),
        tuple(benchmark.categories[i] for i in used),
        _words(pair, before),
        _words(pair, after),
        before.rows == rows[:, 3],
        after.rows == rows[:, 3],
        pair.moved[rows].sum(axis=1),
    )


def _words(pair: Pair, answers: Answers) -> tuple[str | None, ...]:
    return tuple(pair.words[row] if row >= 0 else None for row in answers.rows.tolist())


def _changed(pair: Pair) -> Mask:
    """Rows that differ at all: *moved* forgives the rounding of the sources, an answer does not."""
    changed = np.empty(len(pair), bool)
    for start in range(0, len(pair), BLOCK_ROWS):
        some = slice(start, start + BLOCK_ROWS)
        changed[some] = (pair.before[some] != pair.after[some]).any(axis=1)
    return changed
