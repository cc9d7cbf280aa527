"""word2vec binary: a header ``n d``, then for each word its bytes, a space and d float32."""

from __future__ import annotations

import re
import string
from mmap import ACCESS_READ, mmap

import numpy as np

from driftkit.embeddings import BLOCK_ROWS, Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.source import Request
from driftkit.loaders.text import looks_like_text
from driftkit.source import Problem, Source

_HEADER = re.compile(rb"(\d{1,12}) (\d{1,9})[ \r]*\n")
_PRINTABLE = frozenset(string.printable.encode())


def looks_like_word2vec(head: bytes) -> bool:
    """Whether a file that starts so is word2vec binary rather than word2vec text."""
    header = _HEADER.match(head)
    if header is None:
        return False
    rest = head[header.end() :]
    return not _PRINTABLE.issuperset(rest) and not looks_like_text(rest)


def read(request: Request) -> Embeddings:
    """Read word2vec binary.

    Raises
    ------
    SourceError
        If the file is shorter than its header promises.
    """
    with request.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        header = _HEADER.match(data)
        assert header is not None  # the layout was told by it
        n, d = int(header[1]), int(header[2])
        position, size, width = header.end(), len(data), 4 * d
        # Checked before memory is taken: the smallest row is an empty word, a space, a vector.
        if n == 0 or d == 0 or n * (width + 1) > size - position:
            raise SourceError(
                request.name,
                f"its header promises {n:,} vectors of {d}, at least {n * (width + 1):,} bytes, "
                f"and {size - position:,} follow; the file is truncated or its header wrong, so "
                "copy or download it again.",
            )
        matrix = np.empty((n, d), "<f4")
        out = matrix.data.cast("B")
        words: list[str] = []
        problems: list[Problem] = []
        for row in range(n):
            space = data.find(b" ", position)
            end = space + 1 + width
            if space < 0 or end > size:
                raise SourceError(
                    request.name,
                    f"it ends inside vector {row + 1:,} of the {n:,} its header promises; the file "
                    "is probably truncated, so copy or download it again.",
                )
            words.append(_decode(data[position:space].lstrip(b"\n"), row, problems))
            out[row * width : (row + 1) * width] = data[space + 1 : end]
            position = end
            if row % BLOCK_ROWS == 0:
                request.report(position, size)
        if data[position:].strip():
            detail = f"{size - position:,} bytes follow the {n:,} vectors it promises; not read"
            problems.append(Problem("header", None, detail))
        request.report(size, size)
    source = Source(request.name, request.path, "word2vec-binary", "float32")
    return Embeddings(words, matrix, source=source, problems=problems)


def _decode(word: bytes, row: int, problems: list[Problem]) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        text = word.decode(errors="backslashreplace")
        problems.append(Problem("invalid UTF-8", row, f"kept as {text!r}"))
        return text
