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
_WRITE_OUT = (
    "which gensim does not read; write its vectors as text with the library fasttext: each word of "
    "model.words and the numbers of model.get_word_vector(word) on a line."
)
_END = "</s>"  # fastText gives the end of a line no n-grams (Dictionary::initNgrams), gensim does
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
        raise request.error(f"gensim could not read this fastText model ({reason}).") from None
    if _END in model.key_to_index:
        row = model.key_to_index[_END]
        model.vectors[row] = model.vectors_vocab[row]
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
        entries, words, labels, pruned = sizes[0], sizes[1], sizes[2], sizes[4]
        needed = 4 * dimensions * (words + bucket)
        sane = version in (11, 12) and dimensions > 0 and bucket >= 0 and 0 < words <= entries
        if not sane or entries * _ENTRY > size:
            raise request.error(
                "is a damaged or truncated fastText model: its header promises "
                f"{words:,} words and {bucket:,} n-grams of {dimensions:,} numbers each, and it "
                f"has {size:,} bytes."
            )
        if labels > 0:
            raise request.error(f"is a fastText model with {labels:,} labels, {_WRITE_OUT}")
        at = _ARGUMENTS.size + _SIZES.size
        for entry in range(entries):
            end = data.find(b"\0", at, at + _WORD_BYTES)
            if end < 0:
                raise request.error(
                    f"is a damaged or truncated fastText model: word {entry + 1:,} of its "
                    f"{entries:,} has no end."
                )
            at = end + _ENTRY
        at += 8 * max(pruned, 0)  # pairs of pruned n-grams
        if data[at : at + 1] == b"\1":
            raise request.error(f"is a quantized fastText model (.ftz), {_WRITE_OUT}")
        shape = data[at + 1 : at + 17]
        rows, columns = struct.unpack("<2q", shape) if len(shape) == 16 else (0, 0)
        left = max(size - at - 17, 0)
        if (rows, columns) != (words + bucket, dimensions) or 4 * rows * columns > left:
            raise request.error(
                "is a damaged or truncated fastText model: its matrix should be "
                f"{words + bucket:,} x {dimensions:,}, and {rows:,} x {columns:,} in {left:,} "
                "bytes were found."
            )
    require_memory(2 * needed, request.name)


FORMAT = Format(
    "fasttext", "fastText .bin", looks_like_fasttext, read, has_words=True, has_keys=False
)
