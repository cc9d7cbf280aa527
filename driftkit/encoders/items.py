"""Lists of items: ids and texts, from a file of lines, columns or objects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from driftkit.arguments import shown, strings
from driftkit.documents import parse_json, read_json
from driftkit.errors import SourceError, UnknownNameError
from driftkit.files import read_text
from driftkit.provenance import Problem

IDS = (
    "id", "_id", "ids", "docid", "doc_id", "document_id", "item_id", "uid", "uuid", "key", "qid",
    "query_id", "pid", "passage_id",
)  # fmt: skip
TEXTS = (
    "text", "texts", "sentence", "sentences", "content", "contents", "body", "document", "passage",
    "query", "question", "description",
)  # fmt: skip
"""What people call the columns of ids and of texts; case does not matter."""

LARGEST = 4_000_000_000  # bytes

ACCEPTED = (
    "A list of items is plain text with one on each line, or columns of ids and texts in .csv, "
    ".tsv, .json, .jsonl or .parquet."
)


@dataclass(frozen=True, slots=True)
class TextItems:
    """Items by their ids, each with the text that is encoded.

    Parameters
    ----------
    ids, texts : tuple of str
        One of each for every item; ids are distinct. Where a file has none, the text is the id.
    problems : tuple of Problem
        What was left out: repeated ids, items without a text, columns nobody asked for.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


def as_items(items: Any) -> TextItems:
    """Return `items` given as a path, a list of texts, or a mapping from id to text.

    Examples
    --------
    >>> as_items({"a": "green tea", "b": "tea"}).texts
    ('green tea', 'tea')
    """
    if isinstance(items, TextItems):
        return items
    if isinstance(items, str | PathLike):
        return read_items(items)
    if isinstance(items, Mapping):
        ids, texts = strings("items", items, "ids"), strings("items", items.values(), "texts")
        return _kept("the list of items", [*zip(ids, texts, strict=True)])
    texts = strings("items", items, "texts")
    return _kept("the list of items", [(None, text) for text in texts])


def read_items(path: str | PathLike[str]) -> TextItems:
    r"""Read a list of items from a file.

    Parameters
    ----------
    path : str or path
        Plain text with an item on each line, which is its own id; or ``.csv``, ``.tsv``,
        ``.json`` (a list), ``.jsonl`` or ``.parquet`` with a column of texts and, perhaps, one of
        ids, told by their names. ``FILE::TEXT`` or ``FILE::ID:TEXT`` names them; without ids, texts
        are ids. Ids are text or whole numbers. Texts are kept as they are, with the blanks around
        them; empty lines are passed over.

    Returns
    -------
    TextItems

    Raises
    ------
    SourceError
        If the file cannot be read, holds no item, or which column is meant is not sure.
    UnknownNameError
        If a column that was named is not there.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "items.csv"
    >>> _ = path.write_text("docid,text\n7,green tea\n")
    >>> read_items(path).ids
    ('7',)
    """
    name = str(path)
    target, columns = _split(name)

    def wrong(why: str) -> SourceError:
        return SourceError(name, why)

    if not target.exists():
        raise wrong(f"is not there. {ACCEPTED}")
    read = _READERS.get(target.suffix.lower())
    if read is None:
        if columns is not None:
            raise wrong(f"is plain text, which has no columns; leave out ::{columns}. {ACCEPTED}")
        lines = read_text(target, wrong, LARGEST).split("\n")
        return _kept(name, [(None, line) for line in lines if line])
    header, rows = read(target, wrong)
    id_at, text_at, left_out = _columns(name, target, header, columns)
    pairs = []
    for number, row in enumerate(rows, 1):
        one, text = (
            None if at is None else _text(row[at], f"{header[at]!r} of row {number:,}", wrong)
            for at in (id_at, text_at)
        )
        if text and id_at is not None and not one:
            raise wrong(
                f"has no id in column {header[id_at]!r} of row {number:,}, for {shown(text)}; give "
                "each its own."
            )
        pairs.append((one, text))
    items = _kept(name, pairs)
    return replace(items, problems=(*left_out, *items.problems))


def _split(name: str) -> tuple[Path, str | None]:
    if Path(name).exists():
        return Path(name), None
    path, _, columns = name.partition("::")
    return Path(path), columns or None


def _columns(
    name: str, path: Path, header: Sequence[str], named: str | None
) -> tuple[int | None, int, list[Problem]]:
    """Return the places of ids and of texts, and what to say about columns left out."""
    if repeated := [column for column in header if header.count(column) > 1]:
        raise SourceError(name, f"has several columns named {repeated[0]!r}; give each its own.")
    lowered = [column.strip().lower() for column in header]
    known_ids = [at for at, column in enumerate(lowered) if column in IDS]
    known_texts = [at for at, column in enumerate(lowered) if column in TEXTS]
    id_name, text_name = None, named
    if named is not None and named not in header:
        cuts = [at for at, letter in enumerate(named) if letter == ":" and named[:at] in header]
        id_name, text_name = (named[: cuts[0]], named[cuts[0] + 1 :]) if cuts else (None, named)
    if text_name is not None:
        text_at = _place(path, header, text_name)
    elif len(known_texts) == 1:
        text_at = known_texts[0]
    elif not known_texts and len(rest := {*range(len(header))} - {*known_ids}) == 1:
        (text_at,) = rest
    else:
        one = header[known_texts[0]] if known_texts else "TEXT"
        listed = ", ".join(header)
        raise SourceError(
            name,
            f"has the columns {listed}, and which holds the texts is not sure; name it as "
            f"{path}::{one}, or with that of the ids as {path}::ID:{one}.",
        )
    others = [at for at in known_ids if at != text_at]
    if id_name is not None:
        id_at: int | None = _place(path, header, id_name)
    elif len(others) > 1:
        first, second = header[others[0]], header[others[1]]
        raise SourceError(
            name,
            f"has several columns that could hold the ids, {first} and {second}; name one as "
            f"{path}::{first}:{header[text_at]}.",
        )
    else:
        id_at = others[0] if others else None
    left = [column for at, column in enumerate(header) if at not in (id_at, text_at)]
    detail = f"{', '.join(left[:8])}{', ...' if len(left) > 8 else ''}: not encoded"
    return id_at, text_at, [Problem("column left out", None, detail)] if left else []


