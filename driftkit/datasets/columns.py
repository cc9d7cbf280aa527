"""Benchmark files whose first line names their columns.

So are published the categorization and outlier sets of the registry, and SimLex-999 and
WordSim-353 by their authors.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

import numpy as np

from driftkit.datasets.benchmarks import (
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.datasets.lines import Line

FIRST, SECOND = ("word1", "word 1", "w1"), ("word2", "word 2", "w2")
SCORE = ("similarity", "simlex999", "score", "human (mean)", "mean", "rating")
"""What published files call the columns of a similarity set, the surest name first."""


def read_columns(lines: Sequence[Line], name: str) -> Benchmark | None:
    """Read a file by the names of its columns; None if its first line names none that are known.

    Other columns are ignored.

    Raises
    ------
    BenchmarkError
        If a line does not fit the columns.
    """
    header = [field.casefold() for field in lines[0].fields]
    items = lines[1:]
    first, second, score = (_place(header, names) for names in (FIRST, SECOND, SCORE))
    benchmark: Benchmark | None = None
    if {"outliers", "words"} <= set(header):
        benchmark = _outliers(items, header, name)
    elif {"word", "category"} <= set(header):
        benchmark = _categories(items, header, name)
    elif first is not None and second is not None and score is not None:
        benchmark = _similarities(items, header, (first, second, score), name)
    if benchmark is not None and len(benchmark) == 0:
        raise lines[0].unreadable("names columns, but no item follows")
    return benchmark


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _pick(
    items: Sequence[Line], header: Sequence[str], places: Sequence[int]
) -> list[tuple[str, ...]]:
    rows = []
    for line in items:
        if len(line.fields) != len(header):
            raise line.unreadable(f"has {len(line.fields)} fields, not {len(header)}")
        row = tuple(line.fields[place] for place in places)
        if not all(row):
            raise line.unreadable("has an empty field")
        rows.append(row)
    return rows


def _categories(items: Sequence[Line], header: Sequence[str], name: str) -> CategorizationBenchmark:
    word = header.index("word")
    # The files of AP and BLESS end each category with a row without a word: padding, not an item.
    items = [line for line in items if len(line.fields) != len(header) or line.fields[word]]
    rows = _pick(items, header, (word, header.index("category")))
    return CategorizationBenchmark(
        name, tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    )


def _similarities(
    items: Sequence[Line], header: Sequence[str], places: tuple[int, int, int], name: str
) -> SimilarityBenchmark:
    pairs: list[tuple[str, str]] = []
    gold: list[float] = []
    for line, (first, second, score) in zip(items, _pick(items, header, places), strict=True):
        try:
            gold.append(float(score))
        except ValueError:
            raise line.unreadable(f"has {score!r} where a number belongs") from None
        if not math.isfinite(gold[-1]):
            raise line.unreadable(f"has {score!r} where a number belongs")
        pairs.append((first, second))
    return SimilarityBenchmark(name, tuple(pairs), np.array(gold, np.float64))


def _outliers(items: Sequence[Line], header: Sequence[str], name: str) -> OutlierBenchmark:
    titled = "category" in header
    places = [
        header.index("category" if titled else "words"),
        *map(header.index, ("words", "outliers")),
    ]
    groups = []
    for line, (title, words, outliers) in zip(items, _pick(items, header, places), strict=True):
        group = OutlierGroup(
            title if titled else f"line {line.number}", _list(line, words), _list(line, outliers)
        )
        if len(group.words) < 2 or not group.outliers:
            raise line.unreadable("needs two words or more and an outlier")
        both = sorted({*group.words} & {*group.outliers})
        if both:
            raise line.unreadable(f"has {both[0]!r} both among the words and among the outliers")
        groups.append(group)
    return OutlierBenchmark(name, tuple(groups))


def _list(line: Line, cell: str) -> tuple[str, ...]:
    """Read a cell such as ``['lion', 'tiger']``; the empty word some lists end with is dropped."""
    try:
        words = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise line.unreadable("needs lists such as ['lion', 'tiger'] in words and in outliers")
    return tuple(word.strip() for word in words if word.strip())
