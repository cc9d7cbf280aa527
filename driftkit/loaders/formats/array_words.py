"""Words kept as an array beside the tables of the same file, as ``.npz`` and HDF5 can hold them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from driftkit.errors import UnsafePickleError
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.find import find_vocabulary
from driftkit.loaders.vocabulary.words import Vocabulary

_WORDS = frozenset({
    "words", "vocab", "vocabulary", "tokens", "index_to_key", "index_to_word", "itos",
    "idx_to_token", "idx2word", "id2word",
})  # fmt: skip
_IDS = frozenset({"ids", "id", "items", "item_ids", "labels", "names", "keys", "titles", "index"})

Kind = Literal["text", "whole numbers", "objects"]


@dataclass(frozen=True, slots=True)
class WordArray:
    """An array of one dimension that may hold the words of a table's rows, not read yet."""

    key: str
    length: int
    kind: Kind
    read: Callable[[], Sequence[str]]

    @property
    def name(self) -> str:
        """Its name without the groups it lies in."""
        return self.key.rpartition("/")[2].lower()


def kind_of(dtype: np.dtype[Any]) -> Kind | None:
    """Return what an array of this type could name rows with; None if with nothing."""
    if dtype.hasobject:
        return "objects"
    if dtype.kind in "US":
        return "text"
    return "whole numbers" if dtype.kind in "iu" else None


def words_among(
    request: Request, arrays: Iterable[WordArray], rows: Collection[int]
) -> Vocabulary | None:
    """Return the words of the tables with these numbers of rows, unless the caller names others.

    An array of text counts where it has a word for each row, and no word twice unless its name
    says that it holds words. Whole numbers count as names only where they are named so.
    """
    if request.vocab is not None:
        return None
    arrays = list(arrays)
    texts = [array for array in arrays if array.kind == "text"]
    fitting = [array for array in texts if array.length in rows]
    fitting = fitting or [array for array in texts if array.name in _WORDS]
    found = _told_apart(request, fitting)
    if found is None:
        numbers = [array for array in arrays if array.kind == "whole numbers"]
        found = _told_apart(request, [a for a in numbers if a.name in _IDS and a.length in rows])
    if found is None:
        _refuse_objects(request, arrays, rows)
    return found


def _told_apart(request: Request, arrays: Sequence[WordArray]) -> Vocabulary | None:
    """Return the words of the only array that can name rows."""
    held: dict[tuple[str, ...], WordArray] = {}
    for array in arrays:
        words = tuple(array.read())
        if array.name in _WORDS or len(set(words)) == len(words):
            held.setdefault(words, array)
    if len(held) > 1:
        shown = " and ".join(
            f"{array.key} ({words[0]!r}, ...)" for words, array in list(held.items())[:2]
        )
        raise request.error(
            f"holds {len(held)} arrays that may be the words of its rows: {shown}. Save the right "
            "one as a file of one word per line and name it (--vocab FILE, vocab=)."
        )
    for words, array in held.items():
        return Vocabulary(words, f"{array.key} inside the file")
    return None


def _refuse_objects(request: Request, arrays: Sequence[WordArray], rows: Collection[int]) -> None:
    objects = [array for array in arrays if array.kind == "objects"]
    objects = [array for array in objects if array.name in _WORDS or array.length in rows]
    if objects and find_vocabulary(request.path) is None:
        raise UnsafePickleError(
            request.name,
            f"keeps its words in {objects[0].key}, an array of Python objects, which is a pickle "
            "and is never opened; give the words in a file (--vocab FILE, vocab=), or save them as "
            "text: np.array(words, str).",
        )
