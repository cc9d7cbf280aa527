"""word2vec binary: a header ``n d``, then for each word its bytes, a space and d float32.

Words and vectors alternate, so the vectors cannot be used where they lie: the file is walked
through a memory map (or unpacked piece by piece) and each vector is copied once.
"""

from __future__ import annotations

import re
import string
from mmap import ACCESS_READ, mmap

import numpy as np

from driftkit.arrays import BLOCK_ROWS, Matrix, row_blocks
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.choose_rows import note_missing, nothing_chosen
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import gigabytes, require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request
from driftkit.loaders.text.reader import looks_like_text
from driftkit.loaders.text.stream import Stream
from driftkit.provenance import Source

CHUNK_BYTES = 1 << 24
WORD_BYTES = 1 << 16  # nothing longer is a word: the file is damaged
PHRASE_BYTES = 100  # looked at for the rest of a word that holds a space
FIRST_WORDS = 20  # which tell the width of the vectors
HUGE = 1e10  # hardly a number of a vector; bytes that are read at the wrong place give such

_HEADER = re.compile(rb"(\d{1,12}) (\d{1,9})[ \r]*\n")
_UNPRINTED = re.compile(rb"[\x00-\x1f\x7f]")
_PRINTABLE = frozenset(string.printable.encode())
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\v\f")


def looks_like_word2vec(head: bytes) -> bool:
    """Whether a file that starts so is word2vec binary rather than word2vec text."""
    header = _HEADER.match(head)
    if header is None:
        return False
    rest = head[header.end() :]
    if _PRINTABLE.issuperset(rest) or looks_like_text(rest):
        return False
    # Float32 holds control characters and bytes that are not UTF-8; words of any script do not.
    d = int(header[2])
    first = rest.partition(b" ")[2][: 4 * d]
    return not _CONTROL.isdisjoint(first) or not _is_utf8(first)


def read(request: Request) -> Embeddings:
    """Read word2vec binary through a memory map."""
    with request.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return _read(request, _Window(data, len(data)))


def read_stream(request: Request, stream: Stream) -> Embeddings:
    """Read word2vec binary that is unpacked on the way."""
    return _read(request, _Window(stream.read(CHUNK_BYTES), stream.size, stream))


def count_rows(request: Request) -> int:
    """Return the number of rows that the header promises."""
    with request.path.open("rb") as file:
        return count_head(file.read(64))


def count_head(head: bytes) -> int:
    """Return the number of rows that the header at the start of these bytes promises."""
    header = _HEADER.match(head)
    return int(header[1]) if header else 0


class _Window:
    """The bytes at hand: all of a mapped file, or a piece of a stream, moved on when asked."""

    def __init__(self, data: bytes | mmap, size: int, stream: Stream | None = None) -> None:
        self.data, self.size, self.stream = data, size, stream
        self.position = 0

    @property
    def done(self) -> int:
        return self.position if self.stream is None else self.stream.done

    def advance(self) -> bool:
        """Drop what was used and add what follows; False at the end."""
        if self.stream is None:
            return False
        more = self.stream.read(CHUNK_BYTES)
        self.data = self.data[self.position :] + more
        self.position = 0
        return bool(more)


def _read(request: Request, window: _Window) -> Embeddings:
    header = _HEADER.match(window.data)
    assert header is not None  # the format was told by it
    n, d = int(header[1]), int(header[2])
    window.position = header.end()
    width = 4 * d
    _require_float32(request, window, n, d)
    # Checked before memory is taken: the smallest row is an empty word, a space, a vector.
    left = window.size - window.position if window.stream is None else None
    if n == 0 or d == 0 or (left is not None and n * (width + 1) > left):
        raise request.error(
            f"its header promises {n:,} vectors of {d}, at least {n * (width + 1):,} bytes, "
            f"and {left or 0:,} follow; the file is truncated or its header wrong, so "
            "copy or download it again."
        )
    rows = n if request.limit is None else min(n, request.limit)
    wanted = None if request.words is None else frozenset(request.words)
    room = rows if wanted is None else min(rows, len(wanted))
    require_memory(room * width, request.name)
    matrix = np.empty((room, d), "<f4")
    raw: list[bytes] = []
    kept: list[int] = []
    seen: set[bytes] = set()
    asked = None if wanted is None else {word.encode(errors="replace") for word in wanted}
    out = matrix.data.cast("B")
    view, find, position, end_of_data = _begin(window)
    for row in range(rows):
        space = find(b" ", position, position + WORD_BYTES)
        end = space + 1 + width
        while space < 0 or end > end_of_data:
            view.release()
            window.position = position
            long = space < 0 and end_of_data - position > WORD_BYTES
            if long or not window.advance():
                _refuse_phrases(request, raw, matrix, whole=asked is None)
                raise _cut(request, row, n, long=long)
            view, find, position, end_of_data = _begin(window)
            space = find(b" ", position, position + WORD_BYTES)
            end = space + 1 + width
        word = bytes(view[position:space]).lstrip(b"\n")
        position = end
        if asked is None or (word in asked and word not in seen):
            at = len(raw) * width
            out[at : at + width] = view[space + 1 : end]
            raw.append(word)
            if asked is not None:
                kept.append(row)
                seen.add(word)
                if len(seen) == len(asked):
                    break
        if row % BLOCK_ROWS == 0:
            window.position = position
            request.report(window.done, window.size)
    view.release()
    window.position = position
    _refuse_phrases(request, raw, matrix, whole=asked is None)
    problems = Problems()
    words = _decode(raw, kept or range(len(raw)), problems)
    if asked is None and rows == n:
        _note_rest(window, n, problems)
    elif not words:
        raise nothing_chosen(request)
    note_missing(request, words, problems)
    request.report(window.size, window.size)
    out.release()
    source = Source(request.name, request.path, "word2vec-binary", "float32")
    return Embeddings(words, matrix[: len(words)], source=source, problems=problems.all())


