"""NumPy ``.npy`` and ``.npz``: matrices, memory-mapped where they are stored as they are."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import IO, Any, Literal
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from driftkit.arrays import type_name
from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.array_words import WordArray, kind_of, words_among
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.text.stream import RATIO
from driftkit.loaders.vocabulary.arrays import as_words

_LOCAL_HEADER = 30  # bytes of a .zip member's header before its name and extra field
_BLOCK = 1 << 22  # bytes read at a time where only the checksum is wanted


def looks_like_npy(head: bytes) -> bool:
    """Whether a file that starts so is ``.npy``."""
    return head.startswith(b"\x93NUMPY")


def looks_like_npz(head: bytes) -> bool:
    """Whether a file that starts so is ``.npz``: an archive whose first member is ``.npy``."""
    name = head[_LOCAL_HEADER : _LOCAL_HEADER + int.from_bytes(head[26:28], "little")]
    return head.startswith(b"PK\x03\x04") and name.endswith(b".npy")


def tensors(request: Request) -> TensorFile:
    """Map the one matrix of a ``.npy`` file; nothing is read yet."""
    try:
        array = np.load(request.path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, which raises many kinds
        if "Python objects" in str(error):
            raise _objects(request) from None
        raise request.damaged(".npy file", error) from None
    _check_numbers(request, "", array.dtype)
    return TensorFile((Tensor(None, array.shape, type_name(array.dtype), partial(_rows, array)),))


def _rows(array: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    """Rows of a mapped array; the pages between rows that lie far apart are not read ahead."""
    mapped = getattr(array, "_mmap", None)
    if mapped is None or not isinstance(rows, slice) or rows.step in (None, 1):
        return array[rows]
    mapped.madvise(getattr(mmap, "MADV_RANDOM", 0))
    try:
        return array[rows].copy()
    finally:
        mapped.madvise(getattr(mmap, "MADV_NORMAL", 0))


def archive_tensors(request: Request) -> TensorFile:
    """List the matrices of a ``.npz`` file, and read the words that stand in an array beside."""
    with _damage_told(request), ZipFile(request.path) as archive:
        members = [_member(request, archive, info) for info in _arrays(request, archive)]
    objects = [member for member in members if member.dtype.hasobject]
    if objects and len(objects) == len(members):
        raise _objects(request)
    found = tuple(member.tensor() for member in members)
    rows = {tensor.shape[0] for tensor in found if tensor.is_table}
    words = (member.words() for member in members if len(member.shape) == 1)
    return TensorFile(found, words_among(request, filter(None, words), rows))


def _check_numbers(request: Request, key: str, dtype: np.dtype[Any]) -> None:
    """Refuse arrays whose rows are records or text, as the only table."""
    what = f"its array {key}" if key else "its array"
    if dtype.names:
        raise request.error(
            f"{what} has fields ({', '.join(dtype.names[:5])}), so its rows are records and not "
            "vectors; save the matrix alone: np.save(path, matrix)."
        )
    if dtype.kind in "US":
        raise request.error(
            f"{what} holds text and no vectors; if these are the words of a table, give that table "
            "and name this file as its vocabulary (--vocab FILE, vocab=)."
        )


@dataclass(frozen=True, slots=True)
class _Member:
    """One array of an archive, known by its header."""

    request: Request
    info: ZipInfo
    key: str
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    def tensor(self) -> Tensor:
        check = cache(self._check)  # a stored member is read through once, then mapped

        def read_rows(rows: Rows) -> npt.NDArray[Any]:
            if self.dtype.hasobject:
                raise _objects(self.request)
            _check_numbers(self.request, self.key, self.dtype)
            if self.info.compress_type != ZIP_STORED or not math.prod(self.shape):
                return self.read()[rows]
            check()
            order: Literal["F", "C"] = "F" if self.fortran else "C"
            path = self.request.path
            with _damage_told(self.request):
                return np.memmap(path, self.dtype, "r", self._offset(), self.shape, order)[rows]

        return Tensor(self.key, self.shape, type_name(self.dtype), read_rows)

    def words(self) -> WordArray | None:
        """The array as one of words, if it can be."""
        kind = kind_of(self.dtype)
        if kind is None:
            return None
        return WordArray(self.key, self.shape[0], kind, self._as_words)

    def _as_words(self) -> list[str]:
        array = self.read()
        with _damage_told(self.request):
            return as_words(array)

    def read(self) -> npt.NDArray[Any]:
        """Read the whole array into memory; its checksum is checked on the way."""
        size = self.info.file_size
        packed = min(self.info.compress_size, self.request.path.stat().st_size)
        if size > max(RATIO * packed, 1 << 26):
            raise self.request.error(
                f"its array {self.info.filename} unpacks to more than {RATIO} times its size, "
                "which no table of vectors does; save it with np.savez."
            )
        require_memory(size, self.request.name)
        with (
            _damage_told(self.request),
            ZipFile(self.request.path) as archive,
            archive.open(self.info) as member,
        ):
            array: npt.NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
            while member.read(_BLOCK):  # to its end, where zipfile compares the checksum
                pass
        return array

    def _check(self) -> None:
        with (
            _damage_told(self.request),
            ZipFile(self.request.path) as archive,
            archive.open(self.info) as member,
        ):
            while member.read(_BLOCK):
                pass

    def _offset(self) -> int:
        """Where the numbers of a stored member begin in the archive."""
        with self.request.path.open("rb") as file:
            file.seek(self.info.header_offset)
            local = file.read(_LOCAL_HEADER)
            skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
            file.seek(self.info.header_offset + _LOCAL_HEADER + skip)
            _header(file)
            return file.tell()


def _arrays(request: Request, archive: ZipFile) -> Iterator[ZipInfo]:
    seen = set()
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            if info.filename in seen:
                raise request.error(
                    f"holds two arrays named {info.filename}, of which either may be meant; save "
                    "it again with np.savez."
                )
            seen.add(info.filename)
            yield info


def _member(request: Request, archive: ZipFile, info: ZipInfo) -> _Member:
    key = info.filename.removesuffix(".npy")
    with archive.open(info) as member:
        shape, fortran, dtype = _header(member)
    if min(shape, default=0) < 0 or (
        not dtype.hasobject and info.file_size < dtype.itemsize * math.prod(shape)
    ):
        raise ValueError(f"{key} is shorter than its header says")
    return _Member(request, info, key, shape, fortran, dtype)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the shape, whether in Fortran order, and the type."""
    first = np.lib.format.read_magic(member) == (1, 0)
    form = np.lib.format
    return (form.read_array_header_1_0 if first else form.read_array_header_2_0)(member)


@contextmanager
def _damage_told(request: Request) -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for damaged archives
        raise request.damaged(".npz file", error) from None


def _objects(request: Request) -> UnsafePickleError:
    return UnsafePickleError(
        request.name,
        "is an array of Python objects, which is a pickle and is never opened; save the "
        "matrix as numbers: np.save(path, np.asarray(matrix, np.float32)).",
    )


NPY = Format(
    "npy", "NumPy .npy with a vocabulary", looks_like_npy, tensors=tensors, endings=(".npy",)
)
NPZ = Format("npz", "NumPy .npz", looks_like_npz, tensors=archive_tensors, endings=(".npz",))
