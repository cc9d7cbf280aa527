"""The formats that can be read: built in or registered, told by content, then by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, SourceError
from driftkit.loaders.adapters import DEFAULT, adapter_folders, adapters_of, merged
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.choose_tensor import TensorFile
from driftkit.loaders.formats import (
    compressed,
    delimited_file,
    downloads,
    driftkit_folder,
    faiss_index,
    fasttext_file,
    hdf5_file,
    json_file,
    keras_file,
    model_folder,
    numpy_file,
    package,
    parquet_file,
    pickled_file,
    projector,
    raw_numbers,
    safetensors_file,
    spacy_folder,
    torch_checkpoint,
    unread,
    word2vec_binary,
)
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_file
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.text import reader as text
from driftkit.loaders.vocabulary.find import find_vocabulary
from driftkit.plugins import guarded, load_plugins
from driftkit.provenance import Source

HEAD_BYTES = 1 << 16  # of a file, looked at to tell its format


def _merging(known: Format) -> Format:
    """Let a format of model weights show them as they are once adapters are merged."""

    def tensors(request: Request) -> TensorFile:
        return merged(request, known.opened(request), _open_base)

    return replace(known, tensors=tensors)


def _open_base(request: Request) -> TensorFile:
    """List the tensors, and find the words, of the model that an adapter changes."""
    request = as_path(request)
    known = find_format(request)
    if known.tensors is None:
        raise request.error(
            f"is {known.title}, no model; the base of an adapter is a model's folder or file."
        )
    raw = next((each for each in _OF_MODELS if each.name == known.name), known)
    file = raw.opened(request)
    return replace(file, vocabulary=file.vocabulary or find_vocabulary(request.path))


_OF_MODELS = (torch_checkpoint.FORMAT, safetensors_file.FORMAT, model_folder.FORMAT)
_TORCH, _SAFETENSORS, _MODEL_FOLDER = map(_merging, _OF_MODELS)

_TOLD_BY_MARK = (
    numpy_file.NPY,
    numpy_file.NPZ,
    _TORCH,
    _SAFETENSORS,
    fasttext_file.FORMAT,
    faiss_index.FORMAT,
    hdf5_file.FORMAT,
    keras_file.FORMAT,
    word2vec_binary.FORMAT,
    parquet_file.FILE,
    driftkit_folder.FORMAT,
    spacy_folder.FORMAT,
)
"""Formats that begin with a mark of their own; nothing registered can take their files."""

_REGISTERED: list[Format] = []

_TAKE_MANY = (
    pickled_file.FORMAT,
    compressed.FORMAT,
    projector.FORMAT,
    json_file.FORMAT,
    delimited_file.FORMAT,
    text.FORMAT,
    _MODEL_FOLDER,
    parquet_file.FOLDER,
    raw_numbers.FORMAT,
)
"""Formats told by little: any pickle, any archive, anything like text, any folder of weights.
They are tried last, since a registered format may well be one of these, with a mark of its own."""


def formats() -> Iterable[Format]:
    """Return every format in the order in which they are tried."""
    load_plugins()
    return (*_TOLD_BY_MARK, *_REGISTERED, *_TAKE_MANY)


def register_format(
    name: str,
    title: str,
    tells: Callable[[Any], bool],
    read: Callable[[Request], Embeddings] | None = None,
    *,
    tensors: Callable[[Request], TensorFile] | None = None,
    endings: str | Iterable[str] = (),
    is_folder: bool = False,
) -> None:
    r"""Teach driftkit a format of files: `load`, `inspect` and every command then read it.

    Formats are told by content. Those with a mark of their own (``.npy``, ``.npz``, torch,
    safetensors, fastText, word2vec ``.bin``, driftkit folders) are tried first, then registered
    ones in the order they were registered, then those that would take almost anything: pickles,
    compressed files, text, folders of weights.

    Parameters
    ----------
    name : str
        What ``Source.format`` and reports call it.
    title : str
        As people call it, for the message that lists what is accepted.
    tells : callable
        ``tells(head)`` returns whether a file that starts with these bytes (64 KiB, or all) has
        this format; with `is_folder`, ``tells(path)`` whether that folder has it.
    read : callable, optional
        ``read(request)`` returns the `Embeddings` of ``request.path``. It may return all rows,
        since ``request.limit`` and ``request.words`` are applied to what it returns. Where a file
        is wrong, ``raise request.error("one sentence.")``. Numbers count as exact; if the file
        holds rounded ones, such as text of five decimals, return ``Embeddings(words, matrix,
        source=Source(request.name, request.path, name, rounding=Rounding.of_decimals(5)))``, both
        from `driftkit.provenance`.
    tensors : callable, optional
        In place of `read`, for files of tensors without words: ``tensors(request)`` returns a
        `TensorFile`. Which tensor is meant, and its words, are then found as for a checkpoint.
    endings : str or iterable of str
        Endings that such files usually have, such as ``".jvec"``; only error messages use them.
    is_folder : bool, default False
        Whether this is a format of folders.

    Raises
    ------
    OptionError
        If the name is taken, or not exactly one of `read` and `tensors` is given.
    """
    if not isinstance(name, str) or not isinstance(title, str):
        raise OptionError(f"a format named {name!r}, {title!r} was given; both must be text.")
    if any(name == known.name for known in formats()):
        raise OptionError(
            f"a format named {name!r} is registered already; give yours another name."
        )
    if (read is None) == (tensors is None) or not all(map(callable, (tells, read or tensors))):
        raise OptionError(
            f"format {name!r}: give a callable `tells`, and either a callable `read` or a callable "
            "`tensors`."
        )
    endings = (endings,) if isinstance(endings, str) else endings
    lowered = tuple(ending.lower() for ending in endings)
    known = Format(name, title, tells, read, tensors, lowered, is_folder=is_folder)
    _REGISTERED.append(_finished(known))


@contextmanager
def _one_sentence(source: str, what: str) -> Iterator[None]:
    """Turn whatever a stranger's code raises into one sentence about the source."""
    try:
        with guarded(lambda why: SourceError(source, f"{what} ({why}).")):
            yield
    except SourceError as error:
        nameless = f"{Source().name}: "  # said by Embeddings that were given no source
        if str(error).startswith(nameless):
            raise type(error)(source, str(error).removeprefix(nameless)) from None
        raise


