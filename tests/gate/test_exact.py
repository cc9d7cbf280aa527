"""The difference of two recipes: against scipy, against its definition, and its rates."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftkit.gate.exact import difference_of_groups, difference_of_pairs, fewest_pairs

SEEDS = st.integers(0, 2**32 - 1)


def _mean_difference(ours, theirs, axis):
    return ours.mean(axis=axis) - theirs.mean(axis=axis)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 9), st.booleans())
def test_p_values_are_those_of_every_arrangement(seed, n, whole):
    """Ties, as between whole numbers, count as they do in scipy."""
    rng = np.random.default_rng(seed)
    ours, theirs = rng.integers(0, 3, (2, n)) if whole else rng.normal(size=(2, n))
    ours, theirs = ours.astype(float), theirs.astype(float)
    pairs = stats.permutation_test(
        (ours - theirs,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert difference_of_pairs(ours, theirs).p_value == pytest.approx(pairs.pvalue)
    if 2 < n < 7:
        groups = stats.permutation_test(
            (ours, theirs[1:]), _mean_difference, n_resamples=np.inf, vectorized=True
        )
        assert difference_of_groups(ours, theirs[1:]).p_value == pytest.approx(groups.pvalue)


@pytest.mark.parametrize("n", [6, 10, 20])
def test_the_bootstrap_interval_is_scipy_s(n):
    rng = np.random.default_rng(n)
    ours, theirs = rng.exponential(size=(2, n))
    spread = (ours - theirs).std()
    for found, data, statistic in (
        (difference_of_pairs(ours, theirs), (ours - theirs,), np.mean),
        (difference_of_groups(ours, theirs), (ours, theirs), _mean_difference),
    ):
        scipy = stats.bootstrap(data, statistic, n_resamples=10_000, method="BCa", rng=rng)
        expected = scipy.confidence_interval
        assert found.bca.low == pytest.approx(expected.low, abs=0.1 * spread)
        assert found.bca.high == pytest.approx(expected.high, abs=0.1 * spread)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(6, 8), st.booleans())
def test_the_exact_interval_is_what_the_test_does_not_reject(seed, n, in_pairs):
    """Just inside either end of it p is above 5 %, just outside it is not."""
    ours, theirs = np.random.default_rng(seed).normal(size=(2, n))
    compare = difference_of_pairs if in_pairs else difference_of_groups
    found = compare(ours, theirs)
    step = 1e-6
    for end, out in ((found.low, -step), (found.high, step)):
        assert compare(ours - (end + out), theirs).p_value <= 0.05
        if end not in (found.bca.low, found.bca.high):
            assert compare(ours - (end - out), theirs).p_value > 0.05


def test_of_pairs_it_is_made_of_the_means_of_subsets():
    differences = np.array([0.1, 0.2, 0.4, 0.7, 0.8, 1.6, 2.0, 2.5])
    subsets = sorted(
        np.mean(chosen) for size in range(1, 9) for chosen in combinations(differences, size)
    )
    place = math.floor(0.025 * 2**8)
    found = difference_of_pairs(differences, np.zeros(8))
    assert found.low == pytest.approx(min(subsets[place - 1], found.bca.low))
    assert found.high == pytest.approx(max(subsets[-place], found.bca.high))


@pytest.mark.parametrize(
    ("n", "least", "decides"), [(2, 0.5, False), (3, 0.25, False), (5, 0.0625, False),
                                (6, 0.03125, True), (20, 2**-13, True)]
)  # fmt: skip
def test_few_pairs_never_reach_five_percent(n, least, decides):
    """However far apart the recipes are."""
    found = difference_of_pairs(np.arange(n) + 1e6, np.zeros(n))
    assert found.least_p == pytest.approx(least)
    assert found.p_value == pytest.approx(least)
    assert (not math.isnan(found.low)) == decides == (n >= fewest_pairs())
    assert math.isnan(found.shown) != decides


@pytest.mark.parametrize(("n", "m", "decides"), [(3, 3, False), (3, 4, False), (4, 4, True)])
def test_few_runs_in_two_groups(n, m, decides):
    found = difference_of_groups(np.arange(n) + 1e6, np.arange(m))
    assert found.p_value == pytest.approx(2 / math.comb(n + m, n))
    assert (not math.isnan(found.low)) == decides


def test_equal_recipes_differ_by_nothing():
    for compare in (difference_of_pairs, difference_of_groups):
        found = compare(np.full(8, 0.3), np.full(8, 0.3))
        assert (found.value, found.low, found.high, found.p_value, found.shown) == (0, 0, 0, 1, 0)


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize("draw", ["normal", "standard_exponential"])
def test_the_interval_holds_the_difference_as_often_as_it_says(n, draw):
    """Whatever the runs are drawn from: 95 of 100 times or more."""
    rng = np.random.default_rng([n, len(draw)])
    trials, missed = 300, {difference_of_pairs: 0, difference_of_groups: 0}
    for _ in range(trials):
        ours, theirs = (getattr(rng, draw)(size=n) for _ in range(2))
        for compare in missed:
            found = compare(ours, theirs)
            missed[compare] += not found.low <= 0 <= found.high
    assert max(missed.values()) <= stats.binom(trials, 0.05).ppf(0.999)


def test_what_so_many_runs_show_is_found_in_eight_of_ten():
    rng = np.random.default_rng(5)
    n, trials = 10, 300
    shift = (stats.t(9).ppf(0.975) + stats.t(9).ppf(0.8)) * math.sqrt(2 / n)
    found = [
        difference_of_pairs(rng.normal(size=n) + shift, rng.normal(size=n)) for _ in range(trials)
    ]
    assert np.median([each.shown for each in found]) == pytest.approx(shift, rel=0.1)
    low, high = stats.binom(trials, 0.8).interval(0.999)
    assert low <= sum(each.p_value <= 0.05 for each in found) <= high
