"""Analogies: which word is to c as b is to a."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.datasets import AnalogyBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, OptionError
from driftkit.evaluators.analogy.methods import METHODS
from driftkit.evaluators.analogy.relations import answer_relations
from driftkit.evaluators.analogy.search import Answers, answer, answer_again
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
from driftkit.measures.registry import parse_measure
from driftkit.pair import Pair
from driftkit.progress import Progress, part

if TYPE_CHECKING:
    from driftkit.evaluators.inputs import Table

Memo = MutableMapping[Any, Answers]
"""Answers of an original table, kept for the next tuned table compared with it."""

RELATION_METHODS = ("3cosavg", "lrcos")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a list of words: the items, their rows and their right answers."""

    items: Items
    words: tuple[tuple[str, ...], ...]  # as shown, all n of them
    categories: np.ndarray  # (n,)
    right: Rows  # rows of the accepted answers of the m usable items, (m, p), -2 where empty

    @property
    def rows(self) -> Rows:
        return self.items.rows[self.items.usable]


class Analogy:
    """An analogy benchmark and the way to answer it.

    Parameters
    ----------
    benchmark : str, path or AnalogyBenchmark
        A name in the registry, or a file.
    measure : str
        ``3cosadd``, ``3cosmul``, ``pairdirection``, ``3cosavg`` or ``lrcos``, with ``@k`` for the
        share of questions whose answer is among the first k.
    case : {"exact-then-folded", "exact", "fold"}
    exclude : bool
        Whether the words of a question are barred as its answer, as is usual.
    limit : int, optional
        Only the first so many rows take part, in questions and as answers: gensim's
        ``restrict_vocab``.
    seed : int
        Of the random words of ``lrcos``.

    Examples
    --------
    >>> toy = AnalogyBenchmark("toy", (("man", "king", "woman", "queen"),), ("",))
    >>> words = ["man", "king", "woman", "queen", "apple"]
    >>> vectors = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [0.5, -1, 0.5]]
    >>> Analogy(toy, "3cosmul").score((words, vectors)).value
    1.0
    """

    def __init__(
        self,
        benchmark: str | PathLike[str] | AnalogyBenchmark,
        measure: str = "3cosadd@1",
        *,
        case: Case = "exact-then-folded",
        exclude: bool = True,
        limit: int | None = None,
        seed: int = 0,
    ) -> None:
        found = get(benchmark)
        if not isinstance(found, AnalogyBenchmark):
            raise BenchmarkError(f"{found.name} has no analogies.")
        asked = parse_measure(measure)
        if asked.name not in METHODS and asked.name not in RELATION_METHODS:
            known = ", ".join([*METHODS, *RELATION_METHODS])
            raise OptionError(f"measure {measure!r} does not answer analogies; known: {known}.")
        if limit is not None and limit < 1:
            raise OptionError(f"limit={limit} leaves no row; give 1 or more.")
        check_case(case)
        self.benchmark = found
        self.measure = str(asked)
        self.method = asked.name
        self.k = asked.k or 1
        self.case: Case = case
        self.exclude, self.limit, self.seed = exclude, limit, seed

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        return {
            "oov": "skip",
            "case": self.case,
            "inputs": "excluded" if self.exclude else "not excluded",
            "rows": "all" if self.limit is None else f"the first {self.limit:,}",
        }

    def score(self, source: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score one table.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        Evaluation
            The accuracy over all questions (micro average), over each group and each section; its
            `macro` is the mean over sections.
        """
        table = as_table(source)
        asked = self._ask(table.index, table.norms == 0)
        answers = self._answer(table.matrix, table.norms, table.index, asked, progress)
        correct = np.zeros(asked.items.n_total, bool)
        correct[asked.items.usable] = _is_right(answers, asked)
        said = np.full(asked.items.n_total, None, object)
        said[asked.items.usable] = _words(answers, table.words)
        names = "abcd" if len(asked.words[0]) == 4 else "cd"
        columns = {
            **dict(zip(names, zip(*asked.words, strict=True), strict=True)),
            "category": asked.categories,
            "answer": said,
            "correct": correct,
            "used": asked.items.usable,
        }
        return Evaluation(
            tuple(self._scores(table, asked, correct)),
            self.settings,
            columns,
            ("category", "correct", "answer"),
            self.benchmark.sections,
        )

    def pair(
        self, pair: Pair, memo: Memo | None = None, progress: Progress | None = None
    ) -> tuple[Items, PairedAnswers]:
        """Answer with both tables what both can answer, over the words they share.

        Words that are zero in either table are candidates in neither.
        """
        asked = self._ask(pair.index, pair.zero)
        before_norms = np.where(pair.zero, 0.0, pair.before_norms)
        after_norms = np.where(pair.zero, 0.0, pair.after_norms)
        memo = {} if memo is None else memo
        key = (
            pair.original, pair.words, self.measure, self.case, self.exclude, self.limit, self.seed,
            asked.rows.tobytes(), pair.zero.tobytes(),
        )  # fmt: skip
        if key not in memo:
            memo[key] = self._answer(
                pair.before, before_norms, pair.index, asked, part(progress, 0, 2)
            )
        before = memo[key]
        again = part(progress, 1, 2)
        if self.method in METHODS and self.k == 1 and self.limit is None and self.case != "fold":
            after = answer_again(
                pair.after, after_norms, asked.rows[:, :3], before, _changed(pair),
                method=self.method, exclude=self.exclude, progress=again,
            )  # fmt: skip
        else:
            after = self._answer(pair.after, after_norms, pair.index, asked, again)
        used = np.flatnonzero(asked.items.usable)
        words = [asked.words[i] for i in used]
        names = "abcd" if asked.items.rows.shape[1] == 4 else "cd"
        columns = zip(*words, strict=True) if words else [()] * len(names)
        return asked.items, PairedAnswers(
            self.measure,
            dict(zip(names, columns, strict=True)),
            (_words(before, pair.words), _words(after, pair.words)),
            _is_right(before, asked).astype(np.float64),
            _is_right(after, asked).astype(np.float64),
            np.full(len(used), asked.items.rows.shape[1]),
            pair.moved[asked.rows].sum(axis=1),
            rarest(pair, asked.rows),
            tuple(asked.categories[used].tolist()),
        )

    def _ask(self, index: dict[str, int], is_zero: Mask) -> _Asked:
        find = lookup(self._limited(index), self.case)
        accepted = self.benchmark.accepted
        quadruples, categories = self.benchmark.quadruples, self.benchmark.categories
        # The first accepted answer that the table has stands for the question.
        items: list[tuple[str, ...]] = [
            (*q[:3], next((word for word in right if find(word) >= 0), q[3]))
            for q, right in zip(quadruples, accepted, strict=True)
        ]
        if self.method in RELATION_METHODS:
            kept = _pairs(items, categories, accepted)
            items = [pair for _, pair, _ in kept]
            categories = tuple(category for category, _, _ in kept)
            accepted = tuple(right for _, _, right in kept)
        found = find_items(items, find, is_zero)
        used = np.flatnonzero(found.usable)
        right = np.full((len(used), max(map(len, accepted))), -2, np.int64)
        for row, i in enumerate(used):
            right[row, : len(accepted[i])] = [find(word) for word in accepted[i]]
        right[right < 0] = -2
        return _Asked(found, tuple(items), np.array(categories, dtype=object), right)

    def _limited(self, index: dict[str, int]) -> dict[str, int]:
        if self.limit is None:
            return index
        return {word: row for word, row in index.items() if row < self.limit}

    def _candidates(self, index: dict[str, int], n: int) -> Rows:
        if self.case != "fold":
            return np.arange(min(n, self.limit or n))
        limited = self._limited(index)
        find = lookup(limited, "fold")
        return np.unique([find(word) for word in limited])

    def _answer(
        self,
        matrix: Matrix,
        norms: Values,
        index: dict[str, int],
        asked: _Asked,
        progress: Progress | None,
    ) -> Answers:
        candidates = self._candidates(index, len(matrix))
        if self.method in RELATION_METHODS:
            _, relation = np.unique(
                asked.categories[asked.items.usable].astype(str), return_inverse=True
            )
            return answer_relations(
                matrix, norms, asked.rows[:, 0], asked.rows[:, 1], relation, candidates,
                method="lrcos" if self.method == "lrcos" else "3cosavg",
                k=self.k, exclude=self.exclude, seed=self.seed, progress=progress,
            )  # fmt: skip
        return answer(
            matrix, norms, asked.rows[:, :3], candidates, method=self.method, k=self.k,
            exclude=self.exclude, hints=asked.rows[:, 3], progress=progress,
        )  # fmt: skip

    def _scores(self, table: Embeddings, asked: _Asked, correct: Mask) -> list[Score]:
        whole = np.ones(len(correct), bool)
        find = lookup(self._limited(table.index), self.case)
        is_zero = table.norms == 0

        def accuracy(category: str | None, chosen: Mask) -> Score:
            some = [asked.words[i] for i in np.flatnonzero(chosen)]
            items = asked.items if category is None else find_items(some, find, is_zero)
            n_correct = int(correct[chosen].sum())
            return Score(
                source=table.source.name,
                benchmark=self.benchmark.name,
                measure=self.measure,
                value=n_correct / items.n_used if items.n_used else math.nan,
                n_total=items.n_total,
                n_used=items.n_used,
                n_correct=n_correct,
                oov=items.oov,
                zero=items.zero,
                category=category,
                reason=items.reason,
            )

        scores = [accuracy(None, whole)]
        sections = self.benchmark.sections
        parts = self.benchmark.groups | {name: (name,) for name in sections}
        scores += [
            accuracy(name, np.isin(asked.categories.astype(str), some))
            for name, some in parts.items()
        ]
        return scores


def _pairs(
    items: list[tuple[str, ...]],
    categories: tuple[str, ...],
    accepted: tuple[tuple[str, ...], ...],
) -> list[tuple[str, tuple[str, str], tuple[str, ...]]]:
    """The distinct pairs of each section, c with d and a with b."""
    found: dict[tuple[str, tuple[str, str]], tuple[str, ...]] = {}
    for (_, _, c, d), category, right in zip(items, categories, accepted, strict=True):
        found.setdefault((category, (c, d)), right)
    asked = {(category, pair[0]) for category, pair in found}
    for (a, b, _, _), category in zip(items, categories, strict=True):
        if (category, a) not in asked:  # a pair that is only ever an example
            found.setdefault((category, (a, b)), (b,))
    return [(category, pair, right) for (category, pair), right in found.items()]


def _is_right(answers: Answers, asked: _Asked) -> Mask:
    right: Mask = (answers.rows[:, :, None] == asked.right[:, None, :]).any(axis=(1, 2))
    return right


def _words(answers: Answers, words: Any) -> list[str | None]:
    return [words[row] if row >= 0 else None for row in answers.first.tolist()]


def _changed(pair: Pair) -> Mask:
    """Rows that differ at all: *moved* forgives the rounding of the sources, an answer does not."""
    changed = np.empty(len(pair), bool)
    for start in range(0, len(pair), BLOCK_ROWS):
        some = slice(start, start + BLOCK_ROWS)
        changed[some] = (pair.before[some] != pair.after[some]).any(axis=1)
    return changed
