"""Which evaluator scores which benchmark, those of others included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from driftkit.datasets import Benchmark, get, get_all
from driftkit.errors import BenchmarkError, OptionError
from driftkit.evaluators.analogy.evaluator import Analogy
from driftkit.evaluators.base import Evaluator
from driftkit.evaluators.categorization import Categorization
from driftkit.evaluators.outliers import Outliers
from driftkit.evaluators.similarity import Similarity
from driftkit.evaluators.synonyms import SynonymChoice
from driftkit.evaluators.weat import WEAT

BUILT_IN = (Similarity, Analogy, Categorization, Outliers, SynonymChoice, WEAT)

EVALUATORS: dict[type, Callable[[Any], Evaluator]] = {each._kind: each for each in BUILT_IN}
"""Type of benchmark to the evaluator of its kind."""

Scorable = str | PathLike[str] | Benchmark | Evaluator
"""What people may ask for: a name, a file, a benchmark, or an evaluator with its options."""


def register_evaluator(benchmark_type: type, evaluator_class: Callable[[Any], Evaluator]) -> None:
    """Make a class the evaluator of a type of benchmark.

    A benchmark of that type, or of a class that inherits from it, is then scored wherever a
    benchmark is: in `driftkit.score` and `driftkit.audit`, and by its name in rules and on the
    command line if `driftkit.datasets.register_benchmark` gave it one.

    Parameters
    ----------
    benchmark_type : type
        Its instances have a ``name``.
    evaluator_class : callable
        Called with a benchmark of that type, it returns an `Evaluator` of it.

    Raises
    ------
    OptionError
        If another evaluator scores that type already.

    Examples
    --------
    How many of some words a table has:

    >>> from collections import namedtuple
    >>> import driftkit as dk
    >>> from driftkit.evaluators import Evaluation, Score
    >>> Words = namedtuple("Words", "name words")
    >>> class Coverage:
    ...     measure = "coverage_of_words"
    ...     def __init__(self, benchmark):
    ...         self.benchmark = benchmark
    ...     def score(self, table):
    ...         here = [word in table for word in self.benchmark.words]
    ...         value, n = sum(here) / len(here), len(here)
    ...         return Evaluation([Score("toy", self.benchmark.name, self.measure, value, n, n)])
    ...     def compare(self, pair):
    ...         raise NotImplementedError
    >>> dk.register_evaluator(Words, Coverage)
    >>> dk.score((["tea", "milk"], [[1, 0], [0, 1]]), [Words("drinks", ["tea", "mead"])]).results
    (Score(source='toy', benchmark='drinks', measure='coverage_of_words', value=0.5, n_total=2, \
n_used=2, n_correct=None, category=None, reason=None),)
    """
    known = EVALUATORS.get(benchmark_type)
    if known is evaluator_class:
        return
    if known is not None:
        raise OptionError(
            f"{benchmark_type.__name__} has an evaluator already; register yours for a type of "
            "benchmark of its own."
        )
    EVALUATORS[benchmark_type] = evaluator_class


def evaluators(benchmarks: Sequence[Scorable] | Scorable | None = None) -> tuple[Evaluator, ...]:
    """Return an evaluator for everything that was asked for; see `driftkit.score`.

    >>> [type(one).__name__ for one in evaluators(["ws353", Analogy("google", "3cosmul")])]
    ['Similarity', 'Analogy']
    """
    asked: Sequence[Any] = [benchmarks]
    if benchmarks is None:
        asked = get_all()
    elif isinstance(benchmarks, Sequence) and not isinstance(benchmarks, str | Benchmark):
        asked = benchmarks or get_all([])  # which says that none was named
    made: list[Evaluator] = []
    seen: set[tuple[str, str]] = set()
    for one in asked:
        evaluator = _evaluator(one)
        key = (evaluator.benchmark.name, evaluator.measure)
        if key in seen:
            raise BenchmarkError(
                f"{evaluator.measure} of {evaluator.benchmark.name!r} is asked for twice; results "
                "are told apart by benchmark and measure, so name it once."
            )
        seen.add(key)
        made.append(evaluator)
    return tuple(made)


def _evaluator(one: Any) -> Evaluator:
    found: Any = get(one)
    if isinstance(found, Evaluator):
        return found
    for kind in type(found).__mro__:
        if kind in EVALUATORS:
            return EVALUATORS[kind](found)
    names = ("benchmark", "measure", "score", "compare")
    lacks = ", ".join(name for name in names if not hasattr(found, name))
    raise BenchmarkError(
        f"nothing scores {type(found).__name__}: give a benchmark, register an evaluator for its "
        f"type, or give an evaluator (this one lacks {lacks})."
    )
