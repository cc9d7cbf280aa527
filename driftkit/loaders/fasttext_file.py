"""fastText ``.bin``: read by gensim, words outside its vocabulary made from their n-grams."""

from __future__ import annotations

import struct

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.memory import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.source import Request
from driftkit.source import Source

_MAGIC = b"\xba\x16\x4f\x2f"
_ARGUMENTS = struct.Struct("<2i12id")  # magic, version, twelve settings, sampling threshold
_BUCKET = 40
"""Where the number of n-grams stands."""

_SIZES = struct.Struct("<3i2q")  # entries, words, labels, tokens, pruned n-grams


def looks_like_fasttext(head: bytes) -> bool:
    """Whether a file that starts so was written by fastText."""
    return head.startswith(_MAGIC)


def read(request: Request) -> Embeddings:
    """Read the words of a fastText model, or those asked for, in its vocabulary or not.

    Raises
    ------
    SourceError
        If the file is damaged, shorter than it says, or of a kind gensim does not read.
    """
    _check_size(request)
    from gensim.models.fasttext import load_facebook_vectors

    try:
        model = load_facebook_vectors(str(request.path))
    except Exception as error:  # gensim raises many kinds for damaged files
        reason = (f"{type(error).__name__}: {error}").splitlines()[0].rstrip(".")
        raise SourceError(
            request.name,
            f"gensim could not read this fastText model ({reason}); a quantized .ftz is not read.",
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


def _check_size(request: Request) -> None:
    """Check what the header promises against the file, before memory is taken."""
    size = request.path.stat().st_size
    with request.path.open("rb") as file:
        head = file.read(_ARGUMENTS.size + _SIZES.size)
    if len(head) < _ARGUMENTS.size + _SIZES.size:
        raise SourceError(request.name, "is a truncated fastText model: it ends inside its header.")
    version, dimensions = struct.unpack_from("<2i", head, 4)
    bucket = struct.unpack_from("<i", head, _BUCKET)[0]
    entries, words = _SIZES.unpack_from(head, _ARGUMENTS.size)[:2]
    sane = version in (11, 12) and dimensions > 0 and bucket >= 0 and 0 <= words <= entries
    needed = 4 * dimensions * (words + bucket) if sane else 0
    if not sane or needed > size:
        raise SourceError(
            request.name,
            "is a damaged, truncated or quantized (.ftz) fastText model: its header tells of "
            f"{words:,} words and {bucket:,} n-grams of {dimensions:,} numbers, and it has "
            f"{size:,} bytes.",
        )
    require_memory(2 * needed, request.name)
