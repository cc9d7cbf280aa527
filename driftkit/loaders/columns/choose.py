"""Choose the column of words and the columns of their vectors, or say why neither is sure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from driftkit.errors import UnknownNameError
from driftkit.loaders.formats.format import refuse_vocabulary
from driftkit.loaders.problems import Problems
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request

Kind = Literal["text", "whole numbers", "numbers", "vectors", "row numbers", "other"]

_WORDS = frozenset({"word", "words", "token", "tokens", "term", "terms"})
_IDS = re.compile(r"(.*[_ .-])?(id|ids|key|name|label|item|title|entity|node|index)|uuid|doi|sku")
_VECTORS = re.compile(r".*(embedding|vector|emb$|vec$|features|values)")
_COUNTS = re.compile(
    r".*(count|freq|frequency|rank|score|weight|year|label|index|bias|(^|_)n$|id$)"
)
_WHOLE_LISTS = re.compile(r"list of (u?int\d+|whole numbers)")
_NUMBERED = re.compile(r"(.*?)(\d+)\]?")
_SHOWN = 8  # columns that a sentence lists


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, as its type or its first values tell."""

    name: str
    kind: Kind
    type: str = ""  # as the file names it, for messages

    @property
    def is_number(self) -> bool:
        """Whether it holds one number in each row."""
        return self.kind in ("numbers", "whole numbers", "row numbers")

    @property
    def has_lists(self) -> bool:
        """Whether it holds lists of numbers: vectors, or the whole numbers of pieces."""
        return self.kind == "vectors" or bool(_WHOLE_LISTS.fullmatch(self.type))

    def __str__(self) -> str:
        return f"{self.name!r} ({self.type or self.kind})"


@dataclass(frozen=True, slots=True)
class Choice:
    """The columns to read: one of words, and one of vectors or one for each dimension."""

    words: Column | None  # None where the table holds nothing but numbers
    vector: tuple[Column, ...]
    label: str  # of the vector, as the key names it

    @property
    def key(self) -> str:
        """What chooses these columns after ``PATH::``."""
        return self.label if self.words is None else f"{self.words.name}:{self.label}"

    @property
    def is_list(self) -> bool:
        """Whether one column holds whole vectors."""
        return len(self.vector) == 1 and self.vector[0].has_lists

    def note_left_out(self, columns: Sequence[Column], problems: Problems) -> None:
        """Note the columns of numbers beside the vector, which might be thought part of it."""
        left = [c for c in columns if c.is_number and c not in (self.words, *self.vector)]
        if self.words is not None:
            left = [column for column in left if column.kind != "row numbers"]
        if left and not self.is_list:
            shown = _listed([column.name or "the row numbers" for column in left])
            problems.add("column left out", None, f"{shown} beside the vector {self.label}")


def choose(
    request: Request,
    columns: Sequence[Column],
    is_distinct: Callable[[str], bool],
    *,
    key: str | None,
    has_header: bool = True,
) -> Choice:
    """Return the columns that a key names, or the only ones that may be meant.

    ``is_distinct(name)`` tells whether no value of a column comes twice. Where more than one
    choice is left, the error names them and the key that chooses.
    """
    of_words, of_vector = (None, None) if key is None else _taken_apart(columns, key)
    if of_vector is None:
        label, vector = _only_vector(request, columns, of_words, has_header)
    else:
        label, vector = of_vector, _vector_named(request, columns, of_vector)
    _require_numbers(request, vector)
    rest = [column for column in columns if column not in vector]
    words: Column | None = None
    has_text = any(column.kind == "text" for column in rest)
    if of_words is None and of_vector is not None and request.vocab is not None and not has_text:
        pass  # ids that the key leaves out, of rows whose words stand elsewhere
    elif of_words is None:
        words = _only_words(request, rest, is_distinct, label, has_header)
    else:
        words = _named(request, columns, of_words)
        if words in vector or words.kind not in ("text", "whole numbers", "row numbers"):
            raise request.error(
                f"its column {words} cannot hold the words; name one of text or whole numbers."
            )
    if words is not None:
        refuse_vocabulary(request, f"words of its own, in column {quote(words.name)}")
    return Choice(words, vector, label)


