"""Words in row order: the dataclass, the maps that are turned into it, and doubts about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from driftkit.errors import VocabularyError
from driftkit.loaders.quote import quote, quote_some
from driftkit.provenance import Problem

ROW_0 = "<row 0>"  # for a row that a vocabulary leaves to padding
_COLUMNS = re.compile(r".*[\t,;|]\s*[+-]?\d+(\.\d+)?|\d+[\t ,;|]\s*\S.*")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in row order, and where they came from."""

    words: tuple[str, ...]
    where: str  # for messages: the file's name, or "the vocabulary given"
    path: Path | None = None
    is_tokenizer: bool = False  # a tokenizer has no token past its last one
    problems: tuple[Problem, ...] = ()  # what had to be repaired, or is doubtful

    def __len__(self) -> int:
        return len(self.words)

    @property
    def place(self) -> str:
        """The file as a command names it, or where else the words are."""
        return self.where if self.path is None else str(self.path)


def is_digits(field: object) -> bool:
    """Whether this is a text of digits, not too many for a row or a count."""
    return isinstance(field, str) and field.isascii() and field.isdigit() and len(field) < 19


def is_number(field: str) -> bool:
    """Whether this is the text of a number."""
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field


def words_of_json(value: Any, where: str) -> tuple[str, ...]:
    """Return the words, in row order, of a list of words or of a map from word to row."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return tuple(value)
    if isinstance(value, dict) and value:
        return words_by_row(value, where)
    raise VocabularyError(
        where, "must be a list of words, or a map from word to row, with at least one word."
    )


def words_by_row(rows: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Return the words, in row order, of a map that must name each of the rows 0 to n-1 once.

    Examples
    --------
    >>> words_by_row({"bad": 1, "good": 0}, "vocab.json")
    ('good', 'bad')
    """
    n = len(rows)
    by_row: dict[int, str] = {}
    for word, row in rows.items():
        if not isinstance(row, int) or isinstance(row, bool):
            raise VocabularyError(
                where, f"maps {quote(word)} to {quote(row)}, which is not a row number."
            )
        if row in by_row:
            raise VocabularyError(
                where,
                f"maps both {quote(by_row[row])} and {quote(word)} to row {quote(row)}; a row has "
                "one word.",
            )
        by_row[row] = word
    first, last = min(by_row), max(by_row)
    if (first, last) != (0, n - 1):
        missing = next(row for row in range(n) if row not in by_row)
        raise VocabularyError(
            where,
            f"its {n:,} words take rows {_row(first)} to {_row(last)}, not 0 to {n - 1:,}; "
            f"row {missing:,} has no word. If the numbers are counts, list the words in row order.",
        )
    return tuple(by_row[row] for row in range(n))


def _row(row: int) -> str:
    return f"{row:,}" if abs(row) < 10**20 else quote(row)


def of_map(rows: Mapping[str, Any], where: str, path: Path | None = None) -> Vocabulary:
    """Return the words of a map to rows from 0, or from 1 where row 0 is kept for padding.

    Examples
    --------
    >>> of_map({"good": 1, "bad": 2}, "word_index.json").words
    ('<row 0>', 'good', 'bad')
    """
    whole = all(type(row) is int for row in rows.values())
    if not whole or (min(rows.values()), max(rows.values())) != (1, len(rows)):
        return Vocabulary(words_by_row(rows, where), where, path)
    words = words_by_row({word: row - 1 for word, row in rows.items()}, where)
    detail = "its rows start at 1, as in Keras's word_index; row 0 is taken for padding"
    return Vocabulary(
        (ROW_0, *words), where, path, problems=(Problem("row without a word", 0, detail),)
    )


def checked(vocabulary: Vocabulary) -> Vocabulary:
    """Return a vocabulary whose words can be written, with what is doubtful about them noted."""
    words, problems = vocabulary.words, list(vocabulary.problems)
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        broken = next(row for row, word in enumerate(words) if _writable(word) != word)
        words = tuple(map(_writable, words))
        detail = f"half a character (a lone surrogate) kept as {quote(words[broken])}"
        problems.append(Problem("invalid UTF-8", broken, detail))
    problems += doubts(words)
    return replace(vocabulary, words=words, problems=tuple(problems))


def _writable(word: str) -> str:
    return word.encode(errors="backslashreplace").decode()


def doubts(words: Sequence[str]) -> list[Problem]:
    """Say it where words look like something else: numbers, or lines of several columns.

    Examples
    --------
    >>> [problem.kind for problem in doubts(["the,500", "of,300"])]
    ['words that look like columns']
    >>> doubts(["1", "the"])
    []
    """
    if len(words) < 2:
        return []
    if all(map(is_number, words)):
        what = f"all of them are numbers ({quote_some(words[:4])}): are these the words?"
        return [Problem("words that look like numbers", None, what)]
    if all(map(_COLUMNS.fullmatch, words)):
        what = f"each holds a number beside a word ({quote_some(words[:4])}): are these the words?"
        return [Problem("words that look like columns", None, what)]
    return []
