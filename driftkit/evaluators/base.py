"""What an evaluator is, and what those of driftkit share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from os import PathLike
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    Unpack,
    runtime_checkable,
)

import numpy as np
import numpy.typing as npt

from driftkit.arguments import whole
from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.datasets import Benchmark, get, name_of
from driftkit.embeddings import Embeddings
from driftkit.encoders import Encoder, encoder_of
from driftkit.errors import BenchmarkError, OptionError, UnknownNameError
from driftkit.evaluators.comparison.paired_items import PairedAnswers, PairedItems
from driftkit.evaluators.lookup import (
    CASES,
    NORMALIZATIONS,
    Case,
    Find,
    Items,
    ItemsLost,
    Normalize,
    Spelling,
    first_rows,
    in_several_rows,
    lookup,
)
from driftkit.evaluators.scores import Evaluation
from driftkit.pair import Pair, align
from driftkit.progress import Progress, part

if TYPE_CHECKING:
    import torch
    from gensim.models import KeyedVectors

    Vectors: TypeAlias = npt.ArrayLike | torch.nn.Embedding | torch.Tensor
    Table: TypeAlias = (
        Embeddings | Encoder | KeyedVectors | tuple[Any, Vectors] | str | PathLike[str]
    )

B = TypeVar("B", bound=Benchmark)
Looked = TypeVar("Looked", bound=Items)

Memo = MutableMapping[Any, Any]
"""What was found out about an original table, kept for the next tuned table compared with it."""


def questions_of(evaluator: object) -> int:
    """Return for how many items an evaluator searches all words, as analogies do."""
    return len(getattr(getattr(evaluator, "benchmark", None), "quadruples", ()))


@runtime_checkable
class Evaluator(Protocol):
    """A benchmark and a way to score it: these four names, and nothing else is asked for.

    An object that has them is taken wherever a benchmark is: `driftkit.score`,
    `driftkit.compare_scores`, `driftkit.audit`. `driftkit.evaluators.register_evaluator` makes
    it the evaluator of a type of benchmark, and `driftkit.datasets.register_benchmark` gives it a
    name for the command line, for rules and for settings.

    Attributes
    ----------
    benchmark : object
        Anything with a ``name``.
    measure : str
        The measure that two tables are compared by. Two tables are only compared if it is
        registered, see `driftkit.measures.register_measure`: its margin says which change counts.

    Examples
    --------
    Whether the first word of each pair has the longer vector:

    >>> import driftkit as dk
    >>> from driftkit.evaluators import Evaluation, PairedAnswers, Score, find_items
    >>> class Longer:
    ...     measure = "longer"
    ...     def __init__(self, benchmark):
    ...         self.benchmark = benchmark
    ...     def right(self, matrix, items):
    ...         first, second = np.linalg.norm(matrix[items.rows[items.usable]], axis=2).T
    ...         return first > second
    ...     def score(self, table):
    ...         items = find_items(self.benchmark.pairs, table.index, table.norms == 0)
    ...         share = float(self.right(table.matrix, items).mean())
    ...         return Evaluation([Score.of(items, table, self, share)])
    ...     def compare(self, pair):
    ...         items = find_items(self.benchmark.pairs, pair.index, pair.zero)
    ...         before, after = (self.right(side, items) for side in (pair.before, pair.after))
    ...         return PairedAnswers(self.measure, pair, items, before, after)
    >>> one = Longer(dk.datasets.SimilarityBenchmark("toy", (("a", "b"),), np.ones(1)))
    >>> dk.score((["a", "b"], [[2, 0], [0, 1]]), [one]).results[0].value
    1.0
    """

    @property
    def benchmark(self) -> Any:
        """The benchmark; it has a ``name``."""

    @property
    def measure(self) -> str:
        """The measure that two tables are compared by, such as ``"spearman"``."""

    def score(self, table: Any, /) -> Evaluation:
        """Score one table, an `Embeddings`; the first score is the one of `measure`."""

    def compare(self, pair: Pair, /) -> PairedItems:
        """Return what both tables say about each item that both can answer.

        Tests, intervals, margins, the verdict and the splits by moved words follow from that.
        """


class BuiltIn(ABC, Generic[B, Looked]):
    """What driftkit's own evaluators share: how a benchmark is found and its words looked up."""

    _kind: type[B]
    _lacks: str
    _policies: Mapping[str, str] = {}  # those of `settings` that are not every evaluator's
    limit: int | None = None  # of the rows that words are looked up in
    measure: str

    def __init__(
        self,
        benchmark: str | PathLike[str] | B,
        *,
        case: Case = "exact-then-folded",
        **spelling: Unpack[Spelling],
    ) -> None:
        found: Any = get(benchmark)
        if not isinstance(found, self._kind):
            raise BenchmarkError(f"{name_of(found)} {self._lacks}.")
        self.benchmark: B = found
        self._spell(case, **spelling)

    def _spell(
        self, case: Case, normalize: Normalize = "none", phrase_separator: str | None = None
    ) -> None:
        """Take how words are found."""
        if case not in CASES:
            raise UnknownNameError("case policy", case, CASES)
        if normalize not in NORMALIZATIONS:
            raise UnknownNameError("Unicode form", normalize, NORMALIZATIONS)
        if phrase_separator is not None and not (
            isinstance(phrase_separator, str) and len(phrase_separator) == 1
        ):
            raise OptionError(
                f"phrase_separator={phrase_separator!r} was given; give the one character that "
                'the table writes between the words of a phrase, such as "_".'
            )
        self.case: Case = case
        self.normalize: Normalize = normalize
        self.phrase_separator = phrase_separator

    @property
    def spelling(self) -> dict[str, Any]:
        """How words are found: arguments of `driftkit.evaluators.lookup.lookup`."""
        return {name: getattr(self, name) for name in ("case", "normalize", "phrase_separator")}

    @property
    def joins_rows(self) -> bool:
        """Whether several rows of a table can be one word."""
        return self.case == "fold" or self.normalize != "none"

    def respelled(self, **spelling: Any) -> Self:
        """Return the same evaluator with other ways to find words."""
        other = copy(self)
        other._spell(**(self.spelling | spelling))
        return other

    def asks(self) -> list[str]:
        """Return every distinct word that is looked up."""
        asked: dict[str, int] = {}
        self._items(lambda word: asked.setdefault(word, -1), np.zeros(1, bool))
        return list(asked)

    def in_several_rows(self, index: Mapping[str, int]) -> list[str]:
        """Return the words asked for that several rows of a table spell; the first one counts."""
        if not self.joins_rows:
            return []
        rows = first_rows(index, self.limit)
        return in_several_rows(self.asks(), rows, self.case, self.normalize)

    def usable(self, find: Find, is_zero: Mask) -> int:
        """Return how many items can be answered with what `find` finds."""
        return self._items(find, is_zero).n_used

    @property
    def settings(self) -> dict[str, str]:
        """The policies, in words."""
        found = {"oov": "skip", "case": self.case}
        if self.normalize != "none":
            found["normalize"] = self.normalize
        if self.phrase_separator is not None:
            found["phrase separator"] = repr(self.phrase_separator)
        return found | dict(self._policies)

    def score(self, table: Table, *, progress: Progress | None = None) -> Evaluation:
        """Score a `table`: Embeddings, KeyedVectors, (words, vectors), or what `dk.load` reads.

        An encoder, and a table of its outputs, is asked about the benchmark's own words.
        `progress` is called with (done, total). The score of `measure` comes first.
        """
        encoder = encoder_of(table)
        if encoder is None:
            table, report = as_table(table), part(progress, 0, 1)
        else:
            table = encoder.table(self.asks(), progress=part(progress, 0, 2))
            report = part(progress, 1, 2)
        found = self._score(table, self._items(self.finder(table.index), table.norms == 0), report)
        if report is not None:
            report(1, 1)
        return found

    def compare(
        self, pair: Pair, *, memo: Memo | None = None, progress: Progress | None = None
    ) -> PairedItems:
        """Take what both tables of a `pair` say about the items both can answer.

        Two tables of encoders are compared on the benchmark's own words, which both encode. A
        `memo` that is the same mapping for several tuned tables keeps what is found out about the
        original. `progress` is called with (done, total).
        """
        if is_encoded(pair):
            pair = self._own_words(pair, memo, part(progress, 0, 2))
            progress = part(progress, 1, 2)
        items = self._items(self.finder(pair.index), pair.zero)
        found = self._compare(pair, items, memo, progress)
        found.lost = self._lost(pair, items)
        return found

    def _own_words(self, pair: Pair, memo: Memo | None, progress: Progress | None) -> Pair:
        """Return the words of the benchmark as both encoders of a pair encode them."""
        original, tuned = encoder_of(pair.original), encoder_of(pair.tuned)
        assert original is not None
        assert tuned is not None
        words = self.asks()
        memo = {} if memo is None else memo
        key = (original, tuple(words))
        if key not in memo:
            memo[key] = original.table(words, progress=part(progress, 0, 2))
        return align(memo[key], tuned.table(words, progress=part(progress, 1, 2)))

    def _lost(self, pair: Pair, items: Items) -> ItemsLost:
        """Return the items that the original alone can answer."""
        original = pair.original
        was_zero = original.norms == 0
        zeroed = pair.zero & ~was_zero[pair.original_rows]
        if not pair.removed and not zeroed.any():
            return ItemsLost()
        find, shared = self.finder(original.index), self.finder(pair.index)
        count = self._items(find, was_zero).n_used - items.n_used
        return ItemsLost(
            count,
            tuple(w for w in items.oov if (row := find(w)) >= 0 and not was_zero[row]),
            tuple(w for w in items.zero if zeroed[shared(w)]),
        )

    def _look_at(self, limit: int | None) -> str:
        """Look words up in the first rows only, and return which these are, in words."""
        if limit is not None:
            whole(1, limit=limit)
        self.limit = limit
        return "all" if limit is None else f"the first {limit:,}"

    def finder(self, index: Mapping[str, int]) -> Find:
        """Return how words are found in a table with these words."""
        return lookup(first_rows(index, self.limit), **self.spelling)

    @abstractmethod
    def _items(self, find: Find, is_zero: Mask) -> Looked:
        """Look up the items of the benchmark."""

    @abstractmethod
    def _score(self, table: Embeddings, items: Looked, progress: Progress | None) -> Evaluation:
        """Score a table whose items have been looked up."""

    @abstractmethod
    def _compare(
        self, pair: Pair, items: Looked, memo: Memo | None, progress: Progress | None
    ) -> PairedItems:
        """Compare the tables of a pair whose items have been looked up."""


