"""The items of a benchmark that a list of words can answer.

One policy for every evaluator of how a benchmark's words are found: WS-353 writes 18 rows with
capitals, which a lower-cased vocabulary such as GloVe's lacks; accents can be encoded in two ways;
and phrases are written with a space, an underscore or a hyphen.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, get_args

import numpy as np

from driftkit.arrays import Mask, Rows
from driftkit.display import counted

Case = Literal["exact-then-folded", "exact", "fold"]
"""How a benchmark's word is looked up.

``exact-then-folded``: as written, then in lower case. ``exact``: as written only. ``fold``: any
spelling that is the same in upper case, the first row winning, which is gensim's rule.
"""

CASES = get_args(Case)

Normalize = Literal["none", "NFC", "NFD", "NFKC"]
"""The Unicode form in which words are compared.

``none``: as they are. ``NFC`` or ``NFD``: an accent counts the same whether it is a part of its
letter or follows it. ``NFKC``: full-width letters and ligatures count as plain ones, too.
"""

NORMALIZATIONS = get_args(Normalize)


class Spelling(TypedDict, total=False):
    """How else words are found; the options that every evaluator takes besides `case`.

    ``normalize`` is a Unicode form. ``phrase_separator`` is the character that the table writes
    between the words of a phrase: a benchmark's ``new york``, ``new_york`` or ``new-york`` that is
    not found as written is then looked up with it.
    """

    normalize: Normalize
    phrase_separator: str | None


Find = Callable[[str], int]
"""From a word to its row, -1 for a word that is out of vocabulary."""

PHRASE = re.compile(r"(?<=\w)[ _-](?=\w)")
"""What stands between the words of a phrase."""


def lookup(
    index: Mapping[str, int],
    case: Case = "exact-then-folded",
    *,
    normalize: Normalize = "none",
    phrase_separator: str | None = None,
) -> Find:
    """Return the function from a word to its row in `index`.

    Where several rows are one word, since case is folded or spellings are normalized, the first
    row wins.

    >>> [lookup({"Tea": 0}, case)("tea") for case in ("exact-then-folded", "exact", "fold")]
    [-1, -1, 0]
    >>> lookup({"new_york": 0}, phrase_separator="_")("New York")
    0
    >>> lookup({"cafe\u0301": 0}, normalize="NFC")("caf\u00e9")
    0
    """
    if case == "exact" and normalize == "none" and phrase_separator is None:
        return lambda word: index.get(word, -1)
    key = _key(case, normalize)
    rows: Mapping[str, int] = index
    if key is not None:
        first: dict[str, int] = {}
        for word, row in index.items():
            same = key(word)
            first[same] = min(row, first.get(same, row))
        rows = first

    def spellings(word: str) -> Iterator[str]:
        yield word
        if case == "exact-then-folded":
            yield word.lower()
        if phrase_separator is not None and PHRASE.search(word):
            phrase = PHRASE.sub(lambda _: phrase_separator, word)
            yield phrase
            if case == "exact-then-folded":
                yield phrase.lower()

    def find(word: str) -> int:
        for spelling in spellings(word):
            row = rows.get(spelling if key is None else key(spelling), -1)
            if row >= 0:
                return row
        return -1

    return find


def _key(case: Case, normalize: Normalize) -> Callable[[str], str] | None:
    """Return what two spellings of one word have in common; None if they must be the same."""
    if normalize == "none":
        return str.upper if case == "fold" else None
    form = normalize
    if case == "fold":
        return lambda word: unicodedata.normalize(form, word).upper()
    return lambda word: word if word.isascii() else unicodedata.normalize(form, word)


def in_several_rows(
    words: Iterable[str], index: Mapping[str, int], case: Case, normalize: Normalize = "none"
) -> list[str]:
    """Return those of the words that more than one row of `index` spells.

    >>> in_several_rows(["paris", "rome"], {"paris": 0, "Paris": 1, "rome": 2}, "fold")
    ['paris']
    """
    key = _key(case, normalize)
    if key is None:
        return []
    wanted = {word: key(word) for word in words}
    asked = set(wanted.values())
    counts = Counter(same for same in map(key, index) if same in asked)
    return [word for word, same in wanted.items() if counts[same] > 1]


def first_rows(index: Mapping[str, int], limit: int | None) -> Mapping[str, int]:
    """Return the words of the first `limit` rows; all of them without a limit."""
    if limit is None:
        return index
    return {word: row for word, row in index.items() if row < limit}


@dataclass(frozen=True, slots=True)
class Items:
    """Where the words of a benchmark's m items are.

    `rows` (m, w) has -1 for a word that is out of vocabulary, `usable` (m,) tells whose words all
    have a row with a direction. `oov` and `zero` are the distinct words without a row, or with a
    row of zero, as written. `why` tells why no item can be answered, unless only words are missing.
    """

    rows: Rows
    usable: Mask
    oov: tuple[str, ...]
    zero: tuple[str, ...]
    why: str = ""

    @property
    def n_total(self) -> int:
        """Number of items asked."""
        return len(self.usable)

    @property
    def n_used(self) -> int:
        """Number of items answered."""
        return int(self.usable.sum())

    @property
    def reason(self) -> str | None:
        """Why no item can be answered; None if some can."""
        if self.usable.any():
            return None
        if self.why:
            return self.why
        absent = counted(len(self.oov), "word is", "words are")
        zero = f" and {counted(len(self.zero), 'has', 'have')} a zero row" if self.zero else ""
        return f"no item can be answered: {absent} out of vocabulary{zero}"


@dataclass(frozen=True, slots=True)
class ItemsLost:
    """Items that the original could answer and the tuned table cannot, and why.

    `count` is how many; `removed` and `zeroed` are the words of the benchmark that only the
    original has, and those whose row became zero.
    """

    count: int = 0
    removed: tuple[str, ...] = ()
    zeroed: tuple[str, ...] = ()

    def __str__(self) -> str:
        kinds = ((self.removed, "removed"), (self.zeroed, "zeroed"))
        why = [f"{counted(len(words), 'word')} {kind}" for words, kind in kinds if words]
        return f"{counted(self.count, 'item')} left the set ({', '.join(why)})"


def find_items(
    items: Sequence[tuple[str, ...]], index: Mapping[str, int] | Find, is_zero: Mask
) -> Items:
    """Look up the words of every item.

    Parameters
    ----------
    items : sequence of tuple of str
        The m items, w words each.
    index : mapping of str to int, or callable
        Word to row; or what `lookup` returns.
    is_zero : ndarray of bool, shape (n,)
        Rows that are zero: ``table.norms == 0``, or ``pair.zero``.

    Examples
    --------
    >>> index = {"paris": 0, "tea": 1}
    >>> found = find_items([("Paris", "tea"), ("tea", "?")], index, np.zeros(2, bool))
    >>> found.rows.tolist(), found.usable.tolist(), found.oov
    ([[0, 1], [1, -1]], [True, False], ('?',))
    """
    distinct = dict.fromkeys(word for item in items for word in item)
    find = lookup(index) if isinstance(index, Mapping) else index
    place = {word: find(word) for word in distinct}
    rows = np.array([[place[word] for word in item] for item in items], np.int64)
    zero = {word for word, row in place.items() if row >= 0 and is_zero[row]}
    usable: Mask = np.logical_and.reduce((rows >= 0) & ~is_zero[rows], axis=1)
    return Items(
        rows,
        usable,
        tuple(word for word, row in place.items() if row < 0),
        tuple(word for word in distinct if word in zero),
    )


def find_groups(groups: Sequence[Sequence[str]], find: Find, is_zero: Mask) -> Items:
    """Look up items of any number of words; -1 for words that cannot be used, and as padding."""
    distinct = dict.fromkeys(word for group in groups for word in group)
    each = find_items([(word,) for word in distinct], find, is_zero)
    rows = np.where(each.usable, each.rows.reshape(-1), -1)
    place = dict(zip(distinct, rows.tolist(), strict=True))
    padded = np.full((len(groups), max(map(len, groups), default=0)), -1, np.int64)
    for at, group in enumerate(groups):
        padded[at, : len(group)] = [place[word] for word in group]
    usable = np.array([min(map(place.__getitem__, group)) >= 0 for group in groups], bool)
    return replace(each, rows=padded, usable=usable)
