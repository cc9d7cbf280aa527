"""How a delimited table is written: its separator, quotes and header, told from its first rows."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from driftkit.loaders.columns.choose import Column, Kind, is_name_of_words
from driftkit.loaders.columns.digits import fields_of, is_digits
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM

SEPARATORS = ("\t", ";", ",")
SAMPLE_ROWS = 400
MOST_COLUMNS = 70_000

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ROW_NUMBERS = ("", "unnamed: 0", "index", "rownames", "row.names")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:,\d{3})+\s*")
_WHOLE = re.compile(r"[0-9]{1,9}")  # as names of columns are counted, or years
_NO_VALUES = ("", "na", "n/a", "nan", "null", "none", "\\n")  # which stand for a number left out
_SURELY_COUNTED = 10  # numbers in a first line that count on one by one, as no vector does
_CUT_DECIMAL = re.compile(r"-0|0\d+")  # what a decimal comma leaves where commas separate
# As R's write.table does with spaces: names in quotes above rows that begin with a quote.
_WRITE_TABLE = re.compile(r'("[^"\n]*" )*"[^"\n]*"\r?\n"')

Record = list[str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the records of a table are told apart."""

    separator: str
    quoted: bool  # as RFC 4180; else a quote is a character like any other
    decimal_comma: bool = False

    def records(self, text: str) -> Any:
        """Return the records of a piece of text, checked; see the module `csv`."""
        form: dict[str, Any] = {} if self.quoted else {"quoting": csv.QUOTE_NONE}
        lines = (found[0] for found in _LINE.finditer(text))  # a StringIO takes four times as much
        return csv.reader(lines, delimiter=self.separator, strict=True, **form)

    def digits(self, cell: str) -> str:
        """Return a number with the decimal point that every parser reads."""
        if not self.decimal_comma:
            return cell
        # A point would separate thousands here, or belong to another table.
        return cell.replace(",", ".") if "." not in cell else f"{cell} among decimal commas"


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first rows of a delimited table tell."""

    dialect: Dialect
    columns: tuple[Column, ...]
    has_header: bool
    skip: int  # lines before the first row
    declared: bool  # whether a line ``n d`` stands above
    rows: tuple[Record, ...]  # those looked at, each with a cell for each column


def looks_like_delimited(head: bytes) -> bool:
    """Whether the first rows of a file are cells between tabs, semicolons or commas."""
    return b"\0" not in head and _best_dialect(_sample(head)) is not None


def read_opening(request: Request, head: bytes) -> Opening:
    """Tell how a table is written from its first bytes; a row that they cut is not looked at."""
    text = _sample(head)
    dialect = _best_dialect(text)
    if dialect is None:
        raise request.error(
            "holds no rows of a word and its numbers between tabs, semicolons or commas."
        )
    records, ends, _ = _records(dialect, text)
    width = _width(records)
    if width > MOST_COLUMNS:
        raise request.error(
            f"has {width:,} columns in its first rows; no word vector is that long."
        )
    skip = 0
    declared = _is_declaration(records, dialect, width)
    if declared:
        skip, records, ends = ends[0], records[1:], ends[1:]
    rows = [record for record in records if len(record) == width]
    dialect = replace(dialect, decimal_comma=_has_decimal_comma(request, dialect, rows))
    names = _header(request, records, rows, dialect)
    if names is not None:
        skip, rows = ends[0], rows[len(records[0]) == width :]
        repeated = next((name for name, times in Counter(names).items() if times > 1), None)
        if repeated is not None:
            raise request.error(
                f"has {names.count(repeated)} columns named {repeated!r}; give each its own name."
            )
    if not rows:
        raise request.error("holds a header and no row below it.")
    columns = tuple(
        _column(name, [row[place] for row in rows], place, dialect, names is not None)
        for place, name in enumerate(names or map(str, range(1, width + 1)))
    )
    _refuse_doubt(request, dialect, columns, rows)
    if names is None and dialect.separator != "\t":
        _refuse_longer_words(request, dialect, rows)
    return Opening(dialect, columns, names is not None, skip, declared, tuple(rows))


def swallows_rows(cell: str, separator: str, width: int) -> bool:
    """Whether what stands between two quotes holds a row of the table, so that they are no pair."""
    if "\n" not in cell or fields_of(cell) is not None:
        return False
    return any(line.count(separator) >= width - 1 for line in cell.split("\n"))


def _sample(head: bytes) -> str:
    text = head.removeprefix(BOM).decode(errors="backslashreplace")
    if not text.endswith(("\n", "\r")):
        whole = max(text.rfind("\n"), text.rfind("\r"))
        text = text[: whole + 1] or text
    return text


def _records(dialect: Dialect, text: str) -> tuple[list[Record], list[int], int]:
    """Return the first records, the line in which each ends, and how many are broken."""
    found: list[Record] = []
    ends: list[int] = []
    broken = 0
    reader = dialect.records(text)
    try:
        for record in reader:
            if any(record):
                found.append(record)
                ends.append(reader.line_num)
            if len(found) > SAMPLE_ROWS:
                break
    except csv.Error:
        broken += 1
    width = _width(found)
    broken += sum(
        len(record) != width
        or any(swallows_rows(cell, dialect.separator, width) for cell in record)
        for record in found
    )
    return found, ends, broken


def _width(records: Sequence[Record]) -> int:
    """Return how many cells most records have; below a header, at a tie."""
    counts = Counter(map(len, reversed(records)))
    return counts.most_common(1)[0][0] if counts else 0


def _best_dialect(text: str) -> Dialect | None:
    """Return the dialect in which the most columns hold numbers or vectors."""
    found: list[tuple[float, Dialect]] = []
    for separator in (*SEPARATORS, " ") if _WRITE_TABLE.match(text) else SEPARATORS:
        dialect = Dialect(separator, quoted=True)
        records, _, broken = _records(dialect, text)
        if '"' in text and broken:
            literal = Dialect(separator, quoted=False)
            others = _records(literal, text)
            if others[2] < broken:
                dialect, records = literal, others[0]
        share = _share_of_numbers(dialect, records)
        if share > 0:
            found.append((share, dialect))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _share_of_numbers(dialect: Dialect, records: Sequence[Record]) -> float:
    width = _width(records)
    rows = [record for record in records if len(record) == width]
    if width < 2 or 2 * len(rows) < len(records):
        return 0.0
    columns = [[row[place] for row in rows[1:] or rows] for place in range(width)]
    if any(_most(map(_is_half, cells)) for cells in columns):
        return 0.0  # the separator stands inside lists
    if any(map(_is_cut, columns[1:-1])) or (width == 2 and _is_cut(columns[1], columns[0])):
        return 0.0
    in_words = dialect.separator != "\t" and width == 2 and _most(map(_is_bare, columns[1]))
    if in_words and len(rows) < len(records):
        return 0.0  # text separated by spaces, of which most words hold a comma
    decimal = replace(dialect, decimal_comma=True)
    explained = [
        any(_kind(cells, place, form, width) != "text" for form in (dialect, decimal))
        for place, cells in enumerate(columns)
    ]
    return sum(explained) / (width - 1)


def _is_cut(cells: Sequence[str], before: Sequence[str] | None = None) -> bool:
    """Whether cells look like ``5 -0``: commas inside numbers that spaces separate."""
    pattern = r"\d+( [+-]?\d+)+" if before is None else r"\d+( [+-]?\d+(,\d+)?)*"
    ends = before is None or _most(re.search(r" [+-]?\d+$", cell) is not None for cell in before)
    return ends and _most(re.fullmatch(pattern, cell) is not None for cell in cells)


def _is_half(cell: str) -> bool:
    """Whether a list begins in a cell and does not end there, or the other way round."""
    found = re.search(r"[\[({]\s*[-+]?\.?\d[^\[\](){}]*$", cell)
    return found is not None and fields_of(cell) is None


def _is_bare(cell: str) -> bool:
    """Whether a cell is a vector without brackets, its numbers separated by spaces."""
    return fields_of(cell) is not None and not cell.rstrip().endswith(("]", ")", "}"))


def _most(answers: Iterable[bool]) -> bool:
    listed = list(answers)
    return 2 * sum(listed) > len(listed)


def _kind(cells: Sequence[str], place: int, dialect: Dialect, width: int) -> Kind:
    """Tell what most cells of a column hold; the first column holds words if any cell does."""
    cells = [cell for cell in cells if cell.strip()]
    if not cells:
        return "other"
    numbers = [is_digits(dialect.digits(cell)) for cell in cells]
    if all(numbers) or (place and _most(numbers)):
        plain = [cell for cell, number in zip(cells, numbers, strict=True) if number]
        digits = [cell.strip().lstrip("+-") for cell in plain]
        # A dimension that never moved from 0 may be written without decimals.
        is_whole = all(map(str.isdigit, digits)) and set(digits) != {"0"}
        return "whole numbers" if is_whole else "numbers"
    filled = [cell for cell in cells if cell.strip().lower() not in _NO_VALUES]
    bare = width == 2 or all("." in cell and _is_bare(cell) for cell in filled)
    if _most(fields_of(cell) is not None and (bare or not _is_bare(cell)) for cell in filled):
        return "vectors"
    return "text"


def _column(
    name: str, cells: Sequence[str], place: int, dialect: Dialect, has_header: bool
) -> Column:
    kind = _kind(cells, place, dialect, 2 if not has_header or place else 3)
    if has_header and is_name_of_words(name) and kind == "numbers":
        kind = "text"  # words such as 3.14, or ids of which most are numbers
    if place == 0 and not has_header and kind == "numbers" and _are_ids(cells, dialect):
        kind = "whole numbers"
    counts = kind == "whole numbers" and [_as_id(cell, dialect) for cell in cells] in (
        [str(row) for row in range(first, first + len(cells))] for first in (0, 1)
    )
    if counts and (name.lower() in _ROW_NUMBERS if has_header else place == 0 and len(cells) > 2):
        kind = "row numbers"
    return Column(name, kind, "empty" if kind == "other" else "")


def _are_ids(cells: Sequence[str], dialect: Dialect) -> bool:
    """Whether numbers that are not written so are whole, none twice: 1.0, or NumPy's 1.00e+00."""
    values = {_float(cell, dialect) for cell in cells}
    return len(values) == len(cells) > 1 and all(map(float.is_integer, values))


