"""Weights that torch keeps as the parts they are computed from: pruned, normalized and others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, no_numbers

_PART = re.compile(
    r"(?P<module>(?:.*\.)?)(?:parametrizations\.(?P<name>\w+)\.(?P<new>original\d*|\d+\..+)"
    r"|(?P<weight>\w+)_(?P<old>orig|mask|u|v|g))"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One way to keep a weight as parts: how it is called, and what undoes it."""

    title: str
    undo: str


_PARAMETRIZATION = _Kind(
    "a parametrization", 'torch.nn.utils.parametrize.remove_parametrizations(module, "weight")'
)
_OLD_KINDS = {
    ("orig", "mask"): _Kind("pruning", 'torch.nn.utils.prune.remove(module, "weight")'),
    ("orig", "u"): _Kind("spectral_norm", "torch.nn.utils.remove_spectral_norm(module)"),
    ("g", "v"): _Kind("weight_norm", "torch.nn.utils.remove_weight_norm(module)"),
}


def whole(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the tensors with each weight that was saved as parts in the place of these.

    A pruned weight is its numbers times its mask. Any other is named with why it cannot be read:
    what computes it is code, and only some of its settings are in the file.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for tensor in tensors:
        if (found := _PART.fullmatch(tensor.key or "")) is not None:
            part = found["new"] or found["old"]
            groups.setdefault(_weight(found), {})[part] = tensor
    made = {}
    for key, parts in groups.items():
        if (kind := _kind(parts)) is not None:
            made[key] = (_pruned if kind.title == "pruning" else _computed)(key, kind, parts)
    replaced = {part.key: weight for key, weight in made.items() for part in groups[key].values()}
    kept = {tensor.key for tensor in tensors} - replaced.keys()
    return tuple(_placed(tensors, replaced, kept))


def _placed(
    tensors: Sequence[Tensor], replaced: dict[str | None, Tensor], kept: set[str | None]
) -> Iterator[Tensor]:
    """Yield each weight once, where its first part was; one that is there as well stays."""
    for tensor in tensors:
        weight = replaced.get(tensor.key)
        if weight is None:
            yield tensor
        elif weight.key not in kept:
            kept.add(weight.key)
            yield weight


def _weight(found: re.Match[str]) -> str:
    return f"{found['module']}{found['name'] or found['weight']}"


def _kind(parts: dict[str, Tensor]) -> _Kind | None:
    """Return how a weight was taken apart; None where names only look as if it was."""
    if any(part.startswith("original") for part in parts):
        return _PARAMETRIZATION
    kind = next((kind for pair, kind in _OLD_KINDS.items() if {*pair} <= parts.keys()), None)
    is_norm = kind is not None and "orig" not in parts
    # Gates and values, too, may be called w_g and w_v.
    return None if is_norm and not str(parts["g"].key).endswith("weight_g") else kind


def _computed(key: str, kind: _Kind, parts: dict[str, Tensor]) -> Tensor:
    largest = max(parts.values(), key=lambda part: (len(part.shape), part.shape))
    names = ", ".join(str(part.key) for part in parts.values())
    why = (
        f"is saved as the parts from which {kind.title} computes it ({names}); undo it before "
        f"saving, {kind.undo}"
    )
    return Tensor(key, largest.shape, largest.dtype, no_numbers, unreadable=why)


def _pruned(key: str, kind: _Kind, parts: dict[str, Tensor]) -> Tensor:
    numbers, mask = parts["orig"], parts["mask"]
    if numbers.shape != mask.shape or {"u", "g"} & parts.keys():
        return _computed(key, kind, parts)

    def read(rows: Rows) -> npt.NDArray[Any]:
        return np.asarray(numbers.read(rows) * mask.read(rows))

    return replace(numbers, key=key, read=read, storage=None)
