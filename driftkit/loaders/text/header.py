"""What the first lines of a text file tell: its header, its width and its rounding."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain

from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM, tidy
from driftkit.loaders.text.precision import rounding_of
from driftkit.provenance import Rounding

MOST_DIMENSIONS = 65_536
SAMPLE_LINES = 400
SAMPLE_NUMBERS = 50  # of each sampled line, from which the rounding is told
SAMPLE_BYTES = 1 << 20  # the sampled lines stand in about this much of a file


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
        d = counts.most_common(1)[0][0] if counts else 0
        if d == 0 and len(counts) > 1:
            d = counts.most_common(2)[1][0]
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