def _finished(known: Format) -> Format:
    """Let a stranger's reader return all rows, and leave out where they came from."""

    def read(request: Request) -> Embeddings:
        with _one_sentence(request.name, f"could not be read as {known.name}"):
            table = known.load(request)
        if known.read is None:
            return table
        if not isinstance(table, Embeddings):
            raise request.error(
                f"the reader of {known.name} returned an object of type {type(table).__name__}; it "
                "must return Embeddings."
            )
        problems = Problems(table.problems)
        unnamed = table.source == Source()
        source = Source(request.name, request.path, known.name) if unnamed else table.source
        return chosen_table(request, table.words, lambda rows: table.matrix[rows], source, problems)

    def tensors(request: Request) -> TensorFile:
        assert known.tensors is not None
        with _one_sentence(request.name, f"could not be read as {known.name}"):
            return known.tensors(request)

    return replace(known, read=read, tensors=known.tensors and tensors)


def titles() -> list[str]:
    """Return everything that `driftkit.load` reads, as people call it."""
    files = [known.title for known in sorted(formats(), key=lambda known: known.is_folder)]
    return [*files, "gensim:NAME", "hf:REPO", *(f"package:{p.name}" for p in package.PACKAGES)]


def accepted() -> str:
    """Return what to give `driftkit.load`, for messages; the formats themselves are too many."""
    registered = "".join(f", or {known.title}" for known in _REGISTERED)
    return f"a table of vectors in a format that `driftkit inspect --help` lists{registered}"


def read(request: Request) -> Embeddings:
    """Read whatever a request means."""
    if request.scheme == "package":
        return package.read(request)
    request = as_path(request)
    return find_format(request).load(request)


def as_path(request: Request) -> Request:
    """Turn ``gensim:NAME`` and ``hf:REPO`` into the path behind them, downloaded if it must be.

    ``FOLDER::ADAPTER`` names the folder of that adapter, where peft saved several in one; the one
    named default lies in no folder of its own.
    """
    if request.scheme is not None:
        find = {"gensim": downloads.gensim_path, "hf": downloads.hub_path}[request.scheme]
        request = replace(request, target=str(find(request)), scheme=None)
    adapter, _, key = (request.key or "").partition("::")
    if adapter and adapter in adapter_folders(request.path):
        return replace(request, target=str(request.path / adapter), key=key or None)
    adapters = adapters_of(request.path)
    if DEFAULT in adapters:
        if adapter == DEFAULT:
            return replace(request, key=key or None)
        if len(adapters) > 1:
            raise request.error(_several_adapters(request.path, adapters))
    return request


def find_format(request: Request) -> Format:
    """Tell the format of a file or folder by its content."""
    path, name = request.path, request.name
    load_plugins()
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        told: bytes | Path = path
        try:
            if unread.holds_pointers(path):
                raise SourceError(name, f"holds {unread.POINTERS}.")
        except OSError as error:
            raise SourceError(name, f"cannot be opened ({error.strerror}).") from None
    else:
        require_file(path, name, SourceError, accepted())
        with path.open("rb") as file:
            told = file.read(HEAD_BYTES)
    for known in (*_TOLD_BY_MARK, *_REGISTERED):
        if _is(known, told, name):
            return known
    if isinstance(told, bytes) and (kind := unread.by_content(told)):
        raise SourceError(name, kind.sentence)
    for known in _TAKE_MANY:
        if _is(known, told, name):
            return known
    if isinstance(told, bytes) and raw_numbers.is_told(request.key):
        return raw_numbers.FORMAT
    if kind := unread.by_name(path):
        raise SourceError(name, kind.sentence)
    raise SourceError(name, _unknown_folder(path) if isinstance(told, Path) else _unknown(path))


def _is(known: Format, told: bytes | Path, name: str) -> bool:
    if known.is_folder != isinstance(told, Path):
        return False
    with _one_sentence(name, f"the format {known.name} could not tell whether this is one"):
        return known.tells(told)


def _several_adapters(path: Path, adapters: list[str]) -> str:
    return f"holds several adapters ({', '.join(adapters)}); name one as {path}::{adapters[0]}."


def _unknown_folder(path: Path) -> str:
    if adapters := adapter_folders(path):
        return _several_adapters(path, adapters)
    held = sorted(entry.name for entry in path.iterdir())[:5]
    shown = f"it holds {', '.join(held)}" if held else "it is empty"
    return f"is a folder of no kind that is read ({shown}); give {accepted()}."


def _unknown(path: Path) -> str:
    for known in formats():
        if path.suffix.lower() in known.endings:
            return (
                f"is named like {known.title} but does not hold it; it may be damaged or of "
                f"another format. Give {accepted()}."
            )
    return f"its content is of no format that is read; give {accepted()}."
