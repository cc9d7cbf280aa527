"""The table of formats: tried in order, each told by content, and by name only where it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders import (
    gensim_file,
    numpy_file,
    package,
    safetensors_file,
    text,
    torch_checkpoint,
    word2vec_binary,
)
from driftkit.loaders.missing import require_file
from driftkit.loaders.source import Request
from driftkit.loaders.tensors import TensorFile

HEAD_BYTES = 1 << 16
"""How much of a file is looked at to tell its format."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One format.

    Parameters
    ----------
    name : str
        As in ``Source.format``; text has two, told apart by its header.
    title : str
        As people call it, with the usual endings, for messages.
    tells : callable
        Whether a file with this head has this format.
    read : callable
        Reads a table.
    tensors : callable, optional
        Lists what a file of tensors holds; None for formats that hold one table with its words.
    endings : tuple of str
        Names such files usually have; only used to word errors about files not recognized.
    """

    name: str
    title: str
    tells: Callable[[bytes], bool]
    read: Callable[[Request], Embeddings]
    tensors: Callable[[Request], TensorFile] | None = None
    endings: tuple[str, ...] = ()


LAYOUTS = (
    Layout(
        "npy", "NumPy .npy with a vocabulary",
        numpy_file.looks_like_npy, numpy_file.read, numpy_file.tensors, (".npy",),
    ),
    Layout(
        "torch", "torch .pt/.pth/.ckpt",
        torch_checkpoint.looks_like_torch, torch_checkpoint.read, torch_checkpoint.tensors,
        (".pt", ".pth", ".ckpt"),
    ),
    Layout(
        "safetensors", ".safetensors",
        safetensors_file.looks_like_safetensors, safetensors_file.read, safetensors_file.tensors,
        (".safetensors",),
    ),
    Layout(
        "gensim", "gensim .kv/.model (a pickle, only with --unsafe-pickle)",
        gensim_file.looks_like_pickle, gensim_file.read, endings=(".kv", ".model"),
    ),
    Layout(
        "word2vec-binary", "word2vec .bin",
        word2vec_binary.looks_like_word2vec, word2vec_binary.read, endings=(".bin",),
    ),
    Layout(
        "text", "GloVe or word2vec text",
        text.looks_like_text, text.read, endings=(".txt", ".vec"),
    ),
)  # fmt: skip

SCHEME_READERS: dict[str, Callable[[Request], Embeddings]] = {"package": package.read}

ACCEPTED = (
    ", ".join(layout.title for layout in LAYOUTS)
    + ", or "
    + ", ".join(f"package:{known.name}" for known in package.PACKAGES)
)
"""Everything `driftkit.load` accepts, for messages."""


def find_layout(request: Request) -> Layout:
    """Tell the format of a file.

    Raises
    ------
    SourceError
        If the file is missing, empty or a folder, or has none of the formats.
    """
    path = request.path
    require_file(path, request.name, SourceError, f"one file: {ACCEPTED}")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for layout in LAYOUTS:
        if layout.tells(head):
            return layout
    raise SourceError(request.name, _unknown(path))


def _unknown(path: Path) -> str:
    for layout in LAYOUTS:
        if path.suffix.lower() in layout.endings:
            return (
                f"is named like {layout.title} but does not hold it; the file may be damaged or of "
                f"another format. Accepted: {ACCEPTED}."
            )
    return f"its content is none of the formats accepted: {ACCEPTED}."