def _taken_apart(columns: Sequence[Column], key: str) -> tuple[str | None, str | None]:
    """Take ``VECTOR``, ``WORDS:VECTOR`` or ``WORDS:`` apart, at a colon that ends a name."""
    names = {column.name for column in columns}
    if key not in names:
        for cut in (found.start() for found in re.finditer(":", key)):
            if key[:cut] in names:
                return key[:cut], key[cut + 1 :] or None
    return None, key


def _named(request: Request, columns: Sequence[Column], name: str) -> Column:
    found = [column for column in columns if column.name == name]
    if len(found) > 1:
        raise request.error(f"has {len(found)} columns named {name!r}; give each its own name.")
    if not found:
        raise _unknown(request, columns, name)
    return found[0]


def _unknown(request: Request, columns: Sequence[Column], name: str) -> UnknownNameError:
    return UnknownNameError(
        f"column in {request.path}",
        name,
        [column.name for column in columns],
        f"Name the vector as {request.path}::COLUMN, ::PREFIX of columns such as dim_0, dim_1, or "
        "::FIRST..LAST, with the column of words before it if it must be chosen too: "
        "::WORDS:VECTOR.",
    )


def _vector_named(request: Request, columns: Sequence[Column], name: str) -> tuple[Column, ...]:
    """Return the column of this name, those from FIRST to LAST, or those numbered after it."""
    first, dots, last = name.partition("..")
    names = [column.name for column in columns]
    chosen: Sequence[Column]
    if name in names:
        chosen = [_named(request, columns, name)]
    elif dots and first in names and last in names:
        chosen = _span(request, columns, first, last)
        if not chosen:
            raise request.error(
                f"its column {last!r} stands before {first!r}; write {last}..{first}."
            )
    else:
        members = _sequences(request, columns).get(name)
        if members is None:
            raise _unknown(request, columns, name)
        chosen = _complete(request, name, members, names)
    return tuple(chosen)


def _require_numbers(request: Request, vector: Sequence[Column]) -> None:
    strangers = [column for column in vector if not column.is_number]
    if strangers and not (len(vector) == 1 and vector[0].has_lists):
        raise request.error(
            f"its column {strangers[0]} holds no vectors and no numbers; name others."
        )


def _span(request: Request, columns: Sequence[Column], first: str, last: str) -> Sequence[Column]:
    """Return the columns from one to another: by their numbers, else by where they stand."""
    for prefix, members in _sequences(request, columns).items():
        number = {column.name: number for number, column in members.items()}
        if first in number and last in number:
            some = {n: members[n] for n in members if number[first] <= n <= number[last]}
            # Columns named by a number alone, such as years, are those that the key names.
            begins = [f"{prefix}{number[first] - 1}"]
            return _complete(request, prefix, some, begins) if prefix else tuple(some.values())
    names = [column.name for column in columns]
    return columns[names.index(first) : names.index(last) + 1]


