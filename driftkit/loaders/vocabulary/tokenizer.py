"""The vocabulary of a tokenizer: ``tokenizer.json``, a sentencepiece model, a tiktoken file."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from driftkit.errors import MissingExtraError, VocabularyError
from driftkit.loaders.quote import quote
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Problem

MOST_ROWS = 1 << 27  # no vocabulary is larger; a number past it is damage, and takes no memory

_TIKTOKEN = re.compile(  # what no word looks like: base64 that ends in =
    rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=) 0\r?\n"
)


def of_json(value: dict[str, Any], path: Path) -> Vocabulary:
    """Return the tokens of a ``tokenizer.json`` in the order of their numbers, added ones too."""
    model = value["model"].get("vocab")
    rows: dict[str, int] = {}
    if isinstance(model, dict):
        rows.update(model)
    elif isinstance(model, list) and all(
        isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in model
    ):
        rows.update({entry[0]: row for row, entry in enumerate(model)})
    else:
        raise VocabularyError(path, "has no model.vocab, so it is not a tokenizer's vocabulary.")
    added = value.get("added_tokens")
    for token in added if isinstance(added, list) else ():
        named = isinstance(token, dict) and {"content", "id"} <= token.keys()
        if named and isinstance(token["content"], str):
            rows[token["content"]] = token["id"]
    words, problems = fill(rows, path)
    return Vocabulary(words, path.name, path, True, problems)


def fill(rows: dict[str, Any], path: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return tokens in row order, with a name such as ``<row 17>`` where a row has none."""
    if not rows:
        raise VocabularyError(path, "holds no tokens.")
    by_row: dict[int, str] = {}
    for word, row in rows.items():
        if not isinstance(word, str) or type(row) is not int or not 0 <= row < MOST_ROWS:
            raise VocabularyError(
                path, f"gives {quote(word)} the number {quote(row)}, which is not a row."
            )
        if row in by_row:
            raise VocabularyError(
                path, f"gives {quote(by_row[row])} and {quote(word)} the same number {row:,}."
            )
        by_row[row] = word
    n = max(by_row) + 1
    holes = n - len(by_row)
    if holes > 10 * len(by_row) + 1000:
        raise VocabularyError(
            path, f"numbers its {len(by_row):,} tokens up to {n - 1:,}; the file is damaged."
        )
    words = tuple(by_row.get(row) or f"<row {row}>" for row in range(n))
    if not holes:
        return words, ()
    first = next(row for row in range(n) if row not in by_row)
    detail = f"{holes:,} rows have no token: <row {first}>"
    return words, (Problem("row without a word", first, detail),)


def looks_like_sentencepiece(head: bytes) -> bool:
    """Whether a file that starts so is a sentencepiece model: its first piece and a score."""
    # Field 1 (a piece) of some length, in it field 1 (its text) of some length, field 2 (a float).
    if len(head) < 16 or head[0] != 0x0A or head[2] != 0x0A:
        return False
    score = 4 + head[3]
    return head[1] >= head[3] + 2 and head[score : score + 1] == b"\x15"


def read_sentencepiece(path: Path) -> tuple[str, ...]:
    """Return the pieces of a sentencepiece model in the order of their numbers."""
    try:
        from sentencepiece import SentencePieceProcessor
    except ModuleNotFoundError:
        raise MissingExtraError(f"reading {path.name}", "sentencepiece", "subwords") from None
    model = SentencePieceProcessor()
    try:
        model.LoadFromFile(str(path))
        return tuple(model.IdToPiece(row) for row in range(model.GetPieceSize()))
    except (RuntimeError, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise VocabularyError(path, f"is a damaged sentencepiece model ({reason}).") from None


def looks_like_tiktoken(head: bytes) -> bool:
    """Whether a file that starts so lists tokens in base64, each with its rank."""
    return _TIKTOKEN.match(head) is not None


def read_tiktoken(path: Path) -> Vocabulary:
    """Return the tokens of a ``.tiktoken`` file as text; bytes that are no text are escaped."""
    rows: dict[str, Any] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        token, _, rank = line.strip().rpartition(b" ")
        if not line.strip():
            continue
        try:
            word = b64decode(token, validate=True).decode(errors="backslashreplace")
            row = int(rank) if len(rank) < 19 else -1
        except (binascii.Error, ValueError):
            raise VocabularyError(
                path, f"line {number:,} is no token in base64 with its rank ({quote(line)})."
            ) from None
        if word in rows:  # a token spelled like the escape of another
            word = f"<row {row}>"
        rows[word] = row
    words, problems = fill(rows, path)
    return Vocabulary(words, path.name, path, True, problems)
