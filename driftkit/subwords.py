"""Whole words from word pieces: what a table of pieces says about words it has no row for.

Tokenizers mark pieces in three ways: WordPiece writes ``##ing`` for a piece inside a word,
byte-level BPE writes ``Ġthe`` and sentencepiece ``▁the`` for one that begins it. A word with a row
of its own keeps it; any other gets the mean of its pieces, the common way to score such tables on
word benchmarks (Bommasani et al. 2020, "Interpreting Pretrained Contextualized Representations").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError
from driftkit.provenance import Problem

Style = Literal["wordpiece", "byte-level", "sentencepiece"]
Cut = Callable[[str], list[int] | None]

_UNKNOWN = frozenset({"[UNK]", "<unk>"})

_SPECIAL = re.compile(r"\[[A-Za-z]+\d*\]|</?[A-Za-z][A-Za-z_]*\d*>|<\|\w+\|>")

LONGEST = 100  # letters of a word that is composed; BERT's own tokenizer gives up there too
MARKED_SHARE = 0.02  # share of marked tokens from which a table counts as one of pieces


@dataclass(frozen=True, slots=True)
class Composed:
    """A table of whole words made from a table of pieces."""

    table: Embeddings  # words with a row of their own, without their marks, then composed ones
    style: Style  # how pieces are marked
    asked: int  # distinct words asked for
    composed: tuple[str, ...] = field(repr=False)  # those that are means of two or more pieces
    missing: tuple[str, ...] = field(repr=False)  # those that no pieces make
    exact: bool  # cut as the model cuts them, not only by taking the longest piece first

    @property
    def share(self) -> float:
        """Share of the words asked for that are composed."""
        return len(self.composed) / self.asked if self.asked else 0.0

    def __str__(self) -> str:
        how = "its own tokenizer" if self.exact else "the longest piece first"
        return (
            f"{self.share:.1%} of {self.asked:,} words ({len(self.composed):,}) are means of two "
            f"or more {self.style} pieces, cut by {how}; {len(self.missing):,} cannot be made"
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "source": self.table.source.name,
            "style": self.style,
            "asked": self.asked,
            "composed": len(self.composed),
            "share": self.share,
            "missing": list(self.missing),
            "exact": self.exact,
        }


def is_special(token: str) -> bool:
    """Tell whether a token stands for no text: padding, a mask, the end of a sentence and such.

    Examples
    --------
    >>> [is_special(token) for token in ("[PAD]", "<unk>", "<|endoftext|>", "</s>", "[unused12]")]
    [True, True, True, True, True]
    >>> [is_special(token) for token in ("pad", "<3", "<", "[", "<->")]
    [False, False, False, False, False]
    """
    return token[:1] in ("[", "<") and _SPECIAL.fullmatch(token) is not None


def style_of(words: Sequence[str]) -> Style | None:
    """Tell how the pieces of a vocabulary are marked; None for a table of whole words.

    Examples
    --------
    >>> style_of(["[PAD]", "the", "play", "##ing"])
    'wordpiece'
    >>> style_of(["the", "playing"]) is None
    True
    """
    least = max(MARKED_SHARE * len(words), 1)
    counts: dict[Style, int] = {
        "wordpiece": sum(word.startswith("##") and len(word) > 2 for word in words),
        "byte-level": sum(word.startswith("Ġ") for word in words),
        "sentencepiece": sum(word.startswith("▁") for word in words),
    }
    style = max(counts, key=counts.__getitem__)
    return style if counts[style] >= least else None


def compose(table: Embeddings, words: Iterable[str]) -> Composed:
    """Return a table of whole words, made from a table of marked pieces.

    A word that cannot be made as it is written is tried in lower case.

    Examples
    --------
    >>> pieces = Embeddings(["play", "##ing", "the"], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> made = compose(pieces, ["playing", "the", "zoo"])
    >>> made.table["playing"].tolist(), made.composed, made.missing
    ([0.5, 0.5], ('playing',), ('zoo',))
    """
    style = style_of(table.words)
    if style is None:
        raise OptionError(
            f"{table.source.name}: has no word pieces (such as ##ing, Ġthe or ▁the) to compose; "
            "leave --compose out."
        )
    whole = _whole_words(table, style)
    cut, exact = _cutter(table, style)
    wanted = list(dict.fromkeys(words))
    composed: dict[str, list[int]] = {}
    missing: list[str] = []
    for word in wanted:
        if word in whole or word in composed:
            continue
        forms = dict.fromkeys((word, word.lower()))
        found = next(((form, rows) for form in forms if (rows := cut(form))), None)
        if word.lower() in whole or (found and found[0] in composed):
            continue
        if found is None:
            missing.append(word)
        elif len(found[1]) == 1:
            whole[found[0]] = found[1][0]
        else:
            composed[found[0]] = found[1]
    kept = np.fromiter(whole.values(), np.int64, len(whole))
    means = np.empty((len(composed), table.dimensions), np.float32)
    for at, pieces in enumerate(composed.values()):
        means[at] = table.matrix[pieces].mean(axis=0, dtype=np.float64)
    result = Composed(table, style, len(wanted), tuple(composed), tuple(missing), exact)
    made = Embeddings(
        [*whole, *composed],
        np.concatenate([table.matrix[kept], means]),
        source=table.source,
        problems=[*table.problems, Problem("composed", None, str(result))],
    )
    return replace(result, table=made)


def _whole_words(table: Embeddings, style: Style) -> dict[str, int]:
    """Words that have a row of their own, without their marks, and their rows."""
    found: dict[str, int] = {}
    for row, token in enumerate(table.words):
        if style == "wordpiece":
            word = None if token.startswith("##") and len(token) > 2 else token
        elif style == "sentencepiece":
            word = token[1:] if token.startswith("▁") else None
        else:
            word = _decode(token[1:]) if token.startswith("Ġ") else None
        if word:
            found.setdefault(word, row)
    return found


def _cutter(table: Embeddings, style: Style) -> tuple[Cut, bool]:
    """Return the function that cuts a word into rows, and whether it cuts as the model does."""
    tokenizer = _tokenizer_beside(table.source.path)
    index = table.index
    space = " " if style == "byte-level" else ""

    def as_the_model(word: str) -> list[int] | None:
        tokens = tokenizer.encode(space + word, add_special_tokens=False).tokens
        rows = [index[token] for token in tokens if token in index and token not in _UNKNOWN]
        return rows if len(rows) == len(tokens) else None

    def longest_first(word: str) -> list[int] | None:
        if style == "wordpiece":
            return _longest_first(word, index, later="##")
        marked = "▁" + word if style == "sentencepiece" else "Ġ" + _encode(word)
        return _longest_first(marked, index)

    cut = longest_first if tokenizer is None else as_the_model
    exact = tokenizer is not None or style == "wordpiece"  # longest first is WordPiece's own rule
    return lambda word: cut(word) if 0 < len(word) <= LONGEST else None, exact


def _longest_first(text: str, index: dict[str, int], later: str = "") -> list[int] | None:
    """Rows of the longest pieces from left to right; `later` marks those after the first."""
    rows: list[int] = []
    start = 0
    while start < len(text):
        mark = later if start else ""
        ends = range(len(text), start, -1)
        end = next((end for end in ends if mark + text[start:end] in index), None)
        if end is None:
            return None
        rows.append(index[mark + text[start:end]])
        start = end
    return rows


def _tokenizer_beside(path: Path | None) -> Any:
    """The tokenizer.json that lies with a table, if the tokenizers library can open it."""
    file = None if path is None else (path if path.is_dir() else path.parent) / "tokenizer.json"
    if file is None or not file.is_file():
        return None
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(file))
    except Exception:  # not installed, or the bare Exception it raises for a file it cannot use
        return None
    tokenizer.no_padding()  # a file may ask for 128 tokens, whatever the word
    tokenizer.no_truncation()
    return tokenizer


def _byte_letters() -> dict[int, str]:
    """GPT-2's printable letter for each byte (Radford et al. 2019)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    rest = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + at) for at, byte in enumerate(rest)}


_LETTERS = _byte_letters()
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}


def _encode(word: str) -> str:
    return "".join(_LETTERS[byte] for byte in word.encode())


def _decode(token: str) -> str | None:
    try:
        return bytes(_BYTES[letter] for letter in token).decode()
    except (KeyError, UnicodeDecodeError):
        return None
