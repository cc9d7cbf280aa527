"""What the first lines of a text file tell: its header, its width and its rounding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Literal

from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM, tidy
from driftkit.loaders.text.quotes import all_quoted
from driftkit.loaders.text.width import is_number, width_of
from driftkit.provenance import Rounding

MOST_DIMENSIONS = 65_536
SAMPLE_LINES = 400
SAMPLE_NUMBERS = 50  # of each sampled line, from which the rounding is told
SAMPLE_BYTES = 1 << 20  # the sampled lines stand in about this much of a file
EXACT_DIGITS = 9  # significant digits that tell each float32 from its neighbors (IEEE 754)
EXACT_DECIMALS = 16  # decimals with which even a coordinate of 1e-7 keeps nine significant digits
ENOUGH = 1000  # numbers needed before digits that vary with magnitude count as a style
WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # how UTF-16 and UTF-32 begin
STAND_IN = b"x"  # for the word of each line, where the words are in another file

_NUMBER = re.compile(rb"[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")

Rewrite = tuple[re.Pattern[bytes], bytes]  # a pattern in a line, and what takes its place

_INDENT = (re.compile(rb"(?m)^ +"), b"")
_RUNS = (re.compile(rb"  +"), b" ")
_TAB = (re.compile(rb"(?m)^([^ \n]*)(?:\t|\xc2\xa0)"), rb"\1 ")
_NO_WORD = (
    (re.compile(rb"[ \t]+"), b" "),
    (re.compile(rb"(?m)^ ?(?=[^\s#])"), STAND_IN + b" "),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first lines tell about a file.

    Where they are not a word and its numbers with one space between, `rewrites` make them so.
    """

    dimensions: int
    declared: tuple[int, int] | None  # n and d, as the header says
    skip: int  # bytes before the first vector
    rounding: Rounding
    line_bytes: float  # mean length of the lines looked at
    trailing_spaces: bool  # as word2vec's own program and fastText write them
    has_words: bool = True  # False where all its numbers are those of vectors
    rewrites: tuple[Rewrite, ...] = ()
    lines_before: int = 0  # the first vector
    has_quotes: bool = False  # around every word

    def rewrite(self, block: bytes) -> bytes:
        """Return lines of a word and its numbers, with one space between."""
        return _rewritten(block, self.rewrites)


def is_row(line: bytes) -> bool:
    """Whether a line ends like a word and its numbers, with spaces between.

    Examples
    --------
    >>> is_row(b"good 0.1 0.2"), is_row(b"404 not found"), is_row(b"good,0.1,0.2")
    (True, False, False)
    """
    fields = [field for field in line.strip(b" \t\r\n").split(b" ") if field]
    return len(fields) >= 2 and all(map(is_number, fields[1:][-2:]))


