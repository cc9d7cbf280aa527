"""Neighbors in both spaces of a pair, sharing what did not change.

Where neither a word's row nor a candidate's changed, their cosine did not either. So the lists of
the original, kept a little longer than k, answer for the unchanged candidates; only changed words
are asked anew, and only changed candidates are offered to the unchanged words. A word is asked in
full again only if what is known cannot settle its k-th neighbor.

Rows that only the second table has, if there are any, are searched by themselves, and the nearest
of them join what was found among the matched rows.
"""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from driftkit.arrays import Mask, Matrix, Rows, Values, row_blocks
from driftkit.neighbors.search.exact import MEMORY, SLACK, Found, Search, Tell, parts, shares
from driftkit.neighbors.search.rerank import (
    NOBODY,
    Keys,
    Lists,
    cosines_of_lists,
    decide,
    entries_of,
    keys_of,
)
from driftkit.neighbors.search.space import TIE, Cosines, Engine, Product, Space, device_for
from driftkit.neighbors.search.tiled import Heaps, Side, offer_rectangle, offer_square
from driftkit.progress import Progress

RESERVE = 14  # entries kept beyond k in the original, to stand in for neighbors that changed
MOSTLY_CHANGED = 0.75  # share of changed candidates above which the tuned space is searched whole


@dataclass(frozen=True, slots=True, eq=False)
class Spaces:
    """Two matrices (n, d) of matched rows, their norms (n,), and which rows differ."""

    before: Matrix
    after: Matrix
    before_norms: Values
    after_norms: Values
    changed: Mask  # (n,) whether a row differs in any number
    added: Added | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Added:
    """Rows that only the second table has, and that may be neighbors there."""

    matrix: Matrix  # (t, d) the whole second table
    norms: Values  # (t,)
    rows: Rows  # (a,) those that were added
    matched: Rows  # (n,) where each of the matched rows stands


def nearest_in_both(
    spaces: Spaces,
    queries: Rows,
    k: int,
    *,
    candidates: Rows | None = None,
    device: str | torch.device = "cpu",
    engine: Engine | None = None,
    product: Product | None = None,
    memory: int = MEMORY,
    memo: MutableMapping[Any, Any] | None = None,
    memo_key: Hashable = None,
    progress: Progress | None = None,
) -> tuple[Found, Found]:
    """Find the k nearest candidates to each query in two spaces of matched rows.

    Otherwise as `exact.nearest`; `progress` counts each query once for each space. Added rows are
    candidates in the second space only, at positions after all others. In `memo` the lists of the
    original are kept for the next tuned table, under `memo_key`, which tells this original, these
    queries and these candidates from others.
    """
    size = len(spaces.before) if candidates is None else len(candidates)
    device = device_for(device, 2 * len(queries) * size * spaces.before.shape[1])
    before, after, newcomers = searches(
        spaces, candidates, device=device, engine=engine, product=product
    )
    search = _SharedSearch(before, after, spaces.changed, k)
    added = spaces.added
    identity = np.full((2, len(queries), k), -1, np.int32)
    cosine = np.full((2, len(queries), k), np.nan, np.float32)
    for some, tell in parts(len(queries), before.depth(k, RESERVE), memory, progress, spaces=2):
        key = memo_key, k, some.start, some.stop
        tell_shared, tell_added = _divided(tell) if added else (tell, tell)
        in_both = search.answer(queries[some], memo, key, tell_shared)
        for side, found in enumerate(in_both):
            identity[side, some], cosine[side, some] = found
        if added and newcomers:
            asked = newcomers.of_rows(added.matched[queries[some]])
            offered = newcomers.lists(asked, k, tell=tell_added).first(k)
            joint = joined(in_both[1], offered, len(after.candidates))
            identity[1, some], cosine[1, some] = joint
    return (identity[0], cosine[0]), (identity[1], cosine[1])


def searches(
    spaces: Spaces,
    candidates: Rows | None,
    *,
    device: str | torch.device,
    engine: Engine | None = None,
    product: Product | None = None,
) -> tuple[Search, Search, Search | None]:
    """Prepare the search of either space, and of the added rows if there are any."""
    before, after = (
        Search.over(Space.of(matrix, norms, device, engine), candidates, product=product)
        for matrix, norms in (
            (spaces.before, spaces.before_norms),
            (spaces.after, spaces.after_norms),
        )
    )
    added = spaces.added
    if added is None:
        return before, after, None
    space = Space.of(added.matrix, added.norms, device, engine)
    return before, after, Search.over(space, added.rows, product=product)


