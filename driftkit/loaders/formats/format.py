"""What a format is: a name, how it is told, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.loaders.choose_tensor import TensorFile, read_table
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
    is_folder: bool = False

    def load(self, request: Request) -> Embeddings:
        """Read the table that a request means."""
        if self.read is not None:
            return self.read(request)
        assert self.tensors is not None  # one of the two is given
        return read_table(request, self.name, self.tensors(request))
