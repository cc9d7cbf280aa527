"""The k nearest neighbors by cosine, exactly.

A product in int8 or float32 proposes a list a little longer than k; float64 decides. The cosine
reported is the float64 one rounded to float32, and the order is that cosine descending, then
candidate ascending. So the answer does not depend on the size of a tile, on the kernel a library
picked for its edge, on the device or on the number of threads, and equal vectors are equally near.
A query whose short list could have missed a neighbor, which the error bound of the product tells,
is settled by looking at every candidate within that bound.

Two numberings are used: the row of the matrix, and the position among the candidates. A candidate
that is a zero row keeps its position and is nobody's neighbor.

On the CPU, where numba is installed, tiles are looked through by compiled code (``tiled``), and
when every candidate is a query only half the products are taken. On a graphics card that has Triton
the table stays there and everything is done there (``card``). Elsewhere torch takes the products
(``blockwise``), and decides where the table is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import torch

from driftkit.arguments import DEEPEST, whole
from driftkit.arrays import Matrix, Rows, Values
from driftkit.errors import OptionError, UnknownNameError
from driftkit.neighbors.search import blockwise, card
from driftkit.neighbors.search.codes import Coding
from driftkit.neighbors.search.rerank import Lists, Proposals, decide
from driftkit.neighbors.search.space import (
    Cosines,
    Engine,
    Ids,
    Product,
    Queries,
    Space,
    device_for,
)
from driftkit.neighbors.search.tiled import Heaps, Side, fastest, offer_rectangle, offer_square
from driftkit.progress import Progress

SLACK = 8  # entries a short list holds beyond k
COARSE_SLACK = 22  # and where int8 proposes it, at least
MEMORY = 500_000_000
"""Bytes the lists of queries answered together may take, unless the caller says otherwise."""
ENTRY_BYTES = 32  # bytes an entry of a short list takes while it is found and decided
LEAST_TOGETHER = 256  # queries answered together at least, however little memory there is

Found = tuple[Ids, Cosines]
Tell = Callable[[float], None]
"""Called with the share of the work that is done."""


def nearest(
    matrix: Matrix,
    queries: Rows,
    k: int,
    *,
    candidates: Rows | None = None,
    norms: Values | None = None,
    device: str | torch.device = "cpu",
    engine: Engine | None = None,
    product: Product | None = None,
    tile: int | None = None,
    memory: int = MEMORY,
    progress: Progress | None = None,
) -> Found:
    """Find the k candidates nearest to each query by cosine, the query itself left out.

    Queries (m,) and candidates (c,), every row unless given, are rows of the matrix (n, d). The
    answer is positions (m, k) among the candidates, nearest first, and cosines; -1 and NaN where
    there is no further neighbor. `tile` is the number of candidates looked at together, `memory`
    the bytes that lists may take beyond the result: fewer mean more passes over the candidates.

    >>> space = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], np.float32)
    >>> rows, cosine = nearest(space, np.array([0, 2]), 2)
    >>> rows.tolist()
    [[3, 1], [-1, -1]]
    """
    whole(1, DEEPEST, k=k)
    whole(1, memory=memory, tile=1 if tile is None else tile)
    size = len(matrix) if candidates is None else len(candidates)
    device = device_for(device, len(queries) * size * np.shape(matrix)[-1])
    search = Search.over(Space.of(matrix, norms, device, engine), candidates, tile, product)
    return search.nearest(search.of_rows(queries), k, memory=memory, progress=progress)


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A space and its candidates, ready to be asked about its rows or about any vectors."""

    space: Space
    candidates: Rows  # (c,) rows that may be neighbors
    position: Ids  # (n,) where each row stands among the candidates; -1 where it does not
    tile: int | None
    product: Product  # what compiled code multiplies

    @classmethod
    def over(
        cls,
        space: Space,
        candidates: Rows | None = None,
        tile: int | None = None,
        product: Product | None = None,
    ) -> Search:
        """Prepare the search of some rows of a space, or of all."""
        n = len(space.matrix)
        chosen = np.arange(n) if candidates is None else _rows_of("candidates", candidates, n)
        position = np.full(len(space.matrix), -1, np.int32)
        position[chosen] = np.arange(len(chosen))
        _refuse_product(product, space.is_compiled)
        best = product or (fastest(space.matrix.shape[1]) if space.is_compiled else "float32")
        return cls(space, chosen, position, tile, best)

    def of_rows(self, rows: Rows) -> Queries:
        """Ask about rows of the matrix, which are not their own neighbors."""
        rows = _rows_of("queries", rows, len(self.position))
        return Queries(self.space, rows, self.position[rows][:, None])

    def of_vectors(self, vectors: Matrix | Values, excluded: Rows) -> Queries:
        """Ask about vectors (m, d), leaving out rows (m, e) of each; -1 for none."""
        asked = Space.of(vectors, device=self.space.device, engine=self.space.engine)
        positions = np.where(excluded >= 0, self.position[excluded], -1).astype(np.int32)
        return Queries(asked, np.arange(len(vectors)), positions)

    def nearest(
        self, queries: Queries, k: int, *, memory: int = MEMORY, progress: Progress | None = None
    ) -> Found:
        """Return positions (m, k) of the nearest candidates, and cosines, as `nearest` does."""
        identity = np.full((len(queries), k), -1, np.int32)
        cosine = np.full((len(queries), k), np.nan, np.float32)
        for some, tell in parts(len(queries), self.depth(k), memory, progress):
            identity[some], cosine[some] = self.lists(queries[some], k, tell=tell).first(k)
        return identity, cosine

    def lists(
        self,
        queries: Queries,
        k: int,
        *,
        reserve: int = 0,
        floor: Cosines | None = None,
        tell: Tell,
    ) -> Lists:
        """Order the nearest candidates of queries; k of them are sure.

        A `reserve` of entries beyond k is sure as far as that costs nothing. `floor` (m,) holds
        products that the first k certainly exceed, and `tell` is called with the share done.
        """
        if self.is_fused(k):
            return self.settled(
                queries, card.first(self.space, self.candidates, queries, k, tell), k
            )
        depth = self.depth(k, reserve)
        complete = depth == len(self.candidates)
        if floor is None or complete:
            floor = np.full(len(queries), -np.inf, np.float32)
        proposals = self._propose(queries, depth, floor, tell)
        if complete:
            proposals.bound[:] = -np.inf
        return self.settled(queries, decide(self.space, self.candidates, queries, proposals), k)

    def depth(self, k: int, reserve: int = 0) -> int:
        """Entries of a short list: where products are coarser, more may be among the first k."""
        coarse = self.space.is_compiled and self.product == "int8"
        slack = COARSE_SLACK + k // 4 if coarse else SLACK
        return min(k + max(reserve, slack), len(self.candidates))

    def settled(self, queries: Queries, lists: Lists, k: int) -> Lists:
        """Make at least k entries of each list sure."""
        open_ = np.flatnonzero(lists.sure < min(k, lists.identity.shape[1]))
        if len(open_) and self.space.is_compiled and self.product == "int8":
            found = replace(self, product="float32").lists(queries[open_], k, tell=lambda _: None)
            lists.put(open_, found)
        elif len(open_):
            found = blockwise.settle(self.space, self.candidates, queries[open_], lists[open_], k)
            lists.put(open_, found)
        return lists

    def is_fused(self, k: int) -> bool:
        """Whether one pass on a card finds the first k, however much is known beforehand."""
        return card.can_search(self.space, self.candidates, k)

    def _propose(self, queries: Queries, depth: int, floor: Cosines, tell: Tell) -> Proposals:
        if not self.space.is_compiled:
            return self._propose_blockwise(queries, depth, tell)
        coding = self.coding()
        heaps = Heaps(coding, floor, depth)
        if depth == 0 or len(queries) == 0:
            return heaps.proposals(self.space.error)
        ids = np.arange(len(self.candidates), dtype=np.int32)
        if queries.space is self.space and np.array_equal(queries.rows, self.candidates):
            side = Side(self.space, self.candidates, ids, heaps)
            step = shares(len(ids) * (len(ids) + 1) // 2, tell)
            offer_square(coding, side, tile=self.tile, step=step)
        else:
            unseen = np.zeros(len(queries), np.int32)
            offer_rectangle(
                coding,
                Side(queries.space, queries.rows, unseen, heaps, queries.excluded),
                Side(self.space, self.candidates, ids),
                tile=self.tile,
                step=shares(len(queries) * len(ids), tell),
            )
        return heaps.proposals(self.space.error)

    def coding(self) -> Coding:
        """How rows are multiplied."""
        return Coding.of(self.space, self.candidates, self.product)

    def _propose_blockwise(self, queries: Queries, depth: int, tell: Tell) -> Proposals:
        out = Proposals(
            np.full((len(queries), depth), -1, np.int32), np.full(len(queries), -np.inf, np.float32)
        )
        for start in range(0, len(queries) if depth else 0, blockwise.QUERIES):
            some = slice(start, start + blockwise.QUERIES)
            value, identity = blockwise.propose(
                self.space, self.candidates, queries[some], depth, self.tile
            )
            out.identity[some], out.bound[some] = identity, value[:, -1] + 2 * self.space.error
            tell(min(1.0, (start + blockwise.QUERIES) / len(queries)))
        return out


def _rows_of(name: str, given: Any, n: int) -> Rows:
    """Rows of a matrix of n, as 64 bits; NumPy would count those below zero from the end."""
    rows = np.asarray(given)
    rows = rows if rows.size else rows.astype(np.int64)  # an empty list is one of floats to NumPy
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise OptionError(
            f"{name} of shape {rows.shape} and type {rows.dtype} were given; they must be rows of "
            "the matrix, whole numbers in one dimension."
        )
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < n:
        wrong = rows[(rows < 0) | (rows >= n)][0]
        raise OptionError(f"{name} hold {wrong}; the matrix has {n:,} rows, the first is 0.")
    return rows.astype(np.int64, copy=False)


def _refuse_product(product: str | None, compiled: bool) -> None:
    if product is not None and product not in get_args(Product):
        raise UnknownNameError("product", product, get_args(Product))
    if product == "int8" and compiled:
        from driftkit.neighbors.search.instructions import BYTES

        if not BYTES:
            raise OptionError(
                "product='int8' was given, and this processor, or what numba is told of it, does "
                "not multiply bytes four at a time (VNNI); leave product out, or give 'float32'."
            )


def parts(
    count: int, depth: int, memory: int, progress: Progress | None, spaces: int = 1
) -> Iterator[tuple[slice, Tell]]:
    """Yield the queries that lists of a depth let be answered together, and how to tell it."""
    together = max(LEAST_TOGETHER, memory // (ENTRY_BYTES * max(depth, 1)))
    for start in range(0, count, together):

        def tell(share: float, start: int = start) -> None:
            if progress:
                asked = spaces * min(together, count - start)
                progress(spaces * start + int(asked * share), spaces * count)

        yield slice(start, start + together), tell
        tell(1.0)


def shares(total: int, tell: Tell) -> Callable[[int], None]:
    """Turn counts of products into the share of all of them that is done."""
    done = 0

    def step(products: int) -> None:
        nonlocal done
        done += products
        tell(min(1.0, done / total))

    return step
