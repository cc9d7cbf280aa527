"""JSON and JSON lines: records with an id and a vector, or a map or list of words and vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.columns.choose import Choice, Column, Kind, choose
from driftkit.loaders.columns.digits import fields_of, matrix_of, rounding_of_rows
from driftkit.loaders.columns.numbers import table_of_numbers
from driftkit.loaders.formats.format import Format, refuse_vocabulary
from driftkit.loaders.preconditions import gigabytes, require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM
from driftkit.loaders.text.stream import Stream, open_stream
from driftkit.provenance import Source

BLOCK_BYTES = 1 << 24
HEAD_BYTES = 1 << 16
LINE_BYTES = 1 << 25  # nothing longer is a record of a file of lines
SAMPLE_ROWS = 400
BLOCK_ROWS = 1_000  # whose digits are turned into numbers at once
SHOWN = 60

_TEXT = rb'"(?:[^"\\]|\\.)*"\s*'
_BEGINS = re.compile(
    rb"\s*(?:\{\s*(?:\}|" + _TEXT + rb":)|\[\s*(?:\{\s*" + _TEXT + rb":"
    rb"|\[\s*(?:" + _TEXT + rb",|-?\d[-+.\deE]*\s*[,\]])))"
)
_SPACE = re.compile(r"[ \t\n\r]*")

Row = tuple[str | None, list[str], int]  # a word, the digits of its vector, and the line


class _RepeatedError(ValueError):
    """An object that names the same thing twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedError(f"names {next(n for n in names if names.count(n) > 1)!r} twice")
    return made


# Numbers stay as written, as bytes, so that they are rounded once and none is too long.
_DECODER = json.JSONDecoder(
    parse_float=str.encode,
    parse_int=str.encode,
    parse_constant=str.encode,
    object_pairs_hook=_object,
)


def looks_like_json(head: bytes) -> bool:
    """Whether a file that starts so is a JSON object, or a list of objects or lists, or lines."""
    head = head.removeprefix(BOM)
    return _BEGINS.match(head) is not None or _is_line_of_list(head.lstrip().partition(b"\n")[0])


def _is_line_of_list(line: bytes) -> bool:
    """Whether a line is one JSON list that holds another, such as ``[1, "good", [0.5, 1.5]]``."""
    if not line.startswith(b"[") or not line.rstrip().endswith(b"]"):
        return False
    try:
        return any(isinstance(member, list) for member in json.loads(line))
    except (ValueError, RecursionError):
        return False


def read(request: Request) -> Embeddings:
    """Read a file that is not compressed."""
    with open_stream(request) as stream:
        return read_stream(request, stream)


def count_rows(request: Request) -> int:
    """Count the rows of a file that is not compressed: its lines, if each is a record."""
    with open_stream(request) as stream:
        return count_stream(request, stream)


def read_stream(request: Request, stream: Stream) -> Embeddings:
    """Read from a stream, which may unpack it on the way."""
    if _is_lines(stream):
        return _of_records(request, stream, _lines(request, stream))
    return _of_document(request, stream, _whole(request, stream))


def count_stream(request: Request, stream: Stream) -> int:
    """Count the records of lines; a document must be read."""
    if not _is_lines(stream):
        return sum(1 for _ in _members(request, _whole(request, stream)))
    lines, last = 0, b"\n"
    while block := stream.read(BLOCK_BYTES):
        lines += block.count(b"\n")
        last = block
    return lines + (not last.endswith(b"\n"))


def _is_lines(stream: Stream) -> bool:
    """Whether the first line is a whole object and another begins below; a mark is skipped."""
    head = stream.read_lines(HEAD_BYTES, LINE_BYTES)
    if b"\n" not in head.strip():
        head += stream.read_lines(HEAD_BYTES, LINE_BYTES)
    head = head.removeprefix(BOM)
    stream.push_back(head)
    first, _, below = head.lstrip().partition(b"\n")
    is_object = first.startswith(b"{") and first.rstrip().endswith(b"}")
    return is_object and below.lstrip().startswith(b"{")


def _whole(request: Request, stream: Stream) -> str:
    """Read a document that is one object or list."""
    blocks: list[bytes] = []
    size = 0
    while block := stream.read(BLOCK_BYTES):
        blocks.append(block)
        size += len(block)
        require_memory(4 * size, request.name)
        request.report(stream.done, stream.size)
    return _decoded(request, b"".join(blocks), 1)


