"""The ways to score an answer d to a : b = c : ?.

With unit rows and s(x) = cos(d, x):

- 3CosAdd: s(b) - s(a) + s(c) (Mikolov, Yih & Zweig 2013)
- 3CosMul: s'(b) s'(c) / (s'(a) + 0.001) with s' = (s + 1) / 2 (Levy & Goldberg 2014)
- PairDirection: cos(d - c, b - a) (Mikolov, Yih & Zweig 2013)

Each is a function of a *base*, which depends on (a, b) and d, and of s(c): a search bounds the
score of a group of candidates by the largest base and s(c) in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from driftkit.arrays import Values

EPSILON = 1e-3  # Levy & Goldberg's guard of 3CosMul against division by zero


class Add:
    """3CosAdd, and what the methods have in common.

    Shapes: (o, w) for o distinct (a, b) and w candidates; (v, w) for v distinct words. `inner` is
    cos(c, b) - cos(c, a) of each question, for PairDirection. `error` bounds how far float32 is
    off: one cosine in `tables`, then a score, or each part of one in PairDirection.
    """

    combine: Callable[[Tensor, Tensor], Tensor] = staticmethod(Tensor.add_)

    def tables(
        self, cosine: Tensor, a: Tensor, b: Tensor, error: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the base (o, w), the part of c (v, w), and the error of each (a, b), (o,)."""
        base = cosine.index_select(0, b).sub_(cosine.index_select(0, a))
        return base, cosine, cosine.new_full((len(a),), 3 * error)

    def above(self, base: Tensor, part: Tensor, _inner: Tensor, error: Tensor) -> Tensor:
        """Bound the scores from above, given the largest base and part of each group."""
        return self.combine(base, part).add_(error)

    def between(
        self, base: Tensor, part: Tensor, _inner: Tensor, error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Bound the score of each candidate from below and above, (p, g) both."""
        score = self.combine(base, part)
        return score - error, score + error

    def exact(self, a: Values, b: Values, c: Values, _inner: Values) -> Values:
        """Scores in float64 from the cosines of candidates to a, b and c, of one shape."""
        return b - a + c


class Mul(Add):
    """3CosMul."""

    combine = staticmethod(Tensor.mul_)

    def tables(
        self, cosine: Tensor, a: Tensor, b: Tensor, error: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Base: s'(b) / (s'(a) + 0.001)."""
        part = ((cosine + 1) / 2).clamp_(min=1e-7)
        below = part.index_select(0, a).add_(EPSILON)
        smallest = below.amin(1)
        # Three factors in [0, 1], each off by `error`, over a divisor not under `smallest`.
        spread = error * (2 + 1 / smallest) / smallest
        return part.index_select(0, b).div_(below), part, 2 * spread

    def exact(self, a: Values, b: Values, c: Values, _inner: Values) -> Values:
        """Product."""
        a, b, c = (np.clip((x + 1) / 2, 0, None) for x in (a, b, c))
        return b * c / (a + EPSILON)


class Direction(Add):
    """PairDirection, times the length of b - a, which is the same for every d.

    The base is the inner product of d with b - a.
    """

    def above(self, base: Tensor, part: Tensor, inner: Tensor, error: Tensor) -> Tensor:
        """Longest projection over the shortest distance; 0 bounds a negative one."""
        reach = (2 - 2 * part - error).clamp_(min=1e-12).sqrt_()
        return (base - inner + error).clamp_(min=0) / reach

    def between(
        self, base: Tensor, part: Tensor, inner: Tensor, error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """By interval arithmetic."""
        square = 2 - 2 * part
        low, high = base - inner - error, base - inner + error
        least, most = square - error, square + error
        # A candidate that may lie on c itself has no direction, so it promises nothing.
        promised = low / torch.where(low >= 0, most, least).clamp_(min=1e-12).sqrt_()
        low = torch.where(square <= 2 * error, -torch.inf, promised)
        return low, high / torch.where(high >= 0, least, most).clamp_(min=1e-12).sqrt_()

    def exact(self, a: Values, b: Values, c: Values, inner: Values) -> Values:
        """Cosine times the length of b - a; NaN for a candidate that lies on c."""
        square = 2 - 2 * c
        with np.errstate(invalid="ignore", divide="ignore"):
            score = (b - a - inner) / np.sqrt(np.clip(square, 0, None))
        return np.where(square > 1e-12, score, np.nan)


METHODS: dict[str, Add] = {"3cosadd": Add(), "3cosmul": Mul(), "pairdirection": Direction()}
"""The methods that answer one question at a time, by the name of their measure."""
