"""The k nearest neighbors by cosine, exactly, in tiles.

A float32 product on the device proposes a short list a little longer than k; float64 on the host
decides. The cosine reported is the float64 one rounded to float32, and the order is that cosine
descending, then candidate ascending. So the answer does not depend on the size of a tile, on the
kernel a library picked for its edge or on the device, and equal vectors are equally near. A query
whose short list could have missed a neighbor, which the error bound of the product tells, is
settled by looking at every candidate within that bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.embeddings import BLOCK_ROWS, Matrix
from driftkit.errors import OptionError

Positions = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

TILE = 16_384
"""Candidates in one tile; wide, because picking the best groups costs less in a wide tile."""
QUERIES = 4_096
"""Queries answered together: how often a tile of unit rows is used before it is made again."""
ENTRIES = 1 << 18
"""Entries in the short lists of queries answered together: fewer queries when k is large."""
STRIP = 256
"""Queries in one product."""
GROUP = 64
"""Entries of a product looked at only if the largest of them is among the best."""
SLACK = 8
"""Entries a short list holds beyond k."""
_PAIR_NUMBERS = 1 << 20
"""Numbers gathered at once on each side when cosines are decided in float64."""


def nearest(
    matrix: Matrix,
    queries: Positions,
    k: int,
    *,
    candidates: Positions | None = None,
    norms: npt.NDArray[np.float64] | None = None,
    device: str = "cpu",
    tile: int = TILE,
    progress: Progress | None = None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k candidates nearest to each query by cosine, the query itself left out.

    Memory beyond the matrix and the result does not grow with m, and with n only by 24 bytes a
    row: ``4 (256 + 5 d) tile`` bytes for a tile (33 MB at d = 50, 115 MB at d = 300) and up to
    some 150 MB for short lists and what is gathered to decide them. Measured at d = 50: 75 MB for
    k = 10, 215 MB for k = 100.

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
    tile : int
        Candidates in one tile; changes speed and memory, never the answer.
    progress : callable, optional
        Called with (queries done, queries in all).

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
        If k or tile is below 1, or torch cannot use the device.

    Examples
    --------
    >>> space = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], np.float32)
    >>> rows, cosine = nearest(space, np.array([0, 2]), 2)
    >>> rows.tolist()
    [[3, 1], [-1, -1]]
    """
    if k < 1 or tile < 1:
        raise OptionError(f"k={k} and tile={tile} were given; both must be 1 or more.")
    norms = row_norms(matrix) if norms is None else norms
    pool = np.arange(len(matrix)) if candidates is None else candidates
    position = np.flatnonzero(norms[pool] > 0)
    space = _Space(matrix, norms, pool[position], tile, usable_device(device))
    own_of = np.full(len(matrix), -1)
    own_of[space.live] = np.arange(len(space.live))

    rows = np.full((len(queries), k), -1, np.int32)
    cosine = np.full((len(queries), k), np.nan, np.float32)
    directed = norms[queries] > 0
    asked = np.flatnonzero(directed)
    together = max(STRIP, min(QUERIES, ENTRIES // (k + SLACK)))
    for start in range(0, len(asked), together):
        chosen = asked[start : start + together]
        found, score = _answer(space, queries[chosen], own_of[queries[chosen]], k)
        real = found >= 0
        rows[chosen] = np.where(real, position[found] if len(position) else -1, -1)
        cosine[chosen] = score
        if progress:
            progress(len(queries) - len(asked) + start + len(chosen), len(queries))
    return rows, cosine


def row_norms(matrix: Matrix) -> npt.NDArray[np.float64]:
    """Euclidean norms of the rows of an (n, d) matrix, (n,), summed in float64."""
    out = np.empty(len(matrix), np.float64)
    for start in range(0, len(matrix), BLOCK_ROWS):
        block = matrix[start : start + BLOCK_ROWS].astype(np.float64)
        out[start : start + len(block)] = np.sqrt(np.square(block).sum(axis=1))
    return out


def usable_device(name: str) -> torch.device:
    """Give the torch device of that name, or say in one sentence why it cannot be used."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).strip().splitlines()[0]
        raise OptionError(
            f"device {name!r} cannot be used ({why}); 'cpu' always can, and so can 'cuda' or "
            "'mps' where torch finds one."
        ) from None


@dataclass(frozen=True, slots=True, eq=False)
class _Space:
    """Rows of a matrix, those of them that may be neighbors, and where products are taken."""

    matrix: Matrix
    norms: npt.NDArray[np.float64]
    live: Positions  # (c,) rows of the matrix that are candidates and have a direction
    tile: int
    device: torch.device

    def unit(self, rows: Positions) -> torch.Tensor:
        """Unit rows (b, d) on the device."""
        block = np.empty((len(rows), self.matrix.shape[1]), np.float32)
        np.divide(self.matrix[rows], self.norms[rows, None], out=block, casting="same_kind")
        return torch.from_numpy(block).to(self.device)

    def cosine(self, a: Positions, b: Positions) -> npt.NDArray[np.float32]:
        """Cosines of rows a and b (p,), in float64, then rounded.

        A float32 product is exact in float64, and a sum along a row takes the same steps for
        every row, so equal rows give equal cosines to the last bit.
        """
        out = np.empty(len(a), np.float32)
        step = max(1, _PAIR_NUMBERS // self.matrix.shape[1])
        for start in range(0, len(a), step):
            left, right = a[start : start + step], b[start : start + step]
            products = np.multiply(self.matrix[left], self.matrix[right], dtype=np.float64)
            dots = products.sum(axis=1) / (self.norms[left] * self.norms[right])
            out[start : start + step] = np.clip(dots, -1, 1)
        return out

    @property
    def error(self) -> float:
        """How far a float32 product of unit rows may lie from their cosine.

        Rounding the two rows and d multiplications and additions errs by at most (d + 4) units of
        2**-24, as the absolute products sum to 1 at most. Where the caller has allowed torch
        products of lower precision, their factors have 8 bits at worst.
        """
        full: float = (self.matrix.shape[1] + 4) * 2.0**-24
        coarse = torch.get_float32_matmul_precision() != "highest"
        return full + 2.0**-7 if coarse else full


def _answer(
    space: _Space, queries: Positions, own: Positions, k: int
) -> tuple[Positions, npt.NDArray[np.float32]]:
    """Neighbors (b, k) of queries that have a direction, as positions in ``space.live``."""
    depth = min(k + SLACK, len(space.live))
    value, position = _shortlist(space, queries, own, depth)  # (b, depth)
    if depth == 0:
        return np.full((len(queries), k), -1), np.full((len(queries), k), np.nan, np.float32)
    asker = np.repeat(np.arange(len(queries)), depth)
    flat = position.ravel()
    possible = np.isfinite(value.ravel())
    asker, flat = asker[possible], flat[possible]
    score = space.cosine(queries[asker], space.live[flat])
    found, cosine = _first_k(*_sorted(asker, flat, score, k), len(queries), k)

    if k < depth < len(space.live):
        # k candidates have cosines of at least value[k-1] - error, so one that belongs to the
        # answer has a product of at least value[k-1] - 2 error; 2**-23 covers ties in float32.
        floor = value[:, k - 1] - np.float32(2 * space.error + 2.0**-23)
        open_ = np.flatnonzero(value[:, -1] >= np.maximum(floor, -2))
        for start in range(0, len(open_), STRIP // 8):
            some = open_[start : start + STRIP // 8]
            found[some], cosine[some] = _settle(space, queries[some], own[some], floor[some], k)
    return found, cosine


def _shortlist(
    space: _Space, queries: Positions, own: Positions, depth: int
) -> tuple[npt.NDArray[np.float32], Positions]:
    """The `depth` largest products of each query and where, both (b, depth), largest first.

    Entries of minus infinity stand for the query itself.
    """
    unit = space.unit(queries)  # (b, d)
    mine = torch.from_numpy(own).to(space.device)
    best: list[tuple[torch.Tensor, torch.Tensor]] = []  # a strip: (s, depth) values and positions
    size = STRIP * min(space.tile, len(space.live))
    scratch = torch.empty(size, device=space.device)  # one allocation: fresh pages cost a product
    for start in range(0, len(space.live), space.tile):
        block = space.unit(space.live[start : start + space.tile])  # (w, d)
        for number, strip in enumerate(range(0, len(unit), STRIP)):
            asked = unit[strip : strip + STRIP]
            product = scratch[: len(asked) * len(block)].view(len(asked), len(block))
            torch.mm(asked, block.T, out=product)
            _exclude(product, mine[strip : strip + STRIP] - start)
            value, column = _top(product, depth)
            if start == 0:
                best.append((value, column))
            else:
                seen_value, seen = best[number]
                value, place = torch.cat([seen_value, value], 1).topk(
                    min(depth, seen.shape[1] + column.shape[1])
                )
                best[number] = value, torch.cat([seen, column + start], 1).gather(1, place)
    if not best:
        return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    return (
        torch.cat([value for value, _ in best]).cpu().numpy(),
        torch.cat([column for _, column in best]).cpu().numpy(),
    )


def _exclude(product: torch.Tensor, own: torch.Tensor) -> None:
    """Put minus infinity where a query (row) meets itself (column `own`, if that is inside)."""
    inside = torch.nonzero((own >= 0) & (own < product.shape[1])).squeeze(1)
    product[inside, own[inside]] = -torch.inf


def _top(product: torch.Tensor, depth: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Largest entries of each row of (s, w) and their columns, (s, min(depth, w)), sorted.

    The `depth` largest entries lie in the `depth` groups with the largest maxima, so a row is
    read once for the maxima and only those groups are looked into.
    """
    rows, width = product.shape
    groups = width // GROUP
    if groups <= 2 * depth:
        return product.topk(min(depth, width))
    # Entries of a group lie `groups` apart, so the maxima are taken over whole stretches of memory.
    grouped = product[:, : groups * GROUP].unflatten(1, (GROUP, groups))
    chosen = grouped.amax(1).topk(depth, sorted=False).indices  # (s, depth)
    index = chosen.unsqueeze(1).expand(rows, GROUP, depth)
    inside = grouped.gather(2, index).flatten(1)  # (s, GROUP * depth)
    step = torch.arange(GROUP, device=product.device).view(1, GROUP, 1) * groups
    columns = (index + step).flatten(1)
    rest = torch.arange(groups * GROUP, width, device=product.device)  # fewer than GROUP
    value, place = torch.cat([inside, product[:, groups * GROUP :]], 1).topk(depth)
    return value, torch.cat([columns, rest.expand(rows, -1)], 1).gather(1, place)


def _settle(
    space: _Space,
    queries: Positions,
    own: Positions,
    floor: npt.NDArray[np.float32],
    k: int,
) -> tuple[Positions, npt.NDArray[np.float32]]:
    """Neighbors (b, k) of a few queries among every candidate whose product reaches the floor."""
    unit = space.unit(queries)
    mine = torch.from_numpy(own).to(space.device)
    least = torch.from_numpy(floor).to(space.device).unsqueeze(1)
    asker, position = np.empty(0, np.int64), np.empty(0, np.int64)
    score = np.empty(0, np.float32)
    for start in range(0, len(space.live), space.tile):
        product = unit @ space.unit(space.live[start : start + space.tile]).T
        _exclude(product, mine - start)
        new_asker, column = torch.nonzero(product >= least).cpu().numpy().T
        new_score = space.cosine(queries[new_asker], space.live[start + column])
        asker, position, score = _sorted(
            np.concatenate([asker, new_asker]),
            np.concatenate([position, start + column]),
            np.concatenate([score, new_score]),
            k,
        )
    return _first_k(asker, position, score, len(queries), k)


def _sorted(
    asker: Positions, position: Positions, score: npt.NDArray[np.float32], k: int
) -> tuple[Positions, Positions, npt.NDArray[np.float32]]:
    """Sort (p,) entries by query, cosine descending, position ascending; the first k a query."""
    order = np.lexsort((position, -score, asker))
    order = order[_rank(asker[order]) < k]
    return asker[order], position[order], score[order]


def _first_k(
    asker: Positions, position: Positions, score: npt.NDArray[np.float32], queries: int, k: int
) -> tuple[Positions, npt.NDArray[np.float32]]:
    """Lay sorted entries out as (queries, k), padded with -1 and NaN."""
    found, cosine = np.full((queries, k), -1), np.full((queries, k), np.nan, np.float32)
    rank = _rank(asker)
    found[asker, rank] = position
    cosine[asker, rank] = score
    return found, cosine


def _rank(asker: Positions) -> Positions:
    """Place of each entry among those of the same query, from 0; `asker` is sorted."""
    return np.arange(len(asker)) - np.searchsorted(asker, asker)