def _float(cell: str, dialect: Dialect) -> float:
    digits = dialect.digits(cell)
    return float(digits) if is_digits(digits) else math.nan


def _as_id(cell: str, dialect: Dialect) -> str:
    return cell.strip() if cell.strip().isdigit() else f"{_float(cell, dialect):g}"


def _is_declaration(records: Sequence[Record], dialect: Dialect, width: int) -> bool:
    """Whether the first line is word2vec's ``n d``, and those below have d numbers."""
    if len(records) < 2 or len(records[0]) == width:
        return False
    fields = dialect.separator.join(records[0]).split()
    return len(fields) == 2 and fields[0].isdigit() and fields[1] == str(width - 1)


def _has_decimal_comma(request: Request, dialect: Dialect, rows: Sequence[Record]) -> bool:
    """Whether numbers are written as 0,5; refuse those that may as well be thousands."""
    if dialect.separator == ",":
        # Quoted cells may hold commas between commas.
        cells = [cell for row in rows for cell in row[1:] if _DECIMAL_COMMA.fullmatch(cell)]
        if len(cells) <= len(rows) * (len(rows[0]) - 1) / 2:
            return False
    else:
        cells = [cell for row in rows for cell in row[1:] if _DECIMAL_COMMA.fullmatch(cell)]
        points = sum("." in cell and is_digits(cell) for row in rows for cell in row[1:])
        if not cells or points > len(cells):
            return False
    if all(map(_THOUSANDS.fullmatch, cells)):
        raise request.error(
            f"holds numbers such as {cells[0].strip()!r}, whose comma may be a decimal comma or "
            "separate thousands; save them with a decimal point and without separators."
        )
    return True


