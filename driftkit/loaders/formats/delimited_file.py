"""Delimited tables: a word and its numbers, or its vector as one text, in cells of a row.

Blocks of whole rows are read by polars if they are regular, else by the module `csv`, which knows
which line to name. Where quotes do not pair as RFC 4180 wants them, the file is read again with a
quote as a character like any other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.choose_rows import note_missing, nothing_chosen
from driftkit.loaders.columns.choose import Choice, choose
from driftkit.loaders.columns.dialect import (
    Opening,
    Record,
    looks_like_delimited,
    read_opening,
    swallows_rows,
)
from driftkit.loaders.columns.digits import SHOWN, fields_of, matrix_of, rounding_of_rows
from driftkit.loaders.columns.numbers import table_of_numbers
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import gigabytes, require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM
from driftkit.loaders.text.header import SAMPLE_BYTES
from driftkit.loaders.text.stream import Stream, open_stream
from driftkit.provenance import Source

if TYPE_CHECKING:
    import polars as pl

BLOCK_BYTES = 1 << 24
LINE_BYTES = 1 << 25  # nothing longer is a row

_LINE_END = re.compile(rb"\r\n|\n|\r")

T = TypeVar("T")

_Lines = npt.NDArray[np.int64]
_Part = tuple[list[str], Matrix, _Lines]  # words, (rows, d), and the line that each row ends in


class _QuotesDoNotPairError(Exception):
    """Quotes that cannot be those of RFC 4180; `error` is what to say if they are not literal."""

    def __init__(self, error: SourceError) -> None:
        self.error = error


def read(request: Request) -> Embeddings:
    """Read a table that is not compressed."""
    with open_stream(request) as stream:
        return read_stream(request, stream)


def read_stream(request: Request, stream: Stream) -> Embeddings:
    """Read a table from a stream, which may unpack it on the way."""
    return _read_with_quotes(request, stream, _Reader.table)


def count_rows(request: Request) -> int:
    """Count the rows of a table that is not compressed."""
    with open_stream(request) as stream:
        return count_stream(request, stream)


def count_stream(request: Request, stream: Stream) -> int:
    """Count the rows of a table in a stream: line ends outside quotes."""
    return _read_with_quotes(request, stream, _Reader.count)


def _read_with_quotes(request: Request, stream: Stream, use: Callable[[_Reader], T]) -> T:
    """Read with the quotes of RFC 4180; where they do not pair, anew with literal ones."""
    try:
        return use(_Reader(request, stream))
    except _QuotesDoNotPairError as broken:
        first = broken.error
    with open_stream(request) as again:
        try:
            return use(_Reader(request, again, literal=True))
        except SourceError:
            raise first from None


@dataclass(frozen=True, slots=True)
class _Places:
    """Where in a row the word and the numbers of its vector stand."""

    word: int | None
    vector: tuple[int, ...]
    is_list: bool


class _Reader:
    """One pass over a file, of which `opening` tells how it is written."""

    def __init__(self, request: Request, stream: Stream, *, literal: bool = False) -> None:
        self.request, self.stream = request, stream
        self.problems = Problems()
        head = stream.read_lines(SAMPLE_BYTES, LINE_BYTES)
        self.opening = read_opening(request, head)
        columns = self.opening.columns
        self.choice = choose(
            request,
            columns,
            self._is_distinct,
            # The key of an archive names the file in it.
            key=None if stream.kind == "zip" else request.key,
            has_header=self.opening.has_header,
        )
        self.choice.note_left_out(columns, self.problems)
        self.places = _places(self.opening, self.choice)
        self.dialect = self.opening.dialect
        if literal:
            self.dialect = replace(self.dialect, quoted=False)
        if head.startswith(BOM):
            self.problems.add("byte order mark", 1, "skipped")
        self.sample = [self._digits(self._vector(row)) or [] for row in self.opening.rows]
        self.d = len(self.sample[0])
        self.row_bytes = len(head) / max(head.count(b"\n"), 1)
        stream.push_back(_without_lines(head.removeprefix(BOM), self.opening.skip))

    def _is_distinct(self, name: str) -> bool:
        place = [column.name for column in self.opening.columns].index(name)
        cells = [row[place] for row in self.opening.rows]
        return len(set(cells)) == len(cells)

    def table(self) -> Embeddings:
        """Read the rows that the request asks for."""
        request = self.request
        words: list[str] = []
        limit = request.limit if self.places.word is not None else None
        wanted = None if request.words is None else frozenset(request.words)
        matrices, lines, rows_read = [], [], 0
        for block, line in self.blocks(limit):
            part = self._regular(block, line) or self._irregular(block, line)
            if limit is not None:
                part = _cut(part, slice(limit - rows_read))
            rows_read += len(part[0])
            if wanted is not None and self.places.word is not None:
                part = _cut(part, [row for row, word in enumerate(part[0]) if word in wanted])
            words += part[0]
            matrices.append(part[1])
            lines.append(part[2])
            request.report(self.stream.done, self.stream.size)
            if rows_read == limit:
                break
        request.report(self.stream.size, self.stream.size)
        require_memory(4 * self.d * len(words), request.name)
        matrix = np.concatenate(matrices) if matrices else np.empty((0, self.d), np.float32)
        rounding = rounding_of_rows(self.sample)
        if self.places.word is None:
            noted = self.problems.all()
            return table_of_numbers(request, "delimited", matrix, "text", rounding, noted)
        if not words:
            raise nothing_chosen(request)
        self._require_plain_words(words)
        note_missing(request, words, self.problems)
        key = self.choice.key if self.opening.has_header else request.key
        source = Source(request.name, request.path, "delimited", "text", key, rounding)
        made = Embeddings(words, matrix, source=source, problems=self.problems.all())
        at = np.concatenate(lines)
        made.problems = tuple(
            replace(problem, where=int(at[problem.where]))
            if problem.kind == "duplicate" and problem.where is not None
            else problem
            for problem in made.problems
        )
        return made

    def count(self) -> int:
        """Count the rows: lines, or what is read where a quote may hold a line end."""
        rows = 0
        for block, line in self.blocks():
            if self.dialect.quoted and b'"' in block:
                frame = self._frame(block)
                rows += len(self._irregular(block, line)[0]) if frame is None else frame.height
            else:
                rows += block.count(b"\n") + (not block.endswith(b"\n"))
            self.request.report(self.stream.done, self.stream.size)
        return rows

    def blocks(self, limit: int | None = None) -> Iterator[tuple[bytes, int]]:
        """Blocks of whole rows, and the line in which each begins."""
        size = BLOCK_BYTES
        if limit is not None:
            size = min(size, int(limit * self.row_bytes) + SAMPLE_BYTES)
        line = self.opening.skip + 1
        while block := self.stream.read_lines(size, LINE_BYTES):
            parts = [block]
            quotes = block.count(b'"') if self.dialect.quoted else 0
            while quotes % 2:  # a row goes on past a line end in quotes
                more = self.stream.read_lines(1 << 16, LINE_BYTES)
                parts.append(more)
                quotes += more.count(b'"')
                if not more or sum(map(len, parts[1:])) > LINE_BYTES:
                    raise self._broken(f"a quote after line {line:,} is never closed.")
            block = b"".join(parts)
            if len(block) > LINE_BYTES and not _LINE_END.search(block):
                raise self.request.error(
                    f"holds a line of more than {gigabytes(LINE_BYTES)}, too long for a word and "
                    "its vector; the file is damaged or of another format."
                )
            yield block, line
            line += block.count(b"\n")

    def _regular(self, block: bytes, line: int) -> _Part | None:
        """Read rows that need no repair; None if one is not regular, or spans several lines."""
        frame = self._frame(block)
        if frame is None:
            return None
        lines = np.arange(line, line + frame.height)
        words = [""] * frame.height
        if self.places.word is not None:
            words = frame.get_column(str(self.places.word)).to_list()
        vectors = frame.select([str(place) for place in self.places.vector])
        if not self.places.is_list:
            return words, np.asarray(vectors.to_numpy(order="c"), np.float32), lines
        return words, self._matrix([[cell] for cell in vectors.to_series().to_list()], lines), lines

    def _frame(self, block: bytes) -> pl.DataFrame | None:
        """Return the cells used of regular rows, one in each line; None if there are others."""
        import polars as pl

        if self.dialect.decimal_comma or block.count(b"\r") != block.count(b"\r\n"):
            return None
        numeric = () if self.places.is_list else self.places.vector
        schema: dict[str, Any] = {
            str(place): pl.Float32 if place in numeric else pl.String
            for place in range(len(self.opening.columns))
        }
        try:
            frame = pl.read_csv(
                block, has_header=False, separator=self.dialect.separator, schema=schema,
                quote_char='"' if self.dialect.quoted else None, infer_schema=False,
            )  # fmt: skip
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        used = [*self.places.vector, *([] if self.places.word is None else [self.places.word])]
        frame = frame.select([str(place) for place in used])
        if frame.height != block.count(b"\n") + (not block.endswith(b"\n")):
            return None
        # An empty word or number, a short or a blank line.
        return None if any(frame.null_count().row(0)) else frame

    def _irregular(self, block: bytes, line: int) -> _Part:
        """Read rows one by one: slow, but it knows what to repair and which line to name."""
        rows: list[Record] = []
        lines: list[int] = []
        width = len(self.opening.columns)
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            text = block.decode(errors="backslashreplace")
            where = line + block[: error.start].count(b"\n")
            self.problems.add("invalid UTF-8", where, "kept with its bytes escaped, here and below")
        reader = self.dialect.records(text)
        try:
            for row in reader:
                at = line + reader.line_num - 1
                if not row:
                    self.problems.add("blank line", at, "skipped")
                    continue
                if len(row) != width:
                    raise self._broken(
                        f"line {at:,} has {len(row):,} cell{'' if len(row) == 1 else 's'} between "
                        f"its separators where other lines have {width:,}; the file may be "
                        "truncated, damaged or made of several."
                    )
                if self.dialect.quoted and any(
                    "\n" in cell and swallows_rows(cell, self.dialect.separator, width)
                    for cell in row
                ):
                    raise self._broken(f"the quotes in line {at:,} and before it hold whole rows.")
                rows.append(row)
                lines.append(at)
        except csv.Error as error:
            at = line + max(reader.line_num, 1) - 1
            raise self._broken(f"line {at:,} cannot be taken apart ({error}).") from None
        at_lines = np.array(lines, np.int64)
        words = [""] * len(rows)
        if self.places.word is not None:
            words = [row[self.places.word] for row in rows]
            empty = at_lines[[not word for word in words]]
            self.problems.add_many("empty word", empty, "kept as the word ''")
        return words, self._matrix(list(map(self._vector, rows)), at_lines), at_lines

    def _broken(self, message: str) -> Exception:
        error = self.request.error(message)
        return _QuotesDoNotPairError(error) if self.dialect.quoted else error

    def _matrix(self, vectors: Sequence[Record], lines: _Lines) -> Matrix:
        """Return the rows of vectors, each given as its cells."""
        fields = []
        for cells, line in zip(vectors, lines.tolist(), strict=True):
            digits = self._digits(cells)
            if digits is None:
                shown = repr(cells[0] if len(cells[0]) <= SHOWN else cells[0][:SHOWN] + "...")
                raise self.request.error(f"line {line:,} holds {shown} where a vector should be.")
            fields.append(digits)
        return matrix_of(self.request, fields, lines.tolist(), self.d)

    def _vector(self, row: Record) -> Record:
        return [row[place] for place in self.places.vector]

    def _digits(self, cells: Record) -> list[str] | None:
        """Return the numbers that the cells of a vector hold; None if they hold no vector."""
        if self.places.is_list:
            return fields_of(cells[0])
        return [self.dialect.digits(cell) for cell in cells]

    def _require_plain_words(self, words: Sequence[str]) -> None:
        """Refuse words that stand in quotes where the quotes of others do not pair."""
        if self.dialect.quoted:
            return
        quoted = [word for word in words if len(word) > 2 and word[0] == word[-1] == '"']
        doubled = [word for word in quoted if '""' in word[1:-1] and word.strip('"')]
        if doubled or 10 * len(quoted) > len(words):
            shown = (doubled or quoted)[0][:SHOWN]
            raise self.request.error(
                f"its words stand in quotes, such as {shown}, and the quotes of others do not "
                "pair; double the quotes inside words (RFC 4180), or leave all the others out."
            )


def _places(opening: Opening, choice: Choice) -> _Places:
    where = {column.name: place for place, column in enumerate(opening.columns)}
    word = None if choice.words is None else where[choice.words.name]
    return _Places(word, tuple(where[column.name] for column in choice.vector), choice.is_list)


def _without_lines(head: bytes, lines: int) -> bytes:
    for _ in range(lines):
        found = _LINE_END.search(head)
        head = b"" if found is None else head[found.end() :]
    return head


def _cut(part: _Part, rows: slice | Sequence[int]) -> _Part:
    words, matrix, lines = part
    if isinstance(rows, slice):
        return words[rows], matrix[rows], lines[rows]
    return [words[row] for row in rows], matrix[list(rows)], lines[list(rows)]


FORMAT = Format(
    "delimited",
    ".csv or .tsv of words and vectors",
    looks_like_delimited,
    read,
    endings=(".csv", ".tsv"),
    rows=count_rows,
)
