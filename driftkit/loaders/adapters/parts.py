"""The parts of adapters among the tensors of a file, by the layer that they change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from driftkit.loaders.choose_tensor import Tensor

_PEFT = "base_model.model."  # what peft puts before every name of the model
_PART = re.compile(
    r"(?P<layer>.+?)\.(?P<part>lora_embedding_[AB]|lora_magnitude_vector|lora_[AB]"
    r"|(?:token_adapter\.)?trainable_tokens_(?:delta|original)"
    r"|(?:token_adapter\.)?base_layer|original_module|modules_to_save)(?:\.(?P<rest>.+))?"
)


@dataclass(slots=True)
class Layer:
    """One layer that adapters change.

    Parameters
    ----------
    name : str
        As the model itself calls it, such as ``"model.embed_tokens"``.
    base : Tensor, optional
        Its weight without adapters, where the file has it.
    parts : dict of str to dict of str to Tensor
        Adapter, ``""`` where a file of one adapter leaves out its name, then part.
    """

    name: str
    base: Tensor | None = None
    parts: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def of(self, adapter: str) -> dict[str, Tensor]:
        """Return the parts of one adapter."""
        return self.parts.get(adapter, {})


def model_name(key: str) -> str:
    """Return the name of a tensor without what peft puts before it.

    Examples
    --------
    >>> model_name("base_model.model.model.embed_tokens.weight")
    'model.embed_tokens.weight'
    """
    return key.replace(_PEFT, "", 1)


def split(tensors: Iterable[Tensor]) -> tuple[list[Tensor], dict[str, Layer]]:
    """Part the tensors that are no adapter's from the layers that adapters change."""
    plain: list[Tensor] = []
    layers: dict[str, Layer] = {}
    for tensor in tensors:
        found = _PART.fullmatch(tensor.key or "")
        if found is None:
            plain.append(tensor)
            continue
        name, part, rest = model_name(found["layer"]), found["part"], found["rest"] or ""
        part = part.removeprefix("token_adapter.")
        if part in ("base_layer", "original_module"):
            layer = layers.setdefault(name, Layer(name))
            if rest == "weight":
                layer.base = tensor
        elif part == "modules_to_save":
            adapter, _, rest = ("", "", rest) if rest == "weight" else rest.partition(".")
            inner, _, last = rest.rpartition(".")
            name = f"{name}.{inner}" if inner else name
            if last == "weight":
                layers.setdefault(name, Layer(name)).parts.setdefault(adapter, {})[part] = tensor
        else:
            adapter = "" if rest == "weight" else rest.removesuffix(".weight")
            layers.setdefault(name, Layer(name)).parts.setdefault(adapter, {})[part] = tensor
    return plain, layers
