"""Vocabularies as values: lists and maps of JSON, YAML or a pickle.

And what libraries wrap them in: ``{"itos": [...]}``, ``{"word_index": {...}}``, Keras's
``Tokenizer.to_json()``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from driftkit.errors import VocabularyError
from driftkit.loaders.quote import quote, quote_some
from driftkit.loaders.vocabulary.columns import ROW_NAMES, WORD_NAMES, numbered
from driftkit.loaders.vocabulary.words import Vocabulary, is_digits, of_map

WRAPPERS = (
    "itos", "index_to_key", "idx_to_token", "index_to_token", "index_to_word", "idx2word",
    "id2word", "id_to_word", "id_to_token", "index2word", "index_word",
    "stoi", "key_to_index", "token_to_idx", "token_to_index", "token_to_id", "word_index",
    "word_to_index", "word2index", "word2idx", "word2id", "word_to_id",
    "words", "tokens", "vocab", "vocabulary",
)  # fmt: skip
"""Names under which libraries keep their words, in lists or maps."""

_DEEPEST = 4  # wrappers inside wrappers


def of_json(text: str, where: str, path: Path | None = None) -> Vocabulary:
    """Return the words of a JSON text; a ValueError or RecursionError where it is not JSON."""
    return of_value(parse_json(text, where), where, path)


def parse_json(text: str, where: str) -> Any:
    """Parse JSON in which no word may come twice: the second would take the first one's row."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise VocabularyError(where, f"names {quote(twice)} twice; a word has one row.")

    return json.loads(text, object_pairs_hook=unique)


def of_value(value: Any, where: str, path: Path | None = None, depth: int = 0) -> Vocabulary:
    """Return the words of a list or map, in whatever it is wrapped."""
    if isinstance(value, list | tuple) and value:
        return _of_list(value, where, path)
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        inside = _unwrapped(value, where)
        if inside:
            found = [of_value(each, where, path, depth + 1) for each in inside.values()]
            first = found[0]
            if any(other.words != first.words for other in found):
                names = " and ".join(map(quote, inside))
                raise VocabularyError(where, f"lists other words under {names}; keep one of them.")
            return first
        return _of_map(value, where, path)
    raise VocabularyError(
        where, "must be a list of words, or a map from word to row, with at least one word."
    )


def _unwrapped(value: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """What stands under the names that libraries use; a map may well have such words itself."""
    config = value.get("config")
    if isinstance(config, Mapping):
        value = config
    found = {}
    for name in WRAPPERS:
        inside = value.get(name)
        if isinstance(inside, str) and inside[:1] in ("{", "["):  # Keras writes JSON inside JSON
            try:
                inside = parse_json(inside, where)
            except ValueError:
                continue
        if isinstance(inside, list | tuple | Mapping) and inside:
            found[name] = inside
    return found


def _of_list(value: list[Any] | tuple[Any, ...], where: str, path: Path | None) -> Vocabulary:
    if all(isinstance(word, str) for word in value):
        return Vocabulary(tuple(value), where, path)
    if all(type(word) is int for word in value):  # years, or ids; which `doubts` notes
        return Vocabulary(tuple(map(str, value)), where, path)
    if all(isinstance(entry, Mapping) for entry in value):
        return _of_records(value, where, path)
    pairs = all(isinstance(entry, list | tuple) and len(entry) == 2 for entry in value)
    for word, number in ((0, 1), (1, 0)) if pairs else ():
        if all(isinstance(e[word], str) and type(e[number]) in (int, float) for e in value):
            words = tuple(entry[word] for entry in value)
            numbers = [entry[number] for entry in value]
            if not all(type(each) is int for each in numbers):
                return Vocabulary(words, where, path)  # scores, as in a unigram model
            return numbered(words, numbers, where, path)
    stranger = next(entry for entry in value if not isinstance(entry, str))
    raise VocabularyError(
        where,
        f"must be a list of words, and holds {quote(stranger)}; give one string for each row, or a "
        "map from word to row.",
    )


def _of_records(records: list[Any] | tuple[Any, ...], where: str, path: Path | None) -> Vocabulary:
    """Words of records such as ``{"id": 0, "word": "good"}``."""
    texts, numbers = (
        {
            name
            for name in records[0]
            if all(isinstance(r.get(name), kind) and type(r[name]) is not bool for r in records)
        }
        for kind in (str, int)
    )
    by_name = [name for known in WORD_NAMES for name in texts if str(name).lower() == known]
    words = by_name[:1] or list(texts)
    rows = [name for known in ROW_NAMES for name in numbers if str(name).lower() == known]
    if len(words) != 1 or len(rows) > 1:
        names = quote_some(list(map(str, records[0])))
        raise VocabularyError(
            where,
            f"must be a list of words, and holds records ({names}) in which "
            "the word, or its row, cannot be told; give a list of words, or a map from "
            "word to row.",
        )
    found = tuple(record[words[0]] for record in records)
    if not rows:
        return Vocabulary(found, where, path)
    return numbered(found, [record[rows[0]] for record in records], where, path)


def _of_map(value: Mapping[Any, Any], where: str, path: Path | None) -> Vocabulary:
    """Words of a map from word to row, or from row to word."""
    rows_first = all(type(row) is int or is_digits(row) for row in value)
    if rows_first and all(isinstance(word, str) for word in value.values()):
        rows = sorted((int(row), word) for row, word in value.items())
        # The rows alone are looked at, so that words that come twice stay apart.
        found = of_map({str(row): row for row, _ in rows}, where, path)
        kept = found.words[: len(found) - len(rows)]  # <row 0>, if the rows start at 1
        return replace(found, words=(*kept, *(word for _, word in rows)))
    stranger = next((word for word in value if not isinstance(word, str)), None)
    if stranger is not None:
        raise VocabularyError(where, f"holds {quote(stranger)}, which is not a string.")
    if all(map(is_digits, value.values())):
        value = {word: int(row) for word, row in value.items()}
    return of_map(value, where, path)
