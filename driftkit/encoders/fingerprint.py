"""What tells one model from another: the content of its files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_OTHER_COPIES = {".onnx", ".msgpack", ".h5", ".ot", ".tflite", ".mlmodel"}
_BESIDE = {".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".ipynb", ".log"}
_OF_TRAINING = {"optimizer.pt", "scheduler.pt", "trainer_state.json", "training_args.bin"}
_OF_TOOLS = {".git", ".cache", ".gitattributes", ".gitignore", ".DS_Store"}


def fingerprint(folder: Path, said: Sequence[str]) -> str | None:
    """Return the SHA-256 of the files of a model, by name and content, and of what else is `said`.

    Links are followed, also those of folders; hidden files and what ``modules.json`` names
    elsewhere count too. What no encoder reads is left out: pages about the model, weights of other
    libraries, the state of a training. None where an adapter lies among the files, since its base
    lies elsewhere and may change.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "config.json").write_text("{}")
    >>> before = fingerprint(folder, ["mean pooling"])
    >>> _ = (folder / "README.md").write_text("About it.")
    >>> before == fingerprint(folder, ["mean pooling"]), before == fingerprint(folder, ["cls"])
    (True, False)
    """
    files: dict[str, str] = {}
    for start in ("", *_modules(folder)):
        for path in _files(folder / start):
            name = os.path.normpath(Path(start, path.relative_to(folder / start)).as_posix())
            if path.name == "adapter_config.json":
                return None
            if name not in files:
                with path.open("rb") as file:
                    files[name] = hashlib.file_digest(file, "sha256").hexdigest()
    text = json.dumps([list(said), files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _modules(folder: Path) -> list[str]:
    """Return the places of the modules that a model of sentence-transformers names."""
    try:
        named = json.loads((folder / "modules.json").read_bytes())
        return [each["path"] for each in named if each["path"]]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []  # and what cannot be read, the library does not open either


def _files(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield the files of a folder and of those below; one that links to a folder above, once."""
    place = os.path.realpath(folder)
    if place in above or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name in _OF_TOOLS:
            continue
        if path.is_dir():
            if not path.name.startswith("checkpoint-"):
                yield from _files(path, above | {place})
        elif (
            path.is_file()
            and path.suffix.lower() not in _OTHER_COPIES | _BESIDE
            and path.name not in _OF_TRAINING
        ):
            yield path
