"""``gensim:NAME`` and ``hf:REPO``: through those libraries' own downloaders and caches."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driftkit.errors import MissingExtraError, UnknownNameError
from driftkit.loaders.request import Request

WANTED = (
    "*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin",
    "pytorch_model.bin.index.json", "tokenizer.json", "vocab.txt", "vocab.json",
    "added_tokens.json", "*.model", "config.json", "modules.json", "words.json", "driftkit.json",
    "adapter_*",
    "*/config.json", "*/tokenizer.json", "*/*.safetensors", "*/pytorch_model.bin",
    "*/whitespacetokenizer_config.json",
)  # fmt: skip
"""Files of a model on the Hugging Face Hub that word tables are read from."""


def gensim_path(request: Request) -> Path:
    """Return where vectors of gensim-data lie; the Python code shipped beside them is never run."""
    from gensim import downloader

    folder = Path(downloader.BASE_DIR) / request.target
    path = folder / f"{request.target}.gz"
    if "/" in request.target or "\\" in request.target or ".." in request.target:
        raise request.error("is not a name of gensim-data, which has no slashes or dots.")
    if not path.is_file():
        path = Path(_download_gensim(request, downloader))
    return path


def _download_gensim(request: Request, downloader: Any) -> str:
    quiet = logging.NullHandler()  # with no handler at all, logging writes to stderr
    logger = logging.getLogger(downloader.__name__)
    logger.addHandler(quiet)
    try:
        # gensim prints its progress; a library call of driftkit is silent.
        with contextlib.redirect_stdout(io.StringIO()):
            known = list(downloader.info()["models"])
            if request.target in known:
                return str(downloader.load(request.target, return_path=True))
    except Exception as error:  # urllib, ssl and gensim each have their own kinds
        reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
        raise request.error(
            f"is not in gensim's cache ({downloader.BASE_DIR}) and could not be downloaded "
            f"({reason}); fetch it where there is a network, and copy that folder."
        ) from None
    finally:
        logger.removeHandler(quiet)
    raise UnknownNameError("set of vectors in gensim-data", request.target, known)


def hub_path(request: Request, *, download: bool = True) -> Path:
    """Return where a model ``hf:OWNER/NAME[/FILE][@REVISION]`` of the Hub lies, once downloaded."""
    try:
        import huggingface_hub as hub
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ModuleNotFoundError:
        raise MissingExtraError("hf:REPO", "huggingface-hub", "hf") from None
    name, _, revision = request.target.partition("@")
    parts = name.split("/")
    repo, file = "/".join(parts[:2]), "/".join(parts[2:])
    settings: dict[str, Any] = {"repo_id": repo, "revision": revision or None}
    fetch: Callable[..., str] = hub.snapshot_download
    if file:
        fetch, settings["filename"] = hub.hf_hub_download, file
    else:
        settings["allow_patterns"] = list(WANTED)
    try:
        return Path(fetch(**settings, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    except ValueError as error:
        raise request.error(f"is not a name on the Hugging Face Hub ({error}).") from None
    try:
        if os.environ.get("HF_HUB_OFFLINE") or not download:
            raise LocalEntryNotFoundError("HF_HUB_OFFLINE is set")
        return Path(fetch(**settings))
    except Exception as error:  # the hub and its network have many kinds
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0].rstrip(".")
        raise request.error(
            f"is not in the cache of huggingface_hub and could not be downloaded ({reason}); fetch "
            "it where there is a network and set HF_HOME to that cache."
        ) from None
