"""The records of a torch archive: whether each is as long as the tensors that lie in it.

torch maps a file and takes what follows a record that is too short for the record's end, so a
damaged file would be read without a word about it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
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
