"""Benchmarks of one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftkit.arguments import mistaken
from driftkit.evaluators.base import BuiltIn
from driftkit.evaluators.inputs import as_table
from driftkit.evaluators.registry import Scorable, evaluators
from driftkit.evaluators.scores import Score, Scores
from driftkit.evaluators.similarity import Similarity
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress, part

if TYPE_CHECKING:
    from driftkit.evaluators.inputs import Table


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
    source : Embeddings, KeyedVectors, (words, vectors), str or path
        A table, or anything `driftkit.load` reads.
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        Names, files or evaluators; by default ``ws353``, ``simlex999`` and ``google``.
    progress : callable or True, optional
        Called with (done, total); True draws a bar on standard error.

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
    asked = evaluators(benchmarks)
    table = as_table(source)
    results: list[Score] = []
    for step, evaluator in enumerate(asked):
        report = part(progress, step, len(asked))
        if isinstance(evaluator, BuiltIn):
            found = evaluator.score(table, progress=report).scores
        else:
            found = evaluator.score(table).scores
        if isinstance(evaluator, Similarity) and evaluator.measure != "kendall":
            found = [s for s in found if s.measure != "kendall"]
        results += found
        if report is not None:
            report(1, 1)
    return Scores(tuple(results))
