"""Where in a file the numbers of one tensor lie, and the checksum that covers them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix, row_blocks
from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError
from driftkit.loaders.formats.torch_records import Stored, contents

WIDTHS = {"float32": "<f4", "float16": "<f2", "bfloat16": "<u2", "float64": "<f8"}
"""Types that are written back, by how numpy reads their bytes."""

_SAFETENSORS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
_TORCH = {"Float": "float32", "Half": "float16", "BFloat16": "bfloat16", "Double": "float64"}

_LOCAL = struct.Struct("<4s5H3L2H")  # the header before each record of an archive
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # its entry in the list at the end
_DESCRIPTOR = b"PK\x07\x08"
_HAS_DESCRIPTOR = 0x08


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an archive: where its bytes lie, and where their checksum is written."""

    start: int
    size: int
    checksums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The numbers of a tensor (n, d) in a file: where they begin, and of which type they are.

    `alike` is where other tensors of this type and shape begin, by name.
    """

    path: Path
    offset: int
    shape: tuple[int, int]
    dtype: str
    alike: Mapping[str, int]
    record: Record | None = None

    @property
    def copies(self) -> tuple[str, ...]:
        """The other tensors of the file that hold the same numbers."""
        rows, blocks = self.rows(), list(row_blocks(self.shape[0]))
        others = {key: replace(self, offset=at).rows() for key, at in self.alike.items()}
        return tuple(
            key
            for key, other in others.items()
            if all(rows[some].tobytes() == other[some].tobytes() for some in blocks)
        )

    def rows(self) -> npt.NDArray[Any]:
        """Return the numbers as they are stored (n, d), memory-mapped."""
        return np.memmap(self.path, WIDTHS[self.dtype], "r", self.offset, self.shape)


class NotReplacedError(OptionError):
    """A tensor that is not replaced in its file; `why` is a clause."""

    def __init__(self, table: Embeddings, why: str) -> None:
        self.why = f"{table.source.name} {why}"
        super().__init__(
            f"{self.why}; its tensor is not replaced: write the whole table instead "
            "(driftkit restore -o)."
        )


def decoded(stored: npt.NDArray[Any], dtype: str) -> Matrix:
    """Return stored numbers as float32."""
    if dtype == "bfloat16":  # the upper half of a float32
        return (stored.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):
        return np.asarray(stored, np.float32)


def encoded(values: Matrix, dtype: str) -> npt.NDArray[Any]:
    """Return float32 numbers as a type stores them, rounded to the nearest, ties to even."""
    if dtype == "bfloat16":
        bits = np.ascontiguousarray(values).view(np.uint32).astype(np.uint64)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    with np.errstate(over="ignore"):
        return values.astype(WIDTHS[dtype])


def place_of(table: Embeddings, *, alone: bool = False) -> Place:
    """Find the tensor that a table was read from; an error says why it cannot be replaced.

    With `alone`, one of which the file holds a copy besides is refused as well.
    """
    source = table.source
    if source.path is None or not source.path.is_file():
        raise NotReplacedError(
            table, "is no file; name the one that holds the tensor, as FILE::KEY"
        )
    if source.format not in ("torch", "safetensors"):
        raise NotReplacedError(
            table, f"is {source.format}; tensors are replaced in .safetensors and .pt alone"
        )
    find = _in_safetensors if source.format == "safetensors" else _in_torch
    place = find(table, source.path)
    n = len(table)
    kept = place.rows()[:n]
    same = len(kept) == n and all(
        np.array_equal(decoded(kept[some], place.dtype), table.matrix[some])
        for some in row_blocks(n)
    )
    if not same:
        raise NotReplacedError(
            table,
            "was not read row by row as it is stored (rows left out, or computed from several "
            "tensors)",
        )
    if alone and (copies := place.copies):
        raise NotReplacedError(
            table,
            f"is stored twice, as {table.source.key} and as {' and '.join(copies)}, of which "
            "one would stay as it is",
        )
    return place


def _in_safetensors(table: Embeddings, path: Path) -> Place:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = parse_json(file.read(length))
    entry = header.get(table.source.key or "")
    if entry is None:
        raise NotReplacedError(table, "holds no tensor of that name as it is read")
    dtype, shape = _SAFETENSORS.get(entry["dtype"]), tuple(entry["shape"])
    if dtype is None or len(shape) != 2:
        raise NotReplacedError(table, f"holds {entry['dtype']}, which is not written back")
    starts = {
        key: 8 + length + other["data_offsets"][0]
        for key, other in header.items()
        if (other.get("dtype"), other.get("shape")) == (entry["dtype"], entry["shape"])
    }
    return Place(path, starts.pop(table.source.key or ""), shape, dtype, starts)


def _in_torch(table: Embeddings, path: Path) -> Place:
    try:
        with ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            central = archive.start_dir
    except BadZipFile:
        raise NotReplacedError(
            table, "is of the kind that torch wrote before 1.6; save it anew"
        ) from None
    if any(info.compress_type != ZIP_STORED for info in infos.values()):
        raise NotReplacedError(table, "is compressed; save it anew")
    found = list(_named(contents(path), ""))
    here = [stored for key, stored in found if key == (table.source.key or "")]
    if len(here) != 1:
        raise NotReplacedError(
            table, "does not hold its numbers as one plain tensor (quantized, or a part)"
        )
    stored = here[0]
    if sum(_overlap(other, stored) for _, other in found) > 1:
        raise NotReplacedError(table, "is tied: another tensor of the file has the same numbers")
    dtype, info = _TORCH.get(stored.kind), infos.get(stored.record)
    if dtype is None or info is None:
        raise NotReplacedError(table, f"holds {stored.kind} numbers, which are not written back")
    if len(stored.size) != 2 or stored.stride != (stored.size[1], 1):
        raise NotReplacedError(table, "does not lie row by row in the file; save it .contiguous()")
    if _byte_order(path, stored) != b"little":
        raise NotReplacedError(table, "was written big-endian")
    record = _record(path, info, central)
    width = np.dtype(WIDTHS[dtype]).itemsize
    alike = {
        key: _local(path, infos[other.record])[1] + other.offset * width
        for key, other in found
        if replace(other, record=stored.record, offset=stored.offset) == stored
        and other != stored
        and other.record in infos
    }
    offset = record.start + stored.offset * width
    return Place(path, offset, (stored.size[0], stored.size[1]), dtype, alike, record)


def _named(item: Any, path: str) -> Any:
    """Yield tensors in nested dicts, with their keys joined by points, as they are read."""
    if isinstance(item, Stored):
        yield path, item
    elif isinstance(item, Mapping):
        for key, value in item.items():
            yield from _named(value, f"{path}.{key}" if path else f"{key}")
    elif isinstance(item, list | tuple):
        for at, value in enumerate(item):
            yield from _named(value, f"{path}[{at}]")


def _overlap(one: Stored, other: Stored) -> bool:
    """Whether two tensors may share numbers: those of one kind that lie apart do not."""
    if one.record != other.record:
        return False
    if one.kind != other.kind:
        return True
    (start, end), (other_start, other_end) = _extent(one), _extent(other)
    return start < other_end and other_start < end


def _extent(stored: Stored) -> tuple[int, int]:
    """Return where a tensor's first number lies in its record, and the end of its last one."""
    last = sum((n - 1) * step for n, step in zip(stored.size, stored.stride, strict=True))
    return stored.offset, stored.offset + (last + 1 if all(stored.size) else 0)


