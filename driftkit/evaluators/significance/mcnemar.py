"""McNemar's test of two tables' right and wrong answers to the same questions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from driftkit.evaluators.significance.correlated import Test


def mcnemar(before: npt.NDArray[np.bool_], after: npt.NDArray[np.bool_]) -> Test:
    """Test whether as many answers broke as were mended (McNemar 1947), exactly.

    Parameters
    ----------
    before, after : ndarray of bool, shape (m,)
        Whether each table answers each question rightly.

    Returns
    -------
    Test
        The statistic is (mended - broke) / sqrt(mended + broke), whose square is McNemar's
        chi-squared without correction; the p-value is that of the exact binomial test.

    Examples
    --------
    >>> before = np.repeat([True, False, True], [60, 36, 404])
    >>> found = mcnemar(before, np.repeat([False, True, True], [60, 36, 404]))
    >>> round(found.statistic, 3), round(found.p_value, 4)
    (-2.449, 0.0184)
    """
    broke, mended = int((before & ~after).sum()), int((after & ~before).sum())
    if broke + mended == 0:
        return Test(0.0, 1.0)
    statistic = (mended - broke) / np.sqrt(mended + broke)
    return Test(float(statistic), float(binomtest(mended, broke + mended).pvalue))
