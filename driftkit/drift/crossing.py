"""Search across two spaces: whether the row nearest to a query in the other one is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from driftkit.arrays import Mask, Matrix, Rows, Values, row_blocks, row_bytes, row_norms
from driftkit.pair import Pair

Way = Literal["cosine", "l2", "dot"]
WAYS: tuple[Way, ...] = ("cosine", "l2", "dot")

IMMATERIAL = 0.01
"""A step of less than a hundredth of a row's length is too little to matter, if no other row is as
near: none of 79 tables of the study where 95 words in 100 moved by less lost a benchmark, and the
harmless weeks of the simulated year had .005."""

_QUERIES, _ROWS = 128, 4_096  # compared in one step; their products stay in the cache
_GRAIN = 1e-12  # of the size of a product: nearer than this two rows are tied


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rank of each query's own row among all rows of the other space, from 1; ties count before."""

    ranks: Rows  # (m,)

    @property
    def first(self) -> Mask:
        """Queries whose own row is the nearest, (m,)."""
        first: Mask = self.ranks == 1
        return first

    @property
    def at_1(self) -> float:
        """Share of the queries whose own row is the nearest; NaN without queries."""
        return float(self.first.mean()) if len(self.ranks) else np.nan

    def kept(self, original: Found) -> Mask:
        """Queries that find their own row at no later rank than the original ones do, (m,).

        These find it first, unless another row lies so near to it that both are tied.
        """
        kept: Mask = self.ranks <= original.ranks
        return kept

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank; NaN without queries."""
        return float((1 / self.ranks).mean()) if len(self.ranks) else np.nan


def own_ranks(
    queries: Matrix | Values, rows: Matrix | Values, own: Rows, among: Rows | None = None
) -> Mapping[Way, Found]:
    """Return, by each way of reading, at which rank queries (m, d) find their own of rows (n, d).

    ``own`` (m,) says which row is a query's own, one of the rows ``among`` (c,) which it is sought:
    all unless given. Every other one counts, exactly, in float64. One that is as near comes before
    it, and a query without a direction finds everything before. Equal rows are one place: none of
    them is another to its own.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> found = own_ranks(np.array([[2.0, 0.1], [5.0, 4.0]]), rows, np.array([0, 0]))
    >>> found["cosine"].ranks.tolist(), found["cosine"].mrr
    ([1, 2], 0.75)
    """
    among = np.arange(len(rows)) if among is None else among
    queries, norms = queries.astype(np.float64), row_norms(rows)
    sizes, longest = row_norms(queries), norms[among].max(initial=0)
    grain = {"cosine": sizes, "l2": (sizes + longest) * longest, "dot": sizes * longest}
    products = np.einsum("ij,ij->i", queries, rows[own].astype(np.float64))
    mine = dict(zip(WAYS, _nearness(products, norms[own]), strict=True))
    before = {way: np.zeros(len(queries), np.int64) for way in WAYS}
    kinds: dict[bytes, int] = {}  # of the rows that are some query's own
    kind = np.array([kinds.setdefault(each, len(kinds)) for each in row_bytes(rows[own])], np.int64)
    may_be_own = np.isin(norms[among], norms[own])  # equal rows have equal lengths
    for start in range(0, len(among), _ROWS):
        some = among[start : start + _ROWS]
        block = rows[some].astype(np.float64)
        sought = np.flatnonzero(may_be_own[start : start + _ROWS])
        kind_of = np.array(
            [kinds.get(each, -1) for each in row_bytes(rows[some[sought]])], np.int64
        )
        for first in range(0, len(queries), _QUERIES):
            part = slice(first, first + _QUERIES)
            nearness = _nearness(queries[part] @ block.T, norms[some])
            other = kind[part, None] != kind_of
            for way, others in zip(WAYS, nearness, strict=True):
                bound = mine[way][part] - _GRAIN * grain[way][part]
                is_near = others >= bound[:, None]
                is_near[:, sought] &= other
                before[way][part] += is_near.sum(axis=1)
    for ranks in before.values():
        ranks += 1
        ranks[sizes == 0] = len(among)
    return {way: Found(ranks) for way, ranks in before.items()}


def steps(pair: Pair, rows: Rows) -> Values:
    """Return how far shared rows moved, as a share of their length before, (m,)."""
    out = np.empty(len(rows))
    for some in row_blocks(len(rows), pair.before.shape[1]):
        before, after = (side[rows[some]].astype(np.float64) for side in (pair.before, pair.after))
        out[some] = row_norms(after - before)
    return out / pair.before_norms[rows]


def spaced(places: Rows, most: int) -> Rows:
    """Return at most so many of some places, evenly spaced.

    Examples
    --------
    >>> spaced(np.arange(7), 3).tolist(), spaced(np.arange(2), 3).tolist()
    ([0, 3, 6], [0, 1])
    """
    n = len(places)
    return places[np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)]


def _nearness(products: Values, norms: Values) -> tuple[Values, Values, Values]:
    """How near rows are by each way, up to what is the same for all rows of one query."""
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    return products * inverse, 2 * products - np.square(norms), products
