"""Second moments of two matched spaces: all that the measures of the space need, in d x d.

Nothing here is n x n, so a table of any length is measured in memory that does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    return _moments(blocks(pair, chosen), pair)


def unit_moments(pair: Pair, chosen: Mask) -> Moments:
    """Return the moments of the chosen rows divided by their norms, zero rows left out."""
    return _moments(blocks(pair, chosen & ~pair.zero, unit=True), pair)


def _moments(rows: Blocks, pair: Pair) -> Moments:
    """Take the moments of rows of a pair in one pass: of each block, which add up."""
    d, e = pair.original.dimensions, pair.tuned.dimensions
    shapes = ((d,), (e,), (d, d), (e, e), (d, e))
    return sum(map(_of_block, rows), Moments(0, *map(np.zeros, shapes)))


def _of_block(rows: tuple[Values, Values]) -> Moments:
    x, y = rows
    mean_x = mean_y = x.mean(axis=0)
    x -= mean_x
    xx = yy = xy = x.T @ x
    if y is not x:
        mean_y = y.mean(axis=0)
        y -= mean_y
        yy, xy = y.T @ y, x.T @ y
    return Moments(len(x), mean_x, mean_y, xx, yy, xy)


def blocks(pair: Pair, chosen: Mask, *, unit: bool = False) -> Blocks:
    """Yield matched rows (b, d) and (b, e) of the chosen words in float64, fresh, in blocks.

    Where no chosen row of a block changed both are one array. With `unit` they have length 1.
    """
    for rows in row_blocks(len(pair), max(pair.original.dimensions, pair.tuned.dimensions)):
        mask = chosen[rows]
        if not mask.any():
            continue
        x = y = pair.before[rows][mask].astype(np.float64)
        if unit:
            x /= pair.before_norms[rows][mask, None]
        if pair.changed[rows][mask].any():
            y = pair.after[rows][mask].astype(np.float64)
            if unit:
                y /= pair.after_norms[rows][mask, None]
        yield x, y
