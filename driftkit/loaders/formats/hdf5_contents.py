"""What an HDF5 file holds, read with h5py: groups, datasets, links; nothing is read ahead.

Nothing outside the file is ever opened: links to other files and datasets that are views of others
are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import type_name
from driftkit.errors import DriftkitError, MissingExtraError
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor
from driftkit.loaders.formats.array_words import WordArray, kind_of
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.text.stream import FREE_BYTES, RATIO
from driftkit.loaders.vocabulary.arrays import as_words

if TYPE_CHECKING:
    import h5py

Opener = Callable[[], AbstractContextManager["h5py.File"]]

_TOGETHER = 64  # words read at a time, since many may point to one long text


def library(request: Request) -> Any:
    """Import h5py, or say how to install it."""
    try:
        import h5py
    except ModuleNotFoundError:
        raise MissingExtraError(f"reading {request.name}", "h5py", "keras") from None
    return h5py


@contextmanager
def damage_told(request: Request) -> Iterator[None]:
    """Say that the file is damaged where h5py raises one of its many kinds of errors."""
    try:
        yield
    except DriftkitError:
        raise
    except Exception as error:
        raise request.damaged("HDF5 file", error) from None


class Contents:
    """The groups and datasets of a file, by their paths; nothing is read yet."""

    def __init__(self, request: Request, opened: Opener) -> None:
        self.request, self.opened = request, opened
        self.groups: list[str] = [""]
        self.datasets: dict[str, Dataset] = {}
        self.names: dict[str, str] = {}  # of groups, where they are given one: Keras's layers
        self.model_config = ""  # of a whole Keras model: what describes its layers
        refused: list[str] = []  # h5py must not be left by an exception while it walks
        h5py = library(request)

        def check_link(path: str, link: Any) -> None:
            if isinstance(link, h5py.ExternalLink):
                refused.append(f"its {path} is a link to another file ({link.filename!r})")

        def add(path: str, item: Any) -> None:
            if isinstance(item, h5py.Group):
                self.groups.append(path)
                if isinstance(name := item.attrs.get("name"), str):
                    self.names[path] = name
            elif isinstance(item, h5py.Dataset):
                if item.is_virtual or item.external:
                    refused.append(f"its {path} is kept in other files")
                dtype = (
                    "bfloat16" if item.attrs.get("dtype") == "bfloat16" else type_name(item.dtype)
                )
                self.datasets[path] = Dataset(
                    request, opened, path, item.shape or (), item.dtype, dtype
                )

        with damage_told(request), opened() as file:
            file.visititems_links(check_link)
            file.visititems(add)
            config = file.attrs.get("model_config", "")
            self.model_config = config.decode() if isinstance(config, bytes) else str(config)
        if refused:
            raise request.error(
                f"{refused[0]}, and no other file is ever opened; copy the data into one file."
            )

    def attribute(self, path: str, name: str) -> Any:
        """Return an attribute of a group or dataset; None if it has none of that name."""
        with damage_told(self.request), self.opened() as file:
            return file[path].attrs.get(name)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset, known by its header."""

    request: Request
    opened: Opener
    path: str
    shape: tuple[int, ...]
    stored: np.dtype[Any]
    dtype: str  # as its writer names it

    def tensor(self, key: str | None) -> Tensor:
        """The dataset as a tensor of this name."""
        return Tensor(key, self.shape, self.dtype, self.read)

    def read(self, rows: Rows) -> npt.NDArray[Any]:
        """Read rows into memory."""
        with damage_told(self.request), self.opened() as file:
            dataset = file[self.path]
            self._check_size(dataset)
            count = len(range(self.shape[0])[rows]) if isinstance(rows, slice) else len(rows)
            width = self.stored.itemsize * math.prod(self.shape[1:])
            require_memory(count * width, self.request.name)
            array: npt.NDArray[Any] = dataset[rows]
        if self.dtype == "bfloat16":  # the upper half of a float32
            return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return array

    def words(self) -> WordArray | None:
        """The dataset as an array of words, if it can be."""
        if len(self.shape) != 1 or (self.stored.hasobject and not self._is_text):
            return None
        kind = "text" if self._is_text else kind_of(self.stored)
        return None if kind is None else WordArray(self.path, self.shape[0], kind, self._read_words)

    @property
    def _is_text(self) -> bool:
        return bool(library(self.request).check_string_dtype(self.stored))

    def _read_words(self) -> list[str]:
        with damage_told(self.request), self.opened() as file:
            dataset = file[self.path]
            self._check_size(dataset)
            if not self._is_text or not self.stored.hasobject:
                return as_words(dataset[:])
            texts = dataset.asstr("utf-8", errors="backslashreplace")
            words: list[str] = []
            room = 4 * self.request.path.stat().st_size + FREE_BYTES
            for start in range(0, self.shape[0], _TOGETHER):
                words.extend(texts[start : start + _TOGETHER])
                room -= sum(map(len, words[start:]))
                if room < 0:
                    raise self.request.error(
                        f"the words of its {self.path} are longer than the file, as no vocabulary "
                        "is; save them as a file of one word per line."
                    )
            return words

    def _check_size(self, dataset: Any) -> None:
        """Refuse numbers that were never written, or that unpack to what no table does."""
        needed = self.stored.itemsize * math.prod(self.shape)
        held = dataset.id.get_storage_size()
        packed = dataset.id.get_create_plist().get_nfilters() > 0
        if needed and (not held or (not packed and held < needed)):
            raise self.request.error(
                f"its {self.path} promises {needed:,} bytes of numbers and holds {held:,}; the "
                "rest was never written: save it again."
            )
        if needed > max(RATIO * held, FREE_BYTES):
            raise self.request.error(
                f"its {self.path} unpacks to more than {RATIO} times its size, which no table of "
                "vectors does; save it without compression."
            )
