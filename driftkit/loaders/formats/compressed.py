"""Compressed text and word2vec binary: ``.gz``, ``.xz``, ``.bz2``, ``.zip``, unpacked as read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftkit.embeddings import Embeddings
from driftkit.loaders.columns.dialect import looks_like_delimited
from driftkit.loaders.formats import delimited_file, json_file, word2vec_binary
from driftkit.loaders.formats.format import Format, no_keys, refuse_vocabulary
from driftkit.loaders.request import Request
from driftkit.loaders.text import reader as text
from driftkit.loaders.text.stream import Stream, compression, is_tar, open_stream, packed_as

HEAD_BYTES = 1 << 16


def looks_like_compressed(head: bytes) -> bool:
    """Whether a file that starts so is compressed."""
    return compression(head) is not None


def read(request: Request) -> Embeddings:
    """Read the one table inside; of an archive of several files, the one the key names."""
    with _opened(request) as (stream, inside):
        if json_file.looks_like_json(inside):
            return json_file.read_stream(request, stream)
        if not is_tar(inside) and looks_like_delimited(inside):
            return delimited_file.read_stream(request, stream)
        is_word2vec = word2vec_binary.looks_like_word2vec(inside)
        if is_word2vec or (not is_tar(inside) and text.tells_text(inside)):
            if request.key is not None and stream.kind != "zip":
                raise no_keys(request)
            if is_word2vec:
                refuse_vocabulary(request)
                return word2vec_binary.read_stream(request, stream)
            return text.read_stream(request, stream)
    packed = packed_as(inside)
    if packed is not None:
        what = "a .tar archive" if packed == "tar" else "another compressed file"
    else:
        what = "something else" if inside else "nothing"
    raise request.error(
        f"is compressed and holds {what}, and only text and word2vec .bin are read compressed; "
        "unpack it and give the file inside."
    )


def count_rows(request: Request) -> int:
    """Count the rows of the table inside, unpacking it piece by piece if it has no header."""
    with _opened(request) as (stream, inside):
        if word2vec_binary.looks_like_word2vec(inside):
            return word2vec_binary.count_head(inside)
        if json_file.looks_like_json(inside):
            return json_file.count_stream(request, stream)
        if looks_like_delimited(inside):
            return delimited_file.count_stream(request, stream)
        return text.count_stream(request, stream)


@contextmanager
def _opened(request: Request) -> Iterator[tuple[Stream, bytes]]:
    """The unpacked stream, and how it begins."""
    with open_stream(request) as stream:
        inside = stream.read(HEAD_BYTES)
        stream.push_back(inside)
        yield stream, inside


FORMAT = Format(
    "compressed",
    "text or word2vec .bin as .gz/.xz/.bz2/.zip",
    looks_like_compressed,
    read,
    endings=(".gz", ".xz", ".bz2", ".zip"),
    rows=count_rows,
)
