"""Neighbors in both spaces of a pair, sharing what did not change.

Where neither a word's row nor a candidate's changed, their cosine did not either. So the lists of
the original, kept a little longer than k, answer for the unchanged candidates; only changed words
are asked anew, and only changed candidates are offered to the unchanged words. A word is asked in
full again only if what is known cannot settle its k-th neighbor.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.neighbors.search.exact import (
    ENTRY_BYTES,
    LEAST_TOGETHER,
    MEMORY,
    SLACK,
    Search,
    shares,
)
from driftkit.neighbors.search.proposals import Proposals
from driftkit.neighbors.search.rerank import (
    NOBODY,
    Keys,
    Lists,
    decide,
    entries_of,
    exact_cosines,
    keys_of,
)
from driftkit.neighbors.search.space import TIE, Cosines, Norms, Positions
from driftkit.neighbors.search.tiled import Side, sweep_rectangle, sweep_square
from driftkit.progress import Progress

RESERVE = 14
"""Entries kept beyond k in the original, to stand in for neighbors that changed."""

Found = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
Tell = Callable[[float], None]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """Two matrices of n matched rows and their norms.

    Parameters
    ----------
    before, after : ndarray of float32, shape (n, d)
    before_norms, after_norms : ndarray of float64, shape (n,)
    """

    before: Matrix
    after: Matrix
    before_norms: Norms
    after_norms: Norms

    def changed(self) -> Mask:
        """Rows that differ in any bit that counts, (n,)."""
        out = np.empty(len(self.before), bool)
        for start in range(0, len(out), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            out[rows] = (self.before[rows] != self.after[rows]).any(axis=1)
        return out


def nearest_in_both(
    spaces: Spaces,
    queries: Positions,
    k: int,
    *,
    candidates: Positions | None = None,
    device: str = "cpu",
    memory: int = MEMORY,
    memo: MutableMapping[Any, Any] | None = None,
    memo_key: Hashable = None,
    progress: Progress | None = None,
) -> tuple[Found, Found]:
    """Find the k nearest candidates to each query in two spaces of matched rows.

    The answer is that of `driftkit.neighbors.search.exact.nearest`, asked twice.

    Parameters
    ----------
    spaces : Spaces
    queries, k, candidates, device, memory
        As in `driftkit.neighbors.search.exact.nearest`.
    memo : mutable mapping, optional
        Where the lists of the original are kept for the next tuned table.
    memo_key : hashable
        What tells this original, these queries and these candidates from others.
    progress : callable, optional
        Called with (queries done, queries in all), each query counted once a space.

    Returns
    -------
    before, after : tuple of two ndarrays, shape (m, k)
        Positions and cosines.
    """
    pool = np.arange(len(spaces.before)) if candidates is None else candidates
    before = Search.over(spaces.before, candidates=pool, norms=spaces.before_norms, device=device)
    after = Search.over(spaces.after, candidates=pool, norms=spaces.after_norms, device=device)
    both = _Both(before, after, pool, spaces.changed(), k)
    together = max(LEAST_TOGETHER, memory // (ENTRY_BYTES * (k + RESERVE)))
    answers: list[tuple[Found, Found]] = []
    for start in range(0, len(queries), together):
        some = queries[start : start + together]

        def tell(share: float, start: int = start, count: int = len(some)) -> None:
            if progress:
                progress(2 * start + int(2 * count * share), 2 * len(queries))

        answers.append(both.answer(some, memo, (memo_key, k, start, together), tell))
        tell(1.0)
    return _stacked([each[0] for each in answers], k), _stacked([each[1] for each in answers], k)


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    before: Search
    after: Search
    pool: Positions  # (c,) rows of the candidates
    changed: Mask  # (n,)
    k: int

    def answer(
        self, queries: Positions, memo: MutableMapping[Any, Any] | None, key: Hashable, tell: Tell
    ) -> tuple[Found, Found]:
        asked = np.flatnonzero(self.before.space.norms[queries] > 0)
        kept = None if memo is None else memo.get(key)
        if kept is None:
            kept = self._original(queries[asked], lambda share: tell(share / 2))
            if memo is not None:
                memo[key] = kept
        tell(0.5)
        before = _laid_out(len(queries), self.k, asked, self.before.named(*kept.first(self.k)))
        return before, self._tuned(queries, asked, kept, before, tell)

    def _original(self, queries: Positions, tell: Tell) -> Lists:
        """Lists of the original, a little longer than k."""
        return self.before.lists(queries, self.k, reserve=RESERVE, tell=tell)

    def _tuned(
        self, queries: Positions, asked: Positions, kept: Lists, before: Found, tell: Tell
    ) -> Found:
        directed = np.flatnonzero(self.after.space.norms[queries] > 0)
        if not self.changed[queries].any() and not self.changed[self.pool].any():
            return before
        if self.changed[self.pool].mean() > 0.75:
            lists = self.after.lists(
                queries[directed],
                self.k,
                floor=self._still_near(queries, directed, asked, kept),
                tell=lambda share: tell(0.5 + share / 2),
            )
            found = self.after.named(*lists.first(self.k))
            return _laid_out(len(queries), self.k, directed, found)
        out = _laid_out(len(queries), self.k, directed[:0], (before[0][:0], before[1][:0]))
        anew = directed[self.changed[queries[directed]]]
        same = np.flatnonzero(~self.changed[queries[asked]])  # places in `asked` and `kept`
        near = self._still_near(queries, anew, asked, kept)
        lists, offers, limit = self._products(
            queries, anew, near, asked[same], self._floor(kept, same), lambda x: tell(0.5 + x / 2)
        )
        out[0][anew], out[1][anew] = self.after.named(*lists.first(self.k))
        settled = np.empty(len(same), bool)
        for some in _blocks(len(same)):
            keys, settled[some] = self._merged(
                _rows_of(kept, same[some]), _rows_of(offers, some), limit[some]
            )
            rows = asked[same[some]]
            out[1][rows], out[0][rows] = entries_of(keys)
        again = asked[same[~settled]]
        if len(again):
            lists = self.after.lists(queries[again], self.k, tell=lambda _: None)
            out[0][again], out[1][again] = self.after.named(*lists.first(self.k))
        return out

    def _still_near(
        self, queries: Positions, rows: Positions, asked: Positions, kept: Lists
    ) -> Cosines:
        """Products (r,) below which nothing in the tuned space is among the first k of a query.

        Whatever became of the neighbors a word had, the k-th nearest of them is a candidate, and
        what lies farther away need not be looked at.
        """
        kth = np.full(len(queries), np.nan, np.float32)
        for some in _blocks(len(asked) if kept.identity.shape[1] >= self.k else 0):
            identity, who = kept.identity[some], queries[asked[some]]
            near = self.before.space.live[identity]  # place -1 reads the last, masked below
            named = np.where(identity >= 0, self.after.own[near], -1).astype(np.int32)
            named[self.after.space.norms[who] == 0] = -1
            cosine = exact_cosines(self.after.space, who, named)
            kth[asked[some]] = -np.sort(-cosine, axis=1)[:, self.k - 1]  # NaN comes last
        return self.after.space.below(kth[rows])

    def _products(
        self,
        queries: Positions,
        anew: Positions,
        near: Cosines,
        same: Positions,
        floor: Cosines,
        tell: Tell,
    ) -> tuple[Lists, Lists, Keys]:
        """Lists of the changed queries, and what changed candidates offer to the unchanged.

        The last is a key for each unchanged query: what was not offered comes after it.
        """
        live = self.after.space.live
        moved = self.changed[live]
        if self.after.is_compiled and np.array_equal(queries[np.sort(np.r_[anew, same])], live):
            return self._crossed(np.flatnonzero(moved), near, np.flatnonzero(~moved), floor, tell)
        lists = self.after.lists(
            queries[anew], self.k, floor=near, tell=lambda share: tell(share / 2)
        )
        among = live[moved]
        offering = Search.over(
            self.after.space.matrix,
            candidates=among,
            norms=self.after.space.norms,
            device=str(self.after.space.device),
        )
        offers = offering.lists(queries[same], self.k, tell=lambda share: tell(0.5 + share / 2))
        limit = _last_sure(keys_of(offers.cosine, offers.identity), offers.sure)
        if len(among) <= self.k + SLACK:
            limit[:] = NOBODY  # every changed candidate is listed
        places = np.flatnonzero(moved).astype(np.int32)
        named = np.where(offers.identity >= 0, places[offers.identity] if len(places) else -1, -1)
        return lists, replace(offers, identity=named.astype(np.int32)), limit

    def _crossed(
        self, moved: Positions, near: Cosines, rest: Positions, floor: Cosines, tell: Tell
    ) -> tuple[Lists, Lists, Keys]:
        """The same where every candidate is a query: each product serves both of its words."""
        space = self.after.space
        depth = min(self.k + SLACK, len(space.live))
        own = Proposals.above(near, depth)
        offered = Proposals.above(space.below(floor), depth)
        ids = np.arange(len(space.live), dtype=np.int32)
        rows = Side(space.live[moved], ids[moved], own)
        step = shares(len(moved) * (len(moved) + 1) // 2 + len(moved) * len(rest), tell)
        sweep_square(space, rows, step=step)
        sweep_rectangle(space, rows, Side(space.live[rest], ids[rest], offered), step=step)
        lists = self.after.settled(space.live[moved], decide(space, space.live[moved], own), self.k)
        bound = (offered.bound.astype(np.float64) + space.error + TIE).astype(np.float32)
        limit = keys_of(bound, np.zeros(len(bound), np.int32))
        limit[np.isneginf(bound)] = NOBODY
        return lists, decide(space, space.live[rest], offered), limit

    def _floor(self, kept: Lists, same: Positions) -> Cosines:
        """Cosine that a changed candidate must reach to matter to unchanged queries, (m,).

        NaN where any matters.
        """
        out = np.empty(len(same), np.float32)
        for some in _blocks(len(same)):
            lists = _rows_of(kept, same[some])
            enough = self._still(lists).cumsum(axis=1) >= self.k
            at = np.where(enough.any(axis=1), enough.argmax(axis=1), lists.sure - 1)
            place = np.maximum(at, 0)[:, None]
            out[some] = np.take_along_axis(lists.cosine, place, axis=1)[:, 0]
        return out

    def _still(self, kept: Lists) -> Mask:
        """Entries of the original's lists that are sure and did not change, (m, depth)."""
        sure = np.arange(kept.identity.shape[1]) < kept.sure[:, None]
        filled = kept.identity >= 0
        moved = self.changed[self.before.space.live[kept.identity]] if len(filled) else filled
        return sure & filled & ~moved

    def _merged(self, kept: Lists, offers: Lists, limit: Keys) -> tuple[Keys, Mask]:
        """First k of both kinds of candidates, as keys (m, k), and whether they are settled."""
        old, _ = self.before.named(kept.identity, kept.cosine)
        all_old = keys_of(kept.cosine, old)
        limit = np.minimum(limit, _last_sure(all_old, kept.sure))
        still = np.where(self._still(kept), all_old, NOBODY)
        new, cosine = self.after.named(offers.identity, offers.cosine)
        keys = np.sort(np.concatenate([still, keys_of(cosine, new)], axis=1), axis=1)
        missing = max(0, self.k - keys.shape[1])
        keys = np.pad(keys[:, : self.k], ((0, 0), (0, missing)), constant_values=NOBODY)
        return keys, keys[:, -1] <= limit


