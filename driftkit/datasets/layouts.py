"""Benchmarks in layouts of their own: folders of BATS, synonym questions, sets of words.

- BATS 3.0 is the Bigger Analogy Test Set (Gladkova, Drozd & Matsuoka 2016).
- Synonym questions are as TOEFL and ESL ask them (Landauer & Dumais 1997; Turney 2001). Those of
  TOEFL are given by their authors on request, so they come as the user's own files.
- Sets of words are for association tests of bias (Caliskan, Bryson & Narayanan 2017).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from driftkit.arguments import shown
from driftkit.datasets.benchmarks import AnalogyBenchmark, ChoiceBenchmark, WordSets
from driftkit.datasets.lines import first_line, text_lines
from driftkit.errors import BenchmarkError

BATS = (
    "BATS is a folder of folders of .txt files whose lines are word, tab, answer/answer/...; "
    "each file is a relation."
)

MOST_QUESTIONS = 2_000_000
"""BATS itself makes 98,000."""

CHOICES = (
    "A file of synonym questions has lines `word | right | wrong | wrong | ...`; or it is the "
    "TOEFL .qst file, `1. word` and below it `a. option` to `d. option`, with its .ans file of "
    "the same name beside it."
)

_GROUPS = {"D": "derivation", "E": "encyclopedia", "I": "inflection", "L": "lexicography"}
"""What the relations of BATS are called after, where their folders were joined to one."""

_STEM = re.compile(r"(\d+)\.\s+(\S.*)")
_OPTION = re.compile(r"([a-h])\.\s+(\S.*)")

WORD_SETS = (
    "A test has four lines `label: word, word, ...`: targets X and Y, then attributes A and B; "
    "several tests in one file each begin with a line `: name`."
)

_SETS = re.compile(r"[^:,/]+:(?!//)[^:]*,[^:]*")


def read_bats(folder: str | Path, name: str = "bats") -> AnalogyBenchmark:
    """Read a folder in the layout of BATS: folders of files, each of which is a relation.

    Within a file every ordered pair of different lines makes a question: the word of the first
    line is to its first answer as the word of the second is to any of its answers. Sections are the
    files, groups the folders they lie in. `folder` may be one of the inner folders, too; `name` is
    that of the benchmark.

    Raises
    ------
    BenchmarkError
        If there is no such file, or a line does not fit; the message gives its number.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not files:
        raise BenchmarkError(f"{folder} holds no .txt file. {BATS}")
    quadruples: list[tuple[str, str, str, str]] = []
    categories: list[str] = []
    alternatives: list[tuple[str, ...]] = []
    groups: dict[str, list[str]] = {}
    for path in files:
        pairs = _pairs(path)
        if len(quadruples) + len(pairs) ** 2 > MOST_QUESTIONS:
            raise BenchmarkError(
                f"{folder} makes more than {MOST_QUESTIONS:,} questions, of every two lines of a "
                f"file one; its files have about 50 lines each. {BATS}"
            )
        joined = path.parent == folder and re.fullmatch(r"([DEIL])\d\d?", path.stem)
        group = _GROUPS[joined[1]] if joined else path.parent.name
        groups.setdefault(group, []).append(path.stem)
        for i, (a, (b, *_)) in enumerate(pairs):
            for j, (c, (d, *more)) in enumerate(pairs):
                if i != j:
                    quadruples.append((a, b, c, d))
                    categories.append(path.stem)
                    alternatives.append(tuple(more))
    several = {group: tuple(stems) for group, stems in groups.items()} if len(groups) > 1 else {}
    return AnalogyBenchmark(
        name, tuple(quadruples), tuple(categories), tuple(alternatives), several
    )


def _pairs(path: Path) -> list[tuple[str, list[str]]]:
    pairs = []
    for number, line in text_lines(path, BATS):
        word, *rest = line.split(None, 1)
        answers = [part.strip() for part in rest[0].split("/") if part.strip()] if rest else []
        if not answers:
            raise BenchmarkError(f"{path}, line {number}: {shown(line)} has no answer. {BATS}")
        pairs.append((word, answers))
    if len(pairs) < 2:
        raise BenchmarkError(f"{path} has one line, and an analogy takes two. {BATS}")
    return pairs


def holds_choices(path: Path) -> bool:
    """Return whether the first line of a file is that of synonym questions."""
    first = first_line(path)
    return first.count("|") >= 2 or _STEM.fullmatch(first) is not None


