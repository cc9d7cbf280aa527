"""The vocabulary of a tokenizer: ``tokenizer.json`` or a sentencepiece model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from driftkit.errors import MissingExtraError, VocabularyError
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Problem

MOST_ROWS = 1 << 27  # no vocabulary is larger; a number past it is damage, and takes no memory


def of_json(value: dict[str, Any], path: Path) -> Vocabulary:
    """Return the tokens of a ``tokenizer.json`` in the order of their numbers, added ones too."""
    model = value["model"].get("vocab")
    rows: dict[str, int] = {}
    if isinstance(model, dict):
        rows.update(model)
    elif isinstance(model, list) and all(isinstance(entry, list) and entry for entry in model):
        rows.update({entry[0]: row for row, entry in enumerate(model)})
    else:
        raise VocabularyError(path, "has no model.vocab, so it is not a tokenizer's vocabulary.")
    for token in value.get("added_tokens") or ():
        if isinstance(token, dict) and {"content", "id"} <= token.keys():
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
            raise VocabularyError(path, f"gives {word!r} the number {row!r}, which is not a row.")
        if row in by_row:
            raise VocabularyError(
                path, f"gives {by_row[row]!r} and {word!r} the same number {row:,}."
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
