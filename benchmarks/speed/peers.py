"""What people use today, each answering the same question: k nearest neighbors of every word."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

STRIP = 2_048


def product_alone(unit: np.ndarray, tile: int = STRIP) -> float:
    """G: seconds of one plain n x n x d float32 product in tiles, nothing kept."""
    rows = torch.from_numpy(unit)
    out = torch.empty(tile * tile)
    start = time.perf_counter()
    for a in range(0, len(rows), tile):
        for b in range(0, len(rows), tile):
            x, y = rows[a : a + tile], rows[b : b + tile]
            torch.mm(x, y.T, out=out[: len(x) * len(y)].view(len(x), len(y)))
    return time.perf_counter() - start


def torch_topk(unit: np.ndarray, k: int, queries: int) -> float:
    """The obvious way: strips of the product over all rows, then ``topk``."""
    rows = torch.from_numpy(unit)
    start = time.perf_counter()
    for a in range(0, queries, STRIP):
        product = rows[a : min(a + STRIP, queries)] @ rows.T
        product[torch.arange(len(product)), torch.arange(a, a + len(product))] = -torch.inf
        product.topk(k, dim=1)
    return time.perf_counter() - start


def faiss_flat(unit: np.ndarray, k: int, queries: int) -> float:
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    start = time.perf_counter()
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    index.search(unit[:queries], k + 1)
    return time.perf_counter() - start


def gensim_loop(unit: np.ndarray, k: int, queries: int) -> float:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(unit.shape[1])
    vectors.add_vectors([str(row) for row in range(len(unit))], unit)
    vectors.fill_norms()
    start = time.perf_counter()
    for row in range(queries):
        vectors.most_similar(str(row), topn=k)
    return time.perf_counter() - start


def sklearn_brute(unit: np.ndarray, k: int, queries: int) -> float:
    from sklearn.neighbors import NearestNeighbors

    start = time.perf_counter()
    model = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", metric="cosine").fit(unit)
    model.kneighbors(unit[:queries])
    return time.perf_counter() - start


Peer = Callable[[np.ndarray, int, int], float]

PEERS: dict[str, tuple[Peer, int]] = {
    "torch, strips and topk": (torch_topk, 10_000),
    "faiss IndexFlatIP": (faiss_flat, 10_000),
    "scikit-learn brute force": (sklearn_brute, 4_000),
    "gensim most_similar loop": (gensim_loop, 200),
}
"""Peer and the most queries it is asked; its time is scaled up to all of them."""


def two_searches(peer: Peer, spaces: tuple[np.ndarray, np.ndarray], k: int, most: int) -> float:
    """Seconds of both searches over every word, from a sample of the queries."""
    queries = min(most, len(spaces[0]))
    return sum(peer(unit, k, queries) for unit in spaces) * len(spaces[0]) / queries
