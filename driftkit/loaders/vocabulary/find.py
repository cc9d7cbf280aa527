"""The words of a table whose file holds numbers only: find their file, and read it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from driftkit.documents import parse_json
from driftkit.errors import VocabularyError
from driftkit.loaders.preconditions import read_words, require_file
from driftkit.loaders.request import Vocab
from driftkit.loaders.vocabulary import pickled, tokenizer
from driftkit.loaders.vocabulary.words import Vocabulary, words_by_row, words_of_json
from driftkit.provenance import Problem

# Tried beside X.npy as X.vocab.txt and so on, then the other names in the same folder.
ENDINGS = (".vocab.txt", ".words.txt", ".vocab.json", ".words.json", ".vocab.tsv")
FALLBACKS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "words.txt", "words.json", "vocab.tsv",
    "metadata.tsv", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
)  # fmt: skip

_COUNTED = re.compile(r"(\S+)[ \t]+([0-9]{1,18})")


def read_vocabulary(vocab: Vocab, *, unsafe_pickle: bool = False) -> Vocabulary:
    """Read a vocabulary in any form people keep one: a file, the words, or a map to their rows.

    A file may hold one word per line, with or without a count or a row number after it; TSV, of
    which the first column counts; a JSON list; a JSON map from word to row; a tokenizer's
    ``tokenizer.json`` or sentencepiece model; a pickled list, map or torchtext vocabulary, only
    with ``unsafe_pickle=True``.

    Examples
    --------
    >>> read_vocabulary(["good", "bad"]).words
    ('good', 'bad')
    """
    if isinstance(vocab, Mapping) and vocab:
        return Vocabulary(words_by_row(vocab, "the vocabulary given"), "the vocabulary given")
    if not isinstance(vocab, str | os.PathLike):
        words = tuple(vocab) if isinstance(vocab, Iterable) else (vocab,)
        strangers = [word for word in words if not isinstance(word, str)]
        if strangers:
            raise VocabularyError(
                "vocabulary",
                f"holds {strangers[0]!r}, which is not a string; give one string for each row.",
            )
        if not words:
            raise VocabularyError("vocabulary", "is empty; give one string for each row.")
        return Vocabulary(words, "the vocabulary given")
    path = Path(vocab)
    require_file(path, os.fspath(vocab), VocabularyError, "a file of one word per line, or JSON")
    with path.open("rb") as file:
        head = file.read(1 << 12)
    if pickled.looks_like_pickle(head) or pickled.looks_like_torch_archive(head):
        return Vocabulary(pickled.read(path, unsafe_pickle), path.name, path)
    if tokenizer.looks_like_sentencepiece(head):
        return Vocabulary(tokenizer.read_sentencepiece(path), path.name, path, is_tokenizer=True)
    data = read_words(path, os.fspath(vocab), VocabularyError).removeprefix(b"\xef\xbb\xbf")
    text = data.decode(errors="backslashreplace")
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("[", "{"):
        try:
            value = parse_json(text)
        except ValueError as error:
            # A word list may well begin with [PAD] or {; only .json promises JSON.
            if path.suffix.lower() == ".json" or not isinstance(error, json.JSONDecodeError):
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
    return _of_lines(lines, path)


def _of_lines(lines: Sequence[str], path: Path) -> Vocabulary:
    """Words of lines that may hold more: a count, a row number, or columns under a header."""
    if lines[0].count("\t") >= 1 and len({line.count("\t") for line in lines}) == 1:
        table = [line.split("\t") for line in lines]
        has_head = not any(map(_is_count, table[0])) and (
            any(map(_is_count, table[-1])) or table[0][0].lower() in ("word", "token", "label")
        )
        head = table.pop(0)[1] if has_head and len(table) > 1 else ""
        words = tuple(row[0] for row in table)
        if not all(len(row) == 2 and _is_count(row[1]) for row in table):
            return Vocabulary(words, path.name, path)
        return _numbered(words, [int(row[1]) for row in table], path, head)
    # Line by line, so that a plain list of words is told by its first line.
    if len(lines) > 1 and all(map(_COUNTED.fullmatch, lines)):
        words, digits = zip(*map(str.split, lines), strict=True)
        numbers = list(map(int, digits))
        falls = all(former >= later for former, later in pairwise(numbers))
        low, high, n = min(numbers), max(numbers), len(numbers)
        numbers_rows = low < 2 and len(set(numbers)) == n == high - low + 1
        if len(set(words)) == len(words) and (falls or numbers_rows):
            return _numbered(words, numbers, path)  # else it is part of the word: page 1, page 2
    return Vocabulary(tuple(lines), path.name, path)


def _numbered(words: tuple[str, ...], numbers: list[int], path: Path, head: str = "") -> Vocabulary:
    """Words in the order of their numbers where these are rows from 0; of the file for counts."""
    n = len(words)
    in_order = sorted(numbers)
    if in_order == list(range(n)):
        ordered = tuple(word for _, word in sorted(zip(numbers, words, strict=True)))
        return Vocabulary(ordered, path.name, path)
    is_count = head.lower() in ("count", "counts", "freq", "frequency")
    if in_order == list(range(1, n + 1)) and numbers != in_order and not is_count:
        raise VocabularyError(
            path,
            f"the numbers after its words are 1 to {n:,}, which may be row numbers that start at 1 "
            "or counts of words in row order; number the rows from 0, or leave the numbers out "
            "and write the words in row order.",
        )
    what = f"left out, the words are in the order of the lines: {words[0]!r} had {numbers[0]:,}"
    noted = Problem("number after a word", None, what)
    return Vocabulary(words, path.name, path, problems=(noted,))


def _is_count(field: str) -> bool:
    return field.isascii() and field.isdigit() and len(field) <= 18


def find_vocabulary(path: Path) -> Vocabulary | None:
    """Read the vocabulary beside a file; None where there is none. See `ENDINGS`, `FALLBACKS`."""
    folder = path if path.is_dir() else path.parent
    names = [path.stem + ending for ending in ENDINGS] + list(FALLBACKS)
    for name in names:
        if (folder / name).is_file():
            return read_vocabulary(folder / name)
    return None