def _only_vector(
    request: Request, columns: Sequence[Column], of_words: str | None, has_header: bool
) -> tuple[str, tuple[Column, ...]]:
    """Return what can only be the vector: a column of lists, numbered columns, or all numbers."""
    lists = [column for column in columns if column.kind == "vectors"]
    if not lists:  # lists of whole numbers are vectors only by name: pieces are kept so too
        lists = [c for c in columns if c.has_lists and _VECTORS.fullmatch(c.name.lower())]
    found: dict[str, tuple[Column, ...]] = {column.name: (column,) for column in lists}
    if has_header:
        numbered = _sequences(request, [c for c in columns if c.name != of_words])
        longest = max(map(len, numbered.values()), default=0)
        names = [column.name for column in columns]
        for prefix, some in numbered.items():
            if len(some) > 1 or (longest == 1 and not lists):
                members = _complete(request, prefix, some, names)
                found[_label(members)] = members
    if not found:
        found = _all_numbers(request, columns, of_words, has_header)
    if len(found) > 1:
        readable = [
            name for name, some in found.items() if len(some) == 1 or all(c.is_number for c in some)
        ]
        shown = " and ".join(found) if len(found) == 2 else _listed(list(found))
        raise request.error(
            f"holds {len(found)} vectors for each word, {shown}; name one as "
            f"{request.name}::{(readable or list(found))[-1]}."
        )
    return next(iter(found.items()))


def _sequences(request: Request, columns: Sequence[Column]) -> dict[str, dict[int, Column]]:
    """Columns of numbers that are named alike, by what stands before their numbers, in order.

    One that does not hold numbers stays among them.
    """
    by_name = {column.name: column for column in columns}
    found: dict[str, dict[int, Column]] = {}
    for column in columns:
        match = _NUMBERED.fullmatch(column.name)
        if match is not None and column.is_number and len(match[2]) < 10:
            known = found.setdefault(match[1], {})
            if int(match[2]) in known:
                raise request.error(
                    f"its columns {known[int(match[2])].name!r} and {column.name!r} have the same "
                    "number; give each its own."
                )
            known[int(match[2])] = column
    for prefix, members in found.items():
        first = min(members)
        for number in range(first, min(max(members), first + 2 * len(members) + 2)):
            if number not in members and f"{prefix}{number}" in by_name:
                members[number] = by_name[f"{prefix}{number}"]
    return {prefix: dict(sorted(members.items())) for prefix, members in found.items()}


def _complete(
    request: Request, prefix: str, members: dict[int, Column], names: Sequence[str]
) -> tuple[Column, ...]:
    """Return numbered columns, of which none may be missing among or before them."""
    first, last = min(members), max(members)
    begins = first < 2 or f"{prefix}{first - 1}" in names
    chosen = tuple(members.values())
    if len(members) > 1 and not (begins and _has_no_gap(members)):
        start = first if begins else 0
        missing = next(number for number in range(start, last) if number not in members)
        works = not prefix or _has_no_gap(members)
        works = works and all(column.is_number for column in chosen)
        raise request.error(
            f"its columns {chosen[0].name} to {chosen[-1].name} lack number {missing}; a vector "
            "needs every one of its columns, so save them all, or name some as "
            f"{request.name}::{_label(chosen) if works else 'FIRST..LAST'}."
        )
    return chosen


def _has_no_gap(members: dict[int, Column]) -> bool:
    return len(members) == max(members) - min(members) + 1


