"""The model that an adapter changes: given with ``--base``, or found by what it is called there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from driftkit.errors import DriftkitError
from driftkit.loaders.adapters.config import CONFIG, AdapterConfig
from driftkit.loaders.adapters.parts import split
from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.downloads import hub_path
from driftkit.loaders.request import Request, parse

Open = Callable[[Request], TensorFile]

_GIVE = "give the base with --base SOURCE (base=)"


def open_base(request: Request, config: AdapterConfig | None, open_tensors: Open) -> TensorFile:
    """List the tensors of the model that an adapter changes."""
    asked = _given(request) if request.base is not None else _named(request, config)
    file = open_tensors(asked)
    if split(file.tensors)[1]:
        raise request.error(
            f"its base {asked.name} is an adapter itself, or has one that is not merged; {_GIVE} "
            "as a merged model."
        )
    return file


def weight_of(layer: str, tensors: Mapping[str | None, Tensor]) -> Tensor | None:
    """Return the weight that a layer has in its base; None where none or several may be meant.

    The base may have been saved with another prefix, such as ``bert.`` or none.
    """
    key = f"{layer}.weight"
    if key in tensors:
        return tensors[key]
    found = [
        tensor
        for name, tensor in tensors.items()
        if f".{name}".endswith(f".{key}") or f".{key}".endswith(f".{name}")
    ]
    return found[0] if len(found) == 1 else None


def _given(request: Request) -> Request:
    assert request.base is not None
    asked = parse(request.base, unsafe_pickle=request.unsafe_pickle)
    if asked.scheme == "package" or asked.key is not None:
        raise asked.error("is no model; the base of an adapter is a model's folder or file.")
    return asked


def _named(request: Request, config: AdapterConfig | None) -> Request:
    """Look for the base that the adapter's own settings name: beside it, here, in the Hub's cache.

    The name is a stranger's, so nothing is downloaded for it and no pickle is trusted.
    """
    if config is None:
        raise request.error(
            f"is an adapter without its base, and no {CONFIG} that names it is beside; {_GIVE}."
        )
    if config.base is None:
        raise request.error(f"its {CONFIG} names no base (base_model_name_or_path); {_GIVE}.")
    here = Request(config.base, config.base)
    found = [path for path in _places(config) if _exists(path)]
    if len({path.resolve() for path in found}) > 1:
        raise request.error(f"its base {config.base!r} may be {found[0]} or {found[1]}; {_GIVE}.")
    if found:
        return replace(here, target=str(found[0]), scheme=None)
    revision = config.values.get("revision")
    at = f"@{revision}" if isinstance(revision, str) and revision else ""
    wanted = replace(here, target=config.base + at, scheme="hf")
    try:
        return replace(wanted, target=str(hub_path(wanted, download=False)), scheme=None)
    except DriftkitError:
        raise request.error(
            f"its base {config.base!r} is neither a folder here nor a model in the cache of the "
            f"Hugging Face Hub; {_GIVE}, such as a folder or hf:OWNER/NAME."
        ) from None


def _places(config: AdapterConfig) -> tuple[Path, ...]:
    assert config.base is not None
    return config.path.parent / config.base, Path(config.base)


def _exists(path: Path) -> bool:
    try:
        return path.is_dir() or path.is_file()
    except (OSError, ValueError):
        return False
