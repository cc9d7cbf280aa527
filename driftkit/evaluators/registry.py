"""Which evaluator scores which benchmark, those of others included; and the scores of one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from driftkit.arguments import mistaken
from driftkit.datasets import DEFAULT_OF_ENCODERS, Benchmark, get, get_all
from driftkit.encoders import Encoder, encoder_of
from driftkit.errors import BenchmarkError, OptionError
from driftkit.evaluators.analogy.evaluator import Analogy
from driftkit.evaluators.base import BuiltIn, Evaluator, as_table
from driftkit.evaluators.categorization import Categorization
from driftkit.evaluators.coverage import Answered, notes_on
from driftkit.evaluators.outliers import Outliers
from driftkit.evaluators.scores import Evaluation, Score, Scores
from driftkit.evaluators.similarity import Similarity
from driftkit.evaluators.synonyms import SynonymChoice
from driftkit.evaluators.weat import WEAT
from driftkit.measures.registry import finite
from driftkit.pair import Pair
from driftkit.plugins import guarded
from driftkit.progress import Progress, as_progress, part

if TYPE_CHECKING:
    from driftkit.evaluators.base import Table

EVALUATORS: dict[type, Callable[[Any], Evaluator]] = {
    each._kind: each
    for each in (Similarity, Analogy, Categorization, Outliers, SynonymChoice, WEAT)
}
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
        Called with a benchmark of that type, it returns an `Evaluator` of it; see there for one.

    Raises
    ------
    OptionError
        If another evaluator scores that type already, or these are no type and no class.
    """
    if not isinstance(benchmark_type, type) or not callable(evaluator_class):
        raise OptionError(
            f"register_evaluator({benchmark_type!r}, {evaluator_class!r}) was called; give a type "
            "of benchmarks, and the class of their evaluators."
        )
    if EVALUATORS.setdefault(benchmark_type, evaluator_class) is not evaluator_class:
        raise OptionError(
            f"{benchmark_type.__name__} has an evaluator already; register yours for a type of "
            "benchmark of its own."
        )


def evaluators(
    benchmarks: Sequence[Scorable] | Scorable | None = None, **spelling: Any
) -> tuple[Evaluator, ...]:
    """Return an evaluator for everything that was asked for; see `driftkit.score`.

    `spelling` says how driftkit's own evaluators find words: ``case``, ``normalize`` and
    ``phrase_separator``.

    >>> [type(one).__name__ for one in evaluators(["ws353", Analogy("google", "3cosmul")])]
    ['Similarity', 'Analogy']
    """
    asked: Sequence[Any] = [benchmarks]
    if benchmarks is None:
        asked = get_all()
    elif isinstance(benchmarks, Sequence) and not isinstance(benchmarks, str | Benchmark):
        asked = benchmarks or get_all([])  # which says that none was named
    made: dict[tuple[str, str], Evaluator] = {}
    for one in asked:
        evaluator = _evaluator(one)
        if spelling and isinstance(evaluator, BuiltIn):
            evaluator = evaluator.respelled(**spelling)
        key = asked_of(evaluator, tuple, lambda it: (it.benchmark.name, it.measure), evaluator)
        if key in made:
            raise BenchmarkError(
                f"{evaluator.measure} of {evaluator.benchmark.name!r} is asked for twice; results "
                "are told apart by benchmark and measure, so name it once."
            )
        made[key] = evaluator
    return tuple(made.values())


def default_of_encoders() -> tuple[list[Benchmark], list[str]]:
    """Return the benchmarks that encoders are asked by default, and a clause for each left out."""
    found, left_out = [], []
    for name in DEFAULT_OF_ENCODERS:
        try:
            found.append(get(name))
        except BenchmarkError:
            why = f"`driftkit datasets fetch {name}` says why"
            left_out.append(f"the benchmark {name} is left out: {why}")
    return found, left_out


def among_own_words(asked: Sequence[Evaluator]) -> list[str]:
    """Return a clause for each analogy benchmark, of which encoders know no other words."""
    return [
        f"answers of {one.benchmark.name} are sought among the {len(one.asks()):,} words of the "
        "benchmark, since an encoder has no vocabulary"
        for one in asked
        if isinstance(one, Analogy)
    ]


def _evaluator(one: Any) -> Evaluator:
    found: Any = get(one)
    if isinstance(found, Evaluator):
        return found
    for kind in type(found).__mro__:
        if kind in EVALUATORS:
            made: Evaluator = asked_of(EVALUATORS[kind], Evaluator, EVALUATORS[kind], found)
            return made
    names = ("benchmark", "measure", "score", "compare")
    lacks = ", ".join(name for name in names if not hasattr(found, name))
    raise BenchmarkError(
        f"nothing scores {type(found).__name__}: give a benchmark, register an evaluator for its "
        f"type, or give an evaluator (this one lacks {lacks})."
    )