class AnswerEvaluator(BuiltIn[B, Items]):
    """An evaluator of items that a table answers rightly (1), wrongly (0) or in part."""

    @abstractmethod
    def _asked(self) -> dict[str, Sequence[Any]]:
        """Return what every item asks, in columns."""

    def _categories(self) -> Sequence[str]:
        """Return the section of every item, where there are some."""
        return ()

    def _related(self, items: Items) -> Rows:
        """Return what each of the m usable items shares with others, (m, c): its words."""
        return items.rows[items.usable]

    def _chance(self, items: Items, said: Sequence[Any]) -> float:
        """Return the mean score of guessing, for what the original answered."""
        del items, said
        return 0.0

    @abstractmethod
    def _answer(self, matrix: Matrix, items: Items) -> tuple[Values, Sequence[Any]]:
        """Return the score of each of the m usable items, (m,), and what was answered."""

    def _compare(
        self, pair: Pair, items: Items, _memo: Memo | None, _: Progress | None
    ) -> PairedAnswers:
        (before, said), (after, says) = (
            self._answer(matrix, items) for matrix in (pair.before, pair.after)
        )
        used = np.flatnonzero(items.usable).tolist()
        categories = self._categories()
        found = PairedAnswers(
            self.measure,
            pair,
            items,
            before,
            after,
            columns={name: [all_[i] for i in used] for name, all_ in self._asked().items()},
            answers=(said, says),
            categories=[categories[i] for i in used] if categories else (),
            chance=self._chance(items, said) if used else 0.0,
        )
        found.related = self._related(items)
        return found


