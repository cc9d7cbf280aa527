"""Which evaluator answers which benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol

from driftkit.datasets import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    SimilarityBenchmark,
    get,
    get_all,
)
from driftkit.errors import BenchmarkError
from driftkit.evaluators.analogy.evaluator import Analogy
from driftkit.evaluators.categorization import Categorization
from driftkit.evaluators.comparison.paired_items import Paired
from driftkit.evaluators.evaluation import Evaluation
from driftkit.evaluators.lookup import Items
from driftkit.evaluators.outliers import Outliers
from driftkit.evaluators.similarity import Similarity
from driftkit.evaluators.synonyms import SynonymChoice
from driftkit.pair import Pair
from driftkit.progress import Progress


class Evaluator(Protocol):
    """A benchmark with the policies to score it by."""

    measure: str

    @property
    def benchmark(self) -> Any:
        """The benchmark; it has a name."""
        ...

    def score(self, source: Any, *, progress: Progress | None = None) -> Evaluation:
        """Score one table."""
        ...

    def pair(
        self, pair: Pair, memo: Any = None, progress: Progress | None = None
    ) -> tuple[Items, Paired]:
        """Take what both tables of a pair say about the items both can answer."""
        ...


DEFAULTS: dict[type, Any] = {
    SimilarityBenchmark: Similarity,
    AnalogyBenchmark: Analogy,
    CategorizationBenchmark: Categorization,
    OutlierBenchmark: Outliers,
    ChoiceBenchmark: SynonymChoice,
}
"""The evaluator of each kind of benchmark."""

EVALUATORS = tuple(DEFAULTS.values())

Asked = str | PathLike[str] | Benchmark | Evaluator
"""What people may ask for: a name, a file, a benchmark, or an evaluator with its options."""


def evaluators(benchmarks: Sequence[Asked] | Asked | None = None) -> tuple[Evaluator, ...]:
    """Return an evaluator for everything that was asked for.

    Parameters
    ----------
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        By default ``ws353``, ``simlex999`` and ``google``.

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed, or the same measure of the same benchmark is
        asked for twice.

    Examples
    --------
    >>> [type(one).__name__ for one in evaluators(["ws353", Analogy("google", "3cosmul")])]
    ['Similarity', 'Analogy']
    """
    if benchmarks is None:
        return tuple(DEFAULTS[type(found)](found) for found in get_all())
    asked: list[Any] = (
        list(benchmarks)
        if isinstance(benchmarks, Sequence) and not isinstance(benchmarks, str)
        else [benchmarks]
    )
    if not any(isinstance(one, EVALUATORS) for one in asked):
        return tuple(DEFAULTS[type(found)](found) for found in get_all(asked))
    made: list[Evaluator] = []
    for one in asked:
        if not isinstance(one, EVALUATORS):
            found = get(one)
            one = DEFAULTS[type(found)](found)
        made.append(one)
    seen: set[tuple[str, str]] = set()
    for evaluator in made:
        key = (evaluator.benchmark.name, evaluator.measure)
        if key in seen:
            raise BenchmarkError(
                f"{evaluator.measure} of {evaluator.benchmark.name!r} is asked for twice; results "
                "are told apart by benchmark and measure, so name it once."
            )
        seen.add(key)
    return tuple(made)
