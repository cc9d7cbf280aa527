"""The items of a benchmark that a list of words can answer.

One case policy for every evaluator, ``exact-then-folded`` unless asked otherwise: a word as it is
written, else its lower-case form. WS-353 writes 18 rows with capitals, which a lower-cased
vocabulary such as GloVe's lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from driftkit.errors import UnknownNameError
from driftkit.pair import Pair

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

Case = Literal["exact-then-folded", "exact", "fold"]
"""How a benchmark's word is looked up.

``exact-then-folded``: as written, then in lower case. ``exact``: as written only. ``fold``: any
spelling that is the same in upper case, the first row winning, which is gensim's rule.
"""


def check_case(case: str) -> None:
    """Raise `UnknownNameError` for a case policy that there is not."""
    if case not in get_args(Case):
        raise UnknownNameError("case policy", case, get_args(Case))


def lookup(index: Mapping[str, int], case: Case = "exact-then-folded") -> Callable[[str], int]:
    """Return the function from a word to its row, -1 for a word that is out of vocabulary.

    Parameters
    ----------
    index : mapping of str to int
        Word to row.
    case : Case

    Examples
    --------
    >>> [lookup({"Tea": 0}, case)("tea") for case in ("exact-then-folded", "exact", "fold")]
    [-1, -1, 0]
    """
    if case == "exact":
        return lambda word: index.get(word, -1)
    if case == "exact-then-folded":
        return lambda word: index.get(word, index.get(word.lower(), -1))
    folded: dict[str, int] = {}
    for word, row in index.items():
        key = word.upper()
        folded[key] = min(row, folded.get(key, row))
    return lambda word: folded.get(word.upper(), -1)


@dataclass(frozen=True, slots=True)
class Items:
    """Where the words of a benchmark's items are.

    Parameters
    ----------
    rows : ndarray of int64, shape (m, w)
        Row of each word of each item; -1 for a word that is out of vocabulary (OOV).
    usable : ndarray of bool, shape (m,)
        Items whose words all have a row with a direction.
    oov : tuple of str
        Distinct words without a row, as written, in the order of the benchmark.
    zero : tuple of str
        Distinct words whose row is zero: they have no direction, so no cosine.
    """

    rows: Rows
    usable: Mask
    oov: tuple[str, ...]
    zero: tuple[str, ...]

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
        missing = f"{len(self.oov)} words are out of vocabulary"
        return f"no item can be answered: {missing}" + (
            f" and {len(self.zero)} have a zero row" if self.zero else ""
        )


def find_items(
    items: Sequence[tuple[str, ...]],
    index: Mapping[str, int] | Callable[[str], int],
    is_zero: Mask,
) -> Items:
    """Look up the words of every item.

    Parameters
    ----------
    items : sequence of tuple of str
        The m items, w words each.
    index : mapping of str to int, or callable
        Word to row; or what `lookup` gives.
    is_zero : ndarray of bool, shape (n,)
        Rows that are zero.

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


def rarest(pair: Pair, rows: Rows) -> Rows:
    """Rank, from 0 in the original table, of the rarest word of each item.

    Parameters
    ----------
    pair : Pair
    rows : ndarray of int64, shape (m, w)
        Positions among the shared words; -1 for a place that is empty.
    """
    places = np.where(rows >= 0, pair.original_rows[rows], -1)
    found: Rows = places.max(axis=1, initial=-1)
    return found
