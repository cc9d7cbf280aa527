"""The tensors of a model with its adapters merged, of peft's folder or an unmerged checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from driftkit.errors import SourceError
from driftkit.loaders.adapters.base import Open, open_base, weight_of
from driftkit.loaders.adapters.config import CONFIG, AdapterConfig, find_config
from driftkit.loaders.adapters.merge import with_lora, with_rows
from driftkit.loaders.adapters.parts import Layer, model_name, split
from driftkit.loaders.choose_tensor import Tensor, TensorFile, no_numbers
from driftkit.loaders.request import Request
from driftkit.loaders.tensor_roles import input_strength, is_other_table
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Problem

_MERGED_KINDS = ("LORA", "TRAINABLE_TOKENS")
_LORA = {"lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector"}
_TOKENS = {"trainable_tokens_delta", "trainable_tokens_original"}
_CHANGES_TABLE = ("lora_embedding_A", "lora_embedding_B", "trainable_tokens_delta")
_MERGE = "merge it with peft (merge_and_unload) and give the merged model"
_ADDED = (
    "the LoRA was added to the base_layer in the file; if merge_adapter() had been called before "
    "it was saved, it is in there already and now counts twice: unmerge_adapter(), save again"
)


def merged(request: Request, file: TensorFile, open_tensors: Open) -> TensorFile:
    """Return what the model holds once its adapters are merged; a file without any as it is.

    Parameters
    ----------
    request : Request
    file : TensorFile
        What `request` holds, quantized tables dequantized.
    open_tensors : callable
        Lists the tensors of another source, for the base.
    """
    plain, layers = split(file.tensors)
    is_saved_adapter = _is_saved_adapter(request)
    if not is_saved_adapter and not any(_is_adapted(layer) for layer in layers.values()):
        return file
    names = sorted({adapter for layer in layers.values() for adapter in layer.parts}) or [""]
    own = [replace(tensor, key=model_name(tensor.key or "")) for tensor in plain]
    several = len(names) > 1
    found: list[Tensor] = []
    problems = list(file.problems)
    base_vocabulary = file.base_vocabulary
    wants_words = request.vocab is None and file.vocabulary is None
    for adapter in names:
        config = find_config(request, adapter, alone=not several)
        prefix = f"{adapter}::" if several else ""
        try:
            _require_mergeable(request, config)
            base = None
            if _needs_base(own, layers, adapter, is_saved_adapter):
                base = open_base(request, config, open_tensors)
                base_vocabulary = base_vocabulary or base.vocabulary
            tensors = _with_adapter(request, own, layers, adapter, config, base)
            adds_inside = any(layer.base and _has_lora(layer, adapter) for layer in layers.values())
            if base is None and (adds_inside or (wants_words and base_vocabulary is None)):
                known = _base_if_here(request, config, open_tensors)
                base_vocabulary = base_vocabulary or _words_of_base(known, tensors)
                adds_inside = adds_inside and not _holds_base(known, layers, adapter)
            if adds_inside and (note := Problem("adapter", None, _ADDED)) not in problems:
                problems.append(note)
        except SourceError as error:
            if not several:
                raise
            tensors = _refused(layers, adapter, str(error).removeprefix(f"{error.source}: "))
        else:
            replaced = own if is_saved_adapter else []
            if not _changes_input(replaced, layers, adapter):
                problems.append(_unchanged(request, config, base))
        found += [replace(tensor, key=f"{prefix}{tensor.key}") for tensor in tensors]
    return TensorFile(tuple(found), file.vocabulary, tuple(problems), base_vocabulary)


def _with_adapter(
    request: Request,
    own: Sequence[Tensor],
    layers: Mapping[str, Layer],
    adapter: str,
    config: AdapterConfig | None,
    base: TensorFile | None,
) -> list[Tensor]:
    """Return the tensors of the base and of the file, with one adapter merged."""
    before = () if base is None else base.tensors
    _require_untied(request, layers, [*own, *before])
    _require_one_copy(request, layers, adapter, own)
    held = {tensor.key: tensor for tensor in (*before, *own)}
    made = [_weight(request, layer, adapter, config, held) for layer in layers.values()]
    return _joined(before, [*own, *made])


def _base_if_here(
    request: Request, config: AdapterConfig | None, open_tensors: Open
) -> TensorFile | None:
    """Open the base of an adapter that could do without it; None if it is nowhere here."""
    try:
        known = request.base is not None or config is not None
        return open_base(request, config, open_tensors) if known else None
    except SourceError:
        if request.base is None:
            return None
        raise


def _words_of_base(base: TensorFile | None, tensors: Sequence[Tensor]) -> Vocabulary | None:
    """Return the words of a base, unless rows were added, which have words that it lacks."""
    if base is None:
        return None
    rows, before = (
        {tensor.shape[0] for tensor in some if tensor.is_named_input and tensor.is_table}
        for some in (tensors, base.tensors)
    )
    return base.vocabulary if rows and rows == before else None


def _holds_base(base: TensorFile | None, layers: Mapping[str, Layer], adapter: str) -> bool:
    """Whether every table that a LoRA is added to is still what it is in the base."""
    if base is None:
        return False
    named = {tensor.key: tensor for tensor in base.tensors}
    pairs = [
        (layer.base, weight_of(layer.name, named))
        for layer in layers.values()
        if layer.base and _has_lora(layer, adapter)
    ]
    return all(before is not None and _equal(inside, before) for inside, before in pairs)


def _has_lora(layer: Layer, adapter: str) -> bool:
    """Whether an adapter adds a LoRA to the table of a layer."""
    return "lora_embedding_A" in layer.of(adapter)


def _refused(layers: Mapping[str, Layer], adapter: str, why: str) -> list[Tensor]:
    """Stand-ins for the tables of an adapter that cannot be merged while another can."""
    why = why.rstrip(".")
    keys = [f"{layer.name}.weight" for layer in layers.values() if _is_embedding(layer, adapter)]
    return [Tensor(key, (), "float32", no_numbers, unreadable=why) for key in keys]


def _unchanged(request: Request, config: AdapterConfig | None, base: TensorFile | None) -> Problem:
    named = ""
    if base is not None:
        named = f" {request.base if request.base is not None or config is None else config.base}"
    what = f"it changes no input embedding; the table is that of its base{named}"
    return Problem("adapter", None, what)


def _is_saved_adapter(request: Request) -> bool:
    """Whether this is what peft's ``save_pretrained`` writes, even if no part has a known name."""
    path = request.path
    if path.is_dir():
        return any(path.glob("adapter_model.*"))
    return path.name.startswith("adapter_model.")


