"""Weights as Keras lays them out in HDF5, named as people know them: ``layer/embeddings``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftkit.documents import parse_json
from driftkit.loaders.choose_tensor import TensorFile
from driftkit.loaders.formats.hdf5_contents import Contents, Dataset
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary

_NUMBERED = re.compile(r"(?:(.+)/)?vars/(\d+)")  # Keras 3, and 2.13 and later in .keras
_BY_CLASS = re.compile(r"(^|_)embedding(_\d+)?$")  # as Keras stores a layer of such a class
_UNNAMED = re.compile(r"embedding(_\d+)?")  # what it calls a layer that was given no name
_LOOKUPS = {"TextVectorization": "", "StringLookup": None}  # and what stands for padding in each


@dataclass(frozen=True, slots=True)
class _Weight:
    """One variable of a layer."""

    dataset: Dataset
    path: tuple[str, ...]  # the layers it lies in, and its name
    is_embedding: bool

    @property
    def layer(self) -> str:
        return self.path[-2] if len(self.path) > 1 else ""


def are_in(datasets: Mapping[str, Dataset]) -> bool:
    """Whether datasets with these paths are Keras weights."""
    return any(_NUMBERED.fullmatch(path) for path in datasets) or any(
        path.startswith("model_weights/") or path.endswith("/embeddings:0") for path in datasets
    )


def tensors(
    request: Request,
    contents: Contents,
    config: str,
    vocabulary: Vocabulary | None = None,
) -> TensorFile:
    """List a model's weights; the layers' classes, where known, tell which are embeddings."""
    described = layers(request, config)
    classes = {str(settings.get("name")): kind for kind, settings in described}
    weights = list(_weights(contents, classes))
    names = dict(zip(_short_names([weight.path for weight in weights]), weights, strict=True))
    meant = _meant(request.key, names)
    for key, weight in names.items():
        if weight.is_embedding and meant in (None, key):
            _check(request, weight, weights)
    return TensorFile(
        tuple(
            weight.dataset.tensor(request.key if key == meant else key)
            for key, weight in names.items()
        ),
        vocabulary,
    )


def layers(request: Request, config: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the class and the settings of each layer that a model's JSON describes."""
    try:
        waiting = [parse_json(config)] if config else []
    except ValueError as error:
        raise request.error(f"its description of the model is not valid JSON ({error}).") from None
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            settings = value.get("config")
            if isinstance(value.get("class_name"), str) and isinstance(settings, dict):
                yield value["class_name"], settings
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def vocabulary_of(kind: str, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the words of a lookup layer in the order of their rows, where its settings list them.

    Rows for padding and for unknown words come first, unless the list begins with them itself.
    """
    words = settings.get("vocabulary")
    if kind not in _LOOKUPS or settings.get("invert") or not isinstance(words, list) or not words:
        return None
    if not all(isinstance(word, str) for word in words):
        return None
    mask = settings.get("mask_token", _LOOKUPS[kind])
    unknown = settings.get("num_oov_indices", 1)
    if not isinstance(unknown, int) or not 0 <= unknown < 1 << 20:
        return None
    special = [mask] * (mask is not None) + [settings.get("oov_token", "[UNK]")] * unknown
    return tuple(words if words[: len(special)] == special else special + words)


def _weights(contents: Contents, classes: Mapping[str, str]) -> Iterator[_Weight]:
    for path, dataset in contents.datasets.items():
        if path.startswith(("optimizer", "_optimizer", "metrics")):
            continue
        if numbered := _NUMBERED.fullmatch(path):
            layers = _layers(contents, numbered[1] or "model")
            group = path.split("/vars/")[0].rpartition("/")[2]
            by_class = _BY_CLASS.search(group) or _UNNAMED.fullmatch(layers[-1])
            kind = classes.get(layers[-1], "Embedding" if by_class else group)
            name = _variable(kind, int(numbered[2]))
            yield _Weight(dataset, (*layers, name), kind.endswith("Embedding"))
        else:
            parts = path.removeprefix("model_weights/").removesuffix(":0").split("/")
            parts = parts[1:] if len(parts) > 2 else parts  # the layer's group repeats its name
            yield _Weight(dataset, tuple(parts), parts[-1] == "embeddings")


def _layers(contents: Contents, path: str) -> tuple[str, ...]:
    """Return the names of the layers that a group lies in, and its own."""
    parts = path.split("/")
    groups = ("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return tuple(
        contents.names.get(f"{group}/vars", part)
        for group, part in zip(groups, parts, strict=True)
        if part != "layers"
    )


def _variable(kind: str, number: int) -> str:
    """Name a variable that is stored by its number."""
    known = {"Dense": ("kernel", "bias")}.get(kind, ())
    if kind.endswith("Embedding"):
        known = ("embeddings", "reverse_embeddings")
    return known[number] if number < len(known) else str(number)


def _short_names(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the shortest end of each path that no other has: a layer and a variable, if enough."""
    ends = Counter(path[-k:] for path in paths for k in range(1, len(path) + 1))
    return [
        "/".join(next((path[-k:] for k in range(2, len(path)) if ends[path[-k:]] == 1), path))
        for path in paths
    ]


def _meant(key: str | None, names: Mapping[str, _Weight]) -> str | None:
    """Return the name of the weight that a key means: its name, layer, end, or path in the file."""
    if key is None or key in names:
        return key
    typed = key.strip("/").removesuffix(":0")
    meant = [
        name
        for name, weight in names.items()
        if weight.dataset.path.removesuffix(":0") == typed
        or ("/" + "/".join(weight.path)).endswith("/" + typed)
        or (weight.is_embedding and weight.layer == typed and name.endswith("/embeddings"))
    ]
    return meant[0] if len(meant) == 1 else key


def _check(request: Request, weight: _Weight, weights: Sequence[_Weight]) -> None:
    """Refuse an embedding whose stored numbers are not the ones the model uses."""
    dtype = weight.dataset.stored
    if (
        dtype.kind in "iu"
        and weight.path[-1] == "embeddings"
        and weight.dataset.dtype != "bfloat16"
    ):
        raise request.error(
            f"its embedding layer {weight.layer} is quantized ({dtype}), and its scales would have "
            "to be applied; save the model as it was before model.quantize()."
        )
    siblings = {other.path[-1] for other in weights if other.path[:-1] == weight.path[:-1]}
    if any(name.startswith("lora_") for name in siblings):
        raise request.error(
            f"its embedding layer {weight.layer} has a LoRA adapter that is not merged into the "
            "table; save the model as .keras, which merges it."
        )
