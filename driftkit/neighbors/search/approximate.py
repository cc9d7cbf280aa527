"""Neighbors among the neighbors of neighbors, where a share of the true ones is enough.

A graph of near candidates is made for each space (NN-descent, of pynndescent: Dong, Moses & Li
2011, "Efficient K-Nearest Neighbor Graph Construction for Generic Similarity Measures"). What is
near in either graph is decided in float64 in both spaces: cosines are exact, a word near which
nothing changed has the same neighbors before and after, and what one graph misses the other may
have, as they are made from other random numbers. How many of the true neighbors were found
is measured on words drawn at random, whose neighbors are found exactly, too; the graphs widen
until the recall asked for is certain (`neighbors.recall`).

Whether this is worth it depends on sizes alone, never on a clock.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Rows, generator
from driftkit.errors import MissingExtraError
from driftkit.neighbors.recall import Recall, measured
from driftkit.neighbors.search.exact import Found, Search, parts
from driftkit.neighbors.search.incremental import Spaces, joined, nearest_in_both, searches
from driftkit.neighbors.search.rerank import Proposals, decide
from driftkit.neighbors.search.space import Ids, device_for, usable_device
from driftkit.progress import Progress
from driftkit.threads import torch_threads_kept

WORTH = 1e12
"""Words times candidates below which exact neighbors are taken; at 1.6e11 graphs saved no time."""
SAMPLE = 4_000  # words whose neighbors are found exactly, too
WIDTHS = (1.5, 3.0, 6.0)  # candidates that a graph keeps of each, in units of k
HIGH = 0.95  # a recall that the narrowest graph seldom has


def nearest_at_recall(
    spaces: Spaces,
    queries: Rows,
    k: int,
    asked: float,
    persistence: float,
    *,
    candidates: Rows | None = None,
    device: str = "auto",
    memory: int,
    progress: Progress | None = None,
) -> tuple[tuple[Found, Found], Recall]:
    """Find neighbors as `nearest_in_both` does, but only a share of them that is `asked` for.

    `persistence` is that of rank-biased overlap, whose error is measured, too. Where graphs are not
    worth it, neighbors are exact, and the recall says why.
    """
    how: Any = {"candidates": candidates, "device": device, "memory": memory}
    why = _why_exact(spaces, queries, candidates, device)
    if why is None:
        draw = generator(0, "words that recall is measured on")
        sample = np.sort(draw.choice(queries, min(SAMPLE, len(queries)), replace=False))
        _descent()  # told before the work
        (before, _), (after, _) = nearest_in_both(spaces, sample, k, **how)
        for width in (round(each * k) for each in WIDTHS[asked > HIGH :]):
            graphs = _Graphs.of(spaces, candidates, width)
            (some, _), (others, _) = graphs.nearest(sample, k, memory, None)
            truth, found = (before, after), (some, others)
            kept = f"graphs of {width} near candidates"
            recall = measured(asked, truth, found, persistence, len(WIDTHS), kept)
            if recall.is_enough:
                return graphs.nearest(queries, k, memory, progress), recall
        why = f"{kept} did not show that it is reached"
    exact = nearest_in_both(spaces, queries, k, progress=progress, **how)
    return exact, Recall.of_exact(asked, why)


def _why_exact(spaces: Spaces, queries: Rows, candidates: Rows | None, device: str) -> str | None:
    """Say why exact neighbors are the better choice, if they are."""
    words, size = len(queries), len(spaces.before) if candidates is None else len(candidates)
    if words * size < WORTH:
        return f"of {words:,} words among {size:,} candidates that takes less time"
    if candidates is not None and not np.isin(queries, candidates).all():
        return "words that are no candidates are asked about"
    where = usable_device(device_for(device, 2.0 * words * size * spaces.before.shape[1]))
    return None if where.type == "cpu" else f"on {where.type} that takes less time"


@dataclass(frozen=True, slots=True, eq=False)
class _Graphs:
    """Near candidates of each candidate in both spaces, and the added rows, searched exactly."""

    before: Search
    after: Search
    newcomers: Search | None
    place: Rows  # (n,) where the matched rows stand among those of the newcomers' table
    near: Ids  # (c, 2 * width) positions among the candidates; -1 for none

    @classmethod
    def of(cls, spaces: Spaces, candidates: Rows | None, width: int) -> _Graphs:
        before, after, newcomers = searches(spaces, candidates, device="cpu")
        near = np.concatenate([_graph(before, width, 0), _graph(after, width, 1)], axis=1)
        near.sort(axis=1)
        near[:, 1:][near[:, 1:] == near[:, :-1]] = -1
        place = spaces.added.matched if spaces.added else np.empty(0, np.int64)
        return cls(before, after, newcomers, place, near)

    def nearest(
        self, rows: Rows, k: int, memory: int, progress: Progress | None
    ) -> tuple[Found, Found]:
        """Return the first k of what is near, by cosines in float64, in both spaces."""
        identity = np.full((2, len(rows), k), -1, np.int32)
        cosine = np.full((2, len(rows), k), np.nan, np.float32)
        nothing_more = -np.inf
        for some, _ in parts(len(rows), self.near.shape[1], memory, progress, spaces=2):
            for side, search in enumerate((self.before, self.after)):
                asked = search.of_rows(rows[some])
                near = self.near[asked.excluded[:, 0]]
                near = np.where(near == asked.excluded, -1, near)
                bound = np.full(len(near), nothing_more, np.float32)
                lists = decide(search.space, search.candidates, asked, Proposals(near, bound))
                identity[side, some], cosine[side, some] = lists.first(k)
            if self.newcomers is not None:
                asked = self.newcomers.of_rows(self.place[rows[some]])
                offered = self.newcomers.lists(asked, k, tell=lambda _: None).first(k)
                found = joined((identity[1, some], cosine[1, some]), offered, len(self.near))
                identity[1, some], cosine[1, some] = found
        return (identity[0], cosine[0]), (identity[1], cosine[1])


def _graph(search: Search, width: int, seed: int) -> Ids:
    """Near candidates of each candidate (c, width), itself among them, as far as they are found."""
    known = np.flatnonzero(~np.isnan(search.space.norms[search.candidates]))  # with a direction
    out = np.full((len(search.candidates), width), -1, np.int32)
    if len(known) <= width:
        out[known, : len(known)] = known
        return out
    numba, descent = _descent()
    with torch_threads_kept() as allowed, warnings.catch_warnings():
        # Of lists that are not full, which is measured here.
        warnings.simplefilter("ignore")
        graph = descent(
            search.space.unit(search.candidates[known]).numpy(),
            metric="dot", n_neighbors=width, random_state=seed,
            n_jobs=min(allowed, numba.config.NUMBA_NUM_THREADS),
        )  # fmt: skip
    near = graph.neighbor_graph[0]
    out[known] = np.where(near >= 0, known[near], -1)
    return out


def _descent() -> tuple[Any, Any]:
    try:
        import numba
        from pynndescent import NNDescent
    except ImportError:
        raise MissingExtraError("recall below 1", "pynndescent", "ann") from None
    return numba, NNDescent
