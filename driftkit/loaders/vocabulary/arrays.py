"""A vocabulary kept as a NumPy array of strings."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.errors import UnsafePickleError, VocabularyError
from driftkit.loaders.quote import quote
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Problem

MAGIC = b"\x93NUMPY"


def as_words(values: npt.NDArray[Any]) -> list[str]:
    r"""Return an array's values as words; bytes are UTF-8, and others stay as ``\xff``.

    Numbers that are no characters raise a ValueError; NumPy checks none of them.
    """
    if values.dtype.kind == "S":
        return [word.decode("utf-8", "backslashreplace") for word in values.tolist()]
    if values.dtype.kind == "U":
        numbers = np.ascontiguousarray(values).view(f"{values.dtype.byteorder}u4")
        if (numbers > sys.maxunicode).any():
            raise ValueError("a number that is no character")
    return [str(word) for word in values.tolist()]


def read(path: Path) -> Vocabulary:
    """Return the words of a ``.npy`` file of strings; one of Python objects is never opened."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, which raises many kinds
        if "Python objects" in str(error) or "Object arrays" in str(error):
            raise UnsafePickleError(
                path,
                "is an array of Python objects, which is a pickle and is never opened; save the "
                "words as strings: np.save(path, np.array(words, dtype=str)).",
            ) from None
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise VocabularyError(path, f"is a damaged or truncated .npy file ({reason}).") from None
    if array.dtype.kind not in "US" or array.ndim != 1 or not len(array):
        raise VocabularyError(
            path,
            f"is an array of {array.dtype} of shape {array.shape}; a vocabulary is a list of "
            "strings, one for each row.",
        )
    try:
        words = as_words(array)
    except ValueError:  # a number that is no character
        raise VocabularyError(path, "is a damaged array of strings; save it again.") from None
    if array.dtype.kind == "S":
        pairs = enumerate(zip(words, array.tolist(), strict=True))
        broken = (row for row, (word, raw) in pairs if word.encode() != raw)
        problems = tuple(
            Problem("invalid UTF-8", row, f"kept as {quote(words[row])}")
            for row in islice(broken, 1)
        )
        return Vocabulary(tuple(words), path.name, path, problems=problems)
    return Vocabulary(tuple(words), path.name, path)