def read_choices(path: str | Path, name: str | None = None) -> ChoiceBenchmark:
    """Read synonym questions from the file at `path`, in the format of ESL or of TOEFL.

    `name` is that of the benchmark; by default the file's name without its ending.

    Raises
    ------
    BenchmarkError
        If the file cannot be read or a line does not fit; the message gives its number.
    """
    path = Path(path)
    lines = text_lines(path, CHOICES)
    name = name if name is not None else path.stem
    if _STEM.fullmatch(lines[0][1]):
        return _toefl(path, name, lines)
    stems, options = [], []
    for number, line in lines:
        stem, *words = [part.strip() for part in line.split("|")]
        if len(words) < 2 or not stem or not all(words):
            raise BenchmarkError(f"{path}, line {number}: {shown(line)} cannot be read. {CHOICES}")
        stems.append(stem)
        options.append(tuple(words))
    return ChoiceBenchmark(name, tuple(stems), tuple(options), (0,) * len(stems))


def _toefl(path: Path, name: str, lines: list[tuple[int, str]]) -> ChoiceBenchmark:
    stems: dict[str, str] = {}
    options: dict[str, list[str]] = {}
    question = ""
    for number, line in lines:
        if found := _STEM.fullmatch(line):
            question = found[1].lstrip("0")
            stems[question], options[question] = found[2], []
        elif (found := _OPTION.fullmatch(line)) and question:
            options[question].append(found[2])
        else:
            raise BenchmarkError(f"{path}, line {number}: {shown(line)} cannot be read. {CHOICES}")
    where = path.with_suffix(".ans")
    right = _answers(where)
    for question, words in options.items():
        if not 0 <= right.get(question, -1) < len(words):
            raise BenchmarkError(f"{where} has no usable answer to question {question}. {CHOICES}")
    return ChoiceBenchmark(
        name,
        tuple(stems.values()),
        tuple(tuple(options[question]) for question in stems),
        tuple(right[question] for question in stems),
    )


def _answers(path: Path) -> dict[str, int]:
    """Return the place of each answer: the first number and the last letter of each line."""
    found = {}
    for number, line in text_lines(path, CHOICES):
        question, letter = re.search(r"\d+", line), re.findall(r"\b[a-h]\b", line)
        if not question or not letter:
            raise BenchmarkError(f"{path}, line {number}: {shown(line)} cannot be read. {CHOICES}")
        found[question[0].lstrip("0")] = ord(letter[-1]) - ord("a")
    return found


def holds_word_sets(path: Path) -> bool:
    """Return whether the first set of a file is `label: word, word, ...`."""
    return _SETS.fullmatch(first_line(path, but=("#", ":"))) is not None


def read_word_sets(path: str | Path) -> dict[str, WordSets]:
    """Read the association tests of the UTF-8 text file at `path`, by name.

    A file with one test and no line with a name is named after the file.

    Raises
    ------
    BenchmarkError
        If the file cannot be read, or a test has not four sets of two words or more.
    """
    path = Path(path)
    tests: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    name = path.stem
    for number, line in text_lines(path, WORD_SETS):
        label, colon, rest = (part.strip() for part in line.partition(":"))
        words = tuple(dict.fromkeys(word.strip() for word in rest.split(",") if word.strip()))
        if not label and colon and rest:
            name = rest
        elif not colon or len(words) < 2:
            raise BenchmarkError(
                f"{path}, line {number}: {shown(line)} cannot be read. {WORD_SETS}"
            )
        else:
            tests.setdefault(name, []).append((label, words))
    for name, sets in tests.items():
        if len(sets) != 4:
            raise BenchmarkError(f"{path}: test {name!r} has {len(sets)} sets. {WORD_SETS}")
    return {
        name: WordSets(name, (x[0], y[0], a[0], b[0]), x[1], y[1], a[1], b[1])
        for name, (x, y, a, b) in tests.items()
    }


def read_word_set(path: Path, name: str | None = None) -> WordSets:
    """Read the only test of a file, or the one of that name."""
    found = read_word_sets(path)
    if name is not None and name in found:
        return found[name]
    if len(found) > 1:
        raise BenchmarkError(
            f"{path} holds {len(found)} tests ({', '.join(found)}); read it with "
            "driftkit.datasets.read_word_sets and give one of them."
        )
    (test,) = found.values()
    return test if name is None else replace(test, name=name)