def _header(
    request: Request, records: Sequence[Record], rows: Sequence[Record], dialect: Dialect
) -> tuple[str, ...] | None:
    """Return the names in the first record if it is a header; refuse one that may also be a row."""
    first, width = records[0], len(rows[0])
    below = rows[len(first) == width :]
    if len(first) not in (width, width - 1) or not below:
        return None
    names = (*[""] * (width - len(first)), *first)
    kinds = [_kind([row[place] for row in below], place, dialect, width) for place in range(width)]
    places = [place for place, kind in enumerate(kinds) if kind not in ("text", "other")]
    if not places or any(_is_of_a_row(dialect.digits(name)) for name in names):
        return None
    cells = [names[place].strip() for place in places]
    numbers = [int(cell) for cell in cells if _WHOLE.fullmatch(cell)]
    has_names = any(not _WHOLE.fullmatch(cell) and cell.lower() not in _NO_VALUES for cell in cells)
    if has_names and not numbers:
        return names
    counted = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    begins_with_id = bool(_WHOLE.fullmatch(names[0].strip()))  # as no header does
    if counted and len(numbers) >= _SURELY_COUNTED:
        return names
    whole = all(row[place].strip().lstrip("+-").isdigit() for row in below for place in places)
    if not names[0].strip() or any(map(is_name_of_words, names)):
        surely = has_names or (not whole and len(set(names)) == width)
        if surely and not begins_with_id:
            return names
    elif has_names and counted and len(numbers) > 1 and not begins_with_id:
        return names
    elif not has_names and not (counted and (len(numbers) > 1 or (whole and numbers[0] < 3))):
        return None
    raise request.error(
        f"its first line {_shown(first)} may be a header or a row; if it is a header, name its "
        "columns word, V1, V2, ..., and if it is a row, put such a header above it."
    )