def _require_float32(request: Request, window: _Window, n: int, d: int) -> None:
    """Refuse vectors of other numbers: by their width the first words are clean, and not by 4."""
    if n < 2 or _starts_clean(window, n, 4 * d):
        return
    for kind, size in (("float64", 8), ("float16", 2)):
        if _starts_clean(window, n, size * d):
            raise request.error(
                f"its numbers take {size} bytes each, as {kind} does, and word2vec .bin has "
                "float32; save the table with a float32 matrix."
            )


def _starts_clean(window: _Window, n: int, width: int) -> bool:
    """Whether the first words are ones, if each vector takes so many bytes."""
    data, position = window.data, window.position
    for _ in range(min(n, FIRST_WORDS)):
        space = data.find(b" ", position, position + WORD_BYTES)
        word = bytes(data[position : max(space, position)]).lstrip(b"\n")
        position = space + 1 + width
        if not word or not _is_clean(word) or position > len(data):
            return False
    return True


def _begin(window: _Window):  # type: ignore[no-untyped-def]  # four handles for one hot loop
    data = window.data
    return memoryview(data), data.find, window.position, len(data)


def _cut(request: Request, row: int, n: int, *, long: bool) -> SourceError:
    if long:
        return request.error(
            f"word {row + 1:,} is longer than {gigabytes(WORD_BYTES)}; the file is damaged or of "
            "another format."
        )
    return request.error(
        f"it ends inside vector {row + 1:,} of the {n:,} its header promises; the file "
        "is probably truncated, so copy or download it again."
    )


def _refuse_phrases(request: Request, raw: list[bytes], matrix: Matrix, *, whole: bool) -> None:
    """Refuse words that hold a space: it was taken for their end, and the rest for numbers.

    Such a vector begins with text and a space; after these, its numbers are of like sizes and the
    next word, where the `whole` file was read, is clean.
    """
    for row in _suspects(raw, matrix) if whole else range(len(raw)):
        data = matrix[row].tobytes()
        following = raw[row + 1] if whole and row + 1 < len(raw) else b""
        for end in (found.end() for found in re.finditer(b" ", data[:PHRASE_BYTES])):
            shifted = data[end : len(data) - (len(data) - end) % 4]
            if (
                _is_clean(data[:end])
                and _is_clean(following[end:].lstrip(b"\n"))
                and len(shifted) >= 12  # three numbers, whose sizes can be compared
                and _spread(data) > _spread(shifted)
            ):
                word = (raw[row] + b" " + data[: end - 1]).decode(errors="backslashreplace")
                raise request.error(
                    f"a word of this file seems to hold a space ({quote(word)}), which this format "
                    "cannot tell from the end of the word; save the table as .kv, .txt or "
                    ".safetensors."
                )


def _suspects(raw: list[bytes], matrix: Matrix) -> list[int]:
    """Rows with huge numbers or a space at the end of one, or before a word that is not clean."""
    rows = []
    for some in row_blocks(len(raw)):
        block = matrix[: len(raw)][some]
        usual = (block.max(axis=1) < HUGE) & (block.min(axis=1) > -HUGE)
        ends = block[:, : PHRASE_BYTES // 4].view("<u4") >> 24 == ord(" ")
        rows += (some.start + np.flatnonzero(~usual | ends.any(axis=1))).tolist()
    if not _is_clean(b"".join(raw)):
        rows += [row for row, word in enumerate(raw[1:]) if not _is_clean(word)]
    return sorted(rows)


def _is_clean(data: bytes) -> bool:
    return _is_utf8(data) and not _UNPRINTED.search(data)


def _spread(data: bytes) -> float:
    """Powers of two between the smallest and the largest number; infinite where one is not."""
    sizes = np.abs(np.frombuffer(data, "<f4"))
    if np.isfinite(sizes).all():
        return float(np.ptp(np.log2(sizes[sizes > 0]))) if sizes.any() else 0.0
    return np.inf


def _note_rest(window: _Window, n: int, problems: Problems) -> None:
    rest, start = 0, window.position
    blank = True
    while True:
        piece = bytes(window.data[start : start + CHUNK_BYTES])
        blank = blank and not piece.strip()
        rest += len(window.data) - start
        window.position = len(window.data)
        if not blank or not window.advance():
            break
        start = 0
    if not blank:
        about = "" if window.stream is None else "at least "
        detail = f"{about}{rest:,} bytes follow the {n:,} vectors it promises; not read"
        problems.add("header", None, detail)


def _decode(raw: list[bytes], rows: list[int] | range, problems: Problems) -> list[str]:
    try:
        return [word.decode() for word in raw]
    except UnicodeDecodeError:
        pass
    words = []
    for word, row in zip(raw, rows, strict=True):
        text = word.decode(errors="backslashreplace")
        if not _is_utf8(word):
            problems.add("invalid UTF-8", row, f"kept as {quote(text)}")
        words.append(text)
    return words


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.end == len(data) and error.reason == "unexpected end of data"
    return True


FORMAT = Format(
    "word2vec-binary",
    "word2vec .bin",
    looks_like_word2vec,
    read,
    endings=(".bin",),
    rows=count_rows,
    has_words=True,
    has_keys=False,
)
