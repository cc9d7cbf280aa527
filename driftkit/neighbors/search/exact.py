"""The k nearest neighbors by cosine, exactly.

A float32 product proposes a short list a little longer than k; float64 decides. The cosine
reported is the float64 one rounded to float32, and the order is that cosine descending, then
candidate ascending. So the answer does not depend on the size of a tile, on the kernel a library
picked for its edge, on the device or on the number of threads, and equal vectors are equally near.
A query whose short list could have missed a neighbor, which the error bound of the product tells,
is settled by looking at every candidate within that bound.

On the CPU, where numba is installed, tiles are looked through by compiled code (``sweep``), and
when every candidate is a query only half the products are taken. Elsewhere torch does it all
(``strips``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Matrix
from driftkit.errors import OptionError
from driftkit.neighbors.search import blockwise as strips
from driftkit.neighbors.search.jit import can_compile
from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.rerank import Lists, decide
from driftkit.neighbors.search.space import (
    Cosines,
    Norms,
    Positions,
    Space,
    row_norms,
    usable_device,
)
from driftkit.neighbors.search.tiled import Side, sweep_rectangle, sweep_square
from driftkit.progress import Progress

SLACK = 8
"""Entries a short list holds beyond k."""
MEMORY = 500_000_000
"""Bytes the lists of queries answered together may take, unless the caller says otherwise."""
ENTRY_BYTES = 32
"""Bytes an entry of a short list takes while it is found and decided."""
LEAST_TOGETHER = 256
"""Queries answered together at least, however little memory there is."""


def nearest(
    matrix: Matrix,
    queries: Positions,
    k: int,
    *,
    candidates: Positions | None = None,
    norms: Norms | None = None,
    device: str = "cpu",
    tile: int | None = None,
    memory: int = MEMORY,
    progress: Progress | None = None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k candidates nearest to each query by cosine, the query itself left out.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
        The space.
    queries : ndarray of int64, shape (m,)
        Rows of `matrix` asked about; they need not be candidates.
    k : int
        Number of neighbors, 1 or more.
    candidates : ndarray of int64, shape (c,), optional
        Distinct rows of `matrix` that may be neighbors; every row unless given.
    norms : ndarray of float64, shape (n,), optional
        Norms of the rows, where they are known already.
    device : str
        Where torch takes the products.
    tile : int, optional
        Candidates in one tile; changes speed and memory, never the answer.
    memory : int
        Bytes that lists may take beyond the result; less means more passes over the candidates.
        Tiles and unit rows take some 50 MB at d = 50 and 80 MB at d = 300 besides.
    progress : callable, optional
        Called with (queries done, queries in all); while all are answered together, the share of
        the work done stands for the share of queries.

    Returns
    -------
    rows : ndarray of int32, shape (m, k)
        Positions in `candidates` (rows of `matrix` unless given), nearest first; of equally near
        ones the lower position comes first. -1 where there is no further neighbor. A zero row has
        no direction: it is nobody's neighbor, and has none.
    cosine : ndarray of float32, shape (m, k)
        Their cosines; NaN where `rows` is -1.

    Raises
    ------
    OptionError
        If k, tile or memory is below 1, or torch cannot use the device.

    Examples
    --------
    >>> space = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], np.float32)
    >>> rows, cosine = nearest(space, np.array([0, 2]), 2)
    >>> rows.tolist()
    [[3, 1], [-1, -1]]
    """
    if k < 1 or (tile is not None and tile < 1) or memory < 1:
        raise OptionError(
            f"k={k}, tile={tile} and memory={memory} were given; each must be 1 or more."
        )
    search = Search.over(matrix, candidates=candidates, norms=norms, device=device, tile=tile)
    rows = np.full((len(queries), k), -1, np.int32)
    cosine = np.full((len(queries), k), np.nan, np.float32)
    asked = np.flatnonzero(search.space.norms[queries] > 0)
    idle = len(queries) - len(asked)
    together = max(LEAST_TOGETHER, memory // (ENTRY_BYTES * (k + SLACK)))
    for start in range(0, len(asked), together):
        chosen = asked[start : start + together]
        done = idle + start

        def tell(share: float, done: int = done, count: int = len(chosen)) -> None:
            if progress:
                progress(done + int(share * count), len(queries))

        lists = search.lists(queries[chosen], k, tell=tell)
        rows[chosen], cosine[chosen] = search.named(*lists.first(k))
        tell(1.0)
    return rows, cosine


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A space and its candidates, ready to be asked.

    Parameters
    ----------
    space : Space
    position : ndarray of int64, shape (c,)
        Position among the candidates of each candidate that has a direction.
    own : ndarray of int64, shape (n,)
        For each row of the matrix its place in ``space.live``; -1 where it has none.
    tile : int, optional
    """

    space: Space
    position: Positions
    own: Positions
    tile: int | None

    @classmethod
    def over(
        cls,
        matrix: Matrix,
        *,
        candidates: Positions | None = None,
        norms: Norms | None = None,
        device: str = "cpu",
        tile: int | None = None,
    ) -> Search:
        """Make ready to search a matrix; the options are those of `nearest`."""
        norms = row_norms(matrix) if norms is None else norms
        pool = np.arange(len(matrix)) if candidates is None else candidates
        position = np.flatnonzero(norms[pool] > 0)
        live = pool[position]
        own = np.full(len(matrix), -1)
        own[live] = np.arange(len(live))
        return cls(Space(matrix, norms, live, usable_device(device)), position, own, tile)

    def lists(
        self,
        queries: Positions,
        k: int,
        *,
        reserve: int = 0,
        floor: Cosines | None = None,
        tell: Callable[[float], None],
    ) -> Lists:
        """Order the nearest candidates of queries that have a direction.

        Parameters
        ----------
        queries : ndarray of int64, shape (m,)
            Rows asked about.
        k : int
            Entries that are to be sure.
        reserve : int
            Entries wanted beyond k, sure as far as that costs nothing.
        floor : ndarray of float32, shape (m,), optional
            Cosines below which nothing can be among the first k, from `Space.below`.
        tell : callable
            Called with the share of the work done.
        """
        own = self.own[queries]
        depth = min(k + max(reserve, SLACK), len(self.space.live))
        if depth == len(self.space.live):
            floor = None
        proposals = self._propose(queries, own, depth, floor, tell)
        if depth == len(self.space.live):
            proposals.bound[:] = -np.inf  # every candidate is listed
        return self.settled(queries, decide(self.space, queries, proposals), k)

    def settled(self, queries: Positions, lists: Lists, k: int) -> Lists:
        """Make at least k entries of each list sure."""
        open_ = np.flatnonzero(lists.sure < min(k, lists.identity.shape[1]))
        if len(open_):
            some = queries[open_]
            known = Lists(lists.identity[open_], lists.cosine[open_], lists.sure[open_])
            found = strips.settle(self.space, some, self.own[some], known, k)
            lists.identity[open_, k:], lists.cosine[open_, k:] = -1, np.nan
            lists.identity[open_, :k], lists.cosine[open_, :k] = found.identity, found.cosine
            lists.sure[open_] = k
        return lists

    def named(
        self, identity: npt.NDArray[np.int32], cosine: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Turn places in ``space.live`` into positions among the candidates."""
        if len(self.position) == 0:
            return identity, cosine
        return np.where(identity >= 0, self.position[identity], -1).astype(np.int32), cosine

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code looks through the products."""
        return self.space.device.type == "cpu" and can_compile()

    def _propose(
        self,
        queries: Positions,
        own: Positions,
        depth: int,
        floor: Cosines | None,
        tell: Callable[[float], None],
    ) -> Proposals:
        live = self.space.live
        if not self.is_compiled:
            return self._propose_in_strips(queries, own, depth, tell)
        proposals = (
            Proposals.empty(len(queries), depth) if floor is None else Proposals.above(floor, depth)
        )
        if depth == 0 or len(queries) == 0:
            return proposals
        ids = np.arange(len(live), dtype=np.int32)
        if np.array_equal(queries, live):
            total = len(live) * (len(live) + 1) // 2
            side = Side(live, ids, proposals)
            sweep_square(self.space, side, tile=self.tile, step=shares(total, tell))
        else:
            sweep_rectangle(
                self.space,
                Side(queries, np.zeros(len(queries), np.int32), proposals, own.astype(np.int32)),
                Side(live, ids),
                tile=self.tile,
                step=shares(len(queries) * len(live), tell),
            )
        return proposals

    def _propose_in_strips(
        self, queries: Positions, own: Positions, depth: int, tell: Callable[[float], None]
    ) -> Proposals:
        parts = []
        for start in range(0, len(queries), strips.QUERIES):
            some = slice(start, start + strips.QUERIES)
            parts.append(strips.propose(self.space, queries[some], own[some], depth, self.tile))
            tell(min(1.0, (start + strips.QUERIES) / len(queries)))
        return Proposals.joined(parts, depth)


def shares(total: int, tell: Callable[[float], None]) -> Callable[[int], None]:
    """Turn counts of products into the share of all of them that is done."""
    done = 0

    def step(products: int) -> None:
        nonlocal done
        done += products
        tell(min(1.0, done / total))

    return step
