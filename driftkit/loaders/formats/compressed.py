"""Compressed text and word2vec binary: ``.gz``, ``.xz``, ``.bz2``, ``.zip``, unpacked as read."""

from __future__ import annotations

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.formats import word2vec_binary
from driftkit.loaders.request import Request
from driftkit.loaders.text import reader as text
from driftkit.loaders.text.stream import compression, open_stream

HEAD_BYTES = 1 << 16
_USTAR = slice(257, 262)


def looks_like_compressed(head: bytes) -> bool:
    """Whether a file that starts so is compressed."""
    return compression(head) is not None


def read(request: Request) -> Embeddings:
    """Read the one table inside; of an archive of several files, the one the key names.

    Raises
    ------
    SourceError
        If the file is damaged, unpacks without end, or holds something else.
    """
    with request.path.open("rb") as file:
        head = file.read(8)
    with open_stream(request, head) as stream:
        inside = stream.read(HEAD_BYTES)
        stream.push_back(inside)
        is_tar = inside[_USTAR] == b"ustar"
        if word2vec_binary.looks_like_word2vec(inside):
            return word2vec_binary.read_stream(request, stream)
        if not is_tar and text.looks_like_text(inside):
            return text.read_stream(request, stream)
    if is_tar:
        what = "a .tar archive"
    elif compression(inside) is not None:
        what = "another compressed file"
    elif not inside:
        what = "nothing"
    else:
        what = "something else"
    raise SourceError(
        request.name,
        f"is compressed and holds {what} where text of vectors or word2vec .bin is read; unpack it "
        "and give the file inside.",
    )


def count_rows(request: Request) -> int:
    """Count the rows of the table inside, unpacking it piece by piece if it has no header."""
    with request.path.open("rb") as file:
        head = file.read(8)
    with open_stream(request, head) as stream:
        inside = stream.read(HEAD_BYTES)
        stream.push_back(inside)
        if word2vec_binary.looks_like_word2vec(inside):
            return word2vec_binary.count_head(inside)
        return text.count_stream(request, stream)
