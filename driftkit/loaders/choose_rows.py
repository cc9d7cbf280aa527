"""Reading only some rows: the first N, those of some words, or both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from driftkit.errors import OptionError, SourceError
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request

Rows = slice | npt.NDArray[np.int64]
"""Rows to read: a slice, or their numbers."""


def check_selection(limit: int | None, words: Sequence[str] | None) -> None:
    """Check what the caller asks for.

    Raises
    ------
    OptionError
        If the limit is below 1 or there are no words.
    """
    if limit is not None and limit < 1:
        raise OptionError(f"limit={limit}: must be at least 1, the number of rows to read.")
    if words is not None and (isinstance(words, str) or not words):
        raise OptionError("words: give a list of at least one word, or leave it out to read all.")


def select(
    request: Request, words: Sequence[str], problems: Problems
) -> tuple[Rows, tuple[str, ...]]:
    """Rows of a table with these words that a request asks for, in the table's order.

    Parameters
    ----------
    request : Request
    words : sequence of str
        The word of each row.
    problems : Problems
        Takes the words asked for that are not among them.

    Returns
    -------
    slice or ndarray of int64, tuple of str
        The rows, and their words.

    Raises
    ------
    SourceError
        If none of the words asked for is there.
    """
    first = tuple(words if request.limit is None else words[: request.limit])
    if request.words is None:
        return slice(len(first)), first
    wanted = frozenset(request.words)
    rows = [row for row, word in enumerate(first) if word in wanted]
    if not rows:
        raise nothing_chosen(request)
    found = tuple(first[row] for row in rows)
    note_missing(request, found, problems)
    return np.array(rows, np.int64), found


def nothing_chosen(request: Request) -> SourceError:
    """Say that none of the words asked for is there."""
    asked = list(request.words or ())
    shown = ", ".join(map(repr, asked[:3])) + (", ..." if len(asked) > 3 else "")
    among = "" if request.limit is None else f" among its first {request.limit:,} rows"
    return SourceError(
        request.name, f"holds none of the {len(asked):,} words asked for ({shown}){among}."
    )


def note_missing(request: Request, found: Sequence[str], problems: Problems) -> None:
    """List the words asked for that were not found."""
    if request.words is None:
        return
    have = frozenset(found)
    for word in dict.fromkeys(request.words):
        if word not in have:
            problems.add("word not found", None, f"{word!r} was asked for and is not in it")
