"""The records of a torch archive: whether each is as long as the tensors that lie in it.

torch maps a file and takes what follows a record that is too short for the record's end, so a
damaged file would be read without a word about it.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

_BYTES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2,
    "ComplexDouble": 16, "ComplexFloat": 8, "QInt32": 4,
}  # fmt: skip
"""Bytes of a number of each kind of storage that has more than one."""


class ShortRecordError(Exception):
    """A record holds fewer bytes than its tensor needs."""


def all_stored(path: Path) -> bool:
    """Whether a file is an archive with nothing compressed, which may be memory-mapped."""
    try:
        with ZipFile(path) as archive:
            return all(info.compress_type == ZIP_STORED for info in archive.infolist())
    except (BadZipFile, OSError):
        return False


def is_script(path: Path) -> bool:
    """Whether a file is a TorchScript archive, a program with its weights inside."""
    try:
        with ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (BadZipFile, OSError):
        return False


def require_whole(path: Path) -> None:
    """Check that each record of an archive is as long as the storage that it holds.

    A file of the older kind, which is no archive, has its lengths checked by torch itself.
    """
    try:
        archive = ZipFile(path)
    except (BadZipFile, OSError):
        return
    with archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        for name in (name for name in sizes if name.endswith("/data.pkl")):
            with archive.open(name) as file:
                needed = list(_storages(file))
            for key, size in needed:
                record = f"{name.removesuffix('.pkl')}/{key}"
                if sizes.get(record, 0) < size:
                    raise ShortRecordError(
                        f"its record {record} has {sizes.get(record, 0):,} bytes of {size:,}"
                    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as an archive keeps it: numbers of a kind (``Float``), in a record."""

    record: str
    kind: str
    offset: int  # in numbers, from the beginning of the record
    size: tuple[int, ...]
    stride: tuple[int, ...]


def contents(path: Path) -> Any:
    """Return what an archive holds, dicts and lists as they are, with a `Stored` for each tensor.

    Nothing is imported or run; what else the file holds becomes an object that says nothing.
    """
    with ZipFile(path) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/data.pkl"))
        with archive.open(name) as file:
            return _Contents(file, name.removesuffix(".pkl")).load()


def _storages(file: Any) -> Iterator[tuple[str, int]]:
    """Yield the key and the bytes of each storage that a pickle refers to."""
    reader = _Reader(file)
    reader.load()
    for _, kind, key, _, count in reader.referred:
        yield str(key), int(count) * kind.itemsize


class _Inert:
    """Stands for every class and function of a pickle, takes everything and does nothing."""

    itemsize = 1

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> _Inert:
        return self

    def append(self, value: Any) -> None:
        pass

    def extend(self, values: Any) -> None:
        pass

    def add(self, value: Any) -> None:
        pass


class _Reader(pickle.Unpickler):
    """Follows a pickle without importing or running anything, and notes its storages."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.referred: list[tuple[Any, Any, Any, Any, Any]] = []

    def find_class(self, module: str, name: str) -> Any:
        size = _BYTES.get(name.removesuffix("Storage"), 1)  # an untyped one counts its bytes
        return type(name, (_Inert,), {"itemsize": size}) if module == "torch" else _Inert

    def persistent_load(self, pid: Any) -> Any:
        self.referred.append(pid)
        return _Inert()


class _Contents(_Reader):
    """As `_Reader`, but plain containers are kept, and tensors told by their places."""

    def __init__(self, file: Any, folder: str) -> None:
        super().__init__(file)
        self.folder = folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._stored
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return pid

    def _stored(self, storage: Any, offset: int, size: Any, stride: Any, *_: Any) -> Stored:
        _, kind, key, *_ = storage
        name = kind.__name__.removesuffix("Storage")
        return Stored(f"{self.folder}/{key}", name, offset, tuple(size), tuple(stride))
