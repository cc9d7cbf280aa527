"""The nearest neighbors, found the slow and obvious way."""

import numpy as np


def oracle(matrix, queries, k, candidates=None, excluded=None):
    """The slow, obvious way: all cosines in float64, rounded to float32, one full sort a query.

    Queries are rows of the matrix (m,), which exclude themselves, or vectors (m, d).
    """
    pool = np.arange(len(matrix)) if candidates is None else np.asarray(candidates)
    x = matrix.astype(np.float64)
    norms = np.sqrt((x * x).sum(axis=1))
    vectors = x[queries] if queries.ndim == 1 else queries
    if excluded is None:
        excluded = queries[:, None] if queries.ndim == 1 else np.full((len(queries), 1), -1)
    rows = np.full((len(queries), k), -1, np.int32)
    cosine = np.full((len(queries), k), np.nan, np.float32)
    for at, (query, out) in enumerate(zip(vectors, excluded, strict=True)):
        possible = np.flatnonzero(~np.isin(pool, out) & (norms[pool] > 0))
        size = np.sqrt((query * query).sum())
        if size == 0 or len(possible) == 0:
            continue
        target = pool[possible]
        score = (x[target] * query).sum(axis=1) / (norms[target] * size)
        score = np.clip(score, -1, 1).astype(np.float32)
        order = np.lexsort((possible, -score))[:k]
        rows[at, : len(order)] = possible[order]
        cosine[at, : len(order)] = score[order]
    return rows, cosine
