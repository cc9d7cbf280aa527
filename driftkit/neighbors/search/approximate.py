"""Neighbors looked for in the nearest cells only, where a share of the true ones is enough.

The candidates of each space lie in cells around centres (faiss, ``IndexIVFFlat``), and a word looks
into those whose centres are nearest. What is proposed in either space is decided in float64 in
both, so cosines are exact, and a word near which nothing changed has the same neighbors before and
after. How many cells are looked into is found on words drawn at random, whose neighbors are
found exactly, too: the number grows until the recall asked for is certain (`neighbors.recall`).

Whether this is worth it depends on sizes alone, never on a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from driftkit.arrays import Rows, generator, row_blocks
from driftkit.errors import MissingExtraError
from driftkit.neighbors.recall import Recall, measured
from driftkit.neighbors.search.exact import SLACK, Found, Search, Tell, parts
from driftkit.neighbors.search.incremental import (
    RESERVE,
    Spaces,
    joined,
    nearest_in_both,
    searches,
)
from driftkit.neighbors.search.rerank import Proposals, decide
from driftkit.neighbors.search.space import Ids, Queries, device_for, usable_device
from driftkit.progress import Progress

WORTH = 4e10
"""Words times candidates below which exact neighbors take less time, as measured."""
SAMPLE = 4_000  # words whose neighbors are found exactly, too
CELLS = 4  # times the root of the candidates
MOST_CELLS = 1 / 16  # share of the cells that is looked into at most; beyond, exact is faster
TRAINED_ON = 64  # candidates a cell is made from


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

    `persistence` is that of rank-biased overlap, whose error is measured, too. Where looking into
    cells is not worth it, neighbors are exact, and the recall says why.
    """
    size = len(spaces.before) if candidates is None else len(candidates)
    how: Any = {"candidates": candidates, "device": device, "memory": memory}
    why = _exact_is_faster(spaces, len(queries), size, device)
    if why is not None:
        exact = nearest_in_both(spaces, queries, k, progress=progress, **how)
        return exact, Recall.of_exact(asked, why)
    both = _Both.of(spaces, candidates)
    draw = generator(0, "words that recall is measured on")
    sample = np.sort(draw.choice(queries, min(SAMPLE, len(queries)), replace=False))
    (before, _), (after, _) = nearest_in_both(spaces, sample, k, **how)
    settings = list(_settings(both.cells))
    for probes in settings:
        (some, _), (others, _) = both.nearest(sample, k, probes, memory, None)
        recall = measured(
            asked,
            (before, after),
            (some, others),
            persistence,
            len(settings),
            f"{probes:,} of {both.cells:,} cells",
        )
        if recall.is_enough:
            return both.nearest(queries, k, probes, memory, progress), recall
    exact = nearest_in_both(spaces, queries, k, progress=progress, **how)
    why = f"looking into {settings[-1]:,} of {both.cells:,} cells did not show that it is reached"
    return exact, Recall.of_exact(asked, why)


def _exact_is_faster(spaces: Spaces, words: int, candidates: int, device: str) -> str | None:
    if words * candidates < WORTH:
        return f"of {words:,} words among {candidates:,} candidates that takes less time"
    work = 2.0 * words * candidates * spaces.before.shape[1]
    where = usable_device(device_for(device, work))
    return None if where.type == "cpu" else f"{where.type} takes less time for all of them"


