"""Isotropy by partition functions: does any direction hold more of the words than another."""

from __future__ import annotations

import numpy as np
import torch

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.drift.moments import Block
from driftkit.pair import Mask

_SAFE = 60.0
"""Exponents up to which neither a power nor its inverse leaves the range of float32."""


def partition_isotropy(matrix: Matrix, chosen: Mask, gram: Block) -> float:
    """``min Z(c) / max Z(c)`` with ``Z(c) = sum exp(c.x)``, c the eigenvectors and their opposites.

    An eigenvector has no sign, so both are tried; the usual code takes whichever one the solver
    gave, and its answer changes with the solver.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    chosen : ndarray of bool, shape (n,)
    gram : ndarray of float64, shape (d, d)
        ``X'X`` of the chosen rows, not centered.

    Returns
    -------
    float
        From 0 to 1, 1 is isotropic; NaN without rows.

    References
    ----------
    Mu & Viswanath 2018, "All-but-the-Top", equation 3, after Arora et al. 2016.

    Examples
    --------
    >>> square = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    >>> round(partition_isotropy(square, np.ones(4, bool), np.eye(2) * 2), 6)
    1.0
    """
    if not chosen.any():
        return np.nan
    _, vectors = np.linalg.eigh(gram)
    directions = torch.from_numpy(np.ascontiguousarray(vectors, np.float32))  # (d, d)
    logs = []
    for start in range(0, len(matrix), BLOCK_ROWS):
        rows = matrix[start : start + BLOCK_ROWS][chosen[start : start + BLOCK_ROWS]]
        if len(rows):
            along = torch.from_numpy(np.ascontiguousarray(rows)) @ directions  # (b, d)
            logs.append(_log_sums(along))
    log_z = torch.stack(logs).logsumexp(dim=0)
    return float((log_z.min() - log_z.max()).exp())


def _log_sums(along: torch.Tensor) -> torch.Tensor:
    """Logarithms (2, d) of the sums over rows of ``exp`` and of ``exp`` of the opposite."""
    if along.abs().max() > _SAFE:
        return torch.stack([along.double().logsumexp(dim=0), (-along.double()).logsumexp(dim=0)])
    powers = along.exp_()
    sums = torch.stack([powers.sum(dim=0), powers.reciprocal_().sum(dim=0)])
    return sums.double().log()