def _last_sure(keys: Keys, sure: Positions) -> Keys:
    """Key (m,) of the last sure entry of each list; nothing comes before it unseen."""
    if keys.shape[1] == 0:
        return np.full(len(keys), NOBODY)
    last = np.take_along_axis(keys, np.maximum(sure - 1, 0)[:, None], axis=1)[:, 0]
    return np.where(sure > 0, last, np.iinfo(np.int64).min)


def _blocks(m: int) -> Iterator[slice]:
    """Stretches of so many queries, so that what is computed of them at once stays small."""
    for start in range(0, m, BLOCK_ROWS):
        yield slice(start, start + BLOCK_ROWS)


def _rows_of(lists: Lists, rows: Positions | slice) -> Lists:
    return Lists(lists.identity[rows], lists.cosine[rows], lists.sure[rows])


def _laid_out(m: int, k: int, rows: Positions, found: Found) -> Found:
    """Answers to the queries at some rows, in arrays (m, k) that are -1 and NaN elsewhere."""
    identity, cosine = np.full((m, k), -1, np.int32), np.full((m, k), np.nan, np.float32)
    identity[rows], cosine[rows] = found
    return identity, cosine


def _stacked(parts: list[Found], k: int) -> Found:
    if not parts:
        return np.empty((0, k), np.int32), np.empty((0, k), np.float32)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
