"""The table of formats: tried in order, each told by content, and by name only where it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.choose_tensor import TensorFile
from driftkit.loaders.formats import (
    compressed,
    downloads,
    driftkit_folder,
    fasttext_file,
    gensim_file,
    model_folder,
    numpy_file,
    package,
    projector,
    safetensors_file,
    torch_checkpoint,
    word2vec_binary,
)
from driftkit.loaders.missing import require_file
from driftkit.loaders.request import Request
from driftkit.loaders.text import reader as text

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
    rows : callable, optional
        Counts the rows without reading them; None where reading a few reads all.
    """

    name: str
    title: str
    tells: Callable[[bytes], bool]
    read: Callable[[Request], Embeddings]
    tensors: Callable[[Request], TensorFile] | None = None
    endings: tuple[str, ...] = ()
    rows: Callable[[Request], int] | None = None


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """One kind of folder; the same as `Layout`, told by what lies in it."""

    name: str
    title: str
    tells: Callable[[Path], bool]
    read: Callable[[Request], Embeddings]
    tensors: Callable[[Request], TensorFile] | None = None
    rows: Callable[[Request], int] | None = None


LAYOUTS = (
    Layout(
        "npy", "NumPy .npy with a vocabulary",
        numpy_file.looks_like_npy, numpy_file.read, numpy_file.tensors, (".npy",),
    ),
    Layout(
        "npz", "NumPy .npz",
        numpy_file.looks_like_npz, numpy_file.read_archive, numpy_file.archive_tensors, (".npz",),
    ),
    Layout(
        "torch", "torch .pt/.pth/.ckpt/.bin",
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
        "fasttext", "fastText .bin",
        fasttext_file.looks_like_fasttext, fasttext_file.read,
    ),
    Layout(
        "compressed", "text or word2vec .bin as .gz/.xz/.bz2/.zip",
        compressed.looks_like_compressed, compressed.read, endings=(".gz", ".xz", ".bz2", ".zip"),
        rows=compressed.count_rows,
    ),
    Layout(
        "word2vec-binary", "word2vec .bin",
        word2vec_binary.looks_like_word2vec, word2vec_binary.read, endings=(".bin",),
        rows=word2vec_binary.count_rows,
    ),
    Layout(
        "projector", "TensorBoard projector .tsv with its metadata",
        projector.looks_like_projector, projector.read, endings=(".tsv",),
    ),
    Layout(
        "text", "GloVe, word2vec or fastText text",
        text.looks_like_text, text.read, endings=(".txt", ".vec"),
        rows=text.count_rows,
    ),
)  # fmt: skip

FOLDERS = (
    FolderLayout(
        "driftkit", "a driftkit folder",
        driftkit_folder.looks_like_driftkit, driftkit_folder.read, rows=driftkit_folder.count_rows,
    ),
    FolderLayout(
        "model-folder", "a Hugging Face, sentence-transformers or model2vec folder",
        model_folder.looks_like_model, model_folder.read, model_folder.tensors,
    ),
)  # fmt: skip

ACCEPTED = (
    ", ".join(layout.title for layout in (*LAYOUTS, *FOLDERS))
    + ", gensim:NAME, hf:REPO, or "
    + ", ".join(f"package:{known.name}" for known in package.PACKAGES)
)
"""Everything `driftkit.load` accepts, for messages."""


def read(request: Request) -> Embeddings:
    """Read whatever a request means."""
    if request.scheme is not None:
        return SCHEME_READERS[request.scheme](request)
    return find_layout(request).read(request)


SCHEME_READERS: dict[str, Callable[[Request], Embeddings]] = {
    "package": package.read,
    "gensim": lambda request: downloads.read_gensim(request, read),
    "hf": lambda request: downloads.read_hub(request, read),
}


def cached_path(request: Request) -> Path:
    """File or folder behind ``gensim:NAME`` or ``hf:REPO``, downloaded if it must be."""
    finders = {"gensim": downloads.gensim_path, "hf": downloads.hub_path}
    return finders[str(request.scheme)](request)


def find_layout(request: Request) -> Layout | FolderLayout:
    """Tell the format of a file or folder.

    Raises
    ------
    SourceError
        If it is missing or empty, or has none of the formats.
    """
    path = request.path
    if _is_folder(path):
        for folder in FOLDERS:
            if folder.tells(path):
                return folder
        raise SourceError(request.name, _unknown_folder(path))
    require_file(path, request.name, SourceError, f"one file: {ACCEPTED}")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for layout in LAYOUTS:
        if layout.tells(head):
            return layout
    raise SourceError(request.name, _unknown(path))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _unknown_folder(path: Path) -> str:
    held = sorted(entry.name for entry in path.iterdir())[:5]
    shown = f"it holds {', '.join(held)}" if held else "it is empty"
    return (
        "is a folder, and neither "
        + " nor ".join(layout.title for layout in FOLDERS)
        + f" ({shown}); give one of these, or one file: {ACCEPTED}."
    )


def _unknown(path: Path) -> str:
    for layout in LAYOUTS:
        if path.suffix.lower() in layout.endings:
            return (
                f"is named like {layout.title} but does not hold it; the file may be damaged or of "
                f"another format. Accepted: {ACCEPTED}."
            )
    return f"its content is none of the formats accepted: {ACCEPTED}."
