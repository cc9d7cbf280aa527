"""gensim's own ``.kv`` and ``.model``: pickles, opened only when the caller says so."""

from __future__ import annotations

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders.choose_rows import select
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.provenance import Rounding, Source


def looks_like_pickle(head: bytes) -> bool:
    """Whether a file that starts so is a pickle of protocol 2 or later."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def read(request: Request) -> Embeddings:
    """Read gensim vectors, or the vectors of a gensim model.

    Raises
    ------
    UnsafePickleError
        Unless ``unsafe_pickle=True``.
    SourceError
        If it cannot be unpickled, or holds no word vectors.
    """
    if not request.unsafe_pickle:
        raise UnsafePickleError(
            request.name,
            "is a Python pickle, as gensim's .kv and .model are, and opening one runs any code it "
            "carries. Pass --unsafe-pickle (unsafe_pickle=True) if you trust where it comes from, "
            "or save it as kv.save_word2vec_format(path, binary=True).",
        )
    from gensim.models import KeyedVectors

    try:
        loaded = KeyedVectors.load(str(request.path), mmap="r")
    except Exception as error:  # a pickle may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SourceError(request.name, f"gensim could not open it ({reason}).") from None
    vectors = getattr(loaded, "wv", loaded)
    if not isinstance(vectors, KeyedVectors):
        raise SourceError(
            request.name, f"holds a {type(loaded).__name__}, not gensim vectors or a gensim model."
        )
    dtype = str(vectors.vectors.dtype)
    source = Source(request.name, request.path, "gensim", dtype, rounding=Rounding.of_dtype(dtype))
    problems = Problems()
    rows, words = select(request, vectors.index_to_key, problems)
    return Embeddings(words, vectors.vectors[rows], source=source, problems=problems.all())
