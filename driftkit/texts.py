"""Texts that stand beside ids, where the names of rows say little to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftkit.arguments import shown
from driftkit.display import counted
from driftkit.errors import OptionError
from driftkit.pair import Pair


def texts_of(pair: Pair, given: Any) -> dict[str, str]:
    """Return the texts of the names of a pair, given as a mapping from id to text.

    Whole numbers are ids too. Ids that neither table has are left out.

    Raises
    ------
    OptionError
        If `given` is no such mapping, or has no id that one of the tables has.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> table = Embeddings([17, 18], [[1.0, 0.0], [0.0, 1.0]])
    >>> texts_of(align(table, table), {17: "green tea", 20: "coffee"})
    {'17': 'green tea'}
    """
    if not isinstance(given, Mapping):
        raise OptionError(f"texts={shown(given)} was given; give a mapping from id to text.")
    known: dict[str, str] = {}
    for one, text in given.items():
        is_id = isinstance(one, str | int) and not isinstance(one, bool)
        if not (is_id and isinstance(text, str)):
            said = f"{shown(one)}: {shown(text)}"
            raise OptionError(f"texts holds {said}; give texts by ids, both strings.")
        if str(one) in pair.original or str(one) in pair.tuned:
            known[str(one)] = text
    if given and not known:
        ids = f"{counted(len(given), 'id')}, such as {shown(next(iter(given)))}"
        raise OptionError(
            f"texts has {ids}, and none is a name of the tables, such as {shown(pair.words[0])}; "
            "give texts by the names of the rows."
        )
    return known
