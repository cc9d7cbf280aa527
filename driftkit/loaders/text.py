"""GloVe and word2vec text: a word and its numbers a line, separated by spaces.

The file is read in blocks of whole lines. In each block the word ends at the d-th space from
the right of its line, which keeps spaces inside a token; pandas parses the numbers of the whole
block at once. Lines end at a line feed and nothing else, and only the ASCII space separates, so
tokens that hold U+0085 or U+00A0 (GloVe has them) stay whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import BinaryIO

import numpy as np

from driftkit.embeddings import Embeddings, Matrix
from driftkit.errors import SourceError
from driftkit.loaders.source import Request
from driftkit.loaders.text_rounding import rounding_of
from driftkit.source import Problem, Rounding, Source

BLOCK_BYTES = 1 << 24
SAMPLE_LINES = 1000
SAMPLE_NUMBERS = 50
"""Numbers looked at in each of the sampled lines when their rounding is told."""

_BOM = b"\xef\xbb\xbf"
_DECIMAL = re.compile(rb"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class _Opening:
    """What the first lines tell about a file."""

    dimensions: int
    declared: tuple[int, int] | None  # the header's n and d
    skip: int  # bytes before the first vector
    rounding: Rounding


def looks_like_text(head: bytes) -> bool:
    """Whether a file that starts so holds a word and numbers a line."""
    for line in head.removeprefix(_BOM).splitlines(keepends=True):
        fields = line.split()
        if fields:
            if not line.endswith((b"\n", b"\r")) and len(fields) > 3:
                fields.pop()  # the head may have cut it
            return len(fields) >= 2 and all(_is_number(field) for field in fields[1:][-2:])
    return False


def read(request: Request) -> Embeddings:
    """Read GloVe or word2vec text.

    Raises
    ------
    SourceError
        If a line is too short or too long, or holds something that is not a number; the
        sentence names the line.
    """
    size = request.path.stat().st_size
    with request.path.open("rb") as file:
        opening = _read_opening(request, file)
        d = opening.dimensions
        file.seek(opening.skip)
        # A row takes at least two bytes a number, which bounds what blank lines could claim.
        matrix = np.empty((min(_count_lines(file), size // (2 * d) + 1), d), np.float32)
        file.seek(opening.skip)
        words: list[str] = []
        problems: list[Problem] = []
        line = 1 + (opening.declared is not None)
        for block in _blocks(file):
            _read_block(request, block, line, matrix, words, problems)
            line += block.count(b"\n")
            request.report(min(file.tell(), size), size)
    problems += _check_header(request, opening, len(words))
    layout = "glove-text" if opening.declared is None else "word2vec-text"
    source = Source(request.name, request.path, layout, "text", rounding=opening.rounding)
    return Embeddings(words, matrix[: len(words)], source=source, problems=problems)


def _read_opening(request: Request, file: BinaryIO) -> _Opening:
    head = next(_blocks(file))
    skip = len(_BOM) if head.startswith(_BOM) else 0
    first = head[skip:].partition(b"\n")[0]
    lines = [line for line in _tidy(head[skip:]).split(b"\n") if line][: SAMPLE_LINES + 1]
    declared = _header(lines)
    if declared is not None:
        lines = lines[1:]
        skip += len(first) + 1
    counts = Counter(map(_trailing_numbers, lines))
    if declared is not None and declared[1] in counts:
        d = declared[1]
    else:
        d = counts.most_common(1)[0][0] if counts else 0
    if d == 0:
        raise SourceError(
            request.name, "holds no line of a word followed by numbers separated by spaces."
        )
    numbers = chain.from_iterable(line.split(b" ")[-d:][:SAMPLE_NUMBERS] for line in lines)
    return _Opening(d, declared, skip, rounding_of(numbers))


def _trailing_numbers(line: bytes) -> int:
    """How many numbers end a line, its first field aside: d, whatever the word holds."""
    fields = line.split(b" ")[:0:-1]
    return next((i for i, field in enumerate(fields) if not _is_number(field)), len(fields))


def _header(lines: list[bytes]) -> tuple[int, int] | None:
    """Read word2vec's first line, ``n d``; a GloVe line of one number is not taken for it."""
    fields = lines[0].split(b" ") if lines else []
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    n, d = (int(field) for field in fields)
    return (n, d) if d == 1 or len(lines) < 2 or lines[1].count(b" ") > 1 else None


def _check_header(request: Request, opening: _Opening, rows: int) -> Iterator[Problem]:
    if opening.declared is None:
        return
    n, d = opening.declared
    if rows < n and not _ends_in_newline(request):
        raise SourceError(
            request.name,
            f"its header promises {n:,} words and it ends after {rows:,}, without a final newline; "
            "the file is probably truncated, so copy or download it again.",
        )
    if (rows, opening.dimensions) != (n, d):
        yield Problem(
            "header",
            1,
            f"promises {n:,} words of {d} numbers; {rows:,} of {opening.dimensions} were read",
        )


