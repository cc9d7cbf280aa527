"""Second moments of two matched spaces: all that the whole-space measures need, in d x d.

Nothing here is n x n, so a table of any length is measured in memory that does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from driftkit.arrays import Mask, Matrix, Values, row_blocks
from driftkit.pair import Pair


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
    """

    n: int
    mean_x: Values
    mean_y: Values
    xx: Values
    yy: Values
    xy: Values

    @property
    def raw_x(self) -> float:
        """Sum of squares of x before centering."""
        return float(np.trace(self.xx) + self.n * self.mean_x @ self.mean_x)

    @property
    def raw_y(self) -> float:
        """Sum of squares of y before centering."""
        return float(np.trace(self.yy) + self.n * self.mean_y @ self.mean_y)

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
    """Return the moments of the chosen rows, taken in two passes, means first, in float64."""
    n, d = int(chosen.sum()), pair.before.shape[1]
    mean_x, mean_y = np.zeros(d), np.zeros(d)
    for before, after in stored(pair, chosen):
        mean_x += before.sum(axis=0, dtype=np.float64) / n
        mean_y += after.sum(axis=0, dtype=np.float64) / n
    xx, yy, xy = np.zeros((d, d)), np.zeros((d, d)), np.zeros((d, d))
    for x, y in blocks(pair, chosen):
        x -= mean_x
        y -= mean_y
        xx += x.T @ x
        yy += y.T @ y
        xy += x.T @ y
    return Moments(n, mean_x, mean_y, xx, yy, xy)


@dataclass(frozen=True, slots=True, eq=False)
class UnitMoments:
    """Sums over n matched rows x and y divided by their norms: unit rows u and v.

    Parameters
    ----------
    n : int
        Rows.
    sum_x, sum_y : ndarray of float64, shape (d,)
        ``sum u`` and ``sum v``.
    xx, yy, xy : ndarray of float64, shape (d, d)
        ``U'U``, ``V'V`` and ``U'V``, not centered: cosines are at most 1, so nothing is lost.
    """

    n: int
    sum_x: Values
    sum_y: Values
    xx: Values
    yy: Values
    xy: Values

    def __add__(self, other: UnitMoments) -> UnitMoments:
        """Return the sums over the rows of both."""
        names = [each.name for each in fields(self)]
        return UnitMoments(*(getattr(self, name) + getattr(other, name) for name in names))


def unit_moments(pair: Pair, chosen: Mask) -> UnitMoments:
    """Return the sums over the chosen rows, without those that are zero on either side."""
    chosen = chosen & ~pair.zero
    d = pair.before.shape[1]
    sum_x, sum_y = np.zeros(d), np.zeros(d)
    xx, yy, xy = np.zeros((d, d)), np.zeros((d, d)), np.zeros((d, d))
    for x, y in blocks(pair, chosen):
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        sum_x += x.sum(axis=0)
        sum_y += y.sum(axis=0)
        xx += x.T @ x
        yy += y.T @ y
        xy += x.T @ y
    return UnitMoments(int(chosen.sum()), sum_x, sum_y, xx, yy, xy)


def blocks(pair: Pair, chosen: Mask) -> Iterator[tuple[Values, Values]]:
    """Yield matched rows (b, d) of the chosen words in float64, fresh copies, block by block."""
    for x, y in stored(pair, chosen):
        yield x.astype(np.float64), y.astype(np.float64)


def stored(pair: Pair, chosen: Mask) -> Iterator[tuple[Matrix, Matrix]]:
    """Yield the same as they are stored; views where a whole block is chosen."""
    for rows in row_blocks(len(pair)):
        mask = chosen[rows]
        if mask.all():
            yield pair.before[rows], pair.after[rows]
        elif mask.any():
            yield pair.before[rows][mask], pair.after[rows][mask]
