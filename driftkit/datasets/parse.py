"""Benchmark files as people keep them; the task is told from the content."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from driftkit.arguments import number, shown
from driftkit.datasets.benchmarks import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.datasets.layouts import (
    holds_choices,
    holds_word_sets,
    read_bats,
    read_choices,
    read_word_set,
)
from driftkit.datasets.lines import ACCEPTED, Line, read_lines
from driftkit.errors import BenchmarkError

FIRST = ("word1", "word 1", "w1", "sentence_a", "sentence1")
SECOND = ("word2", "word 2", "w2", "sentence_b", "sentence2")
SCORE = (
    "similarity", "simlex999", "score", "human (mean)", "mean", "rating", "relatedness_score",
)  # fmt: skip
"""What published files call the columns of a similarity set, the surest name first."""

NOT_SIMLEX = {
    ("old", "new"): 0.0,
    ("smart", "intelligent"): 9.76923076923077,
    ("hard", "difficult"): 9.692307692307692,
    ("happy", "cheerful"): 9.307692307692308,
    ("hard", "easy"): 0.0,
    ("fast", "rapid"): 9.846153846153847,
}
"""The first ratings of the ``simlex999.csv`` that is not SimLex: its pairs, rated anew."""

YP130 = {("brag", "boast"), ("concoct", "devise"), ("accentuate", "highlight")}
"""Pairs of YP-130 that VERB-143 does not have."""


def read_benchmark(path: str | PathLike[str], name: str | None = None) -> Benchmark:
    """Read a file of any kind, or a folder of BATS; as `parse`."""
    path = Path(path)
    if path.is_dir():
        return read_bats(path, name or path.name)
    if holds_choices(path):
        return read_choices(path, name)
    return read_word_set(path, name) if holds_word_sets(path) else parse(path, name)


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
    if isinstance(benchmark, CategorizationBenchmark) and (
        len(benchmark.categories) == len(benchmark)
    ):
        raise BenchmarkError(
            f"{path} puts each of its {len(benchmark)} words in a category of its own, so there is "
            f"nothing to find; the word comes first, then its category. {ACCEPTED}"
        )
    _refuse_mislabelled(path, benchmark)
    return benchmark


def _read(lines: Sequence[Line], path: Path, name: str) -> Benchmark:
    if any(line.is_section for line in lines):
        return _analogies(lines, path, name)
    named = _by_column(lines, name)
    if named is not None:
        return named
    if lines[0].separator == ":":  # as Gurevych's sets are published
        return _similarities(lines, (cells[:3] for cells in _cells(lines, 5)), name)
    typical = lines[min(1, len(lines) - 1)].fields  # the second line: no header
    if len(typical) == 4 and not _is_like_number(typical[3]):
        return _analogies(lines, path, name)
    # With only a space between them, two words are as likely a compound as a word and a category.
    if len(typical) == 2 and lines[0].separator is not None and not _is_like_number(typical[1]):
        words, labels = zip(*_cells(lines, 2), strict=True)
        return CategorizationBenchmark(name, words, labels)
    # Sets of sentences are published with the rating first.
    is_first = len(typical) == 3 and _is_like_number(typical[0]) and not _is_like_number(typical[2])
    if len(lines) > 1 and not _is_like_number(lines[0].fields[0 if is_first else -1]):
        lines = lines[1:]  # without the names of the columns
    rows = _cells(lines, 3)
    return _similarities(lines, ((*row[1:], row[0]) if is_first else row for row in rows), name)


def _is_like_number(text: str) -> bool:
    """Whether a field was meant as a number, right or wrong (``nan``, ``0x10``, ``1,5``, ``1_0``).

    It tells what a file holds; which of these are read as numbers, `driftkit.arguments` decides.
    """
    if re.search(r"\d", text) and not any(letter.isalpha() for letter in text):
        return True
    try:
        float(text)
    except ValueError:
        return re.match(r"[+-]?0[xX]", text) is not None
    return True


def _cells(lines: Sequence[Line], count: int) -> Iterator[tuple[str, ...]]:
    for line in lines:
        if len(line.fields) != count or not all(line.fields):
            raise line.unreadable()
        yield line.fields


def _similarities(
    items: Sequence[Line], rows: Iterable[tuple[str, ...]], name: str
) -> SimilarityBenchmark:
    pairs: list[tuple[str, str]] = []
    gold: list[float] = []
    for line, (first, second, rated) in zip(items, rows, strict=True):
        score = number(rated)
        if score is None:
            raise line.unreadable(f"has {shown(rated)} where a number belongs")
        pairs.append((first, second))
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
        ((a, b, c, d),) = _cells([line], 4)
        quadruples.append((a, b, c, d))
        categories.append(category)
    if not quadruples:
        raise BenchmarkError(f"{path} holds no benchmark item. {ACCEPTED}")
    return AnalogyBenchmark(name, tuple(quadruples), tuple(categories))


def _by_column(lines: Sequence[Line], name: str) -> Benchmark | None:
    """Read a file by the names of its columns; None if its first line names none that are known.

    SimLex-999 and many sets of the catalog are published so. Other columns are ignored.
    """
    header = [field.casefold() for field in lines[0].fields]
    items: Sequence[Line] = lines[1:]
    first, second, score = (_place(header, names) for names in (FIRST, SECOND, SCORE))
    benchmark: Benchmark | None = None
    if {"outliers", "words"} <= set(header):
        benchmark = _outliers_by_column(items, header, name)
    elif {"word", "category"} <= set(header):
        word = header.index("word")
        # Files of AP and BLESS end each category with a row without a word: padding, no item.
        items = [line for line in items if len(line.fields) != len(header) or line.fields[word]]
        rows = _pick(items, header, (word, header.index("category")))
        words, labels = zip(*rows, strict=True) if rows else ((), ())
        benchmark = CategorizationBenchmark(name, words, labels)
    elif first is not None and second is not None and score is not None:
        benchmark = _similarities(items, _pick(items, header, (first, second, score)), name)
    if benchmark is not None and not items:
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


def _outliers_by_column(
    items: Sequence[Line], header: Sequence[str], name: str
) -> OutlierBenchmark:
    titled = "category" in header
    names = ("category" if titled else "words", "words", "outliers")
    rows = _pick(items, header, [header.index(column) for column in names])
    groups = []
    for line, (title, words, outliers) in zip(items, rows, strict=True):
        group, strangers = _list(line, words), _list(line, outliers)
        if len(group) < 2 or not strangers:
            raise line.unreadable("needs two words or more and an outlier")
        if both := sorted({*group} & {*strangers}):
            raise line.unreadable(f"has {both[0]!r} both among the words and among the outliers")
        title = title if titled else f"line {line.number}"
        groups.append(OutlierGroup(title, group, strangers))
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


def _refuse_mislabelled(path: Path, benchmark: Benchmark) -> None:
    """Refuse the two files of ``vecto-ai/word-benchmarks`` that hold another benchmark."""
    if not isinstance(benchmark, SimilarityBenchmark):
        return
    ratings = dict(zip(benchmark.pairs, benchmark.gold.tolist(), strict=True))
    if all(
        math.isclose(ratings.get(pair, -1), rated, abs_tol=0.05)
        for pair, rated in NOT_SIMLEX.items()
    ):
        raise BenchmarkError(
            f"{path} is not SimLex-999: it has the pairs of SimLex-999 with other ratings (old and "
            "new get 0.0 instead of 1.58), so its scores compare with nothing published; use the "
            "name simlex999."
        )
    called = re.sub(r"[^a-z0-9]", "", path.stem.casefold())
    if "verb143" in called and ratings.keys() >= YP130:
        raise BenchmarkError(
            f"{path} is not VERB-143: it holds YP-130; use the name verb143 for the one and yp130 "
            "for the other."
        )
