"""The k nearest rows on a graphics card, certified, with the bytes of every other way.

Unit rows are rounded to float16, and the residual norms that are really found bound the error of
their products. A sample of the candidates gives each query a threshold that its k nearest surely
exceed; one pass over all products writes down what lies above it (`fused`); of this the largest are
decided in float64, in the card's memory if the table is there. Where what was left out could be
nearer, everything within the error is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from driftkit.arrays import Rows
from driftkit.neighbors.search.rerank import Lists, cosines_of_lists
from driftkit.neighbors.search.resident import cosines, entries_of, keys_of, room
from driftkit.neighbors.search.space import TIE, Queries, Space

SLACK = 8  # entries decided beyond k
SAMPLED = 16  # one candidate of so many is looked at for thresholds, if there are enough
GROUP = 128  # candidates in a stretch of the sample
GROUPS = 8  # stretches of the sample for each neighbor, so that few share one
ENTRIES = 1 << 26  # places in the lists of queries answered together (8 bytes each)
_EXCLUDED = 8  # candidates that a query may leave out
LEAST_TOGETHER = 256  # queries answered together at least
DECIDED = 1 << 22  # entries decided at once
SCALE = 2.0**14
"""What unit rows are multiplied by, so that float16 keeps 11 bits of every number that matters."""

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Unit rows (b, w) in float16, times SCALE, and how far each is from the unit row (b,).

    Rows without a direction are 0, and NaN far away. The width is filled up with zeros.
    """

    rows: torch.Tensor
    residual: torch.Tensor

    @classmethod
    def of(cls, space: Space, rows: Rows) -> Halves:
        """Round rows of a space."""
        width = space.matrix.shape[1]
        out = torch.zeros(
            (len(rows), -(-width // 32) * 32), dtype=torch.float16, device=space.device
        )
        residual = torch.empty(len(rows), dtype=torch.float64, device=space.device)
        step = max(1, (1 << 24) // width)
        for start in range(0, len(rows), step):
            unit = space.unit(rows[start : start + step])
            some = slice(start, start + len(unit))
            rounded = (unit * SCALE).half()
            lost = torch.linalg.vector_norm(unit.double() - rounded.double() / SCALE, dim=1)
            residual[some] = lost + 2.0**-23  # the unit row itself was rounded to float32
            out[some, :width] = rounded.nan_to_num()
        return cls(out, residual)


def error(asked: torch.Tensor, farthest: float, width: int) -> torch.Tensor:
    """How far products of halves may lie from the cosines, (b,), from residuals (b,) and theirs.

    With u' and v' the rounded rows ``|u.v - u'.v'| <= |u - u'| |v| + |u'| |v - v'|``. The products
    of two float16 are exact in float32. Of `width` sums each errs by at most 2**-23 of the largest
    there can be, if it is cut off rather than rounded; that is taken twice.
    """
    size = (1 + asked) * (1 + farthest)
    return asked + (1 + asked) * farthest + width * 2.0**-22 * size


def can_search(space: Space, candidates: Rows, k: int) -> bool:
    """Whether the products are taken on a card that has Triton, and enough of them."""
    if space.device.type != "cuda" or not fused_works(space.device):
        return False
    alive = int(np.count_nonzero(~np.isnan(space.norms[candidates])))
    return 2 * _sample_size(alive, k + _EXCLUDED) < alive


@lru_cache
def fused_works(device: torch.device) -> bool:
    """Whether the kernels can be built here, and what they give lies within the bound."""
    if find_spec("triton") is None:
        return False
    try:
        fused = _kernels()
        kind: Any = {"dtype": torch.float32, "device": device}
        rows = torch.linspace(-1, 1, 300 * 64, **kind).sin().view(300, 64).half()
        exact = rows.double() @ rows.double().T
        bound = 64 * 2.0**-22 * rows.double().square().sum(1).max()
        maxima = fused.group_maxima(rows, rows)
        parts = [part.amax(1) for part in exact.split(GROUP, dim=1)]
        lists = _Places.of(300, 300, device)
        fused.write_above(rows, rows, torch.full((300,), -1e9, **kind), 0, *lists.parts)
        place, value = lists.divided()
        found = torch.zeros_like(exact).scatter_(1, place.long(), value.double())
        near = [maxima.double() - torch.stack(parts, 1), found - exact]
        return all(bool((each.abs() <= bound).all()) for each in near)
    except Exception:  # no compiler, an old card, an old Triton: torch alone gives the same answer
        return False


def _kernels() -> Any:
    return import_module("driftkit.neighbors.search.fused")


def _sample_size(candidates: int, nearest: int) -> int:
    return max(candidates // SAMPLED, GROUPS * GROUP * nearest)


_NOTHING = int(np.float32(-np.inf).view(np.int32)) << 32


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Lists of what lies above thresholds: how many (m,), and entries (m, places) of 64 bits."""

    count: torch.Tensor
    entries: torch.Tensor

    @classmethod
    def of(cls, queries: int, places: int, device: torch.device) -> _Places:
        return cls(
            torch.zeros(queries, dtype=torch.int32, device=device),
            torch.full((queries, places), _NOTHING, dtype=torch.int64, device=device),
        )

    @property
    def parts(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.count, self.entries

    def divided(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions (m, places), and products; minus infinity where nothing was written."""
        place, value = self.entries.view(torch.int32).unflatten(1, (-1, 2)).unbind(2)
        return place, value.view(torch.float32).contiguous()


def first(space: Space, candidates: Rows, queries: Queries, k: int, tell: Tell) -> Lists:
    """Return the k nearest candidates of each query, all of them sure."""
    pool = _Pool.of(space, candidates, k + queries.excluded.shape[1])
    out = Lists(
        np.full((len(queries), k), -1, np.int32),
        np.full((len(queries), k), np.nan, np.float32),
        np.full(len(queries), k),
    )
    floor = np.empty(len(queries), np.float32)
    wanted = np.zeros(len(queries), np.int64)  # places, where a list had too few
    for start in range(0, len(queries), pool.together):
        some = slice(start, start + pool.together)
        answer = _Question(pool, queries[some], k).answer(None)
        out.identity[some], out.cosine[some], wanted[some], floor[some] = answer
        tell(min(1.0, (start + pool.together) / len(queries)))
    again = np.flatnonzero(wanted)
    if len(again):
        pool = pool.with_places(int(wanted.max()))
    for start in range(0, len(again), pool.together):
        part = again[start : start + pool.together]
        answer = _Question(pool, queries[part], k).answer(floor[part])
        out.identity[part], out.cosine[part], wanted[part], _ = answer
    out.sure[wanted > 0] = 0
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Candidates that have a direction, in float16, and a sample of them."""

    space: Space
    candidates: Rows  # (c,)
    rows: torch.Tensor  # (c,) the same, on the card
    alive: Rows | None  # (a,) positions of those that have a direction; None when all have
    whole: Halves | None  # all of them, if there is room
    block: int  # candidates whose halves are made at a time where there is not
    farthest: float  # largest distance of a half from its unit row
    sample: torch.Tensor  # (s, w)
    entries: int  # places in all lists of queries answered together
    places: int  # in the list of a query

    @classmethod
    def of(cls, space: Space, candidates: Rows, nearest: int) -> _Pool:
        has = ~np.isnan(space.norms[candidates])
        alive = None if has.all() else np.flatnonzero(has)
        rows = candidates if alive is None else candidates[alive]
        size = _sample_size(len(rows), nearest)
        step = max(1, len(rows) // size)
        sample = Halves.of(space, rows[::step])
        places = 1 << int(2 * nearest * step + 128).bit_length()
        free = room(space.device)
        entries = min(ENTRIES, free // 64)
        row_bytes = 2 * sample.rows.shape[1]
        whole = Halves.of(space, rows) if len(rows) * row_bytes < free / 2 else None
        # No half of a row without tiny numbers is farther than this.
        farthest = 2.0**-11 + 2.0**-20 if whole is None else float(whole.residual.max())
        return cls(
            space=space,
            candidates=candidates,
            rows=torch.from_numpy(candidates).to(space.device),
            alive=alive,
            whole=whole,
            block=max(1, free // 8 // row_bytes),
            farthest=farthest,
            sample=sample.rows,
            entries=entries,
            places=places,
        )

    @property
    def together(self) -> int:
        """Queries answered together."""
        return max(LEAST_TOGETHER, self.entries // self.places)

    def with_places(self, wanted: int) -> _Pool:
        """The same with longer lists, as far as that makes sense."""
        most = max(self.places, self.entries // LEAST_TOGETHER)
        return replace(self, places=min(most, 1 << wanted.bit_length()))

    def blocks(self) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield where a block of halves begins, and the block."""
        if self.whole is not None:
            yield 0, self.whole.rows
            return
        rows = self.candidates if self.alive is None else self.candidates[self.alive]
        for start in range(0, len(rows), self.block):
            yield start, Halves.of(self.space, rows[start : start + self.block]).rows


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """Queries answered together."""

    pool: _Pool
    queries: Queries
    k: int

    def answer(self, floor: np.ndarray | None) -> tuple[np.ndarray, ...]:
        """Positions (b, k), cosines, places (b,) where a list had too few, and k-th cosines so far.

        `floor` (b,) holds cosines that k candidates have, if they are known.
        """
        fused, pool, k = _kernels(), self.pool, self.k
        where = pool.space.device
        halves = Halves.of(self.queries.space, self.queries.rows)
        slip = error(halves.residual, pool.farthest, halves.rows.shape[1])  # (b,)
        if floor is None:
            # Excluded candidates may be in the sample, and then are among these.
            among = k + self.queries.excluded.shape[1]
            maxima = fused.group_maxima(halves.rows, pool.sample)
            known = maxima.topk(among, dim=1).values[:, -1].double() / SCALE**2 - slip
        else:
            known = torch.from_numpy(floor).to(where).double()
        threshold = ((known - slip - 2 * TIE) * SCALE**2).float()
        threshold[threshold.isnan()] = torch.inf  # no direction: nothing is near
        lists = _Places.of(len(self.queries), pool.places, where)
        for start, block in pool.blocks():
            fused.write_above(halves.rows, block, threshold, start, *lists.parts)
        crowded = lists.count > pool.places
        place, value = self._possible(lists)
        depth = min(k + SLACK, pool.places)
        kept, at = value.topk(depth, dim=1)
        keys = self._decided(place.gather(1, at), kept)
        kth = entries_of(keys[:, k - 1])[0].double()
        # What was written but not decided is at most this near.
        left = kept[:, -1].double() / SCALE**2 + slip + TIE
        doubtful = torch.nonzero(~(kth > left) & ~kept[:, -1].isneginf() & ~crowded).flatten()
        keys = keys[:, :k].contiguous()
        if len(doubtful):
            least = ((kth - slip - 2 * TIE) * SCALE**2).float()
            least[least.isnan()] = -torch.inf
            keys[doubtful] = self._widely(doubtful, place, value, least)
        cosine, identity = entries_of(keys)
        return (
            identity.cpu().numpy(), cosine.cpu().numpy(), (lists.count * crowded).cpu().numpy(),
            kth.float().cpu().numpy(),
        )  # fmt: skip

    def _possible(self, lists: _Places) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions among all candidates (b, places), and products; none of what is excluded."""
        place, value = lists.divided()
        if self.pool.alive is not None:
            place = torch.from_numpy(self.pool.alive).to(place.device)[place.long()].int()
        excluded = torch.from_numpy(self.queries.excluded).to(place.device)
        for each in excluded.unbind(1):
            value.masked_fill_(place == each[:, None], -torch.inf)
        return place, value

    def _widely(
        self, some: torch.Tensor, place: torch.Tensor, value: torch.Tensor, least: torch.Tensor
    ) -> torch.Tensor:
        """Keys (s, k) of some queries, of everything written down that may be among the first."""
        value = torch.where(value[some] >= least[some, None], value[some], -torch.inf)
        width = max(self.k, int((~value.isneginf()).sum(1).max()))
        kept, at = value.topk(width, dim=1)
        return self._decided(place[some].gather(1, at), kept, some)[:, : self.k]

    def _decided(
        self, place: torch.Tensor, value: torch.Tensor, some: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Keys (b, w) of positions, in order; of products of minus infinity nothing is made."""
        identity = torch.where(value.isneginf(), -1, place)
        keys = torch.empty(identity.shape, dtype=torch.int64, device=identity.device)
        step = max(1, DECIDED // identity.shape[1])
        for start in range(0, len(keys), step):
            part = slice(start, start + step)
            asked = np.arange(len(self.queries)) if some is None else some.cpu().numpy()
            cosine = self._cosines(self.queries[asked[part]], identity[part])
            keys[part] = keys_of(cosine, identity[part]).sort(1).values
        return keys

    def _cosines(self, queries: Queries, identity: torch.Tensor) -> torch.Tensor:
        space, candidates = self.pool.space, self.pool.candidates
        mine, theirs = queries.space.resident, space.resident
        if mine is None or theirs is None:
            found = cosines_of_lists(space, candidates, queries, identity.cpu().numpy())
            return torch.from_numpy(found).to(identity.device)
        out = torch.full(identity.shape, torch.nan, dtype=torch.float32, device=identity.device)
        asker, column = torch.nonzero(identity >= 0, as_tuple=True)
        rows = torch.from_numpy(queries.rows).to(identity.device)[asker]
        chosen = self.pool.rows[identity[asker, column].long()]
        out[asker, column] = cosines(mine, theirs, rows, chosen)
        return out
