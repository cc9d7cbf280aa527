"""How spaces spread over their directions, from the eigenvalues of their second moments.

Functions that take the eigenvalues ``lam`` (d,) of ``X'X``, centered or not, none below zero,
return NaN where all are zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from driftkit.arrays import Mask, Matrix, Values, row_blocks
from driftkit.drift.moments import Moments
from driftkit.drift.similarity import DOUBT, certain
from driftkit.forks import one_thread_in_a_child

_RANK = 1e-12  # share of the largest eigenvalue below which a direction is rounding

_SAFE = 600.0  # exponents up to which neither a power nor its inverse leaves the range of float64


def effective_rank(lam: Values) -> float:
    """Return the exponential of the entropy of the singular values: how many directions are used.

    Roy & Vetterli 2007, "The Effective Rank: A Measure of Effective Dimensionality".

    >>> round(effective_rank(np.array([4.0, 4.0, 0.0])), 6)
    2.0
    """
    singular = np.sqrt(lam)
    share = singular[singular > 0] / singular.sum() if singular.any() else np.array([])
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else np.nan


def stable_rank(lam: Values) -> float:
    """Return the squared Frobenius norm by the squared spectral one: 1 when one direction rules.

    Rudelson & Vershynin 2007, "Sampling from Large Matrices".
    """
    return float(lam.sum() / lam.max()) if lam.any() else np.nan


def participation_ratio(lam: Values) -> float:
    """Return the squared sum of the eigenvalues by the sum of their squares.

    Gao et al. 2017, "A Theory of Multineuronal Dimensionality, Dynamics and Measurement".
    """
    return float(lam.sum() ** 2 / np.square(lam).sum()) if lam.any() else np.nan


def isoscore(lam: Values) -> float:
    """Return how evenly the variance of centered rows fills d directions: 1 a ball, 0 a line.

    Rudman et al. 2022, "IsoScore: Measuring the Uniformity of Embedding Space Utilization".

    >>> isoscore(np.ones(5)), abs(round(isoscore(np.array([1.0, 0.0, 0.0])), 9))
    (1.0, 0.0)
    """
    d = len(lam)
    if d < 2 or not lam.any():
        return np.nan
    even = np.sqrt(d) * lam / np.linalg.norm(lam)
    defect = np.linalg.norm(even - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    used = (d - defect**2 * (d - np.sqrt(d))) ** 2
    return float((used - d) / (d * (d - 1)))


def partition_isotropy(matrix: Matrix, chosen: Mask, gram: Values) -> float:
    """Return ``min Z(c) / max Z(c)``, ``Z(c) = sum exp(c.x)``, c the eigenvectors, both signs.

    An eigenvector has no sign, so both are tried. ``gram`` (d, d) is ``X'X`` of the chosen rows of
    the matrix (n, d), not centered. 1 is isotropic; NaN without rows.
    Mu & Viswanath 2018, "All-but-the-Top", equation 3, after Arora et al. 2016.

    >>> square = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    >>> round(partition_isotropy(square, np.ones(4, bool), np.eye(2) * 2), 6)
    1.0
    """
    if not chosen.any():
        return np.nan
    one_thread_in_a_child()
    _, vectors = np.linalg.eigh(gram)
    directions = torch.from_numpy(np.ascontiguousarray(vectors))  # (d, d)
    log_z = torch.full((2, len(gram)), -torch.inf, dtype=torch.float64, device="cpu")
    for rows in row_blocks(*matrix.shape):
        block = matrix[rows][chosen[rows]].astype(np.float64)
        if len(block):
            # Into the same memory: the least that is kept of each block would pin all of it.
            torch.logaddexp(log_z, _log_sums(torch.from_numpy(block) @ directions), out=log_z)
    return float((log_z.min() - log_z.max()).exp())


def _log_sums(along: torch.Tensor) -> torch.Tensor:
    """Return logarithms (2, d) of the sums over rows (b, d) of ``exp``, and of the opposite's."""
    if along.abs().max() > _SAFE:
        return torch.stack([along.logsumexp(dim=0), (-along).logsumexp(dim=0)])
    powers = along.exp_()
    return torch.stack([powers.sum(dim=0), powers.reciprocal_().sum(dim=0)]).log()


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Left singular vectors U (n, r) of a table, never formed: ``U = X W``, so all is d x d."""

    singular: Values  # (r,)
    whitening: Values  # W (d, r): eigenvectors of X'X divided by the singular values

    @classmethod
    def of(cls, gram: Values) -> Basis:
        """Make it from ``X'X`` (d, d)."""
        lam, vectors = np.linalg.eigh(gram)
        kept = lam > _RANK * max(lam.max(), 0)
        singular = np.sqrt(lam[kept])
        return cls(singular, vectors[:, kept] / singular)

    @property
    def condition(self) -> float:
        """Largest by smallest eigenvalue: how much rounding grows in the least direction."""
        return float((self.singular.max() / self.singular.min()) ** 2) if len(self.singular) else 1


def eigenspace_overlap(m: Moments, x: Basis, y: Basis) -> float:
    """Return ``|U'V|_F^2 / max(d1, d2)``, d1 and d2 the dimensions of the two tables.

    It is the share of one subspace that lies in the other where both span d dimensions; tables
    that span r of them, as r words do at most, reach r / d. NaN where a table is all zero.
    May et al. 2019, "On the Downstream Performance of Compressed Word Embeddings".
    """
    if not max(len(x.singular), len(y.singular)):
        return np.nan
    shared = x.whitening.T @ m.raw_xy @ y.whitening  # U'V
    share = float(min(np.square(shared).sum() / max(m.raw_xy.shape), 1.0))
    return certain(share, DOUBT * max(x.condition, y.condition))


def eigenspace_instability(m: Moments, x: Basis, y: Basis) -> float:
    """Return ``tr((UU' + VV' - 2 VV'UU') S) / tr(S)`` with ``S = (XX')^3 + (YY')^3``.

    The anchors of the definition are here the two tables themselves. As ``UU'X = X``, the
    numerator is ``tr(S) - tr(VV'(XX')^3) - tr(UU'(YY')^3)``.
    Leszczynski et al. 2020, "Understanding the Downstream Instability of Word Embeddings".
    """
    if not (len(x.singular) and len(y.singular)):
        return np.nan
    whole = np.power(x.singular, 6).sum() + np.power(y.singular, 6).sum()
    in_y = m.raw_xy @ y.whitening  # X'V
    in_x = m.raw_xy.T @ x.whitening  # Y'U
    kept = np.square(m.raw_xx @ in_y).sum() + np.square(m.raw_yy @ in_x).sum()
    return certain(float(np.clip(1 - kept / whole, 0, 1)), 100 * DOUBT)
