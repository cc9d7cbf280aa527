"""What the first lines of a text file tell: its header, its width and its rounding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from statistics import median

from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM, tidy
from driftkit.provenance import Rounding

MOST_DIMENSIONS = 65_536
SAMPLE_LINES = 400
SAMPLE_NUMBERS = 50  # of each sampled line, from which the rounding is told
SAMPLE_BYTES = 1 << 20  # the sampled lines stand in about this much of a file
EXACT_DIGITS = 9  # significant digits that tell each float32 from its neighbors (IEEE 754)
EXACT_DECIMALS = 16  # decimals with which even a coordinate of 1e-7 keeps nine significant digits
ENOUGH = 1000  # numbers needed before digits that vary with magnitude count as a style
_NUMBER = re.compile(rb"[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first lines tell about a file."""

    dimensions: int
    declared: tuple[int, int] | None  # n and d, as the header says
    skip: int  # bytes before the first vector
    rounding: Rounding
    line_bytes: float  # mean length of the lines looked at
    trailing_spaces: bool  # as word2vec's own program and fastText write them


def is_number(field: bytes) -> bool:
    """Whether a field is a number that every tool reads."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_000 as a number, no other tool does


def is_row(line: bytes) -> bool:
    """Whether a line ends like a word and its numbers.

    Examples
    --------
    >>> is_row(b"good 0.1 0.2"), is_row(b"404 not found")
    (True, False)
    """
    fields = line.split()
    return len(fields) >= 2 and all(map(is_number, fields[1:][-2:]))


def read_opening(request: Request, head: bytes) -> Opening:
    """Tell the shape of a file from its first bytes."""
    skip = len(BOM) if head.startswith(BOM) else 0
    first = head[skip:].partition(b"\n")[0]
    raw = head[skip:].split(b"\n", SAMPLE_LINES + 1)[: SAMPLE_LINES + 1]
    trailing = any(line.endswith((b" ", b" \r")) for line in raw)
    lines = [line for line in tidy(b"\n".join(raw) + b"\n").split(b"\n") if line]
    declared = _header(lines)
    if declared is not None:
        lines = lines[1:]
        skip += len(first) + 1
    counts = Counter(map(_trailing_numbers, lines))
    if declared is not None and declared[1] in counts:
        d = declared[1]
    else:
        d = next((d for d, _ in counts.most_common(2) if d), 0)
    if d == 0:
        raise request.error("holds no line of a word followed by numbers separated by spaces.")
    if d > MOST_DIMENSIONS:
        raise request.error(f"has {d:,} numbers in its first lines; no word vector is that long.")
    numbers = chain.from_iterable(line.split(b" ")[-d:][:SAMPLE_NUMBERS] for line in lines)
    # A row takes at least two bytes a number, whatever blank or cut lines would claim.
    mean = max(sum(map(len, lines)) / len(lines) + 1, 2 * d)
    return Opening(d, declared, skip, rounding_of(numbers), mean, trailing)


def _trailing_numbers(line: bytes) -> int:
    """Count the numbers that end a line, without its first field: d, whatever the word holds."""
    fields = line.split(b" ")[:0:-1]
    return next((i for i, field in enumerate(fields) if not is_number(field)), len(fields))


def _header(lines: list[bytes]) -> tuple[int, int] | None:
    """Read word2vec's first line, ``n d``; a GloVe line of one number is not taken for it."""
    fields = lines[0].split(b" ") if lines else []
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 16 for field in fields):
        return None
    n, d = (int(field) for field in fields)
    return (n, d) if d == 1 or len(lines) < 2 or lines[1].count(b" ") > 1 else None


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
