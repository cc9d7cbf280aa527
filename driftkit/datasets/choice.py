"""Synonym choice as TOEFL and ESL ask it (Landauer & Dumais 1997; Turney 2001).

The TOEFL questions are given by their authors on request, so they come as the user's own files.
"""

from __future__ import annotations

import re
from pathlib import Path

from driftkit.datasets.benchmarks import ChoiceBenchmark
from driftkit.datasets.text_file import text_lines
from driftkit.errors import BenchmarkError

ACCEPTED = (
    "A file of synonym questions has lines `word | right | wrong | wrong | ...`; or it is the "
    "TOEFL .qst file, `1. word` and below it `a. option` to `d. option`, with its .ans file of "
    "the same name beside it."
)

_STEM = re.compile(r"(\d+)\.\s+(\S.*)")
_OPTION = re.compile(r"([a-h])\.\s+(\S.*)")


def holds_choices(path: Path) -> bool:
    """Tell whether the first line of a file is that of synonym questions.

    Parameters
    ----------
    path : pathlib.Path
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = (line.strip() for line in file)
            first = next((line for line in lines if line and not line.startswith("#")), "")
    except (OSError, UnicodeDecodeError):
        return False
    return first.count("|") >= 2 or _STEM.fullmatch(first) is not None


def read_choices(path: str | Path, name: str | None = None) -> ChoiceBenchmark:
    """Read synonym questions.

    Parameters
    ----------
    path : str or pathlib.Path
        A file in the format of ESL or of TOEFL; see `ACCEPTED`.
    name : str, optional
        Name of the benchmark; by default the file's name without its ending.

    Returns
    -------
    ChoiceBenchmark

    Raises
    ------
    BenchmarkError
        If the file cannot be read or a line does not fit; the message gives its number.
    """
    path = Path(path)
    lines = text_lines(path, ACCEPTED)
    name = name if name is not None else path.stem
    if _STEM.fullmatch(lines[0][1]):
        return _toefl(path, name, lines)
    stems, options = [], []
    for number, line in lines:
        stem, *words = [part.strip() for part in line.split("|")]
        if len(words) < 2 or not stem or not all(words):
            raise BenchmarkError(f"{path}, line {number}: {line!r} cannot be read. {ACCEPTED}")
        stems.append(stem)
        options.append(tuple(words))
    return ChoiceBenchmark(name, tuple(stems), tuple(options), (0,) * len(stems))


def _toefl(path: Path, name: str, lines: list[tuple[int, str]]) -> ChoiceBenchmark:
    stems: dict[int, str] = {}
    options: dict[int, list[str]] = {}
    question = 0
    for number, line in lines:
        if found := _STEM.fullmatch(line):
            question = int(found[1])
            stems[question], options[question] = found[2], []
        elif (found := _OPTION.fullmatch(line)) and question:
            options[question].append(found[2])
        else:
            raise BenchmarkError(f"{path}, line {number}: {line!r} cannot be read. {ACCEPTED}")
    right = _answers(path.with_suffix(".ans"))
    for question, words in options.items():
        if not 0 <= right.get(question, -1) < len(words):
            where = path.with_suffix(".ans")
            raise BenchmarkError(f"{where} has no usable answer to question {question}. {ACCEPTED}")
    return ChoiceBenchmark(
        name,
        tuple(stems.values()),
        tuple(tuple(options[question]) for question in stems),
        tuple(right[question] for question in stems),
    )


def _answers(path: Path) -> dict[int, int]:
    """Question to place of its answer: the first number and the last letter of each line."""
    found = {}
    for number, line in text_lines(path, ACCEPTED):
        question, letter = re.search(r"\d+", line), re.findall(r"\b[a-h]\b", line)
        if not question or not letter:
            raise BenchmarkError(f"{path}, line {number}: {line!r} cannot be read. {ACCEPTED}")
        found[int(question[0])] = ord(letter[-1]) - ord("a")
    return found
