"""HDF5 ``.h5``: Keras weights, a data frame of pandas, or datasets of vectors and of words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftkit.loaders.choose_tensor import TensorFile
from driftkit.loaders.formats import keras_weights
from driftkit.loaders.formats.array_words import words_among
from driftkit.loaders.formats.format import Format
from driftkit.loaders.formats.hdf5_contents import Contents, Dataset, library
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary

if TYPE_CHECKING:
    import h5py

_FRAME = ("axis0", "axis1", "block0_values")  # of a data frame as pandas stores it


def looks_like_hdf5(head: bytes) -> bool:
    """Whether a file that starts so is HDF5."""
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def tensors(request: Request) -> TensorFile:
    """List the datasets of a file: as Keras names them, or of a data frame, or all there are."""

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        with library(request).File(request.path, "r", locking=False) as file:
            yield file

    contents = Contents(request, opened)
    if keras_weights.are_in(contents.datasets):
        return keras_weights.tensors(request, contents, contents.model_config)
    frames = [path for path in contents.groups if _is_frame(contents, path)]
    if frames:
        return _of_frame(request, contents, frames)
    for path, dataset in contents.datasets.items():
        if path.endswith("/table") and dataset.stored.names:
            raise request.error(
                f"its data frame {_parent(path)} is stored as a table of records, which is not "
                "read; save it with pandas without format='table'."
            )
    arrays = filter(None, (dataset.words() for dataset in contents.datasets.values()))
    found = tuple(dataset.tensor(path) for path, dataset in contents.datasets.items())
    rows = {tensor.shape[0] for tensor in found if tensor.is_table}
    return TensorFile(found, words_among(request, arrays, rows))


def _is_frame(contents: Contents, path: str) -> bool:
    inside = {name.rpartition("/")[2] for name in contents.datasets if _parent(name) == path}
    return set(_FRAME) <= inside


def _of_frame(request: Request, contents: Contents, frames: list[str]) -> TensorFile:
    """The one frame of a file that pandas wrote, as ConceptNet Numberbatch is."""
    asked = [path for path in frames if request.key in (None, path)]
    if len(asked) != 1:
        raise request.error(
            f"holds {len(frames):,} data frames ({', '.join(frames[:5])}); name one as "
            f"{request.name}::{frames[0]}."
        )
    frame = asked[0]
    prefix = f"{frame}/" if frame else ""
    parts: Mapping[str, Dataset] = {
        name.removeprefix(prefix): dataset
        for name, dataset in contents.datasets.items()
        if _parent(name) == frame
    }
    if "block1_values" in parts:
        raise request.error(
            f"its data frame {frame or '/'} has columns of several types; save one of numbers "
            "alone, with the words as its index."
        )
    values, words = parts["block0_values"], parts["axis1"].words()
    if len(values.shape) != 2 or words is None or words.kind != "text":
        raise request.error(
            f"its data frame {frame or '/'} has no words as its index; save it with the words as "
            "index: frame.set_index('word').to_hdf(path, key='mat')."
        )
    if not contents.attribute(f"{prefix}block0_values", "transposed"):
        raise request.error(
            f"its data frame {frame or '/'} is stored by columns, which is not read; save it again "
            "with pandas: frame.to_hdf(path, key='mat')."
        )
    vocabulary = Vocabulary(tuple(words.read()), f"the index of {frame or 'its frame'}")
    key = frame if request.key is not None else None
    return TensorFile((values.tensor(key),), vocabulary)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


FORMAT = Format(
    "hdf5",
    "HDF5 .h5 (Keras weights, pandas frames, datasets)",
    looks_like_hdf5,
    tensors=tensors,
    endings=(".h5", ".hdf5"),
)
