from __future__ import annotations

import math

import numpy as np
import pytest

from driftkit.evaluators.significance import (
    cohen_h,
    cohen_q,
    correlation_tests,
    detectable_accuracy,
    detectable_correlation,
    detectable_difference,
)


def test_effect_sizes() -> None:
    assert cohen_q(0.0, math.tanh(0.3)) == pytest.approx(0.3)
    assert cohen_q(0.5, 0.5) == cohen_q(1.0, 1.0) == 0
    assert math.isnan(cohen_q(1.0, 0.5))
    assert cohen_h(0.5, 0.5) == 0
    assert cohen_h(0.0, 1.0) == pytest.approx(math.pi)


def test_what_is_detectable_is_what_a_test_finds_four_times_in_five() -> None:
    """A difference of that size has an expected z of 2.80 in Steiger's test."""
    for n, r, agreement in ((353, 0.5, 0.9), (3000, 0.6, 0.8), (65, 0.4, 0.5)):
        gap = detectable_correlation(n, r, agreement)
        z = correlation_tests(r + gap / 2, r - gap / 2, agreement, n)["steiger"].statistic
        assert z == pytest.approx(2.8016, rel=0.03)


def test_more_items_or_more_agreement_show_less() -> None:
    assert detectable_correlation(400, 0.5, 0.9) == detectable_correlation(100, 0.5, 0.9) / 2
    assert detectable_correlation(100, 0.5, 0.95) < detectable_correlation(100, 0.5, 0.9)
    assert detectable_correlation(100, 0.5, 1.0) == pytest.approx(0, abs=1e-9)


def test_accuracy_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    n, discordant = 2000, 0.2
    gap = detectable_accuracy(n, discordant)
    shares = [discordant / 2 + gap / 2, discordant / 2 - gap / 2, 1 - discordant]
    broke, mended, _ = rng.multinomial(n, shares, 20_000).T
    z = (broke - mended) / np.sqrt(broke + mended)
    assert (z > 1.96).mean() == pytest.approx(0.8, abs=0.025)


def test_it_grows_with_the_standard_error() -> None:
    assert detectable_difference(0.02) == 2 * detectable_difference(0.01)
