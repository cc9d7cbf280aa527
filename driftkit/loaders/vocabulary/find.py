"""The words of a table whose file holds numbers only: find their file, and read it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftkit.errors import VocabularyError
from driftkit.loaders.missing import require_file
from driftkit.loaders.request import Vocab
from driftkit.provenance import Problem

ENDINGS = (".vocab.txt", ".words.txt", ".vocab.json", ".words.json", ".vocab.tsv")
"""Tried beside ``X.npy`` as ``X.vocab.txt`` and so on."""

FALLBACKS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "words.txt", "words.json", "vocab.tsv",
    "metadata.tsv", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
)  # fmt: skip
"""Tried next, in the same folder."""

_COUNTED = re.compile(r"(\S+)[ \t]+(\d+)")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in row order, and where they came from.

    Parameters
    ----------
    words : tuple of str
    where : str
        For messages: the file's name, or ``"the vocabulary given"``.
    path : pathlib.Path, optional
        The file, if there is one.
    is_tokenizer : bool, default False
        Whether the words are a tokenizer's, which gives no number past the last one.
    problems : tuple of Problem
        What had to be repaired.
    """

    words: tuple[str, ...]
    where: str
    path: Path | None = None
    is_tokenizer: bool = False
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.words)


def read_vocabulary(vocab: Vocab, *, unsafe_pickle: bool = False) -> Vocabulary:
    """Read a vocabulary in any form people keep one.

    One word a line, with or without a count or a row number after it; TSV with a head, of which
    the first column counts; a JSON list; a JSON map from word to row; a tokenizer's
    ``tokenizer.json`` or sentencepiece model; a pickled list, map or torchtext vocabulary, only
    with ``unsafe_pickle=True``.

    Parameters
    ----------
    vocab : str, path or sequence of str
        A file, or the words themselves.
    unsafe_pickle : bool, default False
        Open pickles, which can run code.

    Raises
    ------
    VocabularyError
        If no words can be had; for a map, what keeps it from naming each row once.
    UnsafePickleError
        If it is a pickle and ``unsafe_pickle`` is False.

    Examples
    --------
    >>> read_vocabulary(["good", "bad"]).words
    ('good', 'bad')
    """
    if not isinstance(vocab, str | os.PathLike):
        words = tuple(vocab)
        strangers = [word for word in words if not isinstance(word, str)]
        if strangers or not words:
            what = f"hold {strangers[0]!r}, which is not a string" if strangers else "are none"
            raise VocabularyError("vocabulary", f"the words given {what}; give one string a row.")
        return Vocabulary(words, "the vocabulary given")
    path = Path(vocab)
    require_file(path, os.fspath(vocab), VocabularyError, "a file of one word per line, or JSON")
    with path.open("rb") as file:
        head = file.read(1 << 12)
    from driftkit.loaders.vocabulary import pickled as pickled_words
    from driftkit.loaders.vocabulary import tokenizer

    if pickled_words.looks_like_pickle(head):
        return Vocabulary(pickled_words.read(path, unsafe_pickle), path.name, path)
    if tokenizer.looks_like_sentencepiece(head):
        return Vocabulary(tokenizer.read_sentencepiece(path), path.name, path, is_tokenizer=True)
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode(errors="backslashreplace")
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            # A word list may well begin with [PAD] or {; only .json promises JSON.
            if path.suffix.lower() == ".json":
                raise VocabularyError(vocab, f"is not valid JSON ({error}).") from None
        else:
            if isinstance(value, dict) and isinstance(value.get("model"), dict):
                return tokenizer.of_json(value, path)
            return Vocabulary(words_of_json(value, path.name), path.name, path)
    # Only line feeds end a line: str.splitlines would split inside words that hold U+0085.
    lines = text.rstrip("\r\n").split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    if lines == [""]:
        raise VocabularyError(vocab, "is empty; a vocabulary holds one word per line, or JSON.")
    return Vocabulary(_words_of_lines(lines), path.name, path)


def _words_of_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Words of lines that may carry more: a count, a row number, or columns under a head."""
    if lines[0].count("\t") >= 1 and len({line.count("\t") for line in lines}) == 1:
        table = [line.split("\t") for line in lines]
        has_head = not any(map(_is_count, table[0])) and (
            any(map(_is_count, table[-1])) or table[0][0].lower() in ("word", "token", "label")
        )
        return _by_number(table[1:] if has_head and len(table) > 1 else table)
    # Line by line, so that a plain list of words is told by its first line.
    if len(lines) > 1 and all(map(_COUNTED.fullmatch, lines)):
        return _by_number([line.split() for line in lines])
    return tuple(lines)


def _by_number(table: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """First column in row order: the second's, if it numbers the rows from 0."""
    words = tuple(row[0] for row in table)
    if all(len(row) == 2 and _is_count(row[1]) for row in table):
        rows = [int(row[1]) for row in table]
        if sorted(rows) == list(range(len(rows))):
            return tuple(word for _, word in sorted(zip(rows, words, strict=True)))
    return words


def _is_count(field: str) -> bool:
    return field.isascii() and field.isdigit()


def words_of_json(value: Any, where: str) -> tuple[str, ...]:
    """Words in row order from a list of words, or from a map of word to row."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return tuple(value)
    if isinstance(value, dict) and value:
        return words_by_row(value, where)
    raise VocabularyError(
        where, "must be a list of words, or a map from word to row, with at least one word."
    )


def words_by_row(rows: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Words in row order from a map of word to row, which must name rows 0 to n-1 once each.

    Raises
    ------
    VocabularyError
        With the first thing that does not fit.

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
            f"its rows start at 1 and end at {n:,}, not 0 to {n - 1:,}; row 0 is usually padding "
            "(a Keras word_index is so): add its word, such as '<pad>', as row 0.",
        )
    if (first, last) != (0, n - 1):
        missing = next(row for row in range(n) if row not in by_row)
        raise VocabularyError(
            where,
            f"its {n:,} words take rows {first:,} to {last:,}, not 0 to {n - 1:,}; "
            f"row {missing:,} has no word.",
        )
    return tuple(by_row[row] for row in range(n))


def is_state_of_words(key: str | None, dtype: str, shape: tuple[int, ...]) -> bool:
    """Whether a tensor may be the words a `driftkit.training.WordEmbedding` saves."""
    named = key is not None and key.rpartition(".")[2] == "_extra_state"
    return named and dtype in ("uint8", "u8") and len(shape) == 1


def words_of_state(data: bytes, where: str) -> Vocabulary | None:
    """Words in the state of a `driftkit.training.WordEmbedding`; None if it is something else."""
    try:
        state = json.loads(data)
    except ValueError:
        return None
    words = state.get("words") if isinstance(state, dict) else None
    return Vocabulary(words_of_json(words, where), where) if words is not None else None


def find_vocabulary(path: Path) -> Vocabulary | None:
    """Read the vocabulary beside a file, or give None where there is none.

    For ``X.npy`` these are tried: ``X.vocab.txt``, ``X.words.txt``, ``X.vocab.json``,
    ``X.words.json``, ``X.vocab.tsv``, then in the same folder ``tokenizer.json``, ``vocab.txt``,
    ``vocab.json``, ``words.txt``, ``words.json``, ``vocab.tsv``, ``metadata.tsv`` and
    sentencepiece's usual names.
    """
    folder = path if path.is_dir() else path.parent
    names = [path.stem + ending for ending in ENDINGS] + list(FALLBACKS)
    for name in names:
        if (folder / name).is_file():
            return read_vocabulary(folder / name)
    return None