def _byte_order(path: Path, stored: Stored) -> bytes:
    name = stored.record.split("/")[0] + "/byteorder"
    with ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else b"little"


def _local(path: Path, info: ZipInfo) -> tuple[int, int]:
    """Return the flags of a record, and where its bytes begin."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = _LOCAL.unpack(file.read(_LOCAL.size))
    return local[2], info.header_offset + _LOCAL.size + local[9] + local[10]


def _record(path: Path, info: ZipInfo, central: int) -> Record:
    """Find the bytes of a record, and each place where their checksum is written."""
    flags, start = _local(path, info)
    with path.open("rb") as file:
        places = []
        if flags & _HAS_DESCRIPTOR:
            file.seek(start + info.file_size)
            after = start + info.file_size
            places.append(after + 4 if file.read(4) == _DESCRIPTOR else after)
        else:
            places.append(info.header_offset + 14)
        at = central
        while True:
            file.seek(at)
            entry = file.read(_CENTRAL.size)
            if len(entry) < _CENTRAL.size or entry[:4] != b"PK\x01\x02":
                break
            fields = _CENTRAL.unpack(entry)
            name = file.read(fields[10])
            if name.decode("utf-8", "replace") == info.orig_filename:
                places.append(at + 16)
            at += _CENTRAL.size + sum(fields[10:13])
    return Record(start, info.file_size, tuple(places))
