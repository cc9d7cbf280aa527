"""Evidence of a steady fall, asked for after every run."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from small_weeks import audit_of

import driftkit as dk
from driftkit.gate import creeping as module
from driftkit.gate.creeping import WIDTH, creeping


def ratio(values, start):
    """The ratio of the two probabilities by numerical integration over theta and 1 / s."""
    ramp = -np.maximum(np.arange(len(values)) - start, 0.0)
    y, w = values - values.mean(), ramp - ramp.mean()

    def given(theta):
        def density(u):
            power = -(y @ y) * u * u / 2 + theta * (y @ w) * u - theta**2 * (w @ w) / 2
            return u ** (len(values) - 2) * math.exp(power)

        return quad(density, 0, np.inf)[0]

    return quad(lambda theta: given(theta) * 2 * norm.pdf(theta, 0, WIDTH), 0, 8)[0] / given(0.0)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_evidence_is_the_ratio_of_the_probabilities(seed):
    values = np.random.default_rng(seed).normal(size=6)
    weighted = [ratio(values, j) / ((j + 1) * (j + 2)) for j in range(6)]
    np.testing.assert_allclose(module._evidence(values, 0.0, falls=True), weighted, rtol=1e-6)


def test_weights_add_up_to_one_and_one_run_says_nothing():
    assert creeping([0.7]).evidence == pytest.approx(1)
    assert creeping([]).evidence == 1
    assert creeping([math.nan]).evidence == 1


def test_however_often_one_looks_few_series_that_only_scatter_are_said_to_creep():
    draws = np.random.default_rng(0).normal(size=(200, 26))
    ever = [any(creeping(each[:n]).is_shown() for n in range(1, 27)) for each in draws]
    assert sum(ever) <= 0.05 * len(draws)


def test_a_fall_of_a_tenth_of_the_margin_a_week_is_seen_before_it_is_one_margin():
    rng = np.random.default_rng(0)
    fall = 0.1 * np.maximum(np.arange(15) - 4, 0)  # margins; five weeks without a fall first
    years = 0.2 * rng.normal(size=(50, 15)) - fall
    assert np.mean([creeping(year[:14]).is_shown() for year in years]) > 0.8


def test_neither_unit_nor_origin_matters():
    values = np.random.default_rng(3).normal(size=12)
    other = creeping(1e-3 * values + 7)
    assert other.evidence == pytest.approx(creeping(values).evidence)
    assert other.per_run == pytest.approx(1e-3 * creeping(values).per_run)


def test_a_rise_is_the_mirror_image_of_a_fall():
    values = np.random.default_rng(4).normal(size=9)
    assert creeping(-values, falls=False).evidence == creeping(values).evidence


def test_equal_values_and_hairs_are_no_fall():
    assert creeping([0.7] * 30).evidence <= 1
    hair = [0.7] * 20 + [0.7 - 1e-6] * 10
    assert creeping(hair).is_shown()
    assert not creeping(hair, step=1e-3).is_shown()


def test_a_run_that_was_not_measured_is_left_out_and_places_stay_those_of_the_runs():
    weekly = [0.70, 0.71, 0.70, 0.70, 0.68, 0.66, 0.64, 0.62, 0.60, 0.58]
    whole, gap = creeping(weekly), creeping([math.nan, *weekly])
    assert gap.evidence == whole.evidence
    assert gap.since == whole.since + 1


def test_a_recipe_that_was_mended_no_longer_creeps_and_one_that_stays_low_does():
    rng = np.random.default_rng(0)
    fall = np.concatenate([np.zeros(5), 0.1 * np.arange(1, 21)])
    for year in 0.2 * rng.normal(size=(10, 35)):
        assert creeping(year[:25] - fall).is_shown()
        mended = creeping(year - np.concatenate([fall, np.zeros(10)]))
        low = creeping(year - np.concatenate([fall, np.full(10, 2.0)]))
        assert not mended.is_shown()
        assert low.is_shown()
        assert low.total < 0


def test_the_evidence_of_a_long_and_even_fall_is_a_number():
    found = creeping(np.arange(400.0)[::-1])
    assert math.isfinite(found.evidence)
    assert found.is_shown()
    assert found.per_run == pytest.approx(-1)


def test_a_history_names_what_creeps_though_no_week_fails():
    sizes = [0.02] * 4 + [0.02 * 1.05**n for n in range(1, 16)]
    weeks = [audit_of(seed, size) for seed, size in enumerate(sizes, 1)]
    rules = ["l2 mean[moved] <= baseline + 50%", "moved <= 60"]
    creeps, steady = dk.history(weeks, rules).trajectories
    assert "fail" not in {point.action for point in creeps.points}
    assert creeps.is_creeping
    assert creeps.creeping.total > 0
    assert not steady.is_creeping
    assert "Creeping: l2 mean[moved] by about +0." in dk.history(weeks, rules).headline