def _require_mergeable(request: Request, config: AdapterConfig | None) -> None:
    if config is not None and config.kind not in _MERGED_KINDS:
        raise request.error(
            f"is an adapter of the kind {config.kind}, which is not merged into a table here; "
            f"{_MERGE}, or, where the kind changes no embedding, give its base."
        )


def _is_adapted(layer: Layer) -> bool:
    """Whether a layer is an adapter's; other models, too, have a layer named ``base_layer``."""
    return bool(layer.parts) or input_strength(layer.name) > 0


def _needs_base(
    own: Sequence[Tensor], layers: Mapping[str, Layer], adapter: str, is_saved_adapter: bool
) -> bool:
    """Whether the file lacks what an adapter of the embedding is added to, or the embedding."""
    embeddings = [layer for layer in layers.values() if _is_embedding(layer, adapter)]
    keys = {tensor.key for tensor in own}
    for layer in embeddings:
        inside = layer.base or layer.of(adapter).get("modules_to_save")
        if inside is None and f"{layer.name}.weight" not in keys:
            return True
    has_input = any(not is_other_table(layer.name) for layer in embeddings)
    return is_saved_adapter and not has_input and not any(tensor.is_named_input for tensor in own)


def _is_embedding(layer: Layer, adapter: str) -> bool:
    """Whether a layer is a table: changed as one, or the input embedding by its name."""
    parts = layer.of(adapter)
    changed = any(part in parts for part in _CHANGES_TABLE)
    return changed or input_strength(layer.name) > 0


def _changes_input(own: Sequence[Tensor], layers: Mapping[str, Layer], adapter: str) -> bool:
    """Whether the adapter changes the input embedding, or replaces it."""
    return any(tensor.is_named_input for tensor in own) or any(
        layer.of(adapter) and _is_embedding(layer, adapter) and not is_other_table(layer.name)
        for layer in layers.values()
    )


