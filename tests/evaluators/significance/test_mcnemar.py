from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2

from driftkit.evaluators.significance import mcnemar


def answers(broke: int, mended: int, same: int) -> tuple[np.ndarray, np.ndarray]:
    before = np.repeat([True, False, True], [broke, mended, same])
    return before, np.repeat([False, True, True], [broke, mended, same])


def test_the_exact_tail_of_the_binomial() -> None:
    found = mcnemar(*answers(15, 5, 100))
    assert found.p_value == pytest.approx(2 * binom.cdf(5, 20, 0.5))
    assert found.statistic == pytest.approx(-10 / np.sqrt(20))


def test_many_answers_come_near_chi_squared() -> None:
    found = mcnemar(*answers(1100, 1000, 5000))
    assert found.p_value == pytest.approx(chi2.sf(found.statistic**2, 1), abs=2e-3)


def test_unchanged_answers_do_not_count() -> None:
    assert mcnemar(*answers(9, 3, 10)) == mcnemar(*answers(9, 3, 10_000))
    assert mcnemar(*answers(0, 0, 10)).p_value == 1
