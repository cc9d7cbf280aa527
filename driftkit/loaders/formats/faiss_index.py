"""faiss indexes that keep whole vectors: flat, HNSW and IVF of float32, with ids or without.

They are read here and not by faiss, which trusts the sizes that a file promises. The numbers do not
lie aligned in the file, so the rows that are read are copied.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from mmap import ACCESS_READ, mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix
from driftkit.arrays import Rows as Numbers
from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats.format import Format, refuse_vocabulary
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Problem

LARGEST_WIDTH = 1 << 20  # as faiss has it
ID_BYTES = 100  # that a number takes in memory as a name

_FLAT = (b"IxFI", b"IxF2", b"IxFl")  # inner product, L2, any metric
_HNSW, _IVF = b"IHNf", b"IwFl"
_WITH_IDS = (b"IxMp", b"IxM2")
_METRICS = {0: "inner product", 1: "L2 distance"}


class _DamagedError(Exception):
    """Something in a file that faiss does not write."""


@dataclass(frozen=True, slots=True)
class _Index:
    """What an index keeps."""

    n: int
    d: int
    metric: int
    blocks: tuple[tuple[int, int], ...]  # of rows: where in the file it begins, how many
    places: Numbers | None = None  # of each row, counted through the blocks; None if as they stand
    ids: Numbers | None = None  # of each row; None if they are 0 to n-1 as faiss counts them itself


def looks_like_faiss(head: bytes) -> bool:
    """Whether a file that starts so is a faiss index of a kind that is read."""
    return head.startswith((*_FLAT, _HNSW, _IVF, *_WITH_IDS)) and b"\0" in head[:64]


def tensors(request: Request) -> TensorFile:
    """Find the vectors of an index, and its ids as their names."""
    with request.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        try:
            index = _Reader(data).whole()
        except (_DamagedError, struct.error) as error:
            raise request.damaged("faiss index", error) from None
    vocabulary = None
    if index.ids is not None:
        refuse_vocabulary(request, "ids of its own")
        require_memory(ID_BYTES * index.n, request.name)
        vocabulary = Vocabulary(tuple(map(str, index.ids.tolist())), "the ids of the index")

    def read(rows: Rows) -> npt.NDArray[Any]:
        chosen = np.arange(index.n)[rows]
        require_memory(4 * len(chosen) * index.d, request.name)
        return _copied(request, index, chosen)

    metric = _METRICS.get(index.metric, f"the distance that faiss numbers {index.metric}")
    told = f"the index ranks by {metric}, driftkit by cosine: alike where vectors have one length"
    tensor = Tensor(None, (index.n, index.d), "float32", read)
    return TensorFile((tensor,), vocabulary, (Problem("metric", None, told),))


def _copied(request: Request, index: _Index, rows: Numbers) -> Matrix:
    """Copy some rows out of the blocks in which they lie, each block in one step."""
    places = rows if index.places is None else index.places[rows]
    out = np.empty((len(rows), index.d), np.float32)
    by_place = np.argsort(places, kind="stable")
    starts = np.cumsum([0, *(n for _, n in index.blocks)])
    cuts = np.searchsorted(places[by_place], starts)
    data = np.memmap(request.path, np.uint8, "r")
    for block in np.flatnonzero(np.diff(cuts)):
        wanted = by_place[cuts[block] : cuts[block + 1]]
        begin, n = index.blocks[block]
        stored = data[begin : begin + 4 * n * index.d].view("<f4").reshape(n, index.d)
        out[wanted] = stored[places[wanted] - starts[block]]
    return out


class _Reader:
    """A place in a file, which moves on as the file is taken apart; nothing past its end is read.

    faiss writes little-endian numbers without gaps, and a vector behind its length.
    """

    def __init__(self, data: mmap) -> None:
        self.data, self.at = data, 0

    def whole(self) -> _Index:
        """Take apart the index that the file holds, to its last byte."""
        kind = self.kind()
        index = self.with_ids() if kind in _WITH_IDS else self.index(kind)
        if self.at != len(self.data):
            raise _DamagedError(f"{len(self.data) - self.at:,} bytes follow its end")
        return index

    def with_ids(self) -> _Index:
        n, d, _ = self.header()
        index = self.index(self.kind())
        count, begin = self.vector(8)
        if index.ids is not None or (index.n, index.d, count) != (n, d, n):
            raise _DamagedError(f"{n:,} ids promised, {count:,} there, for {index.n:,} vectors")
        return replace(index, ids=self.numbers(begin, n))

    def index(self, kind: bytes) -> _Index:
        if kind == _IVF:
            return self.ivf()
        return self.hnsw() if kind == _HNSW else self.flat(kind)

    def flat(self, kind: bytes) -> _Index:
        if kind not in _FLAT:
            raise _DamagedError(f"it holds an index of the kind {kind!r}, which keeps no vectors")
        n, d, metric = self.header()
        count, begin = self.vector(4)
        if count != n * d:
            raise _DamagedError(f"{count:,} numbers for {n:,} vectors of {d:,}")
        return _Index(n, d, metric, ((begin, n),))

    def hnsw(self) -> _Index:
        """The graph, whose vectors of numbers are left aside, then the flat index behind it."""
        n, d, metric = self.header()
        for size in (8, 4, 4, 8, 4):  # probabilities, neighbors a level, levels, offsets, neighbors
            self.vector(size)
        self.take("5i")  # entry point, levels, how it was built and is searched
        index = self.flat(self.kind())
        if (index.n, index.d) != (n, d):
            raise _DamagedError(
                f"a graph of {n:,} vectors of {d:,} over {index.n:,} of {index.d:,}"
            )
        return replace(index, metric=metric)

    def ivf(self) -> _Index:
        """The lists of a quantizer: in each the vectors that fell to it, then their ids."""
        n, d, metric = self.header()
        lists, _ = self.take("2Q")  # and how many of them a search visits
        coarse = self.kind()
        self.hnsw() if coarse == _HNSW else self.flat(coarse)
        (has_map,) = self.take("B")
        self.vector(8)
        if has_map == 2:  # a table of ids and places
            self.vector(16)
        kind = self.kind()
        held, width = self.take("2Q") if kind == b"ilar" else (0, 0)
        layout = self.kind() if kind == b"ilar" else kind
        if (held, width) != (lists, 4 * d) or layout not in (b"full", b"sprs"):
            raise _DamagedError("its lists are missing, in another file or of another width")
        count, begin = self.vector(8)
        sizes = self.numbers(begin, count)[slice(None) if layout == b"full" else slice(1, None, 2)]
        blocks, ids = [], [np.empty(0, np.int64)]
        for size in sizes[sizes != 0].tolist():
            blocks.append((self.skip(size * width), size))
            ids.append(self.numbers(self.skip(8 * size), size))
        stored = np.concatenate(ids)
        if len(stored) != n:
            raise _DamagedError(f"{len(stored):,} vectors in its lists of {n:,} promised")
        places = np.argsort(stored, kind="stable")
        counted = np.array_equal(stored[places], np.arange(n))
        return _Index(n, d, metric, tuple(blocks), places, None if counted else stored[places])

    def header(self) -> tuple[int, int, int]:
        """Read n, d and the metric, which all kinds begin with."""
        d, n, _, _, _, metric = self.take("iqqq?i")
        if metric > 1:
            self.take("f")
        if not 0 < d <= LARGEST_WIDTH or n < 0:
            raise _DamagedError(f"{n:,} vectors of {d:,} numbers promised")
        return n, d, metric

    def kind(self) -> bytes:
        """Read the four letters that name what follows."""
        return bytes(self.data[self.skip(4) : self.at])

    def take(self, layout: str) -> tuple[Any, ...]:
        layout = f"<{layout}"
        return struct.unpack_from(layout, self.data, self.skip(struct.calcsize(layout)))

    def vector(self, size: int) -> tuple[int, int]:
        """Pass over a vector of items of this size; return how many, and where they begin."""
        (count,) = self.take("Q")
        return count, self.skip(count * size)

    def skip(self, size: int) -> int:
        """Pass over so many bytes and return where they begin."""
        begin = self.at
        if not 0 <= size <= len(self.data) - begin:
            raise _DamagedError(f"it ends where {size:,} bytes should follow")
        self.at += size
        return begin

    def numbers(self, begin: int, count: int) -> Numbers:
        return np.frombuffer(self.data[begin : begin + 8 * count], "<i8").astype(np.int64)


FORMAT = Format(
    "faiss",
    "a faiss index of whole vectors (flat, HNSW, IVF; with ids)",
    looks_like_faiss,
    tensors=tensors,
    endings=(".faiss", ".index"),
)
