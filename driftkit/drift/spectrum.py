"""How one space spreads over its directions, from the eigenvalues of its second moments.

Each function takes the eigenvalues ``lam`` (d,) of ``X'X``, centered or not, none below zero, and
gives NaN where all are zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Eigenvalues = npt.NDArray[np.float64]


def effective_rank(lam: Eigenvalues) -> float:
    """Exponential of the entropy of the singular values: how many directions are in use.

    References
    ----------
    Roy & Vetterli 2007, "The Effective Rank: A Measure of Effective Dimensionality".

    Examples
    --------
    >>> round(effective_rank(np.array([4.0, 4.0, 0.0])), 6)
    2.0
    """
    singular = np.sqrt(lam)
    share = singular[singular > 0] / singular.sum() if singular.any() else np.array([])
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else np.nan


def stable_rank(lam: Eigenvalues) -> float:
    """Squared Frobenius norm by the squared largest singular value: 1 when one direction rules.

    References
    ----------
    Rudelson & Vershynin 2007, "Sampling from Large Matrices".
    """
    return float(lam.sum() / lam.max()) if lam.any() else np.nan


def participation_ratio(lam: Eigenvalues) -> float:
    """Squared sum of the eigenvalues by the sum of their squares.

    References
    ----------
    Gao et al. 2017, "A Theory of Multineuronal Dimensionality, Dynamics and Measurement".
    """
    return float(lam.sum() ** 2 / np.square(lam).sum()) if lam.any() else np.nan


def isoscore(lam: Eigenvalues) -> float:
    """How evenly the variance fills all d directions: 1 for a ball, 0 for a line.

    Parameters
    ----------
    lam : ndarray of float64, shape (d,)
        Eigenvalues of the covariance, that is of centered rows; their scale does not matter.

    References
    ----------
    Rudman et al. 2022, "IsoScore: Measuring the Uniformity of Embedding Space Utilization".

    Examples
    --------
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
