"""A space to search: its rows, which of them may be neighbors, and where products are taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import Matrix
from driftkit.arrays import row_norms as row_norms
from driftkit.errors import OptionError

Positions = npt.NDArray[np.int64]
Norms = npt.NDArray[np.float64]
Cosines = npt.NDArray[np.float32]

_PAIR_NUMBERS = 1 << 20
"""Numbers gathered at once on each side when cosines are taken in float64."""

TIE = 2.0**-23
"""Cosines closer than this can be one number in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Rows of a matrix, those of them that may be neighbors, and where products are taken.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    norms : ndarray of float64, shape (n,)
        Norms of its rows.
    live : ndarray of int64, shape (c,)
        Rows that are candidates and have a direction.
    device : torch.device
    """

    matrix: Matrix
    norms: Norms
    live: Positions
    device: torch.device

    def unit(self, rows: Positions) -> torch.Tensor:
        """Unit rows (b, d) on the device."""
        block = np.empty((len(rows), self.matrix.shape[1]), np.float32)
        np.divide(self.matrix[rows], self.norms[rows, None], out=block, casting="same_kind")
        return torch.from_numpy(block).to(self.device)

    def cosine(self, a: Positions, b: Positions) -> Cosines:
        """Cosines of rows a and b (p,), in float64, then rounded.

        A float32 product is exact in float64, and a sum along a row takes the same steps for
        every row, so equal rows give equal cosines to the last bit.
        """
        out = np.empty(len(a), np.float32)
        step = max(1, _PAIR_NUMBERS // self.matrix.shape[1])
        for start in range(0, len(a), step):
            left, right = a[start : start + step], b[start : start + step]
            products = np.multiply(self.matrix[left], self.matrix[right], dtype=np.float64)
            dots = products.sum(axis=1) / (self.norms[left] * self.norms[right])
            out[start : start + step] = np.clip(dots, -1, 1)
        return out

    def below(self, cosine: Cosines) -> Cosines:
        """Products that no candidate as near as that has (q,); minus infinity where it is NaN."""
        floor = (cosine.astype(np.float64) - 2 * (self.error + TIE)).astype(np.float32)
        floor[np.isnan(floor)] = -np.inf
        return floor

    @property
    def error(self) -> float:
        """How far a float32 product of unit rows may lie from their cosine.

        Rounding the two rows and d multiplications and additions errs by at most (d + 4) units of
        2**-24, as the absolute products sum to 1 at most. Where the caller has allowed torch
        products of lower precision, their factors have 8 bits at worst.
        """
        full: float = (self.matrix.shape[1] + 4) * 2.0**-24
        coarse = torch.get_float32_matmul_precision() != "highest"
        return full + 2.0**-7 if coarse else full


def usable_device(name: str) -> torch.device:
    """Return the torch device of that name, or say in one sentence why it cannot be used."""
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).strip().splitlines()[0]
        raise OptionError(
            f"device {name!r} cannot be used ({why}); 'cpu' always can, and so can 'cuda' or "
            "'mps' where torch finds one."
        ) from None