def _is_of_a_row(cell: str) -> bool:
    """Whether a cell holds what names no column: a vector, or a number that is no count."""
    is_count = _WHOLE.fullmatch(cell.strip()) is not None
    return fields_of(cell) is not None or (is_digits(cell) and not is_count)


def _refuse_doubt(
    request: Request, dialect: Dialect, columns: Sequence[Column], rows: Sequence[Record]
) -> None:
    """Refuse what may be decimal commas between commas, and words in single quotes."""
    numbers = [place for place, column in enumerate(columns) if column.is_number]
    cells = [row[place].strip() for row in rows for place in numbers]
    cut = next(filter(_CUT_DECIMAL.fullmatch, cells), None)
    whole = not any("." in cell or "e" in cell.lower() for cell in cells)
    if dialect.separator == "," and cut is not None and whole and len(numbers) % 2 == 0:
        raise request.error(
            f"holds whole numbers such as {cut!r} between its commas, which may be halves of "
            "numbers with a decimal comma; save it with semicolons between them, or with a decimal "
            "point."
        )
    words = [row[place] for row in rows for place, c in enumerate(columns) if c.kind == "text"]
    if len(words) > 1 and all(len(w) > 2 and w[0] == w[-1] == "'" for w in words):
        raise request.error(
            f"its words stand in single quotes, such as {words[0]}, which may be theirs or the "
            "table's; save it with double quotes or none."
        )


def _refuse_longer_words(request: Request, dialect: Dialect, rows: Sequence[Record]) -> None:
    """Refuse ``a;1 0.5 0.25``, which may be a word of two parts in text separated by spaces."""
    vectors = [row[-1].split() for row in rows if _is_bare(row[-1])]
    if not vectors or not all(vector[0].isdigit() for vector in vectors):
        return
    word, vector = dialect.separator.join(rows[0][:-1]), vectors[0]
    if not all(map(str.isdigit, vector)):
        longer = dialect.separator.join([word, vector[0]])
        raise request.error(
            f"its first row may be the word {word!r} and {len(vector)} numbers, or the word "
            f"{longer!r} and {len(vector) - 1}; separate all by tabs, or put the header "
            f"word{dialect.separator}vector above it if the first is meant."
        )


def _shown(record: Record) -> str:
    return "(" + ", ".join(map(repr, record[:5])) + (", ...)" if len(record) > 5 else ")")
