"""Second moments of two matched spaces: all that the whole-space measures need, in d x d.

Nothing here is n x n, so a table of any length is measured in memory that does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftkit.embeddings import BLOCK_ROWS
from driftkit.pair import Mask, Pair

Block = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments of n matched rows x (before) and y (after), about their own means.

    Parameters
    ----------
    n : int
        Rows.
    mean_x, mean_y : ndarray of float64, shape (d,)
        Means; zero when `n` is 0.
    xx, yy, xy : ndarray of float64, shape (d, d)
        ``Xc'Xc``, ``Yc'Yc`` and ``Xc'Yc`` of the centered rows.
    raw_x, raw_y : float
        Sums of squares before centering.
    """

    n: int
    mean_x: Block
    mean_y: Block
    xx: Block
    yy: Block
    xy: Block
    raw_x: float
    raw_y: float

    @property
    def raw_xx(self) -> Block:
        """``X'X``, not centered."""
        return self.xx + self.n * np.outer(self.mean_x, self.mean_x)

    @property
    def raw_yy(self) -> Block:
        """``Y'Y``, not centered."""
        return self.yy + self.n * np.outer(self.mean_y, self.mean_y)

    @property
    def raw_xy(self) -> Block:
        """``X'Y``, not centered."""
        return self.xy + self.n * np.outer(self.mean_x, self.mean_y)

    def __add__(self, other: Moments) -> Moments:
        """Moments of the rows of both (Chan, Golub & LeVeque 1979)."""
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
            self.raw_x + other.raw_x,
            self.raw_y + other.raw_y,
        )


def moments(pair: Pair, chosen: Mask, *, unit: bool = False) -> Moments:
    """Take the moments of the chosen rows in two passes, means first, in float64.

    Parameters
    ----------
    pair : Pair
        The two tables.
    chosen : ndarray of bool, shape (n,)
        Which shared words count.
    unit : bool
        Take the rows divided by their norms; none may be zero.
    """
    n, d = int(chosen.sum()), pair.before.shape[1]
    mean_x, mean_y = np.zeros(d), np.zeros(d)
    raw_x = raw_y = 0.0
    for x, y in blocks(pair, chosen, unit=unit):
        mean_x += x.sum(axis=0) / n
        mean_y += y.sum(axis=0) / n
        raw_x += float(np.square(x).sum())
        raw_y += float(np.square(y).sum())
    xx, yy, xy = np.zeros((d, d)), np.zeros((d, d)), np.zeros((d, d))
    for x, y in blocks(pair, chosen, unit=unit):
        x -= mean_x
        y -= mean_y
        xx += x.T @ x
        yy += y.T @ y
        xy += x.T @ y
    return Moments(n, mean_x, mean_y, xx, yy, xy, raw_x, raw_y)


def blocks(pair: Pair, chosen: Mask, *, unit: bool = False) -> Iterator[tuple[Block, Block]]:
    """Matched rows (b, d) of the chosen words in float64, fresh copies, block by block."""
    for start in range(0, len(pair), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        mask = chosen[rows]
        if mask.any():
            x = pair.before[rows][mask].astype(np.float64)
            y = pair.after[rows][mask].astype(np.float64)
            if unit:
                x /= pair.before_norms[rows][mask, None]
                y /= pair.after_norms[rows][mask, None]
            yield x, y
