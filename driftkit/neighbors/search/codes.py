"""Rows as numbers that are multiplied fast, and how far their products lie from the cosines.

In float32 a product of unit rows errs by `Space.error`. In int8 a row is rounded, less the center
of its table, to multiples of one scale, and every product comes with the largest cosine it can
stand for. With u = c + w and v = c + z, where w and z were rounded to w' and z',

    <u, v>  =  <w, z> + <c, w> + <c, z> + <c, c>
    <w, z>  =  <w', z'> + <w - w', z> + <w', z - z'>
            <=  <w', z'> + m |w - w'| + m |z - z'|,

where m is the largest length of any w, w', z or z'. All but <w', z'> is a sum of something of the
row and something of the column: whole multiples of scale squared, rounded up, with which the sum of
products starts. So the int32 that the processor makes, times scale squared, is never below the
cosine, whatever the rows are; how close it is from above depends on what rounding really did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import Rows, Values
from driftkit.neighbors.search.space import Cosines, Product, Space
from driftkit.neighbors.search.threads import in_threads

SAMPLE = 4_096  # rows that the center and the scale are taken from
LEAST_SCALE = 2.0**-12  # so that cosines are at most 2**24 multiples of its square
MOST = 1 << 27  # more multiples than any cosine is, or a row or a column starts with
WIDEST = 1 << 14  # numbers a row may have in int8: more could pass the end of int32

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Rows (s, words), filled up with rows of nothing to a whole number of panels."""

    words: Numbers  # of four bytes each
    facts: Values | None  # (s, 4) as `kernels.encode` gives them
    lost: npt.NDArray[np.bool_]  # (s,) rows without direction, and those that fill up


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """How rows of a space, and vectors asked of it, become codes."""

    product: Product
    center: Values  # (d,)
    scale: float

    @classmethod
    def of(cls, space: Space, rows: Rows, product: Product) -> Coding:
        """Choose from a sample of the rows of a space."""
        d = space.matrix.shape[1]
        if product == "float32" or d > WIDEST or len(rows) == 0:
            return cls("float32", np.zeros(d), 1.0)
        some = rows[:: -(-len(rows) // SAMPLE)]
        unit = space.matrix[some] / space.norms[some, None]
        unit = unit[~np.isnan(unit).any(axis=1)]
        center = unit.mean(axis=0, dtype=np.float64) if len(unit) else np.zeros(d)
        largest = np.abs(unit - center).max(initial=0.0)
        return cls("int8", center, max(float(largest) / 127, LEAST_SCALE))

    @property
    def unit(self) -> float:
        """The cosine that a product of 1 stands for."""
        return self.scale**2

    @property
    def number(self) -> type[np.int32] | type[np.float32]:
        """The type of a product."""
        return np.int32 if self.product == "int8" else np.float32

    @property
    def limits(self) -> tuple[float, float]:
        """A product below those of all rows, and one that nothing exceeds."""
        return (-MOST, np.iinfo(np.int32).max) if self.product == "int8" else (-np.inf, np.inf)

    def below(self, cosine: Cosines) -> Numbers:
        """Products (m,) that those of all larger cosines exceed."""
        if self.product == "float32":
            return cosine.astype(np.float32)
        with np.errstate(invalid="ignore"):
            steps = np.floor(cosine.astype(np.float64) / self.unit) - 1
        whole: Numbers = np.maximum(steps, self.limits[0]).astype(np.int32)
        return whole

    def cosine(self, product: Numbers, error: float) -> Cosines:
        """Cosines (m,) that those of smaller products do not exceed; `error` is that of float32."""
        exact = self.product == "int8"
        bound: Values = product * self.unit if exact else product.astype(np.float64) + error
        bound[product <= self.limits[0]] = -np.inf
        near = bound.astype(np.float32)
        return np.where(near < bound, np.nextafter(near, np.float32(np.inf)), near)

    def codes(self, space: Space, rows: Rows) -> Codes:
        """Codes of rows (s,) of a space."""
        from driftkit.neighbors.search.instructions import COLUMNS
        from driftkit.neighbors.search.kernels import encode

        places, d = -(-len(rows) // COLUMNS) * COLUMNS, space.matrix.shape[1]
        lost = np.ones(places, bool)
        lost[: len(rows)] = np.isnan(space.norms[rows])
        if self.product == "float32":
            unit = np.zeros((places, d), np.float32)
            for start in range(0, len(rows), SAMPLE):
                some = rows[start : start + SAMPLE]
                unit[start : start + len(some)] = space.unit(some).numpy()
            unit[lost] = 0
            return Codes(unit, None, lost)
        code = np.zeros((places, -(-d // 4) * 4), np.int8)
        facts = np.zeros((places, 4))

        def part(some: slice) -> None:
            encode(
                code[some], facts[some], space.matrix, space.norms, rows[some],
                self.center, self.scale,
            )  # fmt: skip

        in_threads(part, len(rows), torch.get_num_threads())
        return Codes(code.view(np.int32), facts, lost)

    def starts(self, rows: Codes, columns: Codes) -> tuple[Numbers, Numbers]:
        """What the sums of products start with: a number a row and one a column, to be added."""
        if rows.facts is None or columns.facts is None:
            none, zero = np.float32(-np.inf), np.float32(0)
            return np.where(rows.lost, none, zero), np.where(columns.lost, none, zero)
        longest = max(rows.facts[:, 1].max(), columns.facts[:, 1].max())

        def steps(codes: Codes, facts: Values) -> Values:
            up = np.ceil((longest * facts[:, 0] + facts[:, 2]) / self.unit) + 1
            # Only rows that were written to since their norms were taken start with more.
            return np.where(codes.lost, -4 * MOST, np.clip(up, -MOST, MOST))

        # The bytes of a column are multiplied as if they were 128 larger.
        more = 128 * rows.facts[:, 3]
        first, second = steps(rows, rows.facts) - more, steps(columns, columns.facts)
        return first.astype(np.int32), second.astype(np.int32)
