"""How far vectors lie from the locked ones, and whether one map explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from driftkit.arrays import Mask, Rows, Values, row_norms
from driftkit.golden.lock import Item


class Off(NamedTuple):
    """How far one item lies from its lock: the distance in lengths of the locked vector."""

    id: str
    distance: float
    cosine: float  # NaN where a vector is zero


def fits(new: Values, was: Values, most: Values) -> bool:
    """Whether each row (n, d) lies no farther from the locked one than it may, (n,)."""
    return bool((row_norms(new - was) <= most).all())


class Differences:
    """How far each of n items is off, and by what it may be."""

    def __init__(self, items: Sequence[Item], was: Values, new: Values, most: Values) -> None:
        self.items = items
        self.was, self.new, self.most = was, new, most
        self.lengths = row_norms(was)
        self.distances = row_norms(new - was)
        self.beyond: Mask = self.distances > most
        sizes = self.lengths * row_norms(new)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.cosines = np.where(sizes > 0, (was * new).sum(axis=1) / sizes, np.nan)
            self.relative = np.where(self.distances == 0, 0.0, self.distances / self.lengths)

    def worst(self, most: int) -> tuple[Off, ...]:
        """Return the items that are farthest off, of those beyond what is allowed if any is."""
        order: Rows = np.argsort(-self.relative, kind="stable")[:most]
        chosen = [row for row in order.tolist() if self.beyond[row] or not self.beyond.any()]
        return tuple(
            Off(self.items[row].id, float(self.relative[row]), float(self.cosines[row]))
            for row in chosen
        )

    def explained(self, mapped: Values, left: float) -> bool:
        """Whether a map explains the differences, and did not merely have room for them.

        A map with many freedoms brings any rows nearer: of small random differences of d numbers
        in a row, it leaves those of `left` numbers. A map that is the cause leaves far less.
        """
        off = float(np.square(self.distances).sum()) * left / self.was.shape[1]
        return bool(np.square(row_norms(mapped - self.was)).sum() < off / 16)


def turned_back(was: Values, new: Values) -> tuple[Values, float]:
    """Return the new rows (n, d) turned back by the orthogonal map that fits best, and its factor.

    Only the directions that rows have enter, so that few rows of many numbers cost little.
    """
    if len(was) < was.shape[1]:
        basis_was, one = np.linalg.qr(was.T)  # was = one.T @ basis_was.T
        _, other = np.linalg.qr(new.T)
        turned, size = turned_back(one.T, other.T)
        return turned @ basis_was.T, size
    u, singular, vt = np.linalg.svd(new.T @ was)
    size = float(singular.sum() / max(np.square(was).sum(), 1e-300))
    return new @ (u @ vt), size


def percent(share: float) -> str:
    """Write a distance in lengths; from a locked zero vector it has no bound."""
    if not np.isfinite(share):
        return "more than all"
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:,.0f} %"
