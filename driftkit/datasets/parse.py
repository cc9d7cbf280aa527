"""Benchmark files as people keep them; the task is told from the content."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from driftkit.datasets.benchmark import AnalogyBenchmark, Benchmark, SimilarityBenchmark
from driftkit.errors import BenchmarkError

LARGEST_FILE = 64 * 2**20
"""Bytes. The largest benchmark in use has under 6 MB: more is a table of vectors by mistake."""

ACCEPTED = (
    "A similarity file has two words and a number on each line (tabs, commas, semicolons or "
    "spaces between them); an analogy file has four words on each line and may have "
    "': category' lines."
)


def parse(path: str | Path, name: str | None = None) -> Benchmark:
    """Read a benchmark file.

    Blank lines and lines that start with ``#`` are skipped, and so is one line of column names
    before the first pair.

    Parameters
    ----------
    path : str or pathlib.Path
        A UTF-8 text file.
    name : str, optional
        Name of the benchmark; by default the file's name without its ending.

    Returns
    -------
    SimilarityBenchmark or AnalogyBenchmark

    Raises
    ------
    BenchmarkError
        If the file is missing, empty, too large, not text, or a line does not fit; the message
        gives the line's number.
    """
    path = Path(path)
    lines = list(_lines(path))
    if not lines:
        raise BenchmarkError(f"{path} holds no benchmark item. {ACCEPTED}")
    name = name if name is not None else path.stem
    separator = _separator(lines)
    if any(line.startswith(":") for _, line in lines):
        return _analogies(path, name, lines, separator)
    last = _split(lines[min(1, len(lines) - 1)][1], separator)  # the second line: no header
    if len(last) == 4 and _number(last[3]) is None:
        return _analogies(path, name, lines, separator)
    return _similarities(path, name, lines, separator)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if path.is_dir():
        raise BenchmarkError(f"{path} is a folder; a benchmark is one text file. {ACCEPTED}")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BenchmarkError(
                f"{path} has {path.stat().st_size:,} bytes, too many for a benchmark. "
                f"Is it a table of vectors? {ACCEPTED}"
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchmarkError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8. {ACCEPTED}"
        ) from None
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read: {error.strerror}. {ACCEPTED}") from None
    # Not str.splitlines: that would also cut at form feeds and Unicode separators inside words.
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def _separator(lines: list[tuple[int, str]]) -> str | None:
    """Tab, comma or semicolon if the first two items have it, else any whitespace."""
    items = [line for _, line in lines if not line.startswith(":")][:2]
    for separator in "\t,;":
        if items and all(separator in line for line in items):
            return separator
    return None


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    if separator == "\t":
        return [part.strip() for part in line.split("\t")]
    return [part.strip() for part in next(csv.reader([line], delimiter=separator))]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _similarities(
    path: Path, name: str, lines: list[tuple[int, str]], separator: str | None
) -> SimilarityBenchmark:
    pairs: list[tuple[str, str]] = []
    gold: list[float] = []
    for position, (number, line) in enumerate(lines):
        fields = _split(line, separator)
        score = _number(fields[-1])
        if score is None and position == 0 and len(lines) > 1:
            continue  # the names of the columns
        if score is None or not math.isfinite(score) or len(fields) != 3 or not all(fields):
            raise _unreadable(path, number, line)
        pairs.append((fields[0], fields[1]))
        gold.append(score)
    return SimilarityBenchmark(name, tuple(pairs), np.array(gold, np.float64))


def _analogies(
    path: Path, name: str, lines: list[tuple[int, str]], separator: str | None
) -> AnalogyBenchmark:
    quadruples: list[tuple[str, str, str, str]] = []
    categories: list[str] = []
    category = ""
    for number, line in lines:
        if line.startswith(":"):
            category = line.lstrip(":").strip()
            continue
        fields = _split(line, separator)
        if len(fields) != 4 or not all(fields):
            raise _unreadable(path, number, line)
        quadruples.append((fields[0], fields[1], fields[2], fields[3]))
        categories.append(category)
    if not quadruples:
        raise BenchmarkError(f"{path} holds no benchmark item. {ACCEPTED}")
    return AnalogyBenchmark(name, tuple(quadruples), tuple(categories))


def _unreadable(path: Path, number: int, line: str) -> BenchmarkError:
    shown = line if len(line) <= 60 else line[:57] + "..."
    return BenchmarkError(f"{path}, line {number}: {shown!r} cannot be read. {ACCEPTED}")