def has_decimal_commas(lines: Sequence[bytes]) -> bool:
    """Whether lines, below a header or not, are a word and numbers such as 0,25.

    Examples
    --------
    >>> has_decimal_commas([b"good 0,25 -1,5"]), has_decimal_commas([b"good,0.25,-1.5"])
    (True, False)
    """
    comma = re.compile(rb"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
    tails = [line.split()[1:] for line in lines]
    if len(tails) > 1 and all(map(bytes.isdigit, lines[0].split())):
        tails = tails[1:]
    return bool(tails) and all(tail and comma.fullmatch(tail[-1]) for tail in tails)


FirstColumn = Literal["words", "numbers", "either"]


def first_column(rows: Sequence[Sequence[bytes]]) -> FirstColumn:
    """Tell what stands first in lines of nothing but numbers.

    Whole numbers that differ, before others that are not whole, are words: years, or ids. Numbers
    written like those after them are the first of a vector. Where all are whole, or those that
    come first repeat, it can be either.

    Examples
    --------
    >>> first_column([[b"1999", b"0.1"], [b"2000", b"0.2"]])
    'words'
    >>> first_column([[b"0.5", b"0.1"], [b"-1.5", b"0.2"]])
    'numbers'
    >>> first_column([[b"1", b"10"], [b"2", b"20"]])
    'either'
    """
    firsts = [row[0] for row in rows]
    if not all(map(bytes.isdigit, firsts)):
        return "numbers"
    whole = all(field.lstrip(b"+-").isdigit() for row in rows for field in row[1:])
    return "either" if whole or len(set(firsts)) < len(firsts) else "words"


def read_opening(request: Request, head: bytes) -> Opening:
    """Tell the shape of a file from its first bytes."""
    _require_lines_of_utf8(request, head)
    skip = len(BOM) if head.startswith(BOM) else 0
    raw = head[skip:].split(b"\n", SAMPLE_LINES + 1)[: SAMPLE_LINES + 1]
    trailing = any(line.endswith((b" ", b" \r")) for line in raw)
    lines = [line for line in tidy(b"\n".join(raw) + b"\n").split(b"\n") if line]
    comments = _comments(lines) if _only_numbers(lines, head[skip:]) else 0
    declared = _header(lines[comments:])
    before = comments + (declared is not None)
    if declared is None and comments:  # np.savetxt puts "# " before the header it is given
        declared = _header([lines[comments - 1].lstrip(b"# "), *lines[comments:]])
    lines = lines[before:]
    start, skip = skip, _after(head, skip, before)
    has_words, rewrites = _layout(request, lines, head[skip:], declared)
    lines = [line for line in _rewritten(b"\n".join(lines), rewrites).split(b"\n") if line]
    d = width_of(request, lines, None if declared is None else declared[1])
    if d == 0:
        if has_decimal_commas(lines):
            raise request.error(
                "its numbers have decimal commas (0,25); write them with points (0.25)."
            )
        raise request.error("holds no line of a word followed by numbers separated by spaces.")
    if d > MOST_DIMENSIONS:
        raise request.error(f"has {d:,} numbers in its first lines; no word vector is that long.")
    numbers = chain.from_iterable(line.split(b" ")[-d:][:SAMPLE_NUMBERS] for line in lines)
    # A row takes at least two bytes a number, whatever blank or cut lines would claim.
    mean = max(sum(map(len, lines)) / len(lines) + 1, 2 * d)
    rounding, passed = rounding_of(numbers), head[start:skip].count(b"\n")
    quoted = all_quoted([line.rsplit(b" ", d)[0] for line in lines])
    return Opening(d, declared, skip, rounding, mean, trailing, has_words, rewrites, passed, quoted)


def _rewritten(block: bytes, rewrites: Sequence[Rewrite]) -> bytes:
    for pattern, plain in rewrites:
        block = pattern.sub(plain, block)
    return block


def _after(head: bytes, position: int, lines: int) -> int:
    """Where the line begins that follows so many that are not blank."""
    while lines and position < len(head):
        end = head.find(b"\n", position) + 1 or len(head)
        lines -= bool(head[position:end].strip())
        position = end
    return position


def _require_lines_of_utf8(request: Request, head: bytes) -> None:
    if head.startswith(WIDE):
        raise request.error("is UTF-16 or UTF-32 text; save it as UTF-8.")
    if head.count(b"\r") > 1 and b"\n" not in head:
        raise request.error(
            "ends its lines with carriage returns alone, as very old Macs did; save it with line "
            "feeds."
        )


def _only_numbers(lines: Sequence[bytes], head: bytes) -> bool:
    """Whether the lines hold numbers alone, but for comments at the top."""
    rows = [line.split() for line in lines[_comments(lines) :]]
    if not rows or not all(map(is_number, chain.from_iterable(rows))):
        return False
    firsts = (line.split(None, 1)[:1] for line in head.split(b"\n")[:-1])
    return all(is_number(first[0]) or first[0].startswith(b"#") for first in firsts if first)


def _comments(lines: Sequence[bytes]) -> int:
    """Count the lines at the top that begin with # and are not that word and its numbers."""
    count = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), 0)
    width = len(lines[count].split()) if lines else 0
    for line in lines[:count]:
        fields = line.split()[1:]
        declares = len(fields) == 2 and fields[1] == b"%d" % width
        if len(fields) + 1 == width and all(map(is_number, fields)) and not declares:
            return 0
    return count


