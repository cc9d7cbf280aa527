"""Blocks of text that are not regular: words with spaces, blank lines, bytes that are not UTF-8.

In each line the word ends at the d-th space from the right, which keeps spaces inside a word.
Lines end at a line feed and nothing else, and only the ASCII space separates, so words that hold
U+0085 or U+00A0 (GloVe has them) stay whole.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix
from driftkit.loaders.problems import Problems
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import read_regular
from driftkit.loaders.text.width import is_number

_DECIMAL = re.compile(rb"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_MARKERS = (b"<<<<<<< ", b"=======", b">>>>>>> ")  # what git writes around both sides of a conflict


def read_irregular(
    request: Request, block: bytes, line: int, d: int, problems: Problems
) -> tuple[list[str], Matrix, npt.NDArray[np.int64]]:
    """Return the words, rows (m, d) and line numbers of a block of whole, tidy lines.

    The first of them is number `line` of the file.
    """
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))  # (lines,)
    starts = np.concatenate(([0], ends[:-1] + 1))
    spaces = np.flatnonzero(data == ord(" "))
    spaces_before_end = np.searchsorted(spaces, ends)
    count = np.diff(spaces_before_end, prepend=0)  # spaces in each line
    numbers = line + np.arange(len(ends))

    full = ends > starts
    problems.add_many("blank line", numbers[~full], "skipped")
    starts, ends, count, numbers = starts[full], ends[full], count[full], numbers[full]
    short = np.flatnonzero(count < d)
    if len(short):
        at = short[0]
        _require_row(request, block[starts[at] : ends[at]], int(numbers[at]))
        has = int(count[short[0]])
        raise request.error(
            f"line {numbers[short[0]]:,} has {has} number{'' if has == 1 else 's'} where "
            f"other lines have {d}; the file may be truncated or made of several."
        )
    if not len(ends):
        return [], np.empty((0, d), np.float32), numbers
    word_ends = spaces[spaces_before_end[full] - d]
    raw = [block[a:b] for a, b in zip(starts.tolist(), word_ends.tolist(), strict=True)]
    for row in np.flatnonzero(count > d).tolist():
        _check_spaces(request, raw[row], int(numbers[row]), d, problems)
    words = [_decode(word, n, problems) for word, n in zip(raw, numbers.tolist(), strict=True)]
    # The words are read; a plain one in the place of each leaves regular lines of numbers.
    tails = [block[a:b] for a, b in zip(word_ends.tolist(), ends.tolist(), strict=True)]
    read = read_regular(b"x" + b"\nx".join(tails) + b"\n", d)
    if read is not None:
        return words, read[1], numbers
    rows = [
        _floats(request, word + tail, len(word) + 1, n)
        for word, tail, n in zip(raw, tails, numbers.tolist(), strict=True)
    ]
    with np.errstate(over="ignore"):  # 1e99 becomes infinity, which the reader names
        return words, np.array(rows, np.float64).astype(np.float32), numbers


def _check_spaces(request: Request, word: bytes, line: int, d: int, problems: Problems) -> None:
    """Tell a word that holds spaces from a line that holds too many numbers."""
    extra = word.split(b" ")[1:]
    if all(_DECIMAL.fullmatch(field) for field in extra):
        raise request.error(
            f"line {line:,} has {d + len(extra)} numbers where other lines have {d}; "
            "the file may be damaged or made of several."
        )
    problems.add("space in word", line, f"{quote(word)}: the vector was taken from the right")


def _decode(word: bytes, line: int, problems: Problems) -> str:
    if not word:
        problems.add("empty word", line, "kept as the word ''")
    try:
        return word.decode()
    except UnicodeDecodeError:
        # Escapes keep two broken words apart, where one replacement character would not.
        text = word.decode(errors="backslashreplace")
        problems.add("invalid UTF-8", line, f"kept as {quote(text)}")
        return text


def _require_row(request: Request, line: bytes, number: int) -> None:
    """Say it where a line that is no row is a comment, or left by a merge of git."""
    if line.startswith(_MARKERS):
        raise request.error(
            f"line {number:,} is left by a merge that git could not finish ({quote(line)}); "
            "resolve the conflict and save the file again."
        )
    if line.startswith(b"#"):
        raise request.error(
            f"line {number:,} seems to be a comment ({quote(line)}), which such text cannot hold; "
            "remove it."
        )


def _floats(request: Request, line: bytes, start: int, number: int) -> list[float]:
    """Numbers of a line from `start`, read by Python: slow, but it knows which field is none."""
    fields = line[start:].split(b" ")
    for field in fields:
        if not is_number(field):
            _require_row(request, line, number)
            raise request.error(f"line {number:,} holds {quote(field)} where a number should be.")
    return [float(field) for field in fields]