def _weight(
    request: Request,
    layer: Layer,
    adapter: str,
    config: AdapterConfig | None,
    held: Mapping[str | None, Tensor],
) -> Tensor:
    """Return the weight of a layer with one adapter merged, or with why it cannot be."""
    parts, key = layer.of(adapter), f"{layer.name}.weight"
    if "modules_to_save" in parts:
        return replace(parts["modules_to_save"], key=key)
    is_embedding = _is_embedding(layer, adapter)
    base = layer.base or (weight_of(layer.name, held) if is_embedding else held.get(key))
    if base is None:
        if is_embedding:
            raise request.error(
                f"changes the layer {layer.name}, and no tensor of its base is that layer's, or "
                "several may be; give the base that it was trained on (--base, base=)."
            )
        return Tensor(key, (), "float32", no_numbers, unreadable=f"is an adapter's; {_MERGE}")
    base = replace(base, key=key)
    if (layer.parts and not parts) or not base.is_table:
        return base
    if {"lora_embedding_A", "lora_embedding_B"} <= parts.keys() <= _LORA:
        return _with_lora(request, layer, base, parts, _known(request, config, layer, "lora_alpha"))
    if {"trainable_tokens_delta"} <= parts.keys() <= _TOKENS:
        rows = _known(request, config, layer, "its token rows").token_rows(request, layer.name)
        return with_rows(request, base, parts["trainable_tokens_delta"], rows)
    what = f"parts of an adapter ({', '.join(sorted(parts))})" if parts else "an adapter"
    return replace(base, unreadable=f"has {what} of a kind that is not merged here; {_MERGE}")


def _with_lora(
    request: Request,
    layer: Layer,
    base: Tensor,
    parts: Mapping[str, Tensor],
    config: AdapterConfig,
) -> Tensor:
    a, b = parts["lora_embedding_A"], parts["lora_embedding_B"]
    lengths = parts.get("lora_magnitude_vector")
    if len(a.shape) != 2 or len(b.shape) != 2 or 0 in (*a.shape, *b.shape):
        raise request.error(f"its LoRA ({a}; {b}) is a shard; gather the weights before saving.")
    if config.uses_dora != (lengths is not None):
        raise request.error(
            f"its {CONFIG} says use_dora = {config.uses_dora}, and its tensors say otherwise; give "
            f"the {CONFIG} that was saved with it."
        )
    if config.values.get("init_lora_weights") == "loftq" and layer.base is None:
        raise request.error(f"was begun with LoftQ, which changes the base, too; {_MERGE}.")
    scaling = config.scaling(request, layer.name, a.shape[0])
    return with_lora(request, base, a, b, scaling, lengths)


def _known(
    request: Request, config: AdapterConfig | None, layer: Layer, what: str
) -> AdapterConfig:
    if config is None:
        raise request.error(
            f"has an adapter of {layer.name}, and {what}, which its tensors do not tell, is in its "
            f"{CONFIG}; put that file beside it."
        )
    return config


def _require_untied(
    request: Request, layers: Mapping[str, Layer], tensors: Sequence[Tensor]
) -> None:
    """Refuse a LoRA of an output layer that shares its numbers with the input embedding.

    Run as it is, it leaves the input embedding alone; merged, it changes both.
    """
    inputs = [layer.base for layer in layers.values() if layer.base and input_strength(layer.name)]
    inputs += [tensor for tensor in tensors if tensor.is_named_input]
    for layer in layers.values():
        is_output = layer.name.rpartition(".")[2] in ("lm_head", "embed_out")
        if not is_output or not any("lora_A" in parts for parts in layer.parts.values()):
            continue
        output = layer.base or weight_of(layer.name, {each.key: each for each in tensors})
        if output is None or any(_equal(output, each) for each in inputs):
            raise request.error(
                f"has a LoRA of {layer.name}, which is tied to the input embedding: as it is, it "
                "leaves that table alone; merged, it changes it. To choose, give the base, or "
                f"{_MERGE}."
            )


def _require_one_copy(
    request: Request, layers: Mapping[str, Layer], adapter: str, own: Sequence[Tensor]
) -> None:
    """Refuse a table saved whole twice, by its own name and as modules_to_save, where they differ.

    peft saves both where the table was resized, and both hold the same numbers.
    """
    named = {tensor.key: tensor for tensor in own}
    for layer in layers.values():
        one, other = layer.of(adapter).get("modules_to_save"), named.get(f"{layer.name}.weight")
        if one and other and _is_embedding(layer, adapter) and not _equal(one, other):
            raise request.error(
                f"holds {other.key} and {one.key}, of other numbers, and either may be the table "
                "that was trained; save the adapter again with peft, or give the merged model."
            )


def _equal(one: Tensor, other: Tensor) -> bool:
    alike = one.shape == other.shape and len(one.shape) == 2 and 0 not in one.shape
    readable = one.unreadable is None and other.unreadable is None
    return alike and readable and np.array_equal(one.sample(), other.sample())


def _joined(base: Sequence[Tensor], made: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors of a base, with those that an adapter replaces in their place."""
    named = {tensor.key: tensor for tensor in base}
    new = {}
    for tensor in made:
        layer = (tensor.key or "").removesuffix(".weight")
        before = weight_of(layer, named) if tensor.is_named_input else named.get(tensor.key)
        new[tensor.key if before is None else before.key] = tensor
    return list({**named, **new}.values())
