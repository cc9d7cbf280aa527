"""Reading only some rows: the first N, those of some words, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from driftkit.arguments import strings, whole
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.loaders.problems import Problems
from driftkit.loaders.quote import quote, quote_some
from driftkit.loaders.request import Request
from driftkit.provenance import Source

Rows = slice | npt.NDArray[np.int64] | tuple[()]  # to read: a slice, their numbers, or () for all


class WordsNotFoundError(SourceError):
    """A source holds none of the words asked for."""


def check_selection(limit: int | None, words: Sequence[str] | None) -> None:
    """Check the limit and the words that a caller asks for."""
    if limit is not None:
        whole(1, limit=limit)
    if words is not None and not strings("words", words, "words"):
        raise OptionError("words: give a list of at least one word, or leave it out to read all.")


def chosen_table(
    request: Request,
    words: Sequence[str],
    read: Callable[[Rows], npt.ArrayLike],
    source: Source,
    problems: Problems | None = None,
) -> Embeddings:
    """Return the rows that a request asks for as a table; `words` has the word of each row."""
    problems = problems or Problems()
    rows, chosen = select(request, words, problems)
    return Embeddings(chosen, read(rows), source=source, problems=problems.all())


def select(
    request: Request, words: Sequence[str], problems: Problems
) -> tuple[Rows, tuple[str, ...]]:
    """Return the rows that a request asks for, in the table's order, and their words."""
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


def nothing_chosen(request: Request) -> WordsNotFoundError:
    """Say that none of the words asked for is there."""
    asked = list(request.words or ())
    shown = quote_some(asked)
    among = "" if request.limit is None else f" among its first {request.limit:,} rows"
    what = (
        "does not hold the word" if len(asked) == 1 else f"holds none of the {len(asked):,} words"
    )
    return WordsNotFoundError(request.name, f"{what} asked for ({shown}){among}.")


def note_missing(request: Request, found: Sequence[str], problems: Problems) -> None:
    """List the words asked for that were not found."""
    have = frozenset(found)
    for word in dict.fromkeys(request.words or ()):
        if word not in have:
            problems.add("word not found", None, f"{quote(word)} was asked for and is not in it")
