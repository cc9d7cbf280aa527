"""gensim's own ``.kv`` and ``.model``: pickles, opened only when the caller says so."""

from __future__ import annotations

from driftkit.embeddings import Embeddings
from driftkit.errors import UnsafePickleError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats.format import Format, no_keys, refuse_vocabulary
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.pickled import looks_like_pickle
from driftkit.provenance import Rounding, Source


def read(request: Request) -> Embeddings:
    """Read gensim vectors, or the vectors of a gensim model."""
    if not request.unsafe_pickle:
        raise UnsafePickleError(
            request.name,
            "is a Python pickle, as gensim's .kv and .model are, and opening one runs any code it "
            "carries. Pass --unsafe-pickle (unsafe_pickle=True) if you trust where it comes from, "
            "or save it as kv.save_word2vec_format(path, binary=True).",
        )
    refuse_vocabulary(request)
    if request.key is not None:
        raise no_keys(request)
    from gensim.models import KeyedVectors

    try:
        loaded = KeyedVectors.load(str(request.path), mmap="r")
    except Exception as error:  # a pickle may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise request.error(f"gensim could not open it ({reason}).") from None
    vectors = getattr(loaded, "wv", loaded)
    if not isinstance(vectors, KeyedVectors):
        raise request.error(
            f"holds an object of type {type(loaded).__name__}, not gensim vectors or a gensim "
            "model."
        )
    dtype = str(vectors.vectors.dtype)
    source = Source(request.name, request.path, "gensim", dtype, rounding=Rounding.of_dtype(dtype))
    return chosen_table(request, vectors.index_to_key, lambda rows: vectors.vectors[rows], source)


FORMAT = Format(
    "gensim",
    "gensim .kv/.model (a pickle, only with --unsafe-pickle)",
    looks_like_pickle,
    read,
    endings=(".kv", ".model"),
)
