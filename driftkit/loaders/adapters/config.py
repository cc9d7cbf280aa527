"""``adapter_config.json``: what peft writes about an adapter beside its tensors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftkit.documents import read_json
from driftkit.loaders.request import Request

CONFIG = "adapter_config.json"
DEFAULT = "default"  # what peft calls the adapter that it saves in no folder of its own

_CHECKPOINT = re.compile(r"checkpoint-\d+")

_OTHER_LORAS = ("use_qalora", "use_bdlora", "arrow_config", "kasa_config", "monteclora_config",
                "alora_invocation_tokens", "target_parameters")  # fmt: skip
"""Settings of peft under which a LoRA is no longer base + scaling * B A."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """The settings of one adapter, as `read_config` checked that they are there."""

    path: Path
    values: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The ``peft_type``, such as ``"LORA"``."""
        return str(self.values.get("peft_type", "")).upper()

    @property
    def base(self) -> str | None:
        """The name or path of the model that the adapter changes."""
        name = self.values.get("base_model_name_or_path")
        return name if isinstance(name, str) and name else None

    @property
    def uses_dora(self) -> bool:
        """Whether it scales each dimension to a learned length."""
        return bool(self.values.get("use_dora"))

    def scaling(self, request: Request, layer: str, rank: int) -> float:
        """Return by what the product of a layer's two matrices is multiplied."""
        strange = [name for name in _OTHER_LORAS if self.values.get(name)]
        if strange:
            raise request.error(
                f"is a LoRA with {strange[0]}, which cannot be merged into a table here; merge it "
                "with peft (merge_and_unload) and give the merged model."
            )
        r = self._of_layer(request, "rank_pattern", "r", layer)
        alpha = self._of_layer(request, "alpha_pattern", "lora_alpha", layer)
        if not _is_number(alpha) or r != rank:
            raise request.error(
                f"its {CONFIG} has r = {r!r} and lora_alpha = {alpha!r} for {layer}, whose LoRA "
                f"has rank {rank}; give the {CONFIG} that was saved with it."
            )
        return float(alpha / math.sqrt(rank) if self.values.get("use_rslora") else alpha / rank)

    def token_rows(self, request: Request, layer: str) -> list[int]:
        """Return the rows of a layer that are replaced by those of a token adapter."""
        name = "token_indices" if self.kind == "TRAINABLE_TOKENS" else "trainable_token_indices"
        rows = self.values.get(name)
        if isinstance(rows, dict):
            found = [key for key in rows if layer == key or layer.endswith(f".{key}")]
            rows = rows[found[0]] if len(found) == 1 else None
        good = isinstance(rows, list) and all(type(row) is int and row >= 0 for row in rows)
        if not good or not rows or len(set(rows)) < len(rows):
            raise request.error(
                f"its {CONFIG} has no list of rows ({name}) for {layer}, each named once; give the "
                f"{CONFIG} that was saved with it."
            )
        return list(rows)

    def _of_layer(self, request: Request, patterns: str, otherwise: str, layer: str) -> Any:
        """Return the setting of a layer, of which peft takes the first pattern that fits."""
        named = self.values.get(patterns) or {}
        for pattern, value in named.items() if isinstance(named, dict) else ():
            if layer == pattern or layer.endswith(f".{pattern}"):
                return value
            if not _is_quick(pattern, layer):
                raise request.error(
                    f"its {CONFIG} has a {patterns} that is not followed ({pattern[:80]!r}); name "
                    f"{layer} as it is."
                )
            if re.fullmatch(rf"(.*\.)?({pattern})", layer):
                return value
        return self.values.get(otherwise)


def _is_quick(pattern: str, layer: str) -> bool:
    """Whether a stranger's pattern is one, and cannot take the matcher long."""
    repeats = sum(map(pattern.count, "*+{"))
    if repeats > 3 or len(layer) > 300 or re.search(r"\)[*+?{]", pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def find_config(request: Request, adapter: str, *, alone: bool) -> AdapterConfig | None:
    """Read the settings of an adapter, which peft saves beside it or in a folder of its name.

    Those beside it are its own if it is `alone`, or the one that peft calls default.
    """
    folder = request.path if request.path.is_dir() else request.path.parent
    if adapter and not {"/", "\\", "\0"} & set(adapter) and (folder / adapter / CONFIG).is_file():
        return _read(request, folder / adapter / CONFIG)
    if (alone or adapter == "default") and (folder / CONFIG).is_file():
        return _read(request, folder / CONFIG)
    return None


def adapter_folders(folder: Path) -> list[str]:
    """Return the names of the adapters that peft saved in folders of their own in this one."""
    try:
        return sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}") if path.is_file())
    except (OSError, ValueError):
        return []


def adapters_of(folder: Path) -> list[str]:
    """Return the names of the adapters that peft saved in a folder: the default one lies in it.

    Checkpoints of a training are states of one adapter and not further ones.
    """
    others = [name for name in adapter_folders(folder) if not _CHECKPOINT.fullmatch(name)]
    try:
        has_default = (folder / CONFIG).is_file()
    except (OSError, ValueError):
        return others
    return [DEFAULT, *others] if has_default else others


def _read(request: Request, path: Path) -> AdapterConfig:
    values = read_json(path, lambda why: request.error(f"its {CONFIG} {why}"))
    if not isinstance(values, dict) or not isinstance(values.get("peft_type"), str):
        raise request.error(f"its {CONFIG} names no peft_type; give the one that peft wrote.")
    return AdapterConfig(path, values)


def _is_number(value: object) -> bool:
    """Whether a value is a number; none that `read_json` gives is infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool)
