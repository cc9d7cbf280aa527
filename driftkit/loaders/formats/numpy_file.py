"""NumPy ``.npy`` and ``.npz``: matrices, memory-mapped where they are stored as they are."""

from __future__ import annotations

import math
import mmap
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.text.stream import RATIO
from driftkit.loaders.vocabulary.words import Vocabulary

_WORDS = frozenset({"words", "vocab", "vocabulary", "tokens", "index_to_key", "itos"})
_LOCAL_HEADER = 30  # bytes of a .zip member's header before its name and extra field

_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, whether in Fortran order, type


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
        raise _damaged(request, error, ".npy") from None
    return TensorFile((Tensor(None, array.shape, str(array.dtype), partial(_rows, array)),))


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
    """List the matrices of a ``.npz`` file; an array of strings named words holds the words."""
    found: list[Tensor] = []
    vocabulary: Vocabulary | None = None
    try:
        with ZipFile(request.path) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".npy"):
                    continue
                key = info.filename.removesuffix(".npy")
                with archive.open(info) as member:
                    header = _header(member)
                shape, _, dtype = header
                if dtype.hasobject:
                    raise _objects(request)
                if key in _WORDS and dtype.kind == "U" and len(shape) == 1:
                    _check_size(request, info)
                    with archive.open(info) as member:
                        words = np.lib.format.read_array(member, allow_pickle=False).tolist()
                    vocabulary = Vocabulary(tuple(words), f"{key} inside the file")
                else:
                    found.append(_member(request, info, key, header))
    except SourceError:
        raise
    except Exception as error:  # and so does zipfile for damaged archives
        raise _damaged(request, error, ".npz") from None
    return TensorFile(tuple(found), vocabulary)


def _header(member: IO[bytes]) -> _Header:
    first = np.lib.format.read_magic(member) == (1, 0)
    form = np.lib.format
    return (form.read_array_header_1_0 if first else form.read_array_header_2_0)(member)


def _member(request: Request, info: ZipInfo, key: str, header: _Header) -> Tensor:
    path, (shape, fortran, dtype) = request.path, header

    def read_rows(rows: Any) -> npt.NDArray[Any]:
        if info.compress_type == ZIP_STORED:
            offset = _data_offset(path, info)
            order = "F" if fortran else "C"
            return _rows(np.memmap(path, dtype, "r", offset, shape, order), rows)  # type: ignore[call-overload]
        _check_size(request, info)
        try:
            with ZipFile(path) as archive, archive.open(info) as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
        except (BadZipFile, ValueError, EOFError, OSError) as error:
            raise _damaged(request, error, ".npz") from None
        return array[rows]  # type: ignore[no-any-return]

    needed = dtype.itemsize * math.prod(shape)
    if info.file_size < needed:
        raise ValueError(f"{key} is shorter than its header says")
    return Tensor(key, shape, str(dtype), read_rows)


def _data_offset(path: Path, info: ZipInfo) -> int:
    """Where the numbers of a stored member begin in the archive."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(_LOCAL_HEADER)
        skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        file.seek(info.header_offset + _LOCAL_HEADER + skip)
        _header(file)
        return file.tell()


def _check_size(request: Request, info: ZipInfo) -> None:
    if info.file_size > max(RATIO * info.compress_size, 1 << 26):
        raise request.error(
            f"its array {info.filename} unpacks to more than {RATIO} times its size, which no "
            "table of vectors does; save it with np.savez."
        )
    require_memory(info.file_size, request.name)


def _damaged(request: Request, error: Exception, ending: str) -> SourceError:
    if "Python objects" in str(error) or "Object arrays" in str(error):
        return _objects(request)
    return request.damaged(f"{ending} file", error)


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
