"""Decide in float64 what a search in float32 proposed.

The cosine reported is the float64 one rounded to float32, and the order is that cosine
descending, then position ascending. Each list comes with the length up to which nothing that was
not proposed could belong into it; that follows from the error bound of the products.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.neighbors.search.jit import can_compile
from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.space import TIE, Cosines, Positions, Space

Ids = npt.NDArray[np.int32]
Keys = npt.NDArray[np.int64]

BLOCK_ENTRIES = 1 << 20
"""Entries decided together."""
NOBODY: int = np.iinfo(np.int64).max
"""Key of a place that is not filled; it comes last."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Candidates of m queries in the order that counts.

    Parameters
    ----------
    identity : ndarray of int32, shape (m, depth)
        Positions among the candidates that have a direction, nearest first; -1 in places not
        filled.
    cosine : ndarray of float32, shape (m, depth)
        NaN in places not filled.
    sure : ndarray of int64, shape (m,)
        Entries that are certainly the first of all candidates; the whole depth when every
        candidate that can be a neighbor is listed.
    """

    identity: Ids
    cosine: Cosines
    sure: Positions

    def first(self, k: int) -> tuple[Ids, Cosines]:
        """The first k places (m, k), padded with -1 and NaN."""
        missing = ((0, 0), (0, max(0, k - self.identity.shape[1])))
        return (
            np.pad(self.identity[:, :k], missing, constant_values=-1),
            np.pad(self.cosine[:, :k], missing, constant_values=np.nan),
        )


def decide(space: Space, queries: Positions, proposals: Proposals) -> Lists:
    """Order proposals (m, depth) by the cosines of the rows asked about, (m,)."""
    m, depth = proposals.identity.shape
    lists = Lists(
        np.empty((m, depth), np.int32), np.empty((m, depth), np.float32), np.empty(m, np.int64)
    )
    for rows in _blocks(m, depth):
        identity = proposals.identity[rows]
        keys = keys_of(exact_cosines(space, queries[rows], identity), identity)
        keys.sort(axis=1)
        lists.cosine[rows], lists.identity[rows] = entries_of(keys)
        bound = proposals.bound[rows].astype(np.float64) + space.error + TIE
        sure = (lists.cosine[rows] > bound[:, None]).sum(axis=1)
        lists.sure[rows] = np.where(np.isneginf(bound), depth, sure)
    return lists


def exact_cosines(space: Space, queries: Positions, identity: Ids) -> Cosines:
    """Cosines (m, depth) of rows asked about with candidates; NaN where there is none."""
    out = np.full(identity.shape, np.nan, np.float32)
    filled = identity >= 0
    # Position -1 reads the last row, which the mask then leaves out.
    live = space.live if len(space.live) else np.array([-1])
    rows: Positions = np.where(filled, live[identity], -1)
    if not can_compile():
        asked = np.broadcast_to(queries[:, None], identity.shape)
        out[filled] = space.cosine(asked[filled], rows[filled])
        return out
    from driftkit.neighbors.search.kernels import cosines, plan_of

    threads = torch.get_num_threads()
    cuts = np.linspace(0, len(queries), threads + 1).astype(int)
    matrix = np.asarray(space.matrix)
    plan = plan_of(matrix.shape[1])

    def part(start: int, stop: int) -> None:
        some = slice(start, stop)
        cosines(matrix, space.norms, plan, queries[some], rows[some], out[some])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, cuts[:-1].tolist(), cuts[1:].tolist()))
    return out


def keys_of(cosine: Cosines, identity: Ids) -> Keys:
    """Numbers whose order is cosine descending, then position ascending; places not filled last.

    Examples
    --------
    >>> cosine = np.array([0.5, -0.5, 0.5, np.nan], np.float32)
    >>> keys = keys_of(cosine, np.array([7, 1, 3, -1], np.int32))
    >>> [part.tolist() for part in entries_of(np.sort(keys))]
    [[0.5, 0.5, -0.5, nan], [3, 7, 1, -1]]
    """
    # Adding 0 makes -0 a 0. The bits of floats of one sign are in order, of negatives reversed.
    bits = (cosine + np.float32(0)).view(np.int32).astype(np.int64)
    ascending = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return np.where(identity < 0, NOBODY, (-ascending << 32) | identity)


def entries_of(keys: Keys) -> tuple[Cosines, Ids]:
    """Cosines and positions that such numbers were made of."""
    ascending = -(keys >> 32)
    bits = np.where(ascending < 0, -ascending | -0x80000000, ascending).astype(np.int32)
    nobody = keys == NOBODY
    cosine = np.where(nobody, np.float32(np.nan), bits.view(np.float32))
    return cosine, np.where(nobody, -1, keys & 0xFFFFFFFF).astype(np.int32)


def _blocks(m: int, depth: int) -> Iterator[slice]:
    step = max(1, BLOCK_ENTRIES // max(depth, 1))
    for start in range(0, m, step):
        yield slice(start, min(start + step, m))
