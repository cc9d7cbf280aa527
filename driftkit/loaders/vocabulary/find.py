"""The words of a table whose file holds numbers only: find their file, and read it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from driftkit.errors import MissingExtraError, VocabularyError
from driftkit.loaders.preconditions import read_words, require_file
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Vocab
from driftkit.loaders.text.stream import packed_as
from driftkit.loaders.vocabulary import arrays, pickled, tokenizer
from driftkit.loaders.vocabulary.columns import of_lines
from driftkit.loaders.vocabulary.forms import of_value, parse_json
from driftkit.loaders.vocabulary.words import Vocabulary, checked, of_map
from driftkit.provenance import Problem

# Tried beside X.npy as X.vocab.txt and so on, then the other names in the same folder.
ENDINGS = (".vocab.txt", ".words.txt", ".vocab.json", ".words.json", ".vocab.tsv")
FALLBACKS = (
    "tokenizer.json", "vocab.txt", "vocab.json", "words.txt", "words.json", "vocab.tsv",
    "metadata.tsv", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
)  # fmt: skip

_ACCEPTED = "a file of one word per line, or JSON"
_MARKS = (
    re.compile(r"[-*+\u2022] +\S.*"),
    re.compile(r"\d+[.):] +\S.*"),
    re.compile(r".*\S: +\d+"),
)
_PACKED = (".gz", ".xz", ".bz2", ".zip")


def read_vocabulary(vocab: Vocab, *, unsafe_pickle: bool = False) -> Vocabulary:
    """Read a vocabulary in any form people keep one: a file, the words, or a map to their rows.

    A file may hold one word per line, with or without a count or a row number beside it; columns
    separated by tabs, commas, semicolons or bars, with or without a header; JSON or YAML, a list
    or a map, in the wrappers of torchtext and Keras; an array of strings (``.npy``); a tokenizer's
    ``tokenizer.json``, sentencepiece model or ``.tiktoken``; a pickled list, map or torchtext
    vocabulary, only with ``unsafe_pickle=True``.

    Examples
    --------
    >>> read_vocabulary(["good", "bad"]).words
    ('good', 'bad')
    """
    if isinstance(vocab, str | os.PathLike):
        return checked(_of_file(Path(vocab), os.fspath(vocab), unsafe_pickle))
    where = "the vocabulary given"
    if isinstance(vocab, Mapping) and vocab:
        return checked(of_map(vocab, where))
    words = tuple(vocab) if isinstance(vocab, Iterable) else (vocab,)
    for word in words:
        if not isinstance(word, str):
            raise VocabularyError(
                "vocabulary",
                f"holds {quote(word)}, which is not a string; give one string for each row.",
            )
    if not words:
        raise VocabularyError("vocabulary", "is empty; give one string for each row.")
    return checked(Vocabulary(words, where))


def _of_file(path: Path, name: str, unsafe_pickle: bool) -> Vocabulary:
    require_file(path, name, VocabularyError, _ACCEPTED)
    with path.open("rb") as file:
        head = file.read(1 << 12)
    if pickled.looks_like_pickle(head) or pickled.looks_like_torch_archive(head):
        return pickled.read(path, unsafe_pickle)
    if head.startswith(arrays.MAGIC):
        return arrays.read(path)
    if tokenizer.looks_like_sentencepiece(head):
        return Vocabulary(tokenizer.read_sentencepiece(path), path.name, path, is_tokenizer=True)
    ending = path.suffix.lower()
    if ending == ".tiktoken" or tokenizer.looks_like_tiktoken(head):
        return tokenizer.read_tiktoken(path)
    _require_text(path, head)
    return _of_text(read_words(path, str(path), VocabularyError), path)


def is_list_of(words: Sequence[str], path: Path) -> bool:
    """Whether a file of these words, one in each line, would be read as them and nothing else."""
    data = "".join(f"{word}\n" for word in words).encode()
    head = data[: 1 << 12]
    told = (
        pickled.looks_like_pickle, pickled.looks_like_torch_archive,
        tokenizer.looks_like_sentencepiece, tokenizer.looks_like_tiktoken,
    )  # fmt: skip
    if any(looks_like(head) for looks_like in told):
        return False
    try:
        _require_text(path, head)
        return _of_text(data, path).words == tuple(words)
    except VocabularyError:
        return False


def _of_text(data: bytes, path: Path) -> Vocabulary:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return _of_lines_or_json(data.decode(), path)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n")
        kept = quote(data.split(b"\n", line + 1)[line].decode(errors="backslashreplace"))
        problem = Problem("invalid UTF-8", None, f"line {line + 1:,} kept as {kept}")
    found = _of_lines_or_json(data.decode(errors="backslashreplace"), path)
    return replace(found, problems=(problem, *found.problems))


def _of_lines_or_json(text: str, path: Path) -> Vocabulary:
    ending = path.suffix.lower()
    if ending in (".yml", ".yaml"):
        return of_value(_parse_yaml(text, path), path.name, path)
    # A word list may well begin with [PAD] or {; only .json promises JSON.
    if ending == ".json" or text.lstrip()[:1] in ("[", "{"):
        try:
            value = parse_json(text, path.name)
        except (ValueError, RecursionError) as error:
            if ending == ".json":
                raise VocabularyError(path, f"is not valid JSON ({error}).") from None
            _refuse_json_lines(text, path)
        else:
            return _of_json(value, path)
    # Only line feeds end a line: str.splitlines would split inside words that hold U+0085.
    lines = text.rstrip("\r\n").split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
        if len(lines) == 1 and "\r" in lines[0]:
            raise VocabularyError(
                path, "ends its lines with carriage returns alone; save it with line feeds."
            )
    if lines == [""]:
        raise VocabularyError(path, "is empty; a vocabulary holds one word per line, or JSON.")
    _refuse_marks_of_lists(lines, path)
    return of_lines(lines, path)


def _require_text(path: Path, head: bytes) -> None:
    """Say it where a file is no text, or of another encoding."""
    packed = packed_as(head)
    if packed is not None:
        raise VocabularyError(path, f"is packed ({packed}); unpack it and give the file inside.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise VocabularyError(path, "is UTF-16 or UTF-32 text; save it as UTF-8.")
    if b"\0" in head:
        raise VocabularyError(path, f"is no text (it holds NUL bytes); give {_ACCEPTED}.")


def _of_json(value: Any, path: Path) -> Vocabulary:
    if isinstance(value, str):  # what to_json() returned, written as JSON once more
        with suppress(ValueError, RecursionError):
            value = parse_json(value, path.name)
    if isinstance(value, dict) and isinstance(value.get("model"), dict):
        return tokenizer.of_json(value, path)
    return of_value(value, path.name, path)


def _refuse_json_lines(text: str, path: Path) -> None:
    """Refuse lines that are each a JSON object or list: none of them is a word."""
    first, _, rest = text.strip().partition("\n")
    try:
        lines = bool(rest) and isinstance(json.loads(first), dict | list)
    except (ValueError, RecursionError):
        return
    if lines and rest.lstrip()[:1] == first[:1]:
        raise VocabularyError(
            path, "holds JSON in each line; give a list of words, or one plain word per line."
        )


def _refuse_marks_of_lists(lines: list[str], path: Path) -> None:
    """Refuse lines that are all marked as those of a list, in YAML or Markdown."""
    if len(lines) > 1 and any(all(map(mark.fullmatch, lines)) for mark in _MARKS):
        raise VocabularyError(
            path,
            f"its lines look like those of a list or a map ({quote(lines[0])}), whose marks would "
            "be taken for parts of the words; write one plain word per line, or, if it is YAML, "
            "give it a name that ends in .yaml.",
        )


def _parse_yaml(text: str, path: Path) -> Any:
    """Read YAML as text alone, so that the words yes, null and 1.0 stay words."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingExtraError(f"reading {path.name}", "PyYAML", "yaml") from None
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        value = yaml.load(text, loader)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise VocabularyError(path, f"is not valid YAML ({reason}).") from None
    if isinstance(value, dict):
        texts = [row for row in value.values() if isinstance(row, str)]
        if len(texts) == len(value) and all(row.isascii() and row.isdigit() for row in texts):
            return {word: int(row[:19]) for word, row in value.items()}
    return value


def find_vocabulary(path: Path) -> Vocabulary | None:
    """Read the vocabulary beside a file; None where there is none. See `ENDINGS`, `FALLBACKS`."""
    folder = path if path.is_dir() else path.parent
    stems = [path.stem]
    if path.suffix.lower() in _PACKED:
        stems.append(Path(path.stem).stem)  # X.vocab.txt beside X.txt.gz
    names = [stem + ending for stem in stems for ending in ENDINGS] + list(FALLBACKS)
    for name in names:
        if (folder / name).is_file() and name != path.name:
            return read_vocabulary(folder / name)
    return None