def asked_of(evaluator: Any, due: type, ask: Callable[..., Any], *given: Any) -> Any:
    """Return what a stranger's evaluator answers, if it answers and that is what is due."""
    of = getattr(getattr(evaluator, "benchmark", given[0]), "name", "?")
    who = f"the evaluator {getattr(evaluator, '__name__', type(evaluator).__name__)} of {of!r}"
    with guarded(lambda why: BenchmarkError(f"{who} failed ({why}); correct it.")):
        found = ask(*given)
        if not isinstance(found, due):
            raise TypeError(f"{type(found).__name__} was returned where {due.__name__} is due")
    return found


def _checked(evaluation: Evaluation) -> list[Score]:
    """Return the scores of a stranger, each in the range of its measure, or NaN with a reason."""
    if not evaluation.scores:
        raise ValueError("it returned an Evaluation without scores")
    found = []
    for each in evaluation.scores:
        value = finite(each.measure, each.value)
        why = f"{each.measure} of these items is not a finite number" if math.isnan(value) else None
        found.append(replace(each, value=value, reason=each.reason or why))
    return found


def score(
    source: Table,
    benchmarks: Sequence[Scorable] | Scorable | None = None,
    *,
    progress: Progress | bool | None = None,
) -> Scores:
    """Score a table on benchmarks.

    Items with a word that the table lacks, or whose row is zero, are left out and counted. A word
    is looked up as written, then in lower case. For other policies give an evaluator with its
    options, such as ``Similarity("ws353", oov="gensim")``.

    Parameters
    ----------
    source : Embeddings, Encoder, KeyedVectors, (words, vectors), str or path
        A table, or anything `driftkit.load` reads. An encoder, or a table of its outputs, is asked
        about the benchmarks' own words and sentences.
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        Names, files or evaluators; by default ``ws353``, ``simlex999`` and ``google``, for encoders
        ``ws353``, ``simlex999`` and ``sick``.
    progress : callable or True, optional
        Called with (done, total); True draws a bar.

    Returns
    -------
    Scores
        Similarity: ``spearman`` and ``pearson``. Analogies: ``3cosadd@1`` over all rows of the
        table, inputs excluded, for the whole, each group and each section. Categorization:
        ``purity``, ``adjusted_rand`` and ``v_measure``. Outliers: ``opp`` and
        ``outlier_accuracy``. Synonym choice: ``synonym_choice``. Bias: ``weat``.

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed.
    OptionError
        If `source` is not a table.

    Examples
    --------
    >>> import numpy as np
    >>> from driftkit.datasets import SimilarityBenchmark
    >>> toy = SimilarityBenchmark(
    ...     "toy", (("a", "b"), ("a", "c"), ("b", "c")), np.array([9.0, 1.0, 4.0])
    ... )
    >>> table = ["a", "b", "c"], [[1.0, 0.1], [1.0, 0.3], [0.0, 1.0]]
    >>> [(s.measure, round(s.value, 3)) for s in score(table, [toy])]
    [('spearman', 1.0), ('pearson', 0.984)]
    """
    if isinstance(source, Pair):
        raise mistaken(source, "Embeddings", "dk.score")
    progress = as_progress(progress, "benchmarks")
    encoder = encoder_of(source)
    notes: list[str] = []
    if encoder is not None and benchmarks is None:
        benchmarks, notes = default_of_encoders()
    asked = evaluators(benchmarks)
    table: Any = as_table(source) if encoder is None else source
    results: list[Score] = []
    answered: list[Answered] = []
    for step, evaluator in enumerate(asked):
        report = part(progress, step, len(asked))
        if isinstance(evaluator, BuiltIn):
            found = evaluator.score(table, progress=report).scores
        elif isinstance(source, Encoder):
            raise BenchmarkError(
                f"{evaluator.benchmark.name} is asked by {type(evaluator).__name__}, which looks "
                "its words up in a table, and an encoder has none; give a table: "
                "dk.encode(model, words)."
            )
        else:
            evaluation = asked_of(evaluator, Evaluation, evaluator.score, table)
            found = asked_of(evaluator, list, _checked, evaluation)
        first = found[0]
        answered.append(Answered(evaluator, first.n_used, first.n_total, first.oov))
        if isinstance(evaluator, Similarity) and evaluator.measure != "kendall":
            found = [s for s in found if s.measure != "kendall"]
        results += found
        if report is not None:
            report(1, 1)
    if encoder is not None:
        name, notes = encoder.name, [*notes, *among_own_words(asked)]
    else:
        name, notes = table.source.name, [*notes_on(answered, table.index, table.norms == 0)]
    return Scores(tuple(results), tuple(f"{name}: {note}" for note in notes))
