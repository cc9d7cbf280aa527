"""fastText ``.bin``: read by gensim, words outside its vocabulary made from their n-grams."""

from __future__ import annotations

import struct
from mmap import ACCESS_READ, mmap

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.provenance import Source

_MAGIC = b"\xba\x16\x4f\x2f"
_ARGUMENTS = struct.Struct("<2i12id")  # magic, version, twelve settings, sampling threshold
_ENTRY = 10  # bytes of a word's entry without the word: its NUL, its count and its type
_WORD_BYTES = 1 << 16
_BUCKET = 40  # where the number of n-grams stands
_SIZES = struct.Struct("<3i2q")  # entries, words, labels, tokens, pruned n-grams


def looks_like_fasttext(head: bytes) -> bool:
    """Whether a file that starts so was written by fastText."""
    return head.startswith(_MAGIC)


def read(request: Request) -> Embeddings:
    """Read the words of a fastText model, or those asked for, in its vocabulary or not."""
    _check(request)
    from gensim.models.fasttext import load_facebook_vectors

    try:
        model = load_facebook_vectors(str(request.path))
    except Exception as error:  # gensim raises many kinds for damaged files
        reason = (f"{type(error).__name__}: {error}").splitlines()[0].rstrip(".")
        raise request.error(
            f"gensim could not read this fastText model ({reason}); a quantized .ftz cannot be "
            "read."
        ) from None
    problems = Problems()
    vocabulary: list[str] = model.index_to_key
    if request.words is None:
        words = vocabulary[: request.limit]
        matrix = model.vectors[: len(words)]
    else:
        words = list(dict.fromkeys(request.words))[: request.limit]
        known = frozenset(vocabulary)
        matrix = np.zeros((len(words), model.vector_size), np.float32)
        for row, word in enumerate(words):
            matrix[row] = model.get_vector(word)
            if word not in known:
                problems.add(
                    "out of vocabulary", None, f"{word!r}: its vector is the mean of its n-grams"
                )
    source = Source(request.name, request.path, "fasttext", "float32")
    return Embeddings(words, matrix, source=source, problems=problems.all())


def _check(request: Request) -> None:
    """Check the header and the dictionary against the file, before memory is taken.

    gensim reads a word up to its NUL; a word without one makes it read past the end forever.
    """
    with request.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        size = len(data)
        if size < _ARGUMENTS.size + _SIZES.size:
            raise request.error("is a truncated fastText model: it ends inside its header.")
        version, dimensions = struct.unpack_from("<2i", data, 4)
        bucket = struct.unpack_from("<i", data, _BUCKET)[0]
        sizes = _SIZES.unpack_from(data, _ARGUMENTS.size)
        entries, words, pruned = sizes[0], sizes[1], sizes[4]
        sane = version in (11, 12) and dimensions > 0 and bucket >= 0 and 0 < words <= entries
        needed = 4 * dimensions * (words + bucket) if sane else 0
        if not sane or needed > size or entries * _ENTRY > size:
            raise request.error(
                "is a damaged, truncated or quantized (.ftz) fastText model: its header "
                f"promises {words:,} words and {bucket:,} n-grams of {dimensions:,} numbers each, "
                f"and it has {size:,} bytes."
            )
        at = _ARGUMENTS.size + _SIZES.size
        for entry in range(entries):
            end = data.find(b"\0", at, at + _WORD_BYTES)
            if end < 0:
                raise request.error(
                    f"is a damaged or truncated fastText model: word {entry + 1:,} of its "
                    f"{entries:,} has no end."
                )
            at = end + _ENTRY
        at += 8 * max(pruned, 0) + 1  # pairs of pruned n-grams, then whether it is quantized
        shape = data[at : at + 16]
        rows, columns = struct.unpack("<2q", shape) if len(shape) == 16 else (0, 0)
        left = max(size - at - len(shape), 0)
        if (rows, columns) != (words + bucket, dimensions) or 4 * rows * columns > left:
            raise request.error(
                "is a damaged, truncated or quantized (.ftz) fastText model: its matrix "
                f"should be {words + bucket:,} x {dimensions:,}, and {rows:,} x {columns:,} in "
                f"{left:,} bytes were found."
            )
    require_memory(2 * needed, request.name)


FORMAT = Format(
    "fasttext", "fastText .bin", looks_like_fasttext, read, has_words=True, has_keys=False
)
