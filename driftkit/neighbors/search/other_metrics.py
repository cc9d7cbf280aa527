"""Neighbors by other measures of nearness than the cosine: dot product, Euclidean distance, CSLS.

Each orders candidates y of a query x by ``x.y - bias(y)``, so one search serves them all. It takes
products in float64 and looks at whole strips of them: plainer and slower than the search by
cosine. Scores are rounded to float32 before they are ordered, and of equal ones the earlier
candidate comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from driftkit.arguments import DEEPEST, whole
from driftkit.arrays import Matrix, Rows, Values, row_blocks
from driftkit.errors import UnknownNameError
from driftkit.neighbors.search.blockwise import exclude
from driftkit.neighbors.search.exact import Found, Search
from driftkit.neighbors.search.incremental import Spaces
from driftkit.neighbors.search.rerank import keys_of, leading, ranked
from driftkit.neighbors.search.space import Space
from driftkit.progress import Progress

Metric = Literal["cosine", "dot", "euclidean", "csls"]
METRICS: tuple[Metric, ...] = get_args(Metric)

CSLS_NEIGHBORS = 10  # neighbors over which CSLS takes a word's mean cosine, as its authors do
_PRODUCTS = 1 << 22  # products held at once (32 MB in float64)


def nearest_by(
    metric: Metric,
    matrix: Matrix,
    queries: Rows,
    k: int,
    *,
    candidates: Rows | None = None,
    norms: Values | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Found:
    """Find the k nearest candidates to each query by any metric; otherwise as `exact.nearest` does.

    Distances are given below zero, so that more is nearer; CSLS (Lample et al. 2018) is
    ``2 cos(x, y) - r(x) - r(y)`` with r the mean cosine to the ten nearest candidates. By dot
    product and distance a zero row is a point like any.

    >>> space = np.array([[1, 0], [5, 5], [1.1, 0]], np.float32)
    >>> [nearest_by(m, space, np.array([0]), 1)[0].item() for m in ("dot", "euclidean")]
    [1, 2]
    """
    whole(1, DEEPEST, k=k)
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    if device == "auto":  # elsewhere last bits can differ by these metrics
        device = "cpu"
    search = Search.over(Space.of(matrix, norms, device), candidates)
    if metric == "cosine":
        return search.nearest(search.of_rows(queries), k, progress=progress)
    order = _ORDERS[metric](search, queries)
    identity, score = _largest(search, queries, order, k, progress)
    return identity, order.finish(score).astype(np.float32)


def nearest_in_both_by(
    metric: Metric,
    spaces: Spaces,
    queries: Rows,
    k: int,
    *,
    candidates: Rows | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> tuple[Found, Found]:
    """Find the k nearest candidates in two spaces, one after the other, as `nearest_by` does.

    Added rows are candidates in the second, behind the others.
    """

    def search(already: int, matrix: Matrix, rows: Rows, **among: Any) -> Found:
        told = progress and (lambda done, of: progress(already + done, 2 * of))
        return nearest_by(metric, matrix, rows, k, progress=told, **among, **how)

    norms = spaces.before_norms
    before = search(0, spaces.before, queries, norms=norms, candidates=candidates)
    if (added := spaces.added) is None:
        norms = spaces.after_norms
        return before, search(
            len(queries), spaces.after, queries, norms=norms, candidates=candidates
        )
    matched = added.matched if candidates is None else added.matched[candidates]
    return before, search(
        len(queries), added.matrix, added.matched[queries],
        norms=added.norms, candidates=np.concatenate([matched, added.rows]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """What orders candidates by ``x.y - bias(y)``, and turns that into the score (m, k).

    Rows x and y are divided by their `scale` (n,) first; those with NaN there take no part.
    """

    scale: Values
    bias: Values  # (c,)
    finish: Callable[[Values], Values]


def _dot(search: Search, _: Rows) -> _Order:
    return _Order(np.ones(len(search.position)), np.zeros(len(search.candidates)), lambda x: x)


def _euclidean(search: Search, queries: Rows) -> _Order:
    own, bias = (_squares(search.space.matrix, rows) for rows in (queries, search.candidates))
    return _Order(
        np.ones(len(search.position)),
        bias / 2,
        lambda score: -np.sqrt(np.maximum(own[:, None] - 2 * score, 0)),
    )


def _csls(search: Search, queries: Rows) -> _Order:
    def mean_cosine(rows: Rows) -> Values:
        _, cosine = search.nearest(search.of_rows(rows), CSLS_NEIGHBORS)
        total = np.nansum(cosine, axis=1, dtype=np.float64)
        return np.asarray(total / np.maximum((~np.isnan(cosine)).sum(axis=1), 1), np.float64)

    own = mean_cosine(queries)[:, None]
    bias = mean_cosine(search.candidates) / 2
    return _Order(search.space.norms, bias, lambda score: 2 * score - own)


_ORDERS = {"dot": _dot, "euclidean": _euclidean, "csls": _csls}


def _squares(matrix: Matrix | Values, rows: Rows) -> Values:
    """Squared norms (m,): of whole numbers exactly, which the square of a root is not."""
    out = np.empty(len(rows))
    for some in row_blocks(len(rows)):
        out[some] = np.square(matrix[rows[some]].astype(np.float64)).sum(axis=1)
    return out


def _largest(
    search: Search, queries: Rows, order: _Order, k: int, progress: Progress | None
) -> tuple[np.ndarray, Values]:
    """Positions (m, k) of the k largest ``x.y - bias(y)`` and their values, -1 and NaN beyond."""
    where = search.space.device
    identity = np.full((len(queries), k), -1, np.int32)
    value = np.full((len(queries), k), np.nan)

    def scaled(rows: Rows) -> torch.Tensor:
        block = search.space.matrix[rows].astype(np.float64) / order.scale[rows, None]
        return torch.from_numpy(block).to(where)

    pool, less = scaled(search.candidates), torch.from_numpy(order.bias).to(where)
    excluded = torch.from_numpy(search.of_rows(queries).excluded).to(where)
    strip = max(1, _PRODUCTS // max(1, len(pool)))
    for start in range(0, len(queries) if len(pool) else 0, strip):
        asked = scaled(queries[start : start + strip])
        scores = asked @ pool.T - less  # (s, c)
        exclude(scores, asked, pool, excluded[start : start + strip])
        asker, at = leading(scores.float(), k)
        found = scores[asker, at].cpu().numpy()
        first, rank = ranked(asker, keys_of(found.astype(np.float32), at.astype(np.int32)), k)
        identity[start + asker[first], rank] = at[first]
        value[start + asker[first], rank] = found[first]
        if progress:
            progress(min(start + strip, len(queries)), len(queries))
    return identity, value
