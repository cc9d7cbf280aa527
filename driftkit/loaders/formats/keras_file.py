"""Keras ``.keras``: an archive of weights in HDF5, the layers as JSON, and perhaps the words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from driftkit.loaders.choose_tensor import TensorFile
from driftkit.loaders.formats import keras_weights
from driftkit.loaders.formats.format import Format
from driftkit.loaders.formats.hdf5_contents import Contents, library
from driftkit.loaders.preconditions import gigabytes
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary

if TYPE_CHECKING:
    import h5py

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MOST_JSON = 1 << 28  # bytes of a member that is read whole: words, or the layers
_BLOCK = 1 << 22


def looks_like_keras(head: bytes) -> bool:
    """Whether a file that starts so is an archive that Keras wrote."""
    return head.startswith(b"PK\x03\x04") and (
        head[30:43] == b"metadata.json" or head[30:41] == _CONFIG.encode()
    ) and (b"keras_version" in head or _WEIGHTS.encode() in head)  # fmt: skip


def tensors(request: Request) -> TensorFile:
    """List the weights; the words are those of the one lookup layer that lists them."""
    try:
        with ZipFile(request.path) as archive:
            names = set(archive.namelist())
            if _WEIGHTS not in names:
                raise request.error(
                    f"is a Keras archive without {_WEIGHTS}; weights in several files are not "
                    "read: save it without sharding, model.save(path)."
                )
            config = _text(request, archive, _CONFIG) if _CONFIG in names else ""
            words = _words(request, archive, config)
            with archive.open(_WEIGHTS) as member:  # through its checksum, once
                while member.read(_BLOCK):
                    pass
            if archive.getinfo(_WEIGHTS).compress_type != ZIP_STORED:
                raise request.error(
                    "keeps its weights compressed, as Keras does not; unpack it and give its "
                    f"{_WEIGHTS}."
                )
    except (BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        raise request.damaged("Keras archive", error) from None

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        h5py = library(request)
        with (
            ZipFile(request.path) as archive,
            archive.open(_WEIGHTS) as member,
            h5py.File(member, "r") as file,
        ):
            yield file

    return keras_weights.tensors(request, Contents(request, opened), config, words)


def _words(request: Request, archive: ZipFile, config: str) -> Vocabulary | None:
    """The words of the model's one lookup layer; None where several list some, or none does."""
    if request.vocab is not None:
        return None
    assets = [
        name
        for name in archive.namelist()
        if name.startswith("assets/") and name.endswith("/vocabulary.txt")
    ]
    found = {name: tuple(_text(request, archive, name).split("\n")) for name in assets}
    for kind, settings in keras_weights.layers(request, config):
        words = keras_weights.vocabulary_of(kind, settings)
        if words is not None:
            found[f"the layer {settings.get('name')}"] = words
    if len(set(found.values())) != 1:
        return None
    where, words = next(iter(found.items()))
    return Vocabulary(words, f"{where} inside the file")


def _text(request: Request, archive: ZipFile, name: str) -> str:
    size = archive.getinfo(name).file_size
    if size > _MOST_JSON:
        raise request.error(f"its {name} takes {gigabytes(size)}, as no vocabulary or model does.")
    return archive.read(name).decode("utf-8", "backslashreplace")


FORMAT = Format("keras", "Keras .keras", looks_like_keras, tensors=tensors, endings=(".keras",))
