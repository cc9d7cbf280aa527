"""Tables kept as whole numbers with a scale: turned back into the numbers they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor
from driftkit.loaders.tensor_roles import PACKED
from driftkit.provenance import Rounding

_SCALES = ("scale", "scales", "weight_scale", "weight_scales")
_ZERO_POINTS = ("zero_point", "zero_points", "zeros", "weight_zero_point", "weight_zero_points")
_BEYOND = (
    *("weight_scale_inv", "scale_inv", "biases", "SCB", "absmax", "quant_map", "g_idx", "qzeros"),
    *("weight_g_idx", "nested_absmax"),
)
"""Parts of schemes that are not one scale and one zero point: GPTQ, AWQ, bitsandbytes, MLX, ..."""

_SAVE_PLAIN = "dequantize the model and save its numbers as floats"


def dequantized(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the tensors with each quantized table in floating point, or with why it cannot be.

    A table is dequantized where its scheme is plain: whole numbers or float8 (n, d) and beside
    them, such as ``emb.weight_scale`` beside ``emb.weight``, one floating scale, or one a row or
    a column, with or without zero points of such a shape.
    """
    named = {tensor.key: tensor for tensor in tensors if tensor.key is not None}
    crowded = _parents_of_several(named.values())
    return tuple(_dequantized(tensor, named, crowded) for tensor in tensors)


def scaled(
    tensor: Tensor, scale: npt.NDArray[Any], zero: npt.NDArray[Any] | None, precision: Rounding
) -> Tensor:
    """Return the table ``(tensor - zero) * scale``; both are of a shape that broadcasts.

    `precision` is how finely the scale itself is kept.
    """
    scale = scale.astype(np.float64)

    def of(rows: Rows, parts: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return parts[rows] if parts.ndim == 2 and len(parts) > 1 else parts

    def read(rows: Rows) -> npt.NDArray[Any]:
        held = np.asarray(tensor.read(rows)).astype(np.float64)
        if zero is not None:
            held -= of(rows, zero)
        return np.asarray(held * of(rows, scale), np.float32)

    steps = np.abs(scale[np.isfinite(scale)])
    relative = precision.relative + 2.0**-22  # the scale's rounding, and that of the products
    if tensor.dtype.startswith("float"):
        own = Rounding.of_dtype(tensor.dtype)
        rounding = Rounding(
            own.relative + relative, own.absolute * float(steps.max(initial=0)), own.reason
        )
    else:
        reason = f"{tensor.dtype}: half a step of the largest scale"
        rounding = Rounding(relative, float(steps.max(initial=0)) / 2, reason)
    return replace(tensor, read=read, rounding=rounding, storage=None)


def _dequantized(tensor: Tensor, named: dict[str, Tensor], crowded: frozenset[str]) -> Tensor:
    key = tensor.key or ""
    if tensor.unreadable or not key:
        return tensor
    if PACKED.search(key):
        why = "is packed, several numbers in one, as GPTQ, AWQ and their like do"
        return replace(tensor, unreadable=f"{why}; {_SAVE_PLAIN}")
    if not _is_quantized(tensor):
        return tensor
    find = _finder(key, named, crowded)
    scheme = find(_BEYOND)
    scale, zero = find(_SCALES), find(_ZERO_POINTS)
    if scheme is not None:
        why = f"is quantized by a scheme that is not read ({scheme.key} is beside it)"
        return replace(tensor, unreadable=f"{why}; {_SAVE_PLAIN}")
    if scale is None:
        return tensor
    parts = [scale] if zero is None else [scale, zero]
    shapes = [_broadcast(part.shape, tensor.shape) for part in parts]
    is_plain = scale.dtype in ("float32", "float64", "float16", "bfloat16")
    if None in shapes or not is_plain or (tensor.dtype.startswith("uint") and zero is None):
        beside = " and ".join(map(str, parts))
        why = f"is quantized, and {beside} beside it can be applied in more than one way or none"
        return replace(tensor, unreadable=f"{why}; {_SAVE_PLAIN}")
    values = [
        np.asarray(part.read(()), np.float64).reshape(shape or ())
        for part, shape in zip(parts, shapes, strict=True)
    ]
    return scaled(tensor, values[0], values[1] if zero else None, Rounding.of_dtype(scale.dtype))


def _is_quantized(tensor: Tensor) -> bool:
    narrow = tensor.dtype.startswith(("int", "uint", "float8"))
    plain = narrow and tensor.rounding is None  # else it is dequantized already
    return plain and len(tensor.shape) == 2 and min(tensor.shape) > 0


def _parents_of_several(tensors: Iterable[Tensor]) -> frozenset[str]:
    """Modules with several quantized matrices, of which a scale beside them could be any's."""
    parents = [str(t.key).rpartition(".")[0] for t in tensors if _is_quantized(t)]
    return frozenset(parent for parent in parents if parents.count(parent) > 1)


def _finder(
    key: str, named: dict[str, Tensor], crowded: frozenset[str]
) -> Callable[[Sequence[str]], Tensor | None]:
    """Return what looks up a part of a tensor by the names it may have."""
    parent, dot, _ = key.rpartition(".")
    stems = [f"{key}_", f"{key}.", f"{key.removesuffix('_data')}_"]
    if parent not in crowded:
        stems.append(f"{parent}{dot}")

    def find(parts: Sequence[str]) -> Tensor | None:
        names = (f"{stem}{part}" for stem in stems for part in parts)
        return next((named[name] for name in names if name in named and name != key), None)

    return find


def _broadcast(shape: tuple[int, ...], table: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape in which a scale of this shape applies to a table; None where unclear.

    Examples
    --------
    >>> _broadcast((3,), (3, 4)), _broadcast((4,), (3, 4)), _broadcast((3,), (3, 3))
    ((3, 1), (1, 4), None)
    """
    n, d = table
    if shape in ((), (1,), (1, 1)):
        return (1, 1)
    if shape in ((n, 1), (1, d)):
        return shape
    if n == d or len(shape) != 1:
        return None
    return {(n,): (n, 1), (d,): (1, d)}.get(shape)