def is_encoded(pair: Pair) -> bool:
    """Whether encoders made both tables of a pair, so that they can be asked about any word."""
    return encoder_of(pair.original) is not None and encoder_of(pair.tuned) is not None


def as_table(source: Table) -> Embeddings:
    """Return what people have in memory, or what `driftkit.load` reads, as `Embeddings`.

    In a tuple (words, vectors) these are a matrix, a tensor or a ``torch.nn.Embedding``.

    >>> as_table((["tea", "coffee"], [[1.0, 0.0], [0.8, 0.6]]))
    <Embeddings memory: 2 words x 2, memory>
    """
    if isinstance(source, Embeddings):
        return source
    if isinstance(source, str | PathLike):
        from driftkit.loaders import load

        return load(source)
    source = getattr(source, "wv", source)  # a gensim model carries its KeyedVectors
    if hasattr(source, "index_to_key") and hasattr(source, "vectors"):
        return Embeddings.from_gensim(source)
    if isinstance(source, tuple) and len(source) == 2:
        return Embeddings(*source)
    raise OptionError(
        f"{type(source).__name__} is not a table of vectors; give Embeddings, a gensim "
        "KeyedVectors, (words, matrix), (words, torch.nn.Embedding), or a path. A bare matrix "
        "lacks the words of its rows."
    )


def filled(values: Any, usable: Mask, empty: Any) -> np.ndarray:
    """Return values of the usable items among all items, `empty` where there is none."""
    values = np.asarray(values) if empty is not None else np.array(values, object)
    found = np.full(len(usable), empty, object if empty is None else np.result_type(values, empty))
    found[usable] = values
    return found
