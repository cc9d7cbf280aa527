"""The largest products of each query with torch alone: on any device, and without a compiler."""

from __future__ import annotations

import numpy as np
import torch

from driftkit.arrays import Rows
from driftkit.neighbors.search.rerank import (
    NOBODY,
    Keys,
    Lists,
    cosines,
    entries_of,
    keys_of,
    merged,
)
from driftkit.neighbors.search.space import Cosines, Ids, Queries, Space

TILE = 16_384
"""Candidates in one tile; wide, because picking the best groups costs less in a wide tile."""
STRIP = 256  # queries in one product
QUERIES = 4_096
"""Queries answered together: how often a tile of unit rows is used before it is made again."""
GROUP = 64  # entries of a product looked at only if the largest of them is among the best


def propose(
    space: Space, candidates: Rows, queries: Queries, depth: int, tile: int | None = None
) -> tuple[Cosines, Ids]:
    """Return the largest products (b, depth) of queries, in order, and positions; -1 for none."""
    tile = tile or TILE
    unit = queries.space.unit(queries.rows)  # (b, d)
    excluded = torch.from_numpy(queries.excluded).to(space.device)
    best: list[tuple[torch.Tensor, torch.Tensor]] = []  # a strip: (s, depth) values and positions
    size = STRIP * min(tile, len(candidates))
    # One allocation: fresh pages cost a product.
    scratch = torch.empty(size, dtype=torch.float32, device=space.device)
    for start in range(0, len(candidates), tile):
        block = space.unit(candidates[start : start + tile])  # (w, d)
        for number, strip in enumerate(range(0, len(unit), STRIP)):
            asked = unit[strip : strip + STRIP]
            product = scratch[: len(asked) * len(block)].view(len(asked), len(block))
            torch.mm(asked, block.T, out=product)
            exclude(product, asked, block, excluded[strip : strip + STRIP] - start)
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
    listed = np.isfinite(largest)  # minus infinity stands for what is excluded
    return largest, np.where(listed, where, -1).astype(np.int32)


def exclude(
    product: torch.Tensor, asked: torch.Tensor, block: torch.Tensor, excluded: torch.Tensor
) -> None:
    """Put minus infinity where a query meets a column it excludes, and where there is no direction.

    Shapes: product (s, w), asked (s, d), block (w, d), excluded (s, e).
    """
    row, which = torch.nonzero((excluded >= 0) & (excluded < len(block)), as_tuple=True)
    product[row, excluded[row, which].long()] = -torch.inf
    product[:, block[:, 0].isnan()] = -torch.inf
    product[asked[:, 0].isnan()] = -torch.inf


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


def settle(space: Space, candidates: Rows, queries: Queries, lists: Lists, k: int) -> Lists:
    """Answer queries whose lists could have missed a neighbor, by looking at every candidate.

    A neighbor's cosine is at least the k-th listed one, so its product is at least that less the
    error bound; each candidate whose product is, is decided in float64.
    """
    keys = np.full((len(queries), k), NOBODY)
    step = STRIP // 8
    for start in range(0, len(queries), step):
        some = slice(start, start + step)
        keys[some] = _first_of_all(space, candidates, queries[some], lists[some], k)
    cosine, identity = entries_of(keys)
    return Lists(identity, cosine, np.full(len(queries), k))


def _first_of_all(space: Space, candidates: Rows, queries: Queries, lists: Lists, k: int) -> Keys:
    unit = queries.space.unit(queries.rows)
    excluded = torch.from_numpy(queries.excluded).to(space.device)
    floor = torch.from_numpy(space.below(lists.cosine[:, k - 1])).to(space.device).unsqueeze(1)
    best = np.full((len(queries), k), NOBODY)
    for start in range(0, len(candidates), TILE):
        block = space.unit(candidates[start : start + TILE])
        product = unit @ block.T
        exclude(product, unit, block, excluded - start)
        asker, column = torch.nonzero((product >= floor) & product.isfinite()).cpu().numpy().T
        position = (start + column).astype(np.int32)
        cosine = cosines(queries.space, queries.rows[asker], space, candidates[position])
        best = merged(best, asker, keys_of(cosine, position))
    return best
