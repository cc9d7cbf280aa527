"""What a format is: a name, how it is told, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders.choose_tensor import TensorFile, read_table
from driftkit.loaders.parametrized import whole
from driftkit.loaders.quantized import dequantized
from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request


@dataclass(frozen=True, slots=True)
class Format:
    """One format of files or folders, with one of `read` and `tensors`; see `register_format`."""

    name: str  # as in Source.format; text has two, told apart by its header
    title: str
    tells: Callable[[Any], bool]  # from the first bytes of a file, or the path of a folder
    read: Callable[[Request], Embeddings] | None = None
    tensors: Callable[[Request], TensorFile] | None = None
    endings: tuple[str, ...] = ()
    rows: Callable[[Request], int] | None = None  # counts; None where reading a few reads all
    last_word: Callable[[Request], str | None] | None = None  # where reading a few rows lacks it
    is_folder: bool = False
    has_words: bool = False  # its files hold their words: a vocabulary given is refused
    has_keys: bool = True  # False where a file holds one table, without a name

    def load(self, request: Request) -> Embeddings:
        """Read the table that a request means."""
        if self.has_words:
            refuse_vocabulary(request)
        if request.key is not None and not self.has_keys:
            raise no_keys(request)
        if self.read is not None:
            return self.read(request)
        return read_table(request, self.name, self.opened(request))

    def opened(self, request: Request) -> TensorFile:
        """List the tensors that a request may mean: parts of one joined, quantized dequantized."""
        assert self.tensors is not None
        file = self.tensors(request)
        return replace(file, tensors=dequantized(whole(file.tensors)))


class OwnWordsError(VocabularyError):
    """A vocabulary was given for a table that has words of its own."""


def refuse_vocabulary(request: Request, words: str = "words of its own") -> None:
    """Refuse a vocabulary for a table whose words stand in its file: it would go unused."""
    if request.vocab is not None:
        raise OwnWordsError(
            request.name,
            f"has {words}, so no vocabulary is needed; leave --vocab (vocab=) out. It is for files "
            "of numbers alone.",
        )


def no_keys(request: Request) -> SourceError:
    """Return the error for a name asked of a file that holds one table."""
    return request.error(
        f"holds one table and no named tensors, so there is no {quote(request.key)}; leave the "
        "key out."
    )
