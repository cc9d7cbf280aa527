"""Words in row order: the dataclass, and the maps and lists that are turned into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftkit.errors import VocabularyError
from driftkit.provenance import Problem


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in row order, and where they came from."""

    words: tuple[str, ...]
    where: str  # for messages: the file's name, or "the vocabulary given"
    path: Path | None = None
    is_tokenizer: bool = False  # a tokenizer has no token past its last one
    problems: tuple[Problem, ...] = ()  # what had to be repaired

    def __len__(self) -> int:
        return len(self.words)


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
            raise VocabularyError(where, f"maps {word!r} to {row!r}, which is not a row number.")
        if row in by_row:
            raise VocabularyError(
                where, f"maps both {by_row[row]!r} and {word!r} to row {row}; a row has one word."
            )
        by_row[row] = word
    first, last = min(by_row), max(by_row)
    if (first, last) == (1, n):
        raise VocabularyError(
            where,
            f"its rows start at 1 and end at {n:,}, not 0 to {n - 1:,}; row 0 is usually padding, "
            "as in Keras's word_index: add its word, such as '<pad>', as row 0.",
        )
    if (first, last) != (0, n - 1):
        missing = next(row for row in range(n) if row not in by_row)
        raise VocabularyError(
            where,
            f"its {n:,} words take rows {first:,} to {last:,}, not 0 to {n - 1:,}; "
            f"row {missing:,} has no word.",
        )
    return tuple(by_row[row] for row in range(n))
