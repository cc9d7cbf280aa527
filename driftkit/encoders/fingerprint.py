"""What tells one model from another: the content of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

_OTHER_COPIES = {".onnx", ".msgpack", ".h5", ".ot", ".tflite", ".mlmodel"}
_BESIDE = {".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".ipynb", ".log"}
_OF_TRAINING = {"optimizer.pt", "scheduler.pt", "trainer_state.json", "training_args.bin"}


def fingerprint(folder: Path, said: Sequence[str]) -> str:
    """Return the SHA-256 of the files of a model, by name and content, and of what else is `said`.

    What no encoder reads is left out: pages about the model, weights of other libraries, the state
    of a training.

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
    files = {}
    for path in _files(folder):
        with path.open("rb") as file:
            name = path.relative_to(folder).as_posix()
            files[name] = hashlib.file_digest(file, "sha256").hexdigest()
    text = json.dumps([list(said), files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "checkpoint-")) for part in parts)
        left_out = path.suffix.lower() in _OTHER_COPIES | _BESIDE or path.name in _OF_TRAINING
        if path.is_file() and not hidden and not left_out:
            yield path
