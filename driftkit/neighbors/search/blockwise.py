"""The largest products of each query with torch alone: on any device, and without a compiler."""

from __future__ import annotations

import numpy as np
import torch

from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.rerank import Ids, Lists, entries_of, keys_of
from driftkit.neighbors.search.space import TIE, Cosines, Positions, Space

TILE = 16_384
"""Candidates in one tile; wide, because picking the best groups costs less in a wide tile."""
STRIP = 256
"""Queries in one product."""
QUERIES = 4_096
"""Queries answered together: how often a tile of unit rows is used before it is made again."""
GROUP = 64
"""Entries of a product looked at only if the largest of them is among the best."""


def propose(
    space: Space, queries: Positions, own: Positions, depth: int, tile: int | None = None
) -> Proposals:
    """Find the `depth` largest products of each query.

    Parameters
    ----------
    space : Space
    queries : ndarray of int64, shape (b,)
        Rows asked about.
    own : ndarray of int64, shape (b,)
        Their own places among the candidates, which do not count; -1 where they have none.
    depth : int
    tile : int, optional
        Candidates in one tile.
    """
    if depth == 0 or len(queries) == 0:
        return Proposals.empty(len(queries), depth)
    tile = tile or TILE
    unit = space.unit(queries)  # (b, d)
    mine = torch.from_numpy(own).to(space.device)
    best: list[tuple[torch.Tensor, torch.Tensor]] = []  # a strip: (s, depth) values and positions
    size = STRIP * min(tile, len(space.live))
    scratch = torch.empty(size, device=space.device)  # one allocation: fresh pages cost a product
    for start in range(0, len(space.live), tile):
        block = space.unit(space.live[start : start + tile])  # (w, d)
        for number, strip in enumerate(range(0, len(unit), STRIP)):
            asked = unit[strip : strip + STRIP]
            product = scratch[: len(asked) * len(block)].view(len(asked), len(block))
            torch.mm(asked, block.T, out=product)
            _exclude(product, mine[strip : strip + STRIP] - start)
            value, column = top(product, depth)
            if start == 0:
                best.append((value, column))
            else:
                seen_value, seen = best[number]
                value, place = torch.cat([seen_value, value], 1).topk(
                    min(depth, seen.shape[1] + column.shape[1])
                )
                best[number] = value, torch.cat([seen, column + start], 1).gather(1, place)
    largest = torch.cat([value for value, _ in best]).cpu().numpy()
    where = torch.cat([column for _, column in best]).cpu().numpy()
    listed = np.isfinite(largest)  # minus infinity stands for the query itself
    return Proposals(largest, np.where(listed, where, -1).astype(np.int32), largest[:, -1].copy())


def _exclude(product: torch.Tensor, own: torch.Tensor) -> None:
    """Put minus infinity where a query (row) meets itself (column `own`, if that is inside)."""
    inside = torch.nonzero((own >= 0) & (own < product.shape[1])).squeeze(1)
    product[inside, own[inside]] = -torch.inf


def top(product: torch.Tensor, depth: int) -> tuple[torch.Tensor, torch.Tensor]:
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


def settle(space: Space, queries: Positions, own: Positions, lists: Lists, depth: int) -> Lists:
    """Answer queries whose short list could have missed a neighbor, by looking at every candidate.

    A neighbor's cosine is at least the `depth`-th listed one, so its product is at least that less
    the error bound; each candidate whose product is, is decided in float64.

    Parameters
    ----------
    space : Space
    queries, own : ndarray of int64, shape (b,)
        As in `propose`.
    lists : Lists
        What is known: at least `depth` candidates of each.
    depth : int
        How many entries must be sure.
    """
    step = max(1, STRIP // 8)
    parts = [
        _settle(space, queries[some], own[some], lists.cosine[some, depth - 1], depth)
        for some in (slice(start, start + step) for start in range(0, len(queries), step))
    ]
    return Lists(
        np.concatenate([identity for _, identity in parts]),
        np.concatenate([cosine for cosine, _ in parts]),
        np.full(len(queries), depth),
    )


def _settle(
    space: Space, queries: Positions, own: Positions, known: Cosines, depth: int
) -> tuple[Cosines, Ids]:
    unit = space.unit(queries)
    mine = torch.from_numpy(own).to(space.device)
    floor = (known.astype(np.float64) - space.error - TIE).astype(np.float32)
    least = torch.from_numpy(floor).to(space.device).unsqueeze(1)
    best = keys_of(np.full((len(queries), depth), np.nan, np.float32), np.array(-1, np.int32))
    for start in range(0, len(space.live), TILE):
        product = unit @ space.unit(space.live[start : start + TILE]).T
        _exclude(product, mine - start)
        asker, column = torch.nonzero(product >= least).cpu().numpy().T
        position = (start + column).astype(np.int32)
        keys = keys_of(space.cosine(queries[asker], space.live[position]), position)
        for query in np.unique(asker).tolist():
            merged = np.concatenate([best[query], keys[asker == query]])
            merged.sort()
            best[query] = merged[:depth]
    return entries_of(best)
