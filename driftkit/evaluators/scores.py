"""Benchmarks of one table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.datasets import AnalogyBenchmark, Benchmark, SimilarityBenchmark, get_all
from driftkit.embeddings import Embeddings
from driftkit.evaluators.analogy import answer
from driftkit.evaluators.items import Items, Mask, evaluable, find_items
from driftkit.evaluators.progress import Progress, part
from driftkit.evaluators.similarity import CORRELATIONS, cosines, undefined_reason

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "driftkit.scores/1"


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of one benchmark.

    Parameters
    ----------
    source : str
        Name of the table scored.
    benchmark : str
        Name in the registry, or the file's name without its ending.
    measure : str
        Such as ``"spearman"`` or ``"3cosadd@1"``.
    value : float
        NaN if it could not be measured; `reason` says why.
    n_total, n_used : int
        Items asked and items answered.
    n_correct : int or None
        Items answered rightly, where an item is right or wrong.
    oov : tuple of str
        Distinct words of the benchmark that the table lacks; items with one are left out.
    zero : tuple of str
        Distinct words whose row is zero; items with one are left out.
    category : str or None
        A section of the benchmark or a group of sections; None for the whole.
    reason : str or None
        Why `value` is NaN.
    """

    source: str
    benchmark: str
    measure: str
    value: float
    n_total: int
    n_used: int
    n_correct: int | None = None
    oov: tuple[str, ...] = field(default=(), repr=False)
    zero: tuple[str, ...] = field(default=(), repr=False)
    category: str | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the entry of ``results`` in the JSON document; NaN becomes None."""
        return {
            "source": self.source,
            "benchmark": self.benchmark,
            "measure": self.measure,
            "category": self.category,
            "value": None if math.isnan(self.value) else self.value,
            "n_total": self.n_total,
            "n_used": self.n_used,
            "n_correct": self.n_correct,
            "oov": list(self.oov),
            "zero": list(self.zero),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one table or several, one entry per source, benchmark, measure and category.

    Parameters
    ----------
    results : tuple of Score
    """

    results: tuple[Score, ...]

    def __iter__(self) -> Iterator[Score]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.results + other.results)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON document ``driftkit.scores/1``."""
        return {"schema": SCHEMA, "results": [score.to_dict() for score in self.results]}

    def to_frame(self) -> pd.DataFrame:
        """Give a tidy frame, one row per score; `oov` and `zero` are numbers of words here."""
        import pandas as pd

        frame = pd.DataFrame(
            [
                score.to_dict() | {"oov": len(score.oov), "zero": len(score.zero)}
                for score in self.results
            ]
        )
        return frame.astype({"value": "float64", "n_correct": "Int64"})

    def _table(self) -> pd.DataFrame:
        frame = self.to_frame().drop(columns=["zero"])
        return frame.fillna({"category": "", "reason": ""})

    def __repr__(self) -> str:
        return self._table().to_string(index=False, float_format="{:.4f}".format, na_rep="")

    def _repr_html_(self) -> str:
        return self._table().to_html(index=False, float_format="{:.4f}".format, na_rep="")


def score(
    source: Embeddings | str | PathLike[str],
    benchmarks: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
    *,
    progress: Progress | None = None,
) -> Scores:
    """Score a table on benchmarks.

    Items with a word that the table lacks, or whose row is zero, are left out and counted. A word
    is looked up as written, then in lower case.

    Parameters
    ----------
    source : Embeddings, str or path
        A table, or anything `driftkit.load` reads.
    benchmarks : sequence of str or path, optional
        Names or files; by default ``ws353``, ``simlex999`` and ``google``.
    progress : callable, optional
        Called with (done, total).

    Returns
    -------
    Scores
        Similarity: ``spearman`` and ``pearson``. Analogies: ``3cosadd@1`` over all rows of the
        table, inputs excluded, for the whole, each group and each section.

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed.

    Examples
    --------
    >>> from driftkit.datasets import SimilarityBenchmark
    >>> toy = SimilarityBenchmark(
    ...     "toy", (("a", "b"), ("a", "c"), ("b", "c")), np.array([9.0, 1.0, 4.0])
    ... )
    >>> e = Embeddings(["a", "b", "c"], [[1.0, 0.1], [1.0, 0.3], [0.0, 1.0]])
    >>> [(s.measure, round(s.value, 3)) for s in score(e, [toy])]
    [('spearman', 1.0), ('pearson', 0.984)]
    """
    asked = evaluable(get_all(benchmarks))
    table = _table_of(source)
    results: list[Score] = []
    for step, benchmark in enumerate(asked):
        report = part(progress, step, len(asked))
        if isinstance(benchmark, SimilarityBenchmark):
            results += _similarity(table, benchmark)
        else:
            results += _analogies(table, benchmark, report)
        if report is not None:
            report(1, 1)
    return Scores(tuple(results))


def _table_of(source: Embeddings | str | PathLike[str]) -> Embeddings:
    if isinstance(source, Embeddings):
        return source
    from driftkit.loaders import load

    return load(source)


def _similarity(table: Embeddings, benchmark: SimilarityBenchmark) -> Iterator[Score]:
    items = find_items(benchmark.pairs, table.index, table.norms == 0)
    gold = benchmark.gold[items.usable]
    cosine = cosines(table.matrix, items.rows[items.usable])
    for measure, correlation in CORRELATIONS.items():
        value = correlation(gold, cosine)
        yield Score(
            source=table.source.name,
            benchmark=benchmark.name,
            measure=measure,
            value=value,
            n_total=items.n_total,
            n_used=items.n_used,
            oov=items.oov,
            zero=items.zero,
            reason=(items.reason or undefined_reason(gold)) if math.isnan(value) else None,
        )


def _analogies(
    table: Embeddings, benchmark: AnalogyBenchmark, progress: Progress | None
) -> Iterator[Score]:
    is_zero = table.norms == 0
    items = find_items(benchmark.quadruples, table.index, is_zero)
    asked = items.rows[items.usable]
    answers = answer(table.matrix, table.norms, asked[:, :3], progress=progress)
    correct = np.zeros(items.n_total, bool)
    correct[items.usable] = answers.rows == asked[:, 3]

    category = np.array(benchmark.categories)
    yield _accuracy(table, benchmark, None, items, correct)
    parts = benchmark.groups | {name: (name,) for name in benchmark.sections}
    for name, sections in parts.items():
        chosen = np.flatnonzero(np.isin(category, sections))
        some = find_items([benchmark.quadruples[i] for i in chosen], table.index, is_zero)
        yield _accuracy(table, benchmark, name, some, correct[chosen])


def _accuracy(
    table: Embeddings,
    benchmark: AnalogyBenchmark,
    category: str | None,
    items: Items,
    correct: Mask,
) -> Score:
    n_correct = int(correct.sum())
    return Score(
        source=table.source.name,
        benchmark=benchmark.name,
        measure="3cosadd@1",
        value=n_correct / items.n_used if items.n_used else math.nan,
        n_total=items.n_total,
        n_used=items.n_used,
        n_correct=n_correct,
        oov=items.oov,
        zero=items.zero,
        category=category,
        reason=items.reason,
    )
