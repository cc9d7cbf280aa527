"""The slow, obvious way to find neighbors, which every engine is held to."""

import numpy as np
import pytest


def brute_force(matrix, queries, k, candidates=None):
    """Every cosine in float64, rounded to float32, then one full sort a query."""
    pool = np.arange(len(matrix)) if candidates is None else np.asarray(candidates)
    x = matrix.astype(np.float64)
    norms = np.array([np.sqrt((row * row).sum()) for row in x])
    rows = np.full((len(queries), k), -1, np.int32)
    cosine = np.full((len(queries), k), np.nan, np.float32)
    for at, query in enumerate(queries):
        possible = np.flatnonzero((pool != query) & (norms[pool] > 0))
        if norms[query] == 0 or len(possible) == 0:
            continue
        target = pool[possible]
        score = (x[target] * x[query]).sum(axis=1) / (norms[target] * norms[query])
        score = np.clip(score, -1, 1).astype(np.float32)
        order = np.lexsort((possible, -score))[:k]
        rows[at, : len(order)] = possible[order]
        cosine[at, : len(order)] = score[order]
    return rows, cosine


@pytest.fixture(scope="session")
def oracle():
    return brute_force
