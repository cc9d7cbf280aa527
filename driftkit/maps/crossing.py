"""Search across two spaces: whether the row nearest to a query in the other one is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from driftkit.arrays import Mask, Rows, Values

Way = Literal["cosine", "l2", "dot"]
WAYS: tuple[Way, ...] = ("cosine", "l2", "dot")

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

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank; NaN without queries."""
        return float((1 / self.ranks).mean()) if len(self.ranks) else np.nan


def own_ranks(queries: Values, rows: Values, own: Rows) -> Mapping[Way, Found]:
    """Return, by each way of reading, at which rank queries (m, d) find their own of rows (n, d).

    ``own`` (m,) says which row is a query's own. Every other row counts, exactly, in float64. One
    that is as near comes before it, and a query without a direction finds everything before.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> found = own_ranks(np.array([[2.0, 0.1], [5.0, 4.0]]), rows, np.array([0, 0]))
    >>> found["cosine"].ranks.tolist(), found["cosine"].mrr
    ([1, 2], 0.75)
    """
    sizes, norms = np.linalg.norm(queries, axis=1), np.linalg.norm(rows, axis=1)
    longest = norms.max(initial=0)
    grain = {"cosine": sizes, "l2": (sizes + longest) * longest, "dot": sizes * longest}
    products = (queries * rows[own]).sum(axis=1)
    mine = dict(zip(WAYS, _nearness(products, norms[own]), strict=True))
    before = {way: np.zeros(len(queries), np.int64) for way in WAYS}
    for start in range(0, len(rows), _ROWS):
        some = slice(start, start + _ROWS)
        for first in range(0, len(queries), _QUERIES):
            part = slice(first, first + _QUERIES)
            nearness = _nearness(queries[part] @ rows[some].T, norms[some])
            for way, others in zip(WAYS, nearness, strict=True):
                bound = mine[way][part] - _GRAIN * grain[way][part]
                before[way][part] += (others >= bound[:, None]).sum(axis=1)
    return {way: Found(before[way]) for way in WAYS}  # its own row is one of those counted


def _nearness(products: Values, norms: Values) -> tuple[Values, Values, Values]:
    """How near rows are by each way, up to what is the same for all rows of one query."""
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    return products * inverse, 2 * products - np.square(norms), products
