"""How far two tables of the same words span the same subspace of word space (n,).

U and V are the left singular vectors (n, d) of the two tables. They are never formed: with the
eigenvectors W and singular values S of ``X'X``, ``U = X W / S``, so that all is d x d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftkit.drift.moments import Moments

Square = npt.NDArray[np.float64]

_RANK = 1e-12
"""Share of the largest eigenvalue below which a direction is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Singular values (r,) of one table, and ``W / S`` (d, r)."""

    singular: Square
    whitening: Square

    @classmethod
    def of(cls, gram: Square) -> Basis:
        """Make it of ``X'X`` (d, d)."""
        lam, vectors = np.linalg.eigh(gram)
        kept = lam > _RANK * max(lam.max(), 0)
        singular = np.sqrt(lam[kept])
        return cls(singular, vectors[:, kept] / singular)


def bases(m: Moments) -> tuple[Basis, Basis]:
    """Bases of the two tables, which both measures need."""
    return Basis.of(m.raw_xx), Basis.of(m.raw_yy)


def eigenspace_overlap(m: Moments, x: Basis, y: Basis) -> float:
    """``|U'V|_F^2 / max(d1, d2)``: the share of one subspace that lies in the other.

    References
    ----------
    May et al. 2019, "On the Downstream Performance of Compressed Word Embeddings".
    """
    wider = max(len(x.singular), len(y.singular))
    if not wider:
        return np.nan
    shared = x.whitening.T @ m.raw_xy @ y.whitening  # U'V
    return float(min(np.square(shared).sum() / wider, 1.0))


def eigenspace_instability(m: Moments, x: Basis, y: Basis) -> float:
    """``tr((UU' + VV' - 2 VV'UU') S) / tr(S)`` with ``S = (XX')^3 + (YY')^3``.

    The anchors of the definition are here the two tables themselves. As ``UU'X = X``, the
    numerator is ``tr(S) - tr(VV'(XX')^3) - tr(UU'(YY')^3)``.

    References
    ----------
    Leszczynski et al. 2020, "Understanding the Downstream Instability of Word Embeddings".
    """
    if not (len(x.singular) and len(y.singular)):
        return np.nan
    whole = np.power(x.singular, 6).sum() + np.power(y.singular, 6).sum()
    in_y = m.raw_xy @ y.whitening  # X'V
    in_x = m.raw_xy.T @ x.whitening  # Y'U
    kept = np.square(m.raw_xx @ in_y).sum() + np.square(m.raw_yy @ in_x).sum()
    return float(np.clip(1 - kept / whole, 0, 1))
