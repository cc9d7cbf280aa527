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
    """One format of files or folders; one of `read` and `tensors` is given.

    Parameters
    ----------
    name : str
        As in ``Source.format``; text has two, told apart by its header.
    title : str
        As people call it, with the usual endings, for messages.
    tells : callable
        Whether a file that starts with these bytes has this format; of folders, whether the folder
        at this path has it.
    read : callable, optional
        Reads a table with its words.
    tensors : callable, optional
        Lists the tensors of a file; one is chosen and gets its words as `driftkit.load` says.
    endings : tuple of str
        Names that such files usually have, for the message about one that is not what its name
        says.
    rows : callable, optional
        Counts the rows without reading them; None where reading a few reads all.
    is_folder : bool
    """

    name: str
    title: str
    tells: Callable[[Any], bool]
    read: Callable[[Request], Embeddings] | None = None
    tensors: Callable[[Request], TensorFile] | None = None
    endings: tuple[str, ...] = ()
    rows: Callable[[Request], int] | None = None
    is_folder: bool = False

    def load(self, request: Request) -> Embeddings:
        """Read the table that a request means."""
        if self.read is not None:
            return self.read(request)
        assert self.tensors is not None  # one of the two is given
        return read_table(request, self.name, self.tensors(request))
