from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2, rankdata

from driftkit.evaluators.correlations import pearson
from driftkit.evaluators.significance import (
    correlation_tests,
    holm,
    hypothesis_tests,
    mcnemar,
    permute_correlation,
    permute_means,
)


def test_correlations_against_every_swap(rng: np.random.Generator) -> None:
    gold, before, after = (rankdata(rng.normal(size=9)) for _ in range(3))
    observed = abs(pearson(gold, after) - pearson(gold, before))

    # Both sides are standardized before they are swapped.
    b, a = ((x - x.mean()) / np.linalg.norm(x - x.mean()) for x in (before, after))
    extreme = []
    for swap in product([False, True], repeat=9):
        one, other = np.where(swap, b, a), np.where(swap, a, b)
        extreme.append(abs(pearson(gold, one) - pearson(gold, other)) >= observed - 1e-12)
    found = permute_correlation(gold, before, after, permutations=20_000, rng=rng)
    assert found == pytest.approx(np.mean(extreme), abs=0.015)


def test_means_agree_with_mcnemar(rng: np.random.Generator) -> None:
    before = np.repeat([True, False, True], [40, 25, 300])
    after = np.repeat([False, True, True], [40, 25, 300])
    found = permute_means(before, after, permutations=40_000, rng=rng)
    assert found == pytest.approx(mcnemar(before, after).p_value, abs=0.01)


def test_means_of_shares_against_every_sign(rng: np.random.Generator) -> None:
    before, after = rng.random((2, 8)).round(1)
    change = after - before
    sums = [abs(np.dot(signs, change)) for signs in product([-1, 1], repeat=8)]
    expected = np.mean(np.array(sums) >= abs(change.sum()) - 1e-12)
    found = permute_means(before, after, permutations=20_000, rng=rng)
    assert found == pytest.approx(expected, abs=0.015)


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gold, before, after = np.random.default_rng(0).normal(size=(3, 30))

    def p() -> float:
        rng = np.random.default_rng(1)
        return permute_correlation(gold, before, after, permutations=3000, rng=rng)

    whole = p()
    monkeypatch.setattr(hypothesis_tests, "_BATCH", 100)
    assert p() == pytest.approx(whole, abs=0.03)


def test_nothing_changed() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(10.0)
    assert permute_means(x, x, permutations=100, rng=rng) == 1
    assert permute_correlation(x, x, x, permutations=100, rng=rng) == 1


def test_a_constant_side_is_nan() -> None:
    x = np.arange(10.0)
    found = permute_correlation(x, x, np.ones(10), permutations=100, rng=np.random.default_rng(0))
    assert np.isnan(found)


def test_the_rate_of_false_alarms_of_permutations() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(400):
        gold = rng.normal(size=50)
        before, after = gold + rng.normal(size=50), gold + rng.normal(size=50)
        ranks = map(rankdata, (gold, before, after))
        alarms += permute_correlation(*ranks, permutations=199, rng=rng) <= 0.05
    assert 0.02 < alarms / 400 < 0.085


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


ALL = ("steiger", "williams", "meng")


@pytest.mark.parametrize(
    ("name", "statistic", "p", "digits"),
    [
        ("steiger", -1.0718, 0.2838, 4),
        ("williams", -1.0767, 0.2843, 4),
        ("meng", -1.07074, 0.28429, 5),
    ],
)
def test_published_values(name: str, statistic: float, p: float, digits: int) -> None:
    found = correlation_tests(0.3, 0.4, 0.5, 100)[name]
    assert (round(found.statistic, digits), round(found.p_value, digits)) == (statistic, p)


@pytest.mark.parametrize("name", ALL)
def test_swapping_the_two_turns_the_sign(name: str) -> None:
    one, other = (correlation_tests(*r, 0.7, 80)[name] for r in ((0.5, 0.3), (0.3, 0.5)))
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize("name", ALL)
def test_two_tables_that_agree_fully(name: str) -> None:
    same = correlation_tests(0.5, 0.5, 1.0, 50)[name]
    assert (same.statistic, same.p_value) == (0, 1)


@pytest.mark.parametrize("name", ALL)
def test_what_allows_no_statistic_is_nan(name: str) -> None:
    few, perfect = correlation_tests(0.5, 0.4, 0.3, 3), correlation_tests(1.0, 0.4, 0.4, 50)
    assert math.isnan(few[name].p_value) or few[name].statistic == 0
    assert math.isnan(perfect[name].p_value) or name == "williams"


def test_the_rate_of_false_alarms_of_correlation_tests() -> None:
    """Normal scores, two tables equally good: 5 % are called different."""
    rng = np.random.default_rng(11)
    runs, n = 600, 80
    alarms = dict.fromkeys(ALL, 0)
    for _ in range(runs):
        gold = rng.normal(size=n)
        shared = rng.normal(size=n)
        k, h = (gold + shared + rng.normal(size=n) for _ in range(2))
        r = np.corrcoef([gold, k, h])
        for name, test in correlation_tests(r[0, 1], r[0, 2], r[1, 2], n).items():
            alarms[name] += test.p_value < 0.05
    assert all(0.025 < count / runs < 0.08 for count in alarms.values())


def test_holm_by_the_definition() -> None:
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
    adjusted = holm([0.02, math.nan])
    assert adjusted[0] == 0.02
    assert math.isnan(adjusted[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert all(
        a <= min(1, len(p_values) * p) + 1e-12 for a, p in zip(adjusted, p_values, strict=True)
    )
