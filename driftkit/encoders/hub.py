"""``hf:REPO``: the whole folder of a model of the Hugging Face Hub."""

from __future__ import annotations

import os
from pathlib import Path

from driftkit.datasets.source import is_offline
from driftkit.encoders.quiet import quiet
from driftkit.errors import MissingExtraError, SourceError

_NOT_WANTED = ["*.onnx", "*.h5", "*.ot", "*.msgpack", "*.tflite", "onnx/*", "openvino/*", "*.md"]
"""Weights of libraries that do not run here."""


def hub_folder(source: str) -> Path:
    """Return where the model ``hf:OWNER/NAME[@REVISION]`` lies, downloaded unless that is off."""
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError:
        raise MissingExtraError("hf:REPO", "huggingface-hub", "encoders") from None
    repo, _, revision = source.removeprefix("hf:").partition("@")
    offline = is_offline() or bool(os.environ.get("HF_HUB_OFFLINE"))
    try:
        with quiet():
            folder = snapshot_download(
                repo,
                revision=revision or None,
                ignore_patterns=_NOT_WANTED,
                local_files_only=offline,
            )
    except Exception as error:  # the hub and its network have many kinds
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(".")
        where = (
            "is not in the cache of huggingface_hub and downloads are off"
            if offline
            else ("could not be downloaded")
        )
        raise SourceError(
            source,
            f"{where} ({reason}); fetch it where there is a network and set HF_HOME to that cache, "
            "or give a folder.",
        ) from None
    if not (Path(folder) / "config.json").is_file():
        raise SourceError(
            source, f"only a part of it lies in the cache ({folder}); fetch all of it."
        )
    return Path(folder)
