"""Decide in float64 what products of lower precision proposed.

Each list comes with the length up to which nothing that was not proposed could belong into it;
that follows from the error bound of the products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import Rows
from driftkit.neighbors.search import resident
from driftkit.neighbors.search.space import TIE, Cosines, Ids, Queries, Space
from driftkit.neighbors.search.threads import in_threads

Keys = npt.NDArray[np.int64]

BLOCK_ENTRIES = 1 << 20  # entries decided together
_PAIR_NUMBERS = 1 << 20  # numbers gathered at once on each side when cosines are taken in float64
NOBODY = resident.NOBODY


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Candidates of m queries that may be the nearest, `depth` of each, in any order."""

    identity: Ids  # (m, depth) positions among the candidates; -1 in places not filled
    bound: Cosines  # (m,) no candidate that is not listed has a larger cosine, as proved


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Candidates of m queries, nearest first; whole lists are sure if all neighbors are in."""

    identity: Ids  # (m, depth) positions among the candidates; -1 in places not filled
    cosine: Cosines  # (m, depth) NaN in places not filled
    sure: Rows  # (m,) entries that are certainly the first of all candidates

    def __getitem__(self, some: Rows | slice) -> Lists:
        return Lists(self.identity[some], self.cosine[some], self.sure[some])

    def put(self, some: Rows, found: Lists) -> None:
        """Replace some lists by others that need not be as long."""
        long = min(self.identity.shape[1], found.identity.shape[1])
        self.identity[some, long:], self.cosine[some, long:] = -1, np.nan
        self.identity[some, :long] = found.identity[:, :long]
        self.cosine[some, :long] = found.cosine[:, :long]
        self.sure[some] = np.minimum(found.sure, long)

    def first(self, k: int) -> tuple[Ids, Cosines]:
        """The first k places (m, k), padded with -1 and NaN."""
        missing = ((0, 0), (0, max(0, k - self.identity.shape[1])))
        return (
            np.pad(self.identity[:, :k], missing, constant_values=-1),
            np.pad(self.cosine[:, :k], missing, constant_values=np.nan),
        )


def decide(space: Space, candidates: Rows, queries: Queries, proposals: Proposals) -> Lists:
    """Order what was proposed to each query by its cosine."""
    m, depth = proposals.identity.shape
    lists = Lists(
        np.empty((m, depth), np.int32), np.empty((m, depth), np.float32), np.empty(m, np.int64)
    )
    step = max(1, BLOCK_ENTRIES // max(depth, 1))
    for start in range(0, m, step):
        some = slice(start, start + step)
        identity = proposals.identity[some]
        keys = keys_of(cosines_of_lists(space, candidates, queries[some], identity), identity)
        keys.sort(axis=1)
        lists.cosine[some], lists.identity[some] = entries_of(keys)
        bound = proposals.bound[some].astype(np.float64) + TIE
        sure = (lists.cosine[some] > bound[:, None]).sum(axis=1)
        lists.sure[some] = np.where(np.isneginf(bound), depth, sure)
    return lists


def cosines_of_lists(space: Space, candidates: Rows, queries: Queries, identity: Ids) -> Cosines:
    """Cosines (m, depth) of queries with candidates; NaN where there is none."""
    out = np.full(identity.shape, np.nan, np.float32)
    filled = identity >= 0
    if not filled.any():
        return out
    rows: Rows = np.where(filled, candidates[identity], -1)
    if space.engine == "torch" or space.resident is not None:
        asked = np.broadcast_to(queries.rows[:, None], identity.shape)
        out[filled] = cosines(queries.space, asked[filled], space, rows[filled])
        return out
    from driftkit.neighbors.search.kernels import cosines_into, plan_of

    plan = plan_of(space.matrix.shape[1])

    def decide_part(some: slice) -> None:
        cosines_into(
            out[some], plan, queries.space.matrix, queries.space.norms, queries.rows[some],
            space.matrix, space.norms, rows[some],
        )  # fmt: skip

    in_threads(decide_part, len(queries), torch.get_num_threads())
    return out


def cosines(a: Space, a_rows: Rows, b: Space, b_rows: Rows) -> Cosines:
    """Cosines (p,) of rows of one space with rows of another, in float64, then rounded.

    A product of two float32 is exact in float64, and a sum along a row takes the same steps for
    every row, so equal rows give equal cosines to the last bit.
    """
    if a.resident is not None and b.resident is not None:
        sides = (torch.from_numpy(rows).to(a.device) for rows in (a_rows, b_rows))
        found: Cosines = resident.cosines(a.resident, b.resident, *sides).cpu().numpy()
        return found
    out = np.empty(len(a_rows), np.float32)
    step = max(1, _PAIR_NUMBERS // a.matrix.shape[1])
    for start in range(0, len(out), step):
        left, right = a_rows[start : start + step], b_rows[start : start + step]
        products = np.multiply(a.matrix[left], b.matrix[right], dtype=np.float64)
        dots = products.sum(axis=1) / (a.norms[left] * b.norms[right])
        out[start : start + step] = np.clip(dots, -1, 1)
    return out


def keys_of(score: Cosines, identity: Ids) -> Keys:
    """Numbers whose order is score descending, then position ascending; nobody's places last.

    >>> score = np.array([0.5, -0.5, 0.5, np.nan], np.float32)
    >>> keys = keys_of(score, np.array([7, 1, 3, 4], np.int32))
    >>> [part.tolist() for part in entries_of(np.sort(keys))]
    [[0.5, 0.5, -0.5, nan], [3, 7, 1, -1]]
    """
    # Adding 0 makes -0 a 0. The bits of floats of one sign are in order, of negatives reversed.
    bits = (score + np.float32(0)).view(np.int32).astype(np.int64)
    ascending = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return np.where((identity < 0) | np.isnan(score), NOBODY, (-ascending << 32) | identity)


def entries_of(keys: Keys) -> tuple[Cosines, Ids]:
    """Scores and positions that such numbers were made of."""
    ascending = -(keys >> 32)
    bits = np.where(ascending < 0, -ascending | -0x80000000, ascending).astype(np.int32)
    nobody = keys == NOBODY
    score = np.where(nobody, np.float32(np.nan), bits.view(np.float32))
    return score, np.where(nobody, -1, keys & 0xFFFFFFFF).astype(np.int32)


def merged(best: Keys, asker: Rows, keys: Keys) -> Keys:
    """The first k of what each of m askers has, (m, k), and is offered, entry by entry (p,)."""
    m, k = best.shape
    asker, keys = np.r_[asker, np.repeat(np.arange(m), k)], np.r_[keys, best.ravel()]
    order, rank = ranked(asker, keys, k)
    out = np.empty_like(best)
    out[asker[order], rank] = keys[order]
    return out


def ranked(asker: Rows, keys: Keys, k: int) -> tuple[Rows, Rows]:
    """Which entries (p,) are among the first k of their asker, and at which place."""
    order = np.lexsort((keys, asker))
    rank = np.arange(len(order)) - np.searchsorted(asker[order], asker[order])
    return order[rank < k], rank[rank < k]


def leading(scores: torch.Tensor, k: int) -> tuple[Rows, Rows]:
    """Rows and columns of the finite scores (m, c) not below the k-th largest of their row."""
    least = scores.amax(1, keepdim=True)  # much faster than topk
    if k > 1:
        least = scores.topk(min(k, scores.shape[1]), dim=1).values[:, -1:]
    least = least.clamp(min=torch.finfo(scores.dtype).min)
    rows, columns = torch.nonzero(scores >= least).cpu().numpy().T
    return rows, columns