@dataclass(frozen=True, slots=True, eq=False)
class _SharedSearch:
    before: Search
    after: Search
    changed: Mask  # (n,)
    k: int

    def answer(
        self, rows: Rows, memo: MutableMapping[Any, Any] | None, key: Hashable, tell: Tell
    ) -> tuple[Found, Found]:
        kept: Lists | None = None if memo is None else memo.get(key)
        if kept is None:
            queries, half = self.before.of_rows(rows), lambda share: tell(share / 2)
            kept = self.before.lists(queries, self.k, reserve=RESERVE, tell=half)
            if memo is not None:
                memo[key] = kept
        tell(0.5)
        return kept.first(self.k), self._tuned(rows, kept, lambda share: tell((1 + share) / 2))

    def _tuned(self, rows: Rows, kept: Lists, tell: Tell) -> Found:
        """Neighbors (m, k) in the tuned space, given the lists of the original."""
        moved = self.changed[self.after.candidates]
        if not self.changed[rows].any() and not moved.any():
            return kept.first(self.k)
        queries = self.after.of_rows(rows)
        if self.after.is_fused(self.k):  # joining lists on the processor takes time, too
            return self.after.lists(queries, self.k, tell=tell).first(self.k)
        if moved.sum() > MOSTLY_CHANGED * len(moved):
            near = self._still_near(rows, kept)
            return self.after.lists(queries, self.k, floor=near, tell=tell).first(self.k)
        anew, same = np.flatnonzero(self.changed[rows]), np.flatnonzero(~self.changed[rows])
        near = self._still_near(rows[anew], kept[anew])
        if self.after.space.is_compiled and np.array_equal(rows, self.after.candidates):
            lists, offers, limit = self._crossed(anew, near, same, self._floor(kept[same]), tell)
        else:
            lists = self.after.lists(
                queries[anew], self.k, floor=near, tell=lambda share: tell(share / 2)
            )
            offers, limit = self._offered(
                rows[same], np.flatnonzero(moved), lambda share: tell((1 + share) / 2)
            )
        keys = np.full((len(rows), self.k), NOBODY)
        keys[anew] = _keys(lists.first(self.k))
        settled = np.ones(len(rows), bool)
        for some in row_blocks(len(same)):
            keys[same[some]], settled[same[some]] = self._merged(
                kept[same[some]], offers[some], limit[some]
            )
        again = np.flatnonzero(~settled)
        if len(again):
            lists = self.after.lists(queries[again], self.k, tell=lambda _: None)
            keys[again] = _keys(lists.first(self.k))
        cosine, identity = entries_of(keys)
        return identity, cosine

    def _still_near(self, rows: Rows, kept: Lists) -> Cosines:
        """Products (m,) below which nothing in the tuned space is among the first k of a query.

        Whatever became of the neighbors a word had, the k-th nearest of them is a candidate, and
        what lies farther away need not be looked at.
        """
        kth = np.full(len(rows), np.nan, np.float32)
        for some in row_blocks(len(rows) if kept.identity.shape[1] >= self.k else 0):
            asked, near = self.after.of_rows(rows[some]), kept.identity[some]
            cosine = cosines_of_lists(self.after.space, self.after.candidates, asked, near)
            kth[some] = -np.sort(-cosine, axis=1)[:, self.k - 1]  # NaN comes last
        return self.after.space.below(kth)

    def _offered(self, rows: Rows, moved: Rows, tell: Tell) -> tuple[Lists, Keys]:
        """What changed candidates, by position, offer to unchanged queries.

        The second is a key for each query: what was not offered comes after it.
        """
        search = Search.over(
            self.after.space, self.after.candidates[moved], product=self.after.product
        )
        offers = search.lists(search.of_rows(rows), self.k, tell=tell)
        identity = np.where(offers.identity >= 0, moved[offers.identity], -1).astype(np.int32)
        offers = replace(offers, identity=identity)
        limit = _last_sure(_keys((identity, offers.cosine)), offers.sure)
        if len(moved) <= self.k + SLACK:
            limit[:] = NOBODY  # every changed candidate is listed
        return offers, limit

    def _crossed(
        self, moved: Rows, near: Cosines, rest: Rows, floor: Cosines, tell: Tell
    ) -> tuple[Lists, Lists, Keys]:
        """Lists of the changed queries, and what these offer to the others, as `_offered` does.

        Here every candidate is a query, so each product serves both of its words.
        """
        space, candidates = self.after.space, self.after.candidates
        coding, depth = self.after.coding(), self.after.depth(self.k)
        own, offers = Heaps(coding, near, depth), Heaps(coding, floor, depth)
        ids = np.arange(len(candidates), dtype=np.int32)
        left = Side(space, candidates[moved], ids[moved], own)
        right = Side(space, candidates[rest], ids[rest], offers)
        step = shares(len(moved) * (len(moved) + 1) // 2 + len(moved) * len(rest), tell)
        offer_square(coding, left, step=step)
        offer_rectangle(coding, left, right, step=step)
        offered = offers.proposals(space.error)
        queries = self.after.of_rows(candidates)
        lists = decide(space, candidates, queries[moved], own.proposals(space.error))
        bound = (offered.bound.astype(np.float64) + TIE).astype(np.float32)
        limit = keys_of(bound, np.zeros(len(bound), np.int32))
        limit[np.isneginf(bound)] = NOBODY
        return (
            self.after.settled(queries[moved], lists, self.k),
            decide(space, candidates, queries[rest], offered),
            limit,
        )

    def _floor(self, kept: Lists) -> Cosines:
        """Product that a changed candidate must exceed to matter to unchanged queries, (m,)."""
        out = np.empty(len(kept.sure), np.float32)
        for some in row_blocks(len(out)):
            lists = kept[some]
            enough = self._still(lists).cumsum(axis=1) >= self.k
            at = np.where(enough.any(axis=1), enough.argmax(axis=1), lists.sure - 1)
            place = np.maximum(at, 0)[:, None]
            out[some] = np.take_along_axis(lists.cosine, place, axis=1)[:, 0]
        return self.after.space.below(out)

    def _still(self, kept: Lists) -> Mask:
        """Entries of the original's lists that are sure and did not change, (m, depth)."""
        sure = np.arange(kept.identity.shape[1]) < kept.sure[:, None]
        moved = self.changed[self.before.candidates[kept.identity]]
        return sure & (kept.identity >= 0) & ~moved

    def _merged(self, kept: Lists, offers: Lists, limit: Keys) -> tuple[Keys, Mask]:
        """First k of both kinds of candidates, as keys (m, k), and whether they are settled."""
        old = _keys((kept.identity, kept.cosine))
        limit = np.minimum(limit, _last_sure(old, kept.sure))
        still = np.where(self._still(kept), old, NOBODY)
        keys = np.concatenate([still, _keys((offers.identity, offers.cosine))], axis=1)
        missing = ((0, 0), (0, max(0, self.k - keys.shape[1])))
        keys = np.pad(np.sort(keys, axis=1)[:, : self.k], missing, constant_values=NOBODY)
        return keys, keys[:, -1] <= limit


def _divided(tell: Tell) -> tuple[Tell, Tell]:
    """Tell the share of the two spaces, and then that of the added rows, as shares of both."""
    return lambda share: tell(2 * share / 3), lambda share: tell((2 + share) / 3)


def joined(found: Found, offered: Found, ahead: int) -> Found:
    """First k (m, k) of what two searches found, the second's candidates `ahead` places behind."""
    identity, cosine = offered
    behind = np.where(identity >= 0, identity + ahead, -1).astype(np.int32)
    keys = np.concatenate([_keys(found), _keys((behind, cosine))], axis=1)
    keys.sort(axis=1)
    cosine, identity = entries_of(keys[:, : identity.shape[1]])
    return identity, cosine


def _keys(found: Found) -> Keys:
    identity, cosine = found
    return keys_of(cosine, identity)


def _last_sure(keys: Keys, sure: Rows) -> Keys:
    """Key (m,) of the last sure entry of each list; nothing comes before it unseen."""
    if keys.shape[1] == 0:
        return np.full(len(keys), NOBODY)
    last = np.take_along_axis(keys, np.maximum(sure - 1, 0)[:, None], axis=1)[:, 0]
    return np.where(sure > 0, last, np.iinfo(np.int64).min)