def _decoded(request: Request, data: bytes, line: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = line + data[: error.start].count(b"\n")
        raise request.error(
            f"line {at:,} is not UTF-8, which JSON must be; save it anew."
        ) from None


def _lines(request: Request, stream: Stream) -> Iterator[tuple[Any, int]]:
    """Records of a file of lines, and the line of each."""
    line = 0
    while block := stream.read_lines(BLOCK_BYTES, LINE_BYTES):
        if len(block) > LINE_BYTES and b"\n" not in block:
            raise request.error(
                f"holds a line of more than {gigabytes(LINE_BYTES)}, too long for a record; the "
                "file is damaged or of another format."
            )
        for text in _decoded(request, block, line + 1).split("\n")[: block.count(b"\n") + 1]:
            line += 1
            if text.strip():
                value, end = _value(request, text, _SPACE.match(text).end(), line)  # type: ignore[union-attr]
                if text[end:].strip():
                    raise request.error(
                        f"line {line:,} goes on after its record ends; write one record a line."
                    )
                yield value, line
        line -= block.endswith(b"\n")
        request.report(stream.done, stream.size)


def _value(request: Request, text: str, at: int, line: int) -> tuple[Any, int]:
    """Return the value that stands at a place of a text, and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except _RepeatedError as error:
        raise request.error(f"line {line:,} {error}; give each its own name.") from None
    except json.JSONDecodeError as error:
        more = text.count("\n", at, error.pos)
        raise request.error(f"line {line + more:,} is not valid JSON ({error.msg}).") from None
    except RecursionError:
        raise request.error(f"line {line:,} nests lists or objects too deeply.") from None


def _members(request: Request, text: str) -> Iterator[tuple[str | None, Any, int]]:
    """Members of the one list or object of a document, with their names and lines."""
    at, line, seen = _skip(text, 0), 1, 0
    closing, is_map = ("}", True) if text.startswith("{", at) else ("]", False)
    at = _skip(text, at + 1)
    while not text.startswith(closing, at):
        line, seen = line + text.count("\n", seen, at), at
        name = None
        if is_map:
            name, at = _value(request, text, at, line)
            at = _skip(text, at)
            if type(name) is not str or not text.startswith(":", at):
                raise request.error(
                    f"line {line:,} is not valid JSON (a name and ':' are missing)."
                )
            at = _skip(text, at + 1)
        value, at = _value(request, text, at, line)
        yield name, value, line
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith(closing, at):
            line += text.count("\n", seen, at)
            what = "it ends too early" if at >= len(text) else f"',' or {closing!r} is missing"
            raise request.error(f"line {line:,} is not valid JSON ({what}).")
    end = _skip(text, at + 1)
    if end < len(text):
        line += text.count("\n", seen, end)
        raise request.error(f"line {line:,} goes on after the document ends; keep one document.")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _of_document(request: Request, stream: Stream, text: str) -> Embeddings:
    """Read a map from word to vector, or a list of records, of pairs or of vectors alone."""
    members = _members(request, text)
    first = next(members, None)
    if first is None:
        raise request.error("is an empty list or object; it holds no word vector.")
    name, value, line = first
    members = chain([first], members)
    if name is not None:
        if _is_numbers(value):
            return _of_rows(request, _mapped(request, members))
        listed = list(islice(members, SAMPLE_ROWS))
        record = {str(name): value for name, value, _ in listed}
        if next(members, None) is None and any(type(v) is str for v in record.values()):
            return _of_records(request, stream, iter([(record, line)]))
        raise _unknown(request, f"an object of {', '.join(map(repr, list(record)[:5]))}")
    if isinstance(value, dict):
        return _of_records(request, stream, ((value, line) for _, value, line in members))
    if _is_numbers(value):
        return _of_rows(request, ((None, _digits(request, v, n), n) for _, v, n in members))
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is str:
        return _of_rows(request, _paired(request, members))
    line_1, _, below = text.lstrip().partition("\n")
    is_lines = below.strip() and _is_line_of_list(line_1.encode())
    raise _unknown(request, "a list on each line" if is_lines else "a list of something else")


def _unknown(request: Request, found: str) -> SourceError:
    return request.error(
        f'is JSON of {found}, and a table of vectors is {{"WORD": [NUMBERS], ...}}, a list of '
        '["WORD", [NUMBERS]], or records such as {"word": "WORD", "vector": [NUMBERS]}, in a list '
        "or one on each line."
    )


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], bytes)


def _is_whole(value: Any) -> bool:
    return isinstance(value, bytes) and value.removeprefix(b"-").isdigit()


def _mapped(request: Request, members: Iterable[tuple[str | None, Any, int]]) -> Iterator[Row]:
    for name, value, line in members:
        yield name, _digits(request, value, line), line


def _paired(request: Request, members: Iterable[tuple[str | None, Any, int]]) -> Iterator[Row]:
    for _, pair, line in members:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not str:
            raise request.error(f"line {line:,} holds no pair of a word and its vector.")
        yield pair[0], _digits(request, pair[1], line), line


def _digits(request: Request, value: Any, line: int) -> list[str]:
    """Return the digits of a vector, checked to be a list of numbers."""
    if type(value) is str and (fields := fields_of(value)) is not None:
        return fields
    if not isinstance(value, list):
        raise request.error(f"line {line:,} holds {_shown(value)} where a vector should be.")
    if not set(map(type, value)) <= {bytes}:
        stranger = next(member for member in value if not isinstance(member, bytes))
        raise request.error(f"line {line:,} holds {_shown(stranger)} where a number should be.")
    return b" ".join(value).decode().split()


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = value.decode() if isinstance(value, bytes) else json.dumps(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _of_records(request: Request, stream: Stream, records: Iterator[tuple[Any, int]]) -> Embeddings:
    """Read records, of which the first tell the columns."""
    sample = list(islice(records, SAMPLE_ROWS))
    for record, line in sample:
        _require_record(request, record, line)
    columns = _columns([record for record, _ in sample])

    def is_distinct(name: str) -> bool:
        values = [record.get(name) for record, _ in sample]
        return len({str(value) for value in values}) == len(values)

    key = None if stream.kind == "zip" else request.key
    choice = choose(request, columns, is_distinct, key=key)
    problems = Problems()
    choice.note_left_out(columns, problems)
    if choice.words is not None and choice.words.kind == "whole numbers":
        problems.add("integer ids", None, f"the numbers of {choice.words.name!r} became text")
    rows = (_row(request, choice, record, line) for record, line in chain(sample, records))
    return _of_rows(request, rows, choice.key, problems)


def _columns(records: Sequence[dict[str, Any]]) -> list[Column]:
    names = dict.fromkeys(name for record in records for name in record)
    return [_column(name, [r[name] for r in records if r.get(name) is not None]) for name in names]


def _column(name: str, values: Sequence[Any]) -> Column:
    """Tell what a member of the first records holds."""
    kind: Kind = "other"
    said = ""
    if values and all(type(value) is str for value in values):
        is_list = values[0].rstrip().endswith("]") and fields_of(values[0]) is not None
        kind = "vectors" if is_list else "text"
    elif values and all(isinstance(value, bytes) for value in values):
        kind = "whole numbers" if all(map(_is_whole, values)) else "numbers"
    elif values and isinstance(values[0], list):
        said = "list"
        if values[0] and all(isinstance(member, bytes) for member in values[0]):
            lists = [value for value in values if isinstance(value, list)]
            is_whole = all(map(_is_whole, chain.from_iterable(lists)))
            kind, said = ("other", "list of whole numbers") if is_whole else ("vectors", "list")
    elif values:
        said = "object" if isinstance(values[0], dict) else "mixed"
    return Column(name, kind, said)


def _require_record(request: Request, record: Any, line: int) -> None:
    if not isinstance(record, dict):
        raise request.error(f"line {line:,} holds {_shown(record)} where a record should be.")


def _row(request: Request, choice: Choice, record: Any, line: int) -> Row:
    _require_record(request, record, line)
    for column in (choice.words, *choice.vector):
        if column is not None and record.get(column.name) is None:
            raise request.error(f"line {line:,} has no {column.name!r}; fill it or leave it out.")
    word = None
    if choice.words is not None:
        word = record[choice.words.name]
        if not isinstance(word, str) and not _is_whole(word):
            raise request.error(
                f"line {line:,} holds {_shown(word)} as its {choice.words.name!r}, where a word "
                "should be."
            )
        word = word.decode() if isinstance(word, bytes) else word
    values = [record[column.name] for column in choice.vector]
    return word, _digits(request, values[0] if choice.is_list else values, line), line


def _of_rows(
    request: Request,
    rows: Iterable[Row],
    key: str | None = None,
    problems: Problems | None = None,
) -> Embeddings:
    """Return the table of rows of digits."""
    problems = problems or Problems()
    words: list[str | None] = []
    lines: list[int] = []
    matrices: list[Matrix] = []
    sample: list[list[str]] = []
    rows = iter(rows)
    wanted = request.limit
    while wanted is None or len(words) < wanted:
        size = BLOCK_ROWS if wanted is None else min(BLOCK_ROWS, wanted - len(words))
        some = list(islice(rows, size))
        if not some:
            break
        sample = sample or [digits for _, digits, _ in some[:SAMPLE_ROWS]]
        if not sample[0]:
            raise request.error(f"line {some[0][2]:,} holds an empty vector.")
        lines += [line for _, _, line in some]
        words += [_plain(word, line, problems) for word, _, line in some]
        digits = [row for _, row, _ in some]
        matrices.append(matrix_of(request, digits, lines[-len(some) :], len(sample[0])))
        require_memory(8 * len(words) * len(sample[0]), request.name)
    matrix = np.concatenate(matrices)
    rounding = rounding_of_rows(sample)
    named = [word for word in words if word is not None]
    if not named:
        return table_of_numbers(request, "json", matrix, "text", rounding, problems.all())
    refuse_vocabulary(request)
    source = Source(request.name, request.path, "json", "text", key, rounding)
    return chosen_table(request, named, lambda chosen: matrix[chosen], source, problems)


def _plain(word: str | None, line: int, problems: Problems) -> str | None:
    r"""Return a word as a plain string, which half of a surrogate pair cannot be part of."""
    if word is None:
        return None
    try:
        word.encode()
    except UnicodeEncodeError:
        word = word.encode(errors="backslashreplace").decode()
        problems.add("invalid Unicode", line, f"kept as {word[:SHOWN]!r}")
    if not word:
        problems.add("empty word", line, "kept as the word ''")
    return str(word)


FORMAT = Format(
    "json",
    ".jsonl or .json of words and vectors",
    looks_like_json,
    read,
    endings=(".jsonl", ".ndjson", ".json"),
    rows=count_rows,
)
