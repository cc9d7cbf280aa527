"""Pickles, opened only when the caller says so: gensim's files, and words with their vectors."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import re
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.errors import DriftkitError, SourceError, UnsafePickleError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats.format import Format, no_keys, refuse_vocabulary
from driftkit.loaders.formats.plain_objects import table_of
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.text.stream import compression
from driftkit.loaders.vocabulary.pickled import looks_like_pickle
from driftkit.provenance import Rounding, Source

# How a pickle of protocol 0 or 1 begins that holds a dict, a list, a tuple or an object.
_OLD = re.compile(rb"\(*([dl]p\d+\n|c[\w.]+\n\w+\n|[}\]]q.)", re.DOTALL)

_LACKING = re.compile(r"Can't get attribute '([\w.]+)' on <module '([\w.]+)'")
_JOBLIB = b"joblib.numpy_pickle"
_GENSIM = b"gensim"


def looks_like_any_pickle(head: bytes) -> bool:
    """Whether a file that starts so is a pickle of any protocol, compressed or not."""
    start = _unpacked(head)
    return looks_like_pickle(start) or bool(_OLD.match(start))


def read(request: Request) -> Embeddings:
    """Read gensim vectors, a model's vectors, or words with their vectors in plain containers."""
    with request.path.open("rb") as file:
        head = file.read(1 << 16)
    start = _unpacked(head)
    if _JOBLIB in start:
        raise request.error(
            "is a dump of joblib, which is not read; load it where you trust it and save the "
            "numbers: np.savez(path, words=np.array(words, str), vectors=vectors)."
        )
    if not request.unsafe_pickle:
        raise UnsafePickleError(
            request.name,
            "is a Python pickle, as gensim's .kv and .model are, and opening one runs any code it "
            "carries. Pass --unsafe-pickle (unsafe_pickle=True) if you trust where it comes from, "
            "or save it as kv.save_word2vec_format(path, binary=True).",
        )
    require_memory(request.path.stat().st_size, request.name)
    if _GENSIM in start and start is head:
        return _of_gensim(request, _guarded(request, lambda: _load_gensim(request)))
    value = _guarded(request, lambda: _unpickle(request.path, compression(head)))
    if type(value).__module__.startswith("gensim."):
        return _of_gensim(request, value)
    return table_of(request, value)


def _unpacked(head: bytes) -> bytes:
    """The first bytes behind a compression; those given where there is none."""
    kind = compression(head)
    with suppress(zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
        if kind == "gz":
            return zlib.decompressobj(31).decompress(head, 1 << 16)
        if kind == "bz2":
            return bz2.BZ2Decompressor().decompress(head, 1 << 16)
        if kind == "xz":
            return lzma.LZMADecompressor().decompress(head, 1 << 16)
    return head


def _unpickle(path: Path, kind: str | None) -> Any:
    """Unpickle; text of Python 2 is kept as bytes, since its encoding is known to no one."""
    openers: dict[str | None, Callable[..., Any]]
    openers = {None: open, "gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}

    def load(encoding: str) -> Any:
        with openers[kind](path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old pickles of numpy and pandas warn of their age
            return pickle.load(file, encoding=encoding)

    with suppress(UnicodeDecodeError):
        return load("ASCII")
    with suppress(TypeError, AttributeError, KeyError):  # objects whose fields need names
        return load("bytes")
    return load("latin1")


def _load_gensim(request: Request) -> Any:
    from gensim.models import KeyedVectors

    return KeyedVectors.load(str(request.path), mmap="r")


def _guarded(request: Request, load: Callable[[], Any]) -> Any:
    """Load, and say in one sentence what a pickle needs or why it could not be opened."""
    try:
        return load()
    except DriftkitError:
        raise
    except ModuleNotFoundError as error:
        raise _missing(request, str(error.name).partition(".")[0]) from None
    except FileNotFoundError as error:
        named = Path(str(error.filename)).name
        raise request.error(
            f"its file {named} is missing: gensim keeps large arrays beside a model; copy it into "
            "the same folder."
        ) from None
    except SystemExit:
        raise request.error("tried to end the program when it was opened.") from None
    except Exception as error:  # a pickle may raise anything
        if lacking := _LACKING.match(str(error)):
            raise request.error(
                f"needs {lacking[1]} of the module {lacking[2]}, which is not there; open it where "
                "that is defined and save plain arrays: "
                "np.savez(path, words=words, vectors=vectors)."
            ) from None
        raise request.damaged("pickle", error) from None


def _missing(request: Request, package: str) -> SourceError:
    return request.error(
        f"needs the package {package}, which is not installed; install it, or open the pickle "
        "where it is and save plain arrays: np.savez(path, words=words, vectors=vectors)."
    )


def _of_gensim(request: Request, loaded: Any) -> Embeddings:
    from gensim.models import KeyedVectors

    vectors = getattr(loaded, "wv", loaded)
    if not isinstance(vectors, KeyedVectors):
        raise request.error(
            f"holds an object of type {type(loaded).__name__}, not gensim vectors or a gensim "
            "model."
        )
    refuse_vocabulary(request)
    if request.key is not None:
        raise no_keys(request)
    dtype = str(vectors.vectors.dtype)
    source = Source(request.name, request.path, "gensim", dtype, rounding=Rounding.of_dtype(dtype))
    return chosen_table(request, vectors.index_to_key, lambda rows: vectors.vectors[rows], source)


FORMAT = Format(
    "pickle",
    "gensim .kv/.model and pickled vectors (pickles, only with --unsafe-pickle)",
    looks_like_any_pickle,
    read,
    endings=(".kv", ".model", ".pkl", ".pickle"),
)
