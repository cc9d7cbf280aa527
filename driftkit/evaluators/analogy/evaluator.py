"""Analogies: which word is to c as b is to a."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Unpack

import numpy as np

from driftkit.arguments import whole
from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.datasets import AnalogyBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError
from driftkit.evaluators.analogy.methods import METHODS
from driftkit.evaluators.analogy.relations import RELATION_METHODS, answer_relations
from driftkit.evaluators.analogy.search import Answers, answer, answer_again
from driftkit.evaluators.base import BuiltIn, Memo, filled
from driftkit.evaluators.comparison.paired_items import PairedAnswers
from driftkit.evaluators.lookup import Case, Find, Items, Spelling, find_items, first_rows
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.measures.registry import parse_measure
from driftkit.pair import Pair
from driftkit.progress import Progress, part

Strings = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Questions(Items):
    """The items asked of a list of words, and their right answers."""

    words: Sequence[Strings]  # as shown, all n of them
    categories: np.ndarray  # (n,)
    right: Rows  # rows of accepted answers, (m, p), -2 where empty

    @property
    def used_rows(self) -> Rows:
        return self.rows[self.usable]

    def columns(self, chosen: Rows) -> dict[str, tuple[str, ...]]:
        """Return the words of chosen items, in columns."""
        names = "abcd" if self.rows.shape[1] == 4 else "cd"
        words = [self.words[i] for i in chosen.tolist()]
        return dict(zip(names, zip(*words, strict=True) if words else [()] * 4, strict=False))


class Analogy(BuiltIn[AnalogyBenchmark, _Questions]):
    """An analogy benchmark and the way to answer it.

    Parameters
    ----------
    benchmark : str, path or AnalogyBenchmark
        A name in the registry, or a file.
    measure : str
        ``3cosadd``, ``3cosmul``, ``pairdirection``, ``3cosavg`` or ``lrcos``, with ``@k`` for the
        share of questions whose answer is among the first k.
    case : {"exact-then-folded", "exact", "fold"}
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.
    exclude : bool
        Whether the words of a question are barred as its answer, as is usual.
    limit : int, optional
        Only this many rows, the first ones, take part in questions and as answers: gensim's
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

    _kind, _lacks = AnalogyBenchmark, "has no analogies"

    def __init__(
        self,
        benchmark: str | PathLike[str] | AnalogyBenchmark,
        measure: str = "3cosadd@1",
        *,
        case: Case = "exact-then-folded",
        exclude: bool = True,
        limit: int | None = None,
        seed: int = 0,
        **spelling: Unpack[Spelling],
    ) -> None:
        super().__init__(benchmark, case=case, **spelling)
        asked = parse_measure(measure)
        if asked.name not in METHODS and asked.name not in RELATION_METHODS:
            known = ", ".join([*METHODS, *RELATION_METHODS])
            raise OptionError(f"measure {measure!r} does not answer analogies; known: {known}.")
        self.measure = str(asked)
        self.method = asked.name
        self.k = asked.k or 1
        whole(0, seed=seed)
        self.exclude, self.seed = exclude, seed
        inputs = "excluded" if exclude else "not excluded"
        self._policies = {"inputs": inputs, "rows": self._look_at(limit)}

    def _score(self, table: Embeddings, items: _Questions, progress: Progress | None) -> Evaluation:
        """Score over all questions (micro average), over each group and over each section."""
        answers = self._answer(table.matrix, table.norms, table.index, items, progress)
        correct = filled(_is_right(answers, items), items.usable, False)
        columns = items.columns(np.arange(items.n_total)) | {
            "category": items.categories,
            "answer": filled(_words(answers, table.words), items.usable, None),
            "correct": correct,
            "used": items.usable,
        }
        scores, plot = self._accuracies(table, items, correct), ("category", "correct", "answer")
        return Evaluation(scores, self.settings, columns, plot, self.benchmark.sections)

    def _compare(
        self, pair: Pair, items: _Questions, memo: Memo | None, progress: Progress | None
    ) -> PairedAnswers:
        return self._paired(pair, items, *self._both(pair, items, memo, progress))

    def _both(
        self, pair: Pair, items: _Questions, memo: Memo | None, progress: Progress | None
    ) -> tuple[Answers, Answers]:
        """Answer with the shared words; those that are zero in either table are never answers."""
        before_norms = np.where(pair.zero, 0.0, pair.before_norms)
        after_norms = np.where(pair.zero, 0.0, pair.after_norms)
        rows = items.used_rows
        memo = {} if memo is None else memo
        spelling = tuple(self.spelling.values())
        policies = (self.measure, *spelling, self.exclude, self.limit, self.seed)
        key = (pair.original, pair.words, policies, rows.tobytes(), pair.zero.tobytes())
        if key not in memo:
            memo[key] = self._answer(
                pair.before, before_norms, pair.index, items, part(progress, 0, 2)
            )
        before: Answers = memo[key]
        again = part(progress, 1, 2)
        if self.method in METHODS and self.k == 1 and self.limit is None and not self.joins_rows:
            # *Moved* forgives the rounding of the sources, an answer does not: rows that changed.
            after = answer_again(
                pair.after, after_norms, rows[:, :3], before, pair.changed,
                method=self.method, exclude=self.exclude, progress=again,
            )  # fmt: skip
        else:
            after = self._answer(pair.after, after_norms, pair.index, items, again)
        return before, after

    def _paired(
        self, pair: Pair, items: _Questions, before: Answers, after: Answers
    ) -> PairedAnswers:
        """Compare answers with the shared words, where added ones take part after tuning.

        The original cannot answer with them, but whoever asks the tuned table gets them.
        """
        added = self._added(pair)
        if len(added):
            after = self._with_added(pair, items, after, added)
        moves = np.append(pair.moved, np.ones(len(added) + 1, bool))
        moves[-1] = False  # of no answer
        words = [*pair.words, *(pair.tuned.words[row] for row in added)] if len(added) else None
        return PairedAnswers(
            self.measure,
            pair,
            items,
            _is_right(before, items).astype(np.float64),
            _is_right(after, items).astype(np.float64),
            columns=items.columns(np.flatnonzero(items.usable)),
            answers=(_words(before, pair.words), _words(after, words or pair.words)),
            categories=items.categories[items.usable].tolist(),
            winners_moved=moves[before.first] | moves[after.first],
            chance=self._chance(items, len(pair)),
        )

    def _chance(self, items: _Questions, n: int) -> float:
        """Return the score of answers drawn from n words."""
        accepted = float((items.right >= 0).sum(axis=1).mean()) if items.n_used else 0.0
        return min(1.0, self.k * accepted / n)

    def _added(self, pair: Pair) -> Rows:
        """Return the rows of the tuned table that only it has and that may be answers."""
        if not pair.added or self.limit is not None or self.method == "lrcos":
            return np.empty(0, np.int64)  # lrcos draws its negatives among the candidates
        rows = np.setdiff1d(np.arange(len(pair.tuned)), pair.tuned_rows)
        if self.joins_rows:
            find = self.finder(pair.index)
            rows = rows[[find(pair.tuned.words[row]) < 0 for row in rows]]
        return rows[pair.tuned.norms[rows] > 0]

    def _with_added(self, pair: Pair, items: _Questions, after: Answers, added: Rows) -> Answers:
        """Return the best k of the answers with shared words and those with added ones.

        Added words are numbered after the shared ones.
        """
        tuned, n = pair.tuned, len(pair)
        asked = replace(items, rows=np.where(items.rows >= 0, pair.tuned_rows[items.rows], -1))
        new = self._search(tuned.matrix, tuned.norms, asked, added, hints=None)
        place = np.where(new.rows >= 0, n + np.searchsorted(added, new.rows), -1)
        rows = np.concatenate([after.rows, place], axis=1)
        scores = np.concatenate([after.scores, new.scores], axis=1)
        in_tuned = np.append(pair.tuned_rows, [*added, -1])[rows]
        best = np.lexsort((in_tuned, -scores), axis=1)[:, : self.k]
        return Answers(*(np.take_along_axis(each, best, axis=1) for each in (rows, scores)))

    def _items(self, find: Find, is_zero: Mask) -> _Questions:
        accepted = self.benchmark.accepted
        quadruples, categories = self.benchmark.quadruples, self.benchmark.categories
        # The first accepted answer that the table has stands for the question.
        words: Sequence[Strings] = [
            (*q[:3], next((word for word in right if find(word) >= 0), q[3]))
            for q, right in zip(quadruples, accepted, strict=True)
        ]
        if self.method in RELATION_METHODS:
            categories, words, accepted = _pairs(words, categories, accepted)
        found = find_items(words, find, is_zero)
        used = np.flatnonzero(found.usable)
        right = np.full((len(used), max(map(len, accepted))), -1, np.int64)
        for row, i in enumerate(used):
            right[row, : len(accepted[i])] = [find(word) for word in accepted[i]]
        right[right < 0] = -2  # -1 is a question without an answer
        more: Any = {"words": words, "categories": np.array(categories, object), "right": right}
        return _Questions(found.rows, found.usable, found.oov, found.zero, **more)

    def _candidates(self, index: dict[str, int], n: int) -> Rows:
        """Return the rows that may be answers: one for each spelling where case is folded."""
        if not self.joins_rows:
            return np.arange(min(n, self.limit or n))
        find = self.finder(index)
        return np.unique([find(word) for word in first_rows(index, self.limit)])

    def _answer(
        self,
        matrix: Matrix,
        norms: Values,
        index: dict[str, int],
        items: _Questions,
        progress: Progress | None,
    ) -> Answers:
        candidates = self._candidates(index, len(matrix))
        hints = None if self.method in RELATION_METHODS else items.used_rows[:, 3]
        return self._search(matrix, norms, items, candidates, hints=hints, progress=progress)

    def _search(
        self,
        matrix: Matrix,
        norms: Values,
        items: _Questions,
        candidates: Rows,
        *,
        hints: Rows | None,
        progress: Progress | None = None,
    ) -> Answers:
        rows = items.used_rows
        how: Any = {"method": self.method, "k": self.k, "exclude": self.exclude}
        how["progress"] = progress
        if self.method not in RELATION_METHODS:
            return answer(matrix, norms, rows[:, :3], candidates, hints=hints, **how)
        a, b = rows.T
        sections = items.categories[items.usable].astype(str)
        relation = np.unique(sections, return_inverse=True)[1]
        return answer_relations(matrix, norms, a, b, relation, candidates, seed=self.seed, **how)

    def _accuracies(self, table: Embeddings, items: _Questions, correct: Mask) -> list[Score]:
        find, is_zero = self.finder(table.index), table.norms == 0
        names = items.categories.astype(str)
        groups: Any = self.benchmark.groups | {name: (name,) for name in self.benchmark.sections}
        scores = []
        for category, sections in ((None, names), *groups.items()):
            chosen = np.isin(names, sections)
            asked = [items.words[i] for i in np.flatnonzero(chosen).tolist()]
            some = find_items(asked, find, is_zero) if category is not None else items
            n_correct = int(correct[chosen].sum())
            value = n_correct / some.n_used if some.n_used else math.nan
            more = {"n_correct": n_correct, "category": category}
            scores.append(Score.of(some, table, self, value, **more))
        return scores


def _pairs(
    items: Sequence[Strings], categories: tuple[str, ...], accepted: tuple[Strings, ...]
) -> tuple[tuple[str, ...], tuple[Strings, ...], tuple[Strings, ...]]:
    """Return the section, the words and the answers of the distinct pairs, (c, d) and (a, b)."""
    found: dict[tuple[str, tuple[str, str]], tuple[str, ...]] = {}
    for (_, _, c, d), category, right in zip(items, categories, accepted, strict=True):
        found.setdefault((category, (c, d)), right)
    asked = {(category, pair[0]) for category, pair in found}
    for (a, b, _, _), category in zip(items, categories, strict=True):
        if (category, a) not in asked:  # a pair that is only ever an example
            found.setdefault((category, (a, b)), (b,))
    sections, pairs = zip(*found, strict=True)
    return sections, pairs, tuple(found.values())


def _is_right(answers: Answers, items: _Questions) -> Mask:
    return np.asarray((answers.rows[:, :, None] == items.right[:, None, :]).any(axis=(1, 2)))


def _words(answers: Answers, words: Any) -> list[str | None]:
    return [words[row] if row >= 0 else None for row in answers.first.tolist()]
