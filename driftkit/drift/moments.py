"""Second moments of two matched spaces: all that the measures of the space need, in d x d.

Nothing here is n x n, so a table of any length is measured in memory that does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from driftkit.arrays import Mask, Values, row_blocks
from driftkit.pair import Pair

Blocks = Iterator[tuple[Values, Values]]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments of n matched rows x (before) and y (after), about their own means, in float64."""

    n: int
    mean_x: Values  # (d,) zero when n is 0
    mean_y: Values  # (e,) as wide as the rows after
    xx: Values  # (d, d) Xc'Xc of the centered rows
    yy: Values  # (e, e)
    xy: Values  # (d, e)

    @property
    def raw_xx(self) -> Values:
        """``X'X``, not centered."""
        return self.xx + self.n * np.outer(self.mean_x, self.mean_x)

    @property
    def raw_yy(self) -> Values:
        """``Y'Y``, not centered."""
        return self.yy + self.n * np.outer(self.mean_y, self.mean_y)

    @property
    def raw_xy(self) -> Values:
        """``X'Y``, not centered."""
        return self.xy + self.n * np.outer(self.mean_x, self.mean_y)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of the rows of both (Chan, Golub & LeVeque 1979)."""
        n = self.n + other.n
        share = other.n / n if n else 0.0
        gap_x, gap_y = other.mean_x - self.mean_x, other.mean_y - self.mean_y
        weight = self.n * share
        return Moments(
            n,
            self.mean_x + share * gap_x,
            self.mean_y + share * gap_y,
            self.xx + other.xx + weight * np.outer(gap_x, gap_x),
            self.yy + other.yy + weight * np.outer(gap_y, gap_y),
            self.xy + other.xy + weight * np.outer(gap_x, gap_y),
        )


def moments(pair: Pair, chosen: Mask) -> Moments:
    """Return the moments of the chosen rows."""
    return _moments(lambda: blocks(pair, chosen), int(chosen.sum()), pair)


def unit_moments(pair: Pair, chosen: Mask) -> Moments:
    """Return the moments of the chosen rows divided by their norms, zero rows left out."""
    directed = chosen & ~pair.zero

    def unit() -> Blocks:
        for x, y in blocks(pair, directed):
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            y /= np.linalg.norm(y, axis=1, keepdims=True)
            yield x, y

    return _moments(unit, int(directed.sum()), pair)


def _moments(rows: Callable[[], Blocks], n: int, pair: Pair) -> Moments:
    """Take the moments of n rows of a pair in two passes, means first."""
    d, e = pair.original.dimensions, pair.tuned.dimensions
    mean_x, mean_y = np.zeros(d), np.zeros(e)
    for x, y in rows():
        mean_x += x.sum(axis=0) / n
        mean_y += y.sum(axis=0) / n
    xx, yy, xy = np.zeros((d, d)), np.zeros((e, e)), np.zeros((d, e))
    for x, y in rows():
        x -= mean_x
        y -= mean_y
        xx += x.T @ x
        yy += y.T @ y
        xy += x.T @ y
    return Moments(n, mean_x, mean_y, xx, yy, xy)


def blocks(pair: Pair, chosen: Mask) -> Blocks:
    """Yield matched rows (b, d) and (b, e) of the chosen words in float64, fresh, in blocks."""
    for rows in row_blocks(len(pair)):
        mask = chosen[rows]
        if mask.any():
            x, y = pair.before[rows][mask], pair.after[rows][mask]
            yield x.astype(np.float64), y.astype(np.float64)
