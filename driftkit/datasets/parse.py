"""Benchmark files as people keep them; the task is told from the content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from driftkit.datasets.benchmarks import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    SimilarityBenchmark,
)
from driftkit.datasets.columns import read_columns
from driftkit.datasets.lines import ACCEPTED, Line, read_lines
from driftkit.datasets.mislabelled import refuse_mislabelled
from driftkit.errors import BenchmarkError


def parse(path: str | Path, name: str | None = None) -> Benchmark:
    """Read a benchmark file.

    Blank lines and lines that start with ``#`` are skipped. A first line with the names of the
    columns is understood where it names them as published files do, and skipped elsewhere.

    Parameters
    ----------
    path : str or pathlib.Path
        A UTF-8 text file.
    name : str, optional
        Name of the benchmark; by default the file's name without its ending.

    Returns
    -------
    SimilarityBenchmark, AnalogyBenchmark, CategorizationBenchmark or OutlierBenchmark

    Raises
    ------
    BenchmarkError
        If the file is missing, empty, too large, not text, a line does not fit (the message gives
        its number), or the file is known to hold something else than its name says.
    """
    path = Path(path)
    lines = read_lines(path)
    benchmark = _read(lines, path, name if name is not None else path.stem)
    if isinstance(benchmark, CategorizationBenchmark):
        _refuse_singles(path, benchmark)
    refuse_mislabelled(path, benchmark)
    return benchmark


def _read(lines: Sequence[Line], path: Path, name: str) -> Benchmark:
    if any(line.is_section for line in lines):
        return _analogies(lines, path, name)
    named = read_columns(lines, name)
    if named is not None:
        return named
    typical = lines[min(1, len(lines) - 1)].fields  # the second line: no header
    if len(typical) == 4 and _number(typical[3]) is None:
        return _analogies(lines, path, name)
    # With only a space between them, two words are as likely a compound as a word and a category.
    if len(typical) == 2 and lines[0].separator is not None and _number(typical[1]) is None:
        return _categories(lines, name)
    return _similarities(lines, name)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _similarities(lines: Sequence[Line], name: str) -> SimilarityBenchmark:
    pairs: list[tuple[str, str]] = []
    gold: list[float] = []
    for position, line in enumerate(lines):
        score = _number(line.fields[-1])
        if score is None and position == 0 and len(lines) > 1:
            continue  # the names of the columns
        if (
            score is None
            or not math.isfinite(score)
            or len(line.fields) != 3
            or not all(line.fields)
        ):
            raise line.unreadable()
        pairs.append((line.fields[0], line.fields[1]))
        gold.append(score)
    return SimilarityBenchmark(name, tuple(pairs), np.array(gold, np.float64))


def _analogies(lines: Sequence[Line], path: Path, name: str) -> AnalogyBenchmark:
    quadruples: list[tuple[str, str, str, str]] = []
    categories: list[str] = []
    category = ""
    for line in lines:
        if line.is_section:
            category = line.text.lstrip(":").strip()
            continue
        if len(line.fields) != 4 or not all(line.fields):
            raise line.unreadable()
        a, b, c, d = line.fields
        quadruples.append((a, b, c, d))
        categories.append(category)
    if not quadruples:
        raise BenchmarkError(f"{path} holds no benchmark item. {ACCEPTED}")
    return AnalogyBenchmark(name, tuple(quadruples), tuple(categories))


def _categories(lines: Sequence[Line], name: str) -> CategorizationBenchmark:
    for line in lines:
        if len(line.fields) != 2 or not all(line.fields):
            raise line.unreadable()
    words, labels = zip(*(line.fields for line in lines), strict=True)
    return CategorizationBenchmark(name, words, labels)


def _refuse_singles(path: Path, benchmark: CategorizationBenchmark) -> None:
    if len(benchmark.categories) == len(benchmark):
        raise BenchmarkError(
            f"{path} puts each of its {len(benchmark)} words in a category of its own, so there is "
            f"nothing to find; the word comes first, then its category. {ACCEPTED}"
        )
