"""What a format is: a name, how it is told, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.loaders.choose_tensor import TensorFile, read_table
from driftkit.loaders.quantized import dequantized
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
        return read_table(request, self.name, self.opened(request))

    def opened(self, request: Request) -> TensorFile:
        """List the tensors that a request may mean, quantized tables dequantized."""
        assert self.tensors is not None
        file = self.tensors(request)
        return replace(file, tensors=dequantized(file.tensors))