def _ends_in_newline(request: Request) -> bool:
    with request.path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _count_lines(file: BinaryIO) -> int:
    lines, last = 0, b"\n"
    while chunk := file.read(BLOCK_BYTES):
        lines += chunk.count(b"\n")
        last = chunk[-1:]
    return lines + (last != b"\n")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Blocks of whole lines, each ending in a newline."""
    rest = b""
    while chunk := file.read(BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = chunk[cut:]
        else:
            rest += chunk
    if rest:
        yield rest + b"\n"


def _tidy(block: bytes) -> bytes:
    """Drop carriage returns and trailing spaces; most files have none, and pay nothing."""
    while b" \n" in block or b"\r\n" in block:
        block = block.replace(b"\r\n", b"\n").replace(b" \n", b"\n")
    return block


def _read_block(
    request: Request,
    block: bytes,
    line: int,
    matrix: Matrix,
    words: list[str],
    problems: list[Problem],
) -> None:
    """Read whole lines, the first being number `line`, into the next free rows."""
    d = matrix.shape[1]
    block = _tidy(block)
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))  # (lines,)
    starts = np.concatenate(([0], ends[:-1] + 1))
    spaces = np.flatnonzero(data == ord(" "))
    spaces_before_end = np.searchsorted(spaces, ends)
    count = np.diff(spaces_before_end, prepend=0)  # spaces in each line
    numbers = line + np.arange(len(ends))

    full = ends > starts
    problems += [Problem("blank line", n, "skipped") for n in numbers[~full].tolist()]
    starts, ends, count, numbers = starts[full], ends[full], count[full], numbers[full]
    short = np.flatnonzero(count < d)
    if len(short):
        raise SourceError(
            request.name,
            f"line {numbers[short[0]]:,} has {_count(int(count[short[0]]))} after the word where "
            f"other lines have {d}; the file may be truncated or made of several.",
        )
    if not len(ends):
        return
    word_ends = spaces[spaces_before_end[full] - d]
    raw = [block[a:b] for a, b in zip(starts.tolist(), word_ends.tolist(), strict=True)]
    for row in np.flatnonzero(count > d).tolist():
        problems.append(_check_spaces(request, raw[row], int(numbers[row]), d))
    names = [_decode(word, n, problems) for word, n in zip(raw, numbers.tolist(), strict=True)]
    rows = slice(len(words), len(words) + len(names))
    try:
        matrix[rows] = _parse(_masked(block, starts, word_ends, raw), d)
    except ValueError:
        bounds = zip(word_ends.tolist(), ends.tolist(), numbers.tolist(), strict=True)
        matrix[rows] = [_floats(request, block[a + 1 : b], n) for a, b, n in bounds]
    words += names


def _count(numbers: int) -> str:
    return f"{numbers} number" + ("" if numbers == 1 else "s")


def _check_spaces(request: Request, word: bytes, line: int, d: int) -> Problem:
    """Tell a token that holds spaces from a line that holds too many numbers."""
    extra = word.split(b" ")[1:]
    if all(_DECIMAL.fullmatch(field) for field in extra):
        raise SourceError(
            request.name,
            f"line {line:,} has {d + len(extra)} numbers after the word where other lines have "
            f"{d}; the file may be damaged or made of several.",
        )
    shown = word.decode(errors="backslashreplace")
    return Problem("space in word", line, f"{shown!r}: the vector was taken from the right")


def _decode(word: bytes, line: int, problems: list[Problem]) -> str:
    if not word:
        problems.append(Problem("empty word", line, "kept as the word ''"))
    try:
        return word.decode()
    except UnicodeDecodeError:
        # Escapes keep two broken tokens apart, where one replacement character would not.
        text = word.decode(errors="backslashreplace")
        problems.append(Problem("invalid UTF-8", line, f"kept as {text!r}"))
        return text


def _masked(
    block: bytes, starts: np.ndarray, word_ends: np.ndarray, raw: list[bytes]
) -> bytes | bytearray:
    """Overwrite the few words that hold a space or a NUL, which would shift their columns."""
    odd = [row for row, word in enumerate(raw) if b" " in word or b"\0" in word]
    if not odd:
        return block
    masked = bytearray(block)
    for row in odd:
        masked[starts[row] : word_ends[row]] = b"x" * len(raw[row])
    return masked


def _parse(block: bytes | bytearray, d: int) -> Matrix:
    """Numbers of a block of regular lines, (lines, d)."""
    import pandas as pd

    frame = pd.read_csv(
        BytesIO(block),
        sep=" ",
        header=None,
        names=range(d + 1),
        usecols=range(1, d + 1),
        dtype=np.float32,
        quoting=3,  # csv.QUOTE_NONE: a quote is a word like any other
        na_filter=False,
        lineterminator="\n",
        encoding="latin-1",  # never fails; words are decoded elsewhere
        engine="c",
        low_memory=False,
    )
    return frame.to_numpy()


def _floats(request: Request, line: bytes, number: int) -> list[float]:
    """Parse the numbers of one line with Python, for blocks that pandas refuses."""
    for field in line.split(b" "):
        if not _is_number(field):
            shown = field.decode(errors="backslashreplace")
            raise SourceError(
                request.name, f"line {number:,} holds {shown!r} where a number is due."
            )
    return [float(field) for field in line.split(b" ")]


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python reads 1_000 as a number, no other tool does
