"""Holm's adjustment of p-values for several benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for testing several benchmarks (Holm 1979).

    Parameters
    ----------
    p_values : sequence of float
        NaN for a benchmark that was not measured: it stays NaN and does not count as a test.

    Returns
    -------
    list of float

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    p: npt.NDArray[np.float64] = np.asarray(p_values, np.float64)
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]