def _place(path: Path, header: Sequence[str], column: str) -> int:
    if column not in header:
        raise UnknownNameError(
            f"column in {path}", column, header, f"Name it as {path}::TEXT or ::ID:TEXT."
        )
    return header.index(column)


def _text(cell: object, place: str, wrong: Wrong) -> str | None:
    """Return a cell as text; None for an empty one. Numbers may be ids."""
    if cell is None:
        return None
    if isinstance(cell, str | int) and not isinstance(cell, bool):
        return str(cell)
    what = "true or false" if isinstance(cell, bool) else shown(cell)
    raise wrong(
        f"has {what} in column {place}; ids and texts are text or whole numbers, so write the "
        "column as one of these."
    )


def _kept(name: str, items: Iterable[tuple[str | None, str | None]]) -> TextItems:
    """Leave out items without a text, and ids that come again; say which."""
    kept: dict[str, str] = {}
    problems = []
    for row, (one, text) in enumerate(items):
        if text is None or not text.strip():
            problems.append(Problem("item without a text", row, f"{one or 'an item'} is left out"))
            continue
        one = text if one is None else one
        if one in kept:
            again = "again" if kept[one] == text else "again, with another text"
            problems.append(Problem("duplicate", row, f"{one!r} {again}; the first is used"))
            continue
        kept[one] = text
    if not kept:
        raise SourceError(name, f"holds no item. {ACCEPTED}")
    return TextItems(tuple(kept), tuple(kept.values()), tuple(problems))


Wrong = Callable[[str], SourceError]
Table = tuple[list[str], list[list[Any]]]


def _delimited(separator: str) -> Callable[[Path, Wrong], Table]:
    def read(path: Path, wrong: Wrong) -> Table:
        text = io.StringIO(read_text(path, wrong, LARGEST), newline="")
        if separator == "\t":  # where quotation marks are part of the text
            reader = csv.reader(text, delimiter=separator, quoting=csv.QUOTE_NONE)
        else:
            reader = csv.reader(text, delimiter=separator, strict=True)
        try:
            rows = [row for row in reader if row]
        except csv.Error as error:
            raise wrong(f"line {reader.line_num:,} is no CSV ({error}).") from None
        if not rows:
            raise wrong(f"holds no item. {ACCEPTED}")
        header, *rest = rows
        for number, row in enumerate(rest, 1):
            if len(row) != len(header):
                raise wrong(f"row {number:,} has {len(row)} fields, not {len(header)}.")
        return header, rest

    return read


def _json_lines(path: Path, wrong: Wrong) -> Table:
    found = []
    for number, line in enumerate(read_text(path, wrong, LARGEST).split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append((f"line {number:,}", parse_json(line, not_numbers=True)))
        except ValueError as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else error
            raise wrong(f"line {number:,} is no JSON that can be read ({why}).") from None
    return _records(found, wrong)


def _json_list(path: Path, wrong: Wrong) -> Table:
    value = read_json(path, wrong, LARGEST, not_numbers=True)
    if not isinstance(value, list):
        raise wrong("is JSON that is no list; write a list of strings, or of objects with a text.")
    return _records([(f"item {number:,}", each) for number, each in enumerate(value, 1)], wrong)


def _records(values: Sequence[tuple[str, Any]], wrong: Wrong) -> Table:
    """Return objects or strings, each with its place, as rows of the same columns."""
    found: list[dict[str, Any]] = []
    for place, value in values:
        if not isinstance(value, str | dict):
            raise wrong(f"{place} holds neither an object nor a string.")
        found.append({"text": value} if isinstance(value, str) else value)
    header = list(dict.fromkeys(key for value in found for key in value))
    if not header:
        raise wrong(f"holds no item. {ACCEPTED}")
    return header, [[value.get(key) for key in header] for value in found]


def _parquet(path: Path, wrong: Wrong) -> Table:
    import polars as pl

    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise wrong(f"is a damaged or truncated Parquet file ({reason}).") from None
    kinds = (pl.String, pl.Categorical, pl.Enum, pl.Null)
    columns = [
        column.cast(pl.String).to_list()
        if isinstance(column.dtype, kinds) or column.dtype.is_integer()
        else [column.dtype] * len(column)  # stands for each of its values, should it be chosen
        for column in frame
    ]
    return frame.columns, [list(row) for row in zip(*columns, strict=True)]


_READERS: dict[str, Callable[[Path, Wrong], Table]] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".json": _json_list,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
