"""GloVe, word2vec and fastText text: lines of a word and its numbers, separated by spaces.

The file is read in blocks of whole lines into one matrix. A block whose lines are regular is read
by polars as it stands; any other is taken apart line by line in `slow`, which knows where a word
ends, what to repair and which line to name.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.loaders.choose_rows import note_missing, nothing_chosen
from driftkit.loaders.choose_tensor import Tensor, TensorFile, read_table, vocabulary_for
from driftkit.loaders.formats.format import Format, refuse_vocabulary
from driftkit.loaders.preconditions import gigabytes, require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import BOM, Regular, read_regular, tidy
from driftkit.loaders.text.header import (
    SAMPLE_BYTES,
    STAND_IN,
    WIDE,
    Opening,
    has_decimal_commas,
    is_row,
    read_opening,
    two_readings,
)
from driftkit.loaders.text.quotes import unquoted
from driftkit.loaders.text.slow import read_irregular
from driftkit.loaders.text.stream import Stream, open_stream
from driftkit.loaders.text.width import is_number
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Source

BLOCK_BYTES = 1 << 24
LINE_BYTES = 1 << 25  # nothing longer is a line of a word and its vector
WORKERS = 2  # blocks read at once; polars itself reads one of this size with one thread
ROWS_LOOKED_AT = 100  # to tell text from other files

_Lines = npt.NDArray[np.int64] | range


def looks_like_text(head: bytes) -> bool:
    """Whether at least half of the first lines of a file are a word and numbers."""
    lines = _first_lines(head)
    return bool(lines) and 2 * sum(map(is_row, lines)) >= len(lines)


def tells_text(head: bytes) -> bool:
    """Whether a file that starts so is text, or nearly: then its reader says what is wrong."""
    return head.startswith(WIDE) or looks_like_text(head) or has_decimal_commas(_first_lines(head))


def _first_lines(head: bytes) -> list[bytes]:
    """Lines at the start of a file that are whole and not blank."""
    lines = head.removeprefix(BOM).splitlines(keepends=True)[:ROWS_LOOKED_AT]
    if len(lines) > 1 and not lines[-1].endswith((b"\n", b"\r")):
        lines.pop()  # the head may have cut it
    elif len(lines) == 1 and not lines[0].endswith((b"\n", b"\r")):
        lines = [b" ".join(lines[0].split()[:-1])] if lines[0].count(b" ") > 2 else lines
    return [line for line in lines if line.strip()]


def read(request: Request) -> Embeddings:
    """Read text that is not compressed."""
    with open_stream(request) as stream:
        return read_stream(request, stream)


def read_stream(request: Request, stream: Stream) -> Embeddings:
    """Read text from a stream, which may unpack it on the way."""
    problems = Problems()
    head = stream.read_lines(SAMPLE_BYTES, LINE_BYTES)
    opening = read_opening(request, head)
    layout = "glove-text" if opening.declared is None else "word2vec-text"
    if not opening.has_words:
        vocabulary = vocabulary_for(request, TensorFile(()))
        if vocabulary is None:
            raise request.error(_no_words(opening))
        whole = replace(request, words=None, limit=None)
        table = _read_lines(whole, stream, opening, head, problems)
        return _with_words(request, opening, table, vocabulary, problems)
    word = head[opening.skip :].lstrip().split(None, 1)[:1]
    refuse_vocabulary(request, f"words of its own, such as {quote(*word)}" if word else "words")
    table = _read_lines(request, stream, opening, head, problems)
    if not table.words:
        raise nothing_chosen(request)
    note_missing(request, table.words, problems)
    source = Source(request.name, request.path, layout, "text", rounding=opening.rounding)
    made = Embeddings(table.words, table.finished(), source=source, problems=problems.all())
    made.problems = tuple(
        replace(problem, where=table.line_of(problem.where))
        if problem.kind == "duplicate" and problem.where is not None
        else problem
        for problem in made.problems
    )
    return made


def _no_words(opening: Opening) -> str:
    if opening.declared is None:
        return two_readings(opening.dimensions, "numbers")
    return (
        f"holds {opening.dimensions} numbers in each line, as its header says, and no words; name "
        "the file that lists them (--vocab FILE, vocab=)."
    )


def _read_lines(
    request: Request, stream: Stream, opening: Opening, head: bytes, problems: Problems
) -> _Table:
    """Read every line that a request needs."""
    stream.push_back(head[opening.skip :])
    table = _Table(request, opening, stream, len(head))
    if head.startswith(BOM):
        problems.add("byte order mark", 1, "skipped")
    if b"\r\n" in head:
        problems.add("carriage return", head[: head.find(b"\r\n")].count(b"\n") + 1, "removed")
    line = 1 + opening.lines_before
    if opening.rewrites and opening.has_words:
        problems.add("spacing", line, "tabs or several spaces after a word read as one space")
    if opening.has_quotes:
        problems.add("quotes", line, "around every word, left out")
    with closing(_blocks(request, stream, opening)) as blocks:
        for block, regular in blocks:
            whole = block.endswith(b"\n")
            line += table.add(block, regular, line, problems)
            request.report(stream.done, stream.size)
            if table.is_complete:
                break
        else:
            _check_end(request, opening, table.lines_read, line - 1, whole, problems)
    request.report(stream.size, stream.size)
    return table


def _with_words(
    request: Request, opening: Opening, table: _Table, vocabulary: Vocabulary, problems: Problems
) -> Embeddings:
    """Put the words of another file to the rows of one that holds numbers alone."""
    for row, stand_in in enumerate(table.words):
        if stand_in.encode() != STAND_IN:
            raise request.error(
                f"line {table.line_of(row):,} has more numbers than the {table.d} of other lines; "
                "the file may be damaged or made of several."
            )
    matrix = table.finished()
    tensor = Tensor(None, matrix.shape, "float32", matrix.__getitem__)
    plain = replace(request, vocab=None)
    made = read_table(plain, "text", TensorFile((tensor,), vocabulary))
    made.source = replace(made.source, dtype="text", rounding=opening.rounding)
    made.problems = (*problems.all(), *made.problems)
    return made


def count_rows(request: Request) -> int:
    """Count the rows of text that is not compressed: its lines, without the header."""
    with open_stream(request) as stream:
        return count_stream(request, stream)


def count_stream(request: Request, stream: Stream) -> int:
    """Count the rows of text in a stream, telling how far it has come."""
    head = stream.read_lines(SAMPLE_BYTES, LINE_BYTES)
    opening = read_opening(request, head)
    if opening.declared is not None:
        return opening.declared[0]
    block, lines, last = head[opening.skip :], 0, b""
    while block:
        lines += block.count(b"\n")
        last = block[-1:]
        request.report(stream.done, stream.size)
        block = stream.read(BLOCK_BYTES)
    return lines + (last != b"\n")


def last_word(request: Request) -> str | None:
    """Return the last word of text that is not compressed, from the last line alone."""
    with open_stream(request) as stream:
        head = stream.read_lines(SAMPLE_BYTES, LINE_BYTES)
        opening = read_opening(request, head)
    if not opening.has_words:
        vocabulary = vocabulary_for(request, TensorFile(()))
        return None if vocabulary is None else vocabulary.words[-1]
    with request.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - SAMPLE_BYTES, 0))
        _, _, line = file.read().rstrip().rpartition(b"\n")
    fields = tidy(opening.rewrite(line) + b"\n")[:-1].rsplit(b" ", opening.dimensions)
    whole = len(fields) == opening.dimensions + 1
    if not whole:
        return None
    word = fields[0].decode(errors="backslashreplace")
    return word[1:-1] if opening.has_quotes else word


class _Table:
    """Words and rows read so far, and the line each came from."""

    def __init__(self, request: Request, opening: Opening, stream: Stream, head: int) -> None:
        self.request, self.d = request, opening.dimensions
        self._has_words, self._has_quotes = opening.has_words, opening.has_quotes
        self.words: list[str] = []
        self.lines_read = 0
        self._missing = None if request.words is None else set(request.words)
        self._lines: list[_Lines] = []
        self._firsts: list[int] = []
        if request.words is not None:
            rows = len(request.words)
        else:
            # What is left, at the length of the lines seen, and a tenth more; a stream that
            # unpacks tells only its compressed size, so its table grows as it goes.
            rest = max(stream.size, head)
            rows = int(1.1 * rest / opening.line_bytes) + 16
        if request.limit is not None:
            rows = min(rows, request.limit)
        require_memory(4 * rows * self.d, request.name)
        self._matrix = np.empty((rows, self.d), np.float32)

    @property
    def is_complete(self) -> bool:
        """Whether everything asked for has been read."""
        if self._missing is not None and not self._missing:
            return True
        limit = self.request.limit
        return limit is not None and self.lines_read >= limit

    def add(self, block: bytes, regular: Regular | None, line: int, problems: Problems) -> int:
        """Take a block of lines, the first being number `line`; return how many it had."""
        if regular is None:
            block = tidy(block if block.endswith(b"\n") else block + b"\n")
            regular = read_regular(block, self.d)
        lines: _Lines
        if regular is None:
            words, matrix, lines = read_irregular(self.request, block, line, self.d, problems)
        else:
            words, matrix = regular
            lines = range(line, line + len(words))
        if b"\t" in block:
            _refuse_tabs(self.request, words, lines)
        if self._has_quotes:
            words = unquoted(self.request, words, lines)
        self._keep(words, matrix, lines)
        return block.count(b"\n") + (not block.endswith(b"\n"))

    def _keep(self, words: Sequence[str], matrix: Matrix, lines: _Lines) -> None:
        limit, words_read = self.request.limit, self.lines_read
        self.lines_read += len(words)
        if limit is not None and self.lines_read > limit:
            keep = limit - words_read
            words, matrix, lines = words[:keep], matrix[:keep], lines[:keep]
        if self.request.words is not None and self._missing is not None:
            wanted = frozenset(self.request.words)
            rows = [row for row, word in enumerate(words) if word in wanted]
            words, matrix = [words[row] for row in rows], matrix[rows]
            lines = np.array([lines[row] for row in rows], np.int64)
            self._missing.difference_update(words)
        _require_finite(self.request, words if self._has_words else (), matrix, lines)
        first = len(self.words)
        if len(words):
            if first + len(words) > len(self._matrix):
                grown = max(first + len(words), len(self._matrix) + len(self._matrix) // 2)
                require_memory(4 * (grown - len(self._matrix)) * self.d, self.request.name)
                self._matrix.resize((grown, self.d), refcheck=False)
            self._matrix[first : first + len(words)] = matrix
            self._firsts.append(first)
            self._lines.append(lines)
            self.words += words

    def finished(self) -> Matrix:
        """Return the rows read, and the memory that was not needed back."""
        self._matrix.resize((len(self.words), self.d), refcheck=False)
        return self._matrix

    def line_of(self, row: int) -> int:
        """Return the line that a row was read from."""
        block = bisect_right(self._firsts, row) - 1
        return int(self._lines[block][row - self._firsts[block]])


def _refuse_tabs(request: Request, words: Sequence[str], lines: _Lines) -> None:
    """Refuse a word and a number that a tab holds together: the number would be lost."""
    for word, line in zip(words, lines, strict=True):
        if is_number(word.rpartition("\t")[2].encode(errors="replace")) and "\t" in word:
            raise request.error(
                f"line {line:,} has a tab where other lines have a space ({quote(word)}); write a "
                "space."
            )


def _require_finite(request: Request, words: Sequence[str], matrix: Matrix, lines: _Lines) -> None:
    # A sum is finite only if every addend is, or if it overflows: a cheap first look.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(matrix.sum()):
            return
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1)).tolist()
    if bad:
        shown = ", ".join(
            f"{quote(words[row])} in line {lines[row]:,}" if words else f"line {lines[row]:,}"
            for row in bad[:5]
        )
        raise request.error(
            f"holds NaN, infinity or a number past 3.4e38 ({shown}"
            f"{', ...' if len(bad) > 5 else ''}); vectors must be finite, so mend or "
            "remove those lines. Training that diverged, or an overflow in fp16, leaves such rows."
        )


def _check_end(
    request: Request, opening: Opening, rows: int, line: int, whole: bool, problems: Problems
) -> None:
    if opening.declared is not None:
        n, d = opening.declared
        if rows < n and not whole:
            raise request.error(
                f"its header promises {n:,} words and it ends after {rows:,}, without a final "
                "newline; the file is probably truncated, so copy or download it again."
            )
        if (rows, opening.dimensions) != (n, d):
            detail = f"promises {n:,} words of {d} numbers; {rows:,} of {opening.dimensions} were"
            problems.add("header", 1, f"{detail} read")
    if not whole:
        problems.add("no final newline", line, "its last number may have been cut, if the file was")


def _blocks(
    request: Request, stream: Stream, opening: Opening
) -> Generator[tuple[bytes, Regular | None]]:
    """Blocks of whole lines, and what each holds if its lines are regular, in order.

    While one block is used the next ones are read and parsed.
    """
    size = BLOCK_BYTES
    if request.limit is not None:
        size = min(size, int(request.limit * opening.line_bytes) + SAMPLE_BYTES)
    pending: deque[tuple[bytes, Future[Regular | None]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        while block := stream.read_lines(size, LINE_BYTES):
            if len(block) > LINE_BYTES and b"\n" not in block:
                raise request.error(
                    f"holds a line of more than {gigabytes(LINE_BYTES)}, too long for a word and "
                    "its vector; the file is damaged or of another format."
                )
            if request.limit is not None:
                block = _cut_lines(stream, block, request.limit)
            if opening.trailing_spaces or opening.rewrites:
                block = opening.rewrite(tidy(block))
            pending.append((block, pool.submit(read_regular, block, opening.dimensions)))
            if len(pending) > WORKERS:
                first, reading = pending.popleft()
                yield first, reading.result()
        for first, reading in pending:
            yield first, reading.result()


def _cut_lines(stream: Stream, block: bytes, lines: int) -> bytes:
    """Keep only the first lines of a block; the rest is read later, if at all."""
    end = -1
    for _ in range(min(lines, block.count(b"\n"))):
        end = block.find(b"\n", end + 1)
    if 0 <= end < len(block) - 1:
        stream.push_back(block[end + 1 :])
        return block[: end + 1]
    return block


FORMAT = Format(
    "text",
    "GloVe, word2vec or fastText text",
    tells_text,
    read,
    endings=(".txt", ".vec"),
    rows=count_rows,
    last_word=last_word,
    has_keys=False,
)