def _layout(
    request: Request, lines: Sequence[bytes], head: bytes, declared: tuple[int, int] | None
) -> tuple[bool, tuple[Rewrite, ...]]:
    """Tell whether lines hold words, and what makes them a word and numbers with one space each."""
    if not _only_numbers(lines, head):
        rewrites = [_INDENT] if lines and all(line.startswith(b" ") for line in lines) else []
        if lines and all(b"  " in line.lstrip() for line in lines):
            rewrites.append(_RUNS)
        firsts = [line.lstrip(b" ").split(b" ", 1)[0] for line in lines]
        if firsts and all(map(_holds_number, firsts)):
            rewrites.append(_TAB)
        return True, tuple(rewrites)
    rows = [line.split() for line in lines]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row for row in rows if len(row) == width]
    if declared is not None and declared[1] in (width - 1, width):
        first: FirstColumn = "words" if declared[1] < width else "numbers"
    else:
        first = first_column(rows)
        if first == "either":
            raise request.error(two_readings(width, first))
    return first == "words", () if first == "words" else _NO_WORD


def _holds_number(field: bytes) -> bool:
    """Whether a word and the first number hang together by a tab or a no-break space."""
    word, _, number = field.replace(b"\xc2\xa0", b"\t").rpartition(b"\t")
    return bool(word) and is_number(number)


def two_readings(width: int, first: FirstColumn) -> str:
    """Say how lines of nothing but numbers can be read, and what chooses."""
    header = "" if first == "numbers" else f"put a first line ROWS {width}, and "
    return (
        f"holds lines of {width} numbers and no other word, which can be read in two ways: as "
        f"{width} numbers for each row, whose words are in another file ({header}name it: "
        f"--vocab FILE, vocab=), or as a word that is a number and {width - 1} more (put a first "
        f"line ROWS {width - 1}, as word2vec does)."
    )


def _header(lines: list[bytes]) -> tuple[int, int] | None:
    """Read word2vec's first line, ``n d``; a GloVe line of one number is not taken for it."""
    fields = lines[0].split(b" ") if lines else []
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 16 for field in fields):
        return None
    n, d = (int(field) for field in fields)
    if d == 1 or len(lines) < 2 or lines[1].count(b" ") > 1:
        return n, d
    # Two numbers, each line of which may be that: told by the number of lines.
    pair = lines[1].split()
    numbers = d == len(pair) == 2 and all(map(is_number, pair)) and n >= len(lines) - 1
    return (n, d) if numbers else None


def rounding_of(numbers: Iterable[bytes]) -> Rounding:
    """Return the rounding of a text file, told from a sample of its numbers as written.

    Fixed decimals (``%f``: 12.3456, 0.0012) round a decimal place; as many stand in large numbers
    as in small ones. Fixed significant digits (``%g``, ``repr``: 12.346, 0.0012346) round a share
    of the value; large numbers have fewer decimals, or there are exponents.

    Examples
    --------
    >>> rounding_of([b"0.25", b"-1.50"]).absolute
    0.005
    >>> rounding_of([b"1.5e-03", b"2e+00"]).reason
    'text: half a unit in significant digit 2'
    >>> rounding_of([b"3", b"-17"]).is_exact
    True
    """
    digits, decimals, sizes = [], [], []
    has_exponent = False
    for number in numbers:
        match = _NUMBER.fullmatch(number)
        if match is None or not (match[1] or match[2]):
            continue  # not a plain finite number
        has_exponent |= match[3] is not None
        digits.append(len((match[1] + match[2]).lstrip(b"0")))
        decimals.append(len(match[2]))
        sizes.append(abs(float(number)))
    if not sizes or (not has_exponent and max(decimals) == 0):
        return Rounding()  # whole numbers: nothing was rounded
    middle = median(sizes)
    deepest = max(decimals)
    deepest_of_large = max(d for d, size in zip(decimals, sizes, strict=True) if size >= middle)
    by_digits = has_exponent or deepest_of_large < deepest
    if (by_digits and max(digits) >= EXACT_DIGITS) or deepest >= EXACT_DECIMALS:
        return Rounding()
    if has_exponent or (by_digits and len(sizes) >= ENOUGH):
        return Rounding.of_digits(max(digits))
    return Rounding.of_decimals(deepest)