def _settings(cells: int) -> Iterator[int]:
    """Yield how many cells are tried, each half as many more again.

    >>> list(_settings(160))
    [1, 2, 3, 5, 8]
    """
    probes = 1
    while probes <= max(1, cells * MOST_CELLS):
        yield probes
        probes = math.ceil(probes * 1.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """Both spaces in cells, and the added rows, which are searched exactly."""

    before: _Cells
    after: _Cells
    newcomers: Search | None
    place: Rows  # (n,) where the matched rows stand among those of the newcomers' table

    @classmethod
    def of(cls, spaces: Spaces, candidates: Rows | None) -> _Both:
        before, after, newcomers = searches(spaces, candidates, device="cpu")
        place = spaces.added.matched if spaces.added else np.empty(0, np.int64)
        return cls(_Cells(before), _Cells(after), newcomers, place)

    @property
    def cells(self) -> int:
        return min(self.before.cells, self.after.cells)

    def nearest(
        self, rows: Rows, k: int, probes: int, memory: int, progress: Progress | None
    ) -> tuple[Found, Found]:
        identity = np.full((2, len(rows), k), -1, np.int32)
        cosine = np.full((2, len(rows), k), np.nan, np.float32)
        depth = 2 * (k + RESERVE)
        for some, tell in parts(len(rows), depth, memory, progress, spaces=2):
            for side, found in enumerate(self._part(rows[some], k, probes, tell)):
                identity[side, some], cosine[side, some] = found
        return (identity[0], cosine[0]), (identity[1], cosine[1])

    def _part(self, rows: Rows, k: int, probes: int, tell: Tell) -> tuple[Found, Found]:
        sides = self.before, self.after
        own = []
        for number, each in enumerate(sides):
            own.append(each.proposed(rows, k, probes))
            tell((number + 1) / 3)
        proposed = np.sort(np.concatenate(own, axis=1), axis=1)
        proposed[:, 1:][proposed[:, 1:] == proposed[:, :-1]] = -1
        before, after = (each.decided(rows, k, proposed) for each in sides)
        if self.newcomers is not None:
            asked = self.newcomers.of_rows(self.place[rows])
            offered = self.newcomers.lists(asked, k, tell=lambda _: None).first(k)
            after = joined(after, offered, len(self.after.search.candidates))
        return before, after


class _Cells:
    """One space, its candidates in cells."""

    def __init__(self, search: Search) -> None:
        faiss = _faiss()
        self.search, space = search, search.space
        d = space.matrix.shape[1]
        known = np.flatnonzero(~np.isnan(space.norms[search.candidates]))  # those with a direction
        self.cells = max(1, int(CELLS * math.sqrt(len(known))))
        self.index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(d), d, self.cells, faiss.METRIC_INNER_PRODUCT
        )
        self.index.cp.min_points_per_centroid = 1
        self.index.cp.max_points_per_centroid = TRAINED_ON
        draw = generator(0, "rows that cells are made from")
        some = np.sort(draw.choice(known, min(len(known), TRAINED_ON * self.cells), replace=False))
        with _threads(faiss):
            self.index.train(self._unit(search.candidates[some]))
            for block in row_blocks(len(known), d):
                ids = known[block]
                self.index.add_with_ids(self._unit(search.candidates[ids]), ids)

    def proposed(self, rows: Rows, k: int, probes: int) -> Ids:
        """Candidates (m, k + ...) that are nearest to rows in the cells looked into; -1 for none.

        A few more than k are taken, as float32 decides here and float64 later.
        """
        faiss = _faiss()
        self.index.nprobe = probes
        out = np.empty((len(rows), k + 1 + SLACK), np.int32)
        with _threads(faiss):
            for some in row_blocks(len(rows), self.search.space.matrix.shape[1]):
                _, out[some] = self.index.search(self._unit(rows[some]), out.shape[1])
        asked = self.search.of_rows(rows)
        out[(out == asked.excluded) | np.isnan(self.search.space.norms[rows])[:, None]] = -1
        return out

    def decided(self, rows: Rows, k: int, proposed: Ids) -> Found:
        """Return the first k of what was proposed, by cosines in float64."""
        none = np.full(len(rows), -np.inf, np.float32)
        queries: Queries = self.search.of_rows(rows)
        proposals = Proposals(proposed, none)
        return decide(self.search.space, self.search.candidates, queries, proposals).first(k)

    def _unit(self, rows: Rows) -> Any:
        return np.nan_to_num(self.search.space.unit(rows).numpy())


class _threads:
    """Let faiss take as many threads as torch may, for a while."""

    def __init__(self, faiss: Any) -> None:
        self.faiss, self.before = faiss, faiss.omp_get_max_threads()

    def __enter__(self) -> None:
        self.faiss.omp_set_num_threads(torch.get_num_threads())

    def __exit__(self, *_: object) -> None:
        self.faiss.omp_set_num_threads(self.before)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("recall below 1", "faiss", "ann") from None
    return faiss
