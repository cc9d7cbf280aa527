"""Neighbors by other measures of nearness than the cosine: dot product, Euclidean distance, CSLS.

Each orders candidates y of a query x by ``x.y - bias(y)``, so one search serves them all. It takes
products in float64 and looks at whole strips of them: plainer and slower than the search by
cosine. Scores are rounded to float32 before they are ordered, and of equal ones the earlier
candidate comes first.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.errors import UnknownNameError
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.incremental import Spaces
from driftkit.neighbors.search.space import Norms, Positions, usable_device
from driftkit.progress import Progress

Metric = Literal["cosine", "dot", "euclidean", "csls"]
METRICS: tuple[Metric, ...] = get_args(Metric)

CSLS_NEIGHBORS = 10
"""Neighbors over which CSLS takes a word's mean cosine, as its authors do."""
_PRODUCTS = 1 << 22
"""Products held at once (32 MB in float64)."""

Found = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


def nearest_by(
    metric: Metric,
    matrix: Matrix,
    queries: Positions,
    k: int,
    *,
    candidates: Positions,
    norms: Norms,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Found:
    """Find the k nearest candidates to each query, the query itself left out.

    Parameters
    ----------
    metric : {"cosine", "dot", "euclidean", "csls"}
        Scores are cosines, dot products, distances below zero (so that more is nearer), or
        ``2 cos(x, y) - r(x) - r(y)`` with r the mean cosine to the ten nearest candidates.
    matrix, queries, k, candidates, norms, device, progress
        As in `driftkit.neighbors.search.exact.nearest`. A zero row has no neighbors by cosine and
        CSLS; by the others it is a point like any.

    Returns
    -------
    rows : ndarray of int32, shape (m, k)
    score : ndarray of float32, shape (m, k)

    Raises
    ------
    UnknownNameError
        If there is no such metric.

    References
    ----------
    Lample et al. 2018, "Word Translation without Parallel Data" (CSLS).

    Examples
    --------
    >>> space = np.array([[1, 0], [5, 5], [1.1, 0]], np.float32)
    >>> ask = dict(queries=np.array([0]), k=1, candidates=np.arange(3))
    >>> norms = np.linalg.norm(space.astype(float), axis=1)
    >>> [nearest_by(m, space, norms=norms, **ask)[0].item() for m in ("dot", "euclidean")]
    [1, 2]
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    if metric == "cosine":
        return nearest(
            matrix, queries, k, candidates=candidates, norms=norms, device=device,
            progress=progress,
        )  # fmt: skip
    live, asked = np.arange(len(candidates)), np.arange(len(queries))
    bias, own, scale = np.zeros(len(candidates)), np.zeros(len(queries)), np.ones(len(matrix))
    if metric == "euclidean":
        bias = _squares(matrix, candidates) / 2
    elif metric == "csls":
        live, asked = np.flatnonzero(norms[candidates] > 0), np.flatnonzero(norms[queries] > 0)
        scale = np.where(norms > 0, norms, 1)

        def mean_cosine(rows: Positions) -> npt.NDArray[np.float64]:
            _, cosine = nearest(
                matrix, rows, CSLS_NEIGHBORS, candidates=candidates, norms=norms, device=device
            )
            return _mean(cosine)

        bias, own = mean_cosine(candidates) / 2, mean_cosine(queries)
    place, product = _largest(
        matrix, scale, queries[asked], candidates[live], bias[live], k, device, progress
    )
    identity = np.full((len(queries), k), -1, np.int32)
    score = np.full((len(queries), k), np.nan)
    listed = place >= 0
    named = live[place] if len(live) else place
    identity[asked], score[asked] = np.where(listed, named, -1), np.where(listed, product, np.nan)
    if metric == "euclidean":
        score = -np.sqrt(np.maximum(_squares(matrix, queries)[:, None] - 2 * score, 0))
    elif metric == "csls":
        score = 2 * score - own[:, None]
    return identity, score.astype(np.float32)


def nearest_in_both_by(
    metric: Metric,
    spaces: Spaces,
    queries: Positions,
    k: int,
    *,
    candidates: Positions | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[Found, Found]:
    """Find the k nearest candidates in two spaces, one after the other, by any metric."""
    pool = np.arange(len(spaces.before)) if candidates is None else candidates

    def search(matrix: Matrix, norms: Norms, already: int) -> Found:
        tell = progress and (lambda done, of: progress(already + done, 2 * of))
        return nearest_by(
            metric, matrix, queries, k, candidates=pool, norms=norms, device=device, progress=tell
        )

    return (
        search(spaces.before, spaces.before_norms, 0),
        search(spaces.after, spaces.after_norms, len(queries)),
    )


def _squares(matrix: Matrix, rows: Positions) -> npt.NDArray[np.float64]:
    """Squared norms (m,): of whole numbers exactly, which the square of a root is not."""
    out = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK_ROWS):
        block = matrix[rows[start : start + BLOCK_ROWS]].astype(np.float64)
        out[start : start + len(block)] = np.square(block).sum(axis=1)
    return out


def _mean(cosine: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean of each row (m, k) over what is there; 0 where nothing is."""
    there = ~np.isnan(cosine)
    total = np.where(there, cosine, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(total / np.maximum(there.sum(axis=1), 1), np.float64)


def _largest(
    matrix: Matrix,
    scale: npt.NDArray[np.float64],
    queries: Positions,
    candidates: Positions,
    bias: npt.NDArray[np.float64],
    k: int,
    device: str,
    progress: Progress | None,
) -> tuple[Positions, npt.NDArray[np.float64]]:
    """Places (m, k) of the k largest ``x.y - bias(y)`` and their values, -1 and 0 beyond."""
    where = usable_device(device)
    place, value = np.full((len(queries), k), -1), np.zeros((len(queries), k))
    if len(candidates) == 0:
        return place, value

    def rows(chosen: Positions) -> torch.Tensor:
        scaled = matrix[chosen].astype(np.float64) / scale[chosen, None]
        return torch.from_numpy(scaled).to(where)

    pool, less = rows(candidates), torch.from_numpy(bias).to(where)
    strip = max(1, _PRODUCTS // len(candidates))
    depth = min(k + 1, len(candidates))  # one more: the query itself may be among them
    for start in range(0, len(queries), strip):
        some = queries[start : start + strip]
        scores = rows(some) @ pool.T - less  # (s, c)
        scores[torch.from_numpy(some[:, None] == candidates).to(where)] = -torch.inf
        rounded = scores.float()
        least = rounded.topk(depth, dim=1).values[:, min(k, depth) - 1 : min(k, depth)]
        asker, at = torch.nonzero((rounded >= least) & rounded.isfinite()).cpu().numpy().T
        found = scores[asker, at].cpu().numpy()
        order = np.lexsort((at, -found.astype(np.float32), asker))
        asker, at, found = asker[order], at[order], found[order]
        rank = np.arange(len(asker)) - np.searchsorted(asker, asker)
        first = rank < k
        place[start + asker[first], rank[first]] = at[first]
        value[start + asker[first], rank[first]] = found[first]
        if progress:
            progress(min(start + strip, len(queries)), len(queries))
    return place, value