def _all_numbers(
    request: Request, columns: Sequence[Column], of_words: str | None, has_header: bool
) -> dict[str, tuple[Column, ...]]:
    """Return all the columns of numbers, if they stand together and none looks like a count."""
    numbers = [c for c in columns if c.is_number and c.kind != "row numbers" and c.name != of_words]
    ids = [c for c in numbers if has_header and is_name_of_words(c.name)]
    has_words = of_words is not None or any(column.kind == "text" for column in columns)
    if not has_words and len(ids) == 1:
        numbers.remove(ids[0])
        has_words = True
    if not numbers:
        raise request.error(
            "holds no column of vectors: neither lists of numbers nor a column for each of their "
            f"numbers; its columns are {_listed(list(map(str, columns)))}."
        )
    label = _label(numbers)
    apart = _runs(columns, numbers)
    if len(apart) > 1:
        longest = [run for run in apart if len(run) == len(apart[0])]
        either = " or ".join(f"{request.name}::{_label(run)}" for run in longest)
        raise request.error(
            f"its columns of numbers do not stand together ({_listed([c.name for c in numbers])}), "
            f"so which of them are the vector is not sure; name the first and the last as {either}."
        )
    strays = _strays(numbers, has_header) if has_words or not has_header else []
    if not has_words and len(numbers) > 1 and strays == numbers[:1]:
        first, rest = numbers[0].name, _label(numbers[1:])
        is_listed = request.vocab is not None
        words = "ids beside the vector" if is_listed else "the words, which are numbers then"
        raise request.error(
            f"its column {first} may hold {words}, or be a part of the vector; name what is meant: "
            f"{request.name}::{'' if is_listed else f'{first}:'}{rest} or {request.name}::{label}."
        )
    if strays and has_words:
        vector = [column for column in numbers if column not in strays]
        keys = [f"{request.name}::{_label(some)}" for some in (vector, numbers) if some]
        beside = f" beside the vector {_label(vector)}, or be a part of it" if vector else ""
        raise request.error(
            f"its column {_listed([c.name for c in strays])} may hold counts or ids"
            f"{beside or ', or be the vector'}; name what is meant: {' or '.join(keys)}."
        )
    return {label: tuple(numbers)}


def _runs(columns: Sequence[Column], numbers: Sequence[Column]) -> list[list[Column]]:
    """Columns of numbers in runs that nothing stands between, the longest first."""
    runs: list[list[Column]] = [[]]
    for column in columns:
        if column in numbers:
            runs[-1].append(column)
        elif runs[-1]:
            runs.append([])
    return sorted(filter(None, runs), key=len, reverse=True)


def _strays(numbers: Sequence[Column], has_header: bool) -> list[Column]:
    """Columns that may not be part of the vector: whole among fractions, alone, or named so."""
    fractions = any(column.kind == "numbers" for column in numbers)
    return [
        column
        for column in numbers
        if (column.kind == "whole numbers" and (fractions or len(numbers) == 1))
        or (has_header and _COUNTS.fullmatch(column.name.lower()))
    ]


def _only_words(
    request: Request,
    rest: Sequence[Column],
    is_distinct: Callable[[str], bool],
    label: str,
    has_header: bool,
) -> Column | None:
    """Return what can only be the column of words; None where there is nothing but numbers."""
    text = [column for column in rest if column.kind == "text"]
    if not has_header and len(text) == 1:
        return text[0]
    able = [column for column in rest if column.kind in ("text", "whole numbers")]
    possible = [column for column in able if column.name.lower() in _WORDS]
    if not possible:
        distinct = [column for column in able if is_distinct(column.name)]
        possible = [column for column in distinct if is_name_of_words(column.name)]
        possible = possible or [column for column in distinct if column in text or not text]
    if len(possible) == 1:
        return possible[0]
    if not possible and not text:
        fractions = [c for c in rest if c.kind in ("numbers", "other") and is_name_of_words(c.name)]
        if fractions and request.vocab is None:
            raise request.error(
                f"its column {fractions[0]} holds neither text nor whole numbers, so it names no "
                "row; save the ids as one of these."
            )
        return None
    if not possible:
        raise request.error(
            f"no column beside the vector {label!r} has another value in each row "
            f"({_listed([str(column) for column in text])}); name the one that holds the words as "
            f"{request.name}::{text[0].name}:{label}."
        )
    names = [column.name for column in possible]
    raise request.error(
        f"its columns {' and '.join(map(repr, names[:_SHOWN]))} may each be the names of its rows; "
        f"choose one: {' or '.join(f'{request.name}::{name}:{label}' for name in names[:2])}."
    )


def is_name_of_words(name: str) -> bool:
    """Whether a column named so usually holds what the rows stand for."""
    return name.lower() in _WORDS or bool(_IDS.fullmatch(name.lower()))


def _label(columns: Sequence[Column]) -> str:
    first, last = columns[0].name, columns[-1].name
    return first if len(columns) == 1 else f"{first}..{last}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
