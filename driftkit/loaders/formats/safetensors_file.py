"""safetensors: named tensors, each mapped where it lies in the file; nothing is read ahead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.documents import parse_json
from driftkit.forks import one_thread_in_a_child
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile, no_numbers, words_inside
from driftkit.loaders.formats.format import Format
from driftkit.loaders.formats.model2vec import by_token
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary

LARGEST_HEADER = 1 << 24  # bytes, for 150,000 tensors: parsing one takes 20 times its size

_DTYPES = {
    "F64": ("float64", "<f8"), "F32": ("float32", "<f4"), "F16": ("float16", "<f2"),
    "BF16": ("bfloat16", "<u2"), "I64": ("int64", "<i8"), "I32": ("int32", "<i4"),
    "I16": ("int16", "<i2"), "I8": ("int8", "i1"), "BOOL": ("bool", "?"), "U64": ("uint64", "<u8"),
    "U32": ("uint32", "<u4"), "U16": ("uint16", "<u2"), "U8": ("uint8", "u1"),
    "F8_E4M3": ("float8_e4m3fn", "u1"), "F8_E4M3FNUZ": ("float8_e4m3fnuz", "u1"),
    "F8_E5M2": ("float8_e5m2", "u1"), "F8_E5M2FNUZ": ("float8_e5m2fnuz", "u1"),
    "C64": ("complex64", "<c8"),
}  # fmt: skip
"""Types of the format: as torch calls them, and as numpy reads their bytes."""


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that starts so is safetensors: a length in 8 bytes, then JSON."""
    return len(head) > 9 and head[8:9] == b"{" and head[6:8] == b"\0\0"


def tensors(request: Request) -> TensorFile:
    """List the tensors by the file's header alone, and read the words of a `WordEmbedding`."""
    from safetensors import SafetensorError, safe_open

    path = request.path
    with path.open("rb") as file:
        if (length := int.from_bytes(file.read(8), "little")) > LARGEST_HEADER:
            raise request.damaged(
                "safetensors file", ValueError(f"a header of {length:,} bytes"), "save or copy"
            )
    try:
        # The library checks that the header is sound and that it and the file agree in length.
        with safe_open(path, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        raise request.damaged("safetensors file", error) from None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header: dict[str, Any] = parse_json(file.read(length))
        except ValueError as error:
            raise request.damaged("safetensors file", error) from None
    header.pop("__metadata__", None)
    found = [_tensor(path, key, entry, 8 + length) for key, entry in sorted(header.items())]
    vocabulary: Vocabulary | None = None
    for tensor in found:
        vocabulary = words_inside(tensor) or vocabulary
    return TensorFile(by_token(found), vocabulary)


def _tensor(path: Path, key: str, entry: dict[str, Any], start: int) -> Tensor:
    shape = tuple(entry["shape"])
    if entry["dtype"] not in _DTYPES:
        why = f"is of type {entry['dtype']}, which is not read; save it as float32, bf16 or fp16"
        return Tensor(key, shape, entry["dtype"].lower(), no_numbers, unreadable=why)
    dtype, stored = _DTYPES[entry["dtype"]]
    offset = start + entry["data_offsets"][0]

    def read(rows: Rows) -> npt.NDArray[Any]:
        if isinstance(rows, slice) and rows.step not in (None, 1) and len(shape) == 2:
            mapped = _spaced(path, np.dtype(stored), offset, shape, rows)
        else:
            mapped = np.memmap(path, stored, "r", offset, shape)[rows]
        if dtype == "bfloat16":  # the upper half of a float32
            return (mapped.astype(np.uint32) << 16).view(np.float32)
        return _of_float8(mapped, dtype) if dtype.startswith("float8") else mapped

    return Tensor(key, shape, dtype, read)


def _of_float8(stored: npt.NDArray[Any], dtype: str) -> npt.NDArray[np.float32]:
    import torch

    one_thread_in_a_child()
    held = torch.from_numpy(np.array(stored)).view(getattr(torch, dtype))
    array: npt.NDArray[np.float32] = held.float().numpy()
    return array


def _spaced(
    path: Path, stored: np.dtype[Any], offset: int, shape: tuple[int, ...], rows: slice
) -> npt.NDArray[Any]:
    """Rows far apart, read one by one: a map would bring in the pages between them."""
    chosen = range(*rows.indices(shape[0]))
    out = np.empty((len(chosen), shape[1]), stored)
    with path.open("rb") as file:
        for at, row in enumerate(chosen):
            file.seek(offset + row * shape[1] * stored.itemsize)
            file.readinto(out[at].data)
    return out


FORMAT = Format(
    "safetensors",
    ".safetensors",
    looks_like_safetensors,
    tensors=tensors,
    endings=(".safetensors",),
)
