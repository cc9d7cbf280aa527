"""A way of restoring as a curve: the rows it changes, and what they are at each strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftkit.arguments import real, shown
from driftkit.arrays import Matrix, Rows, Values
from driftkit.errors import OptionError
from driftkit.pair import Pair


@dataclass(frozen=True, slots=True)
class Curve:
    """Tables on the way from the tuned one to the original, or elsewhere.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        Positions, among the shared words, of the rows that may change.
    strengths : tuple of float
        Where the curve is measured unless somebody says otherwise, the tuned table first.
    at : callable
        Returns the m rows at a strength, (m, d), in float32.
    means : str
        What a strength is, as a phrase.
    least, most : float
        Between which strengths have a meaning.
    whole : bool
        Whether only whole numbers have one.
    """

    rows: Rows
    strengths: tuple[float, ...]
    at: Callable[[float], Matrix]
    means: str
    least: float = 0.0
    most: float = 1.0
    whole: bool = False

    def require(self, strength: float) -> float:
        """Return a strength as a number; one that has no meaning is an OptionError."""
        return require_strength(strength, self.means, self.least, self.most, whole=self.whole)

    def halfway(self, one: float, other: float) -> float | None:
        """Return the strength in the middle of two, or None where there is none between them."""
        middle = (one + other) / 2
        middle = float(np.floor(middle)) if self.whole else middle
        return None if middle in (one, other) else middle


def require_strength(
    strength: float, means: str, least: float = 0.0, most: float = 1.0, *, whole: bool = False
) -> float:
    """Return a strength as a number; one that has no meaning is an OptionError."""
    value = real(strength)
    if not least <= value <= most or (whole and not value.is_integer()):
        kind = "whole numbers" if whole else "numbers"
        end = "" if np.isinf(most) else f" to {most:g}"
        raise OptionError(
            f"strength={shown(strength)} was given; it is {means}: {kind} from {least:g}{end}."
        )
    return value


def between(before: Matrix, after: Matrix, share: float | Values) -> Matrix:
    """Return rows (m, d) a share of the way from `before` to `after`: one for all, or (m, 1).

    At 0 and at 1 these are the rows themselves, bit for bit.
    """
    x, y = before.astype(np.float64), after.astype(np.float64)
    made = ((1 - share) * x + share * y).astype(np.float32)
    made = np.where(np.equal(share, 1), after, made)
    return np.where(np.equal(share, 0), before, made)


def steps(pair: Pair, rows: Rows) -> Values:
    """Return how far rows moved, (m,)."""
    gap = pair.after[rows].astype(np.float64) - pair.before[rows]
    return np.asarray(np.linalg.norm(gap, axis=1))


TENTHS = tuple(round(each / 10, 1) for each in range(11))
