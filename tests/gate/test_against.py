"""Rules on a baseline of several runs: the interval for one more, and the rates it promises."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftkit.gate import Baseline, Run, make_policy
from driftkit.gate.against import FEWEST, KEPT_LEVEL, prediction
from driftkit.gate.apply import apply_rules
from driftkit.gate.facts import Fact
from driftkit.gate.subjects import Subject

SPEARMAN = Subject("benchmark", "spearman", on="ws353")
OVERLAP = Subject("group", "overlap@10", "mean", "moved")
MOVED, REMOVED = Subject("count", "moved"), Subject("count", "removed")
MARGIN = 0.02


def run(change=0.0, name="now", *, overlap=0.5, moved=100, removed=0, n=353):
    uncertain = {"uncertain": True, "margin": MARGIN, "n": n}
    low, high = change - 0.02, change + 0.02
    return Run(
        name,
        {"benchmarks": {"spearman[ws353]": {"n_used": n}}, "tuned": {"sha256": name}},
        {
            SPEARMAN: Fact(change, low, high, unchanged=0.0, **uncertain),
            replace(SPEARMAN, of="tuned"): Fact(0.5 + change, 0.5 + low, 0.5 + high, **uncertain),
            OVERLAP: Fact(overlap, n=100),
            MOVED: Fact(moved, whole=1000),
            REMOVED: Fact(removed, whole=1000),
        },
    )


def runs_of(**values):
    """Return runs, each with the next of the values."""
    (length,) = {len(each) for each in values.values()}
    return [
        run(**{name: each[at] for name, each in values.items()}, name=f"run-{at}")
        for at in range(length)
    ]


def one(rule, current, runs):
    stored = Baseline("b.json", tuple(runs))
    (result,) = apply_rules(make_policy([rule], baseline=True), current, stored)
    return result


FALL = "change[*] >= baseline - margin"
FIVE = [0.010, 0.014, 0.006, 0.012, 0.008]


@pytest.mark.parametrize(
    ("fall", "outcome"),
    [
        (0.0, "pass"),
        (0.013, "pass"),  # less than the margin by more than runs lie apart
        (0.018, "inconclusive"),
        (0.0199, "inconclusive"),
        (0.021, "fail"),  # more than the margin, and farther off than runs lie apart
        (-0.3, "pass"),
    ],
)
def test_runs_that_lie_close_together(fall, outcome):
    found = one(FALL, run(0.01 - fall), runs_of(change=FIVE))
    assert (found.outcome, found.runs, found.decided_by) == (outcome, 5, "interval")
    assert found.subject == "spearman[ws353] - baseline"
    assert found.value == pytest.approx(-fall)
    assert found.detail == f"0.510 in the mean of 5 runs, {0.51 - fall:.3f} now"


@pytest.mark.parametrize(
    ("fall", "outcome"), [(0.0, "inconclusive"), (0.04, "inconclusive"), (0.2, "fail")]
)
def test_runs_that_lie_farther_apart_than_the_margin_decide_less(fall, outcome):
    found = one(FALL, run(-fall), runs_of(change=[-0.04, 0.04, 0.0, 0.03, -0.03]))
    assert found.outcome == outcome
    if outcome == "inconclusive":
        assert found.reason.startswith("from 5 runs that scatter so, ")


def test_the_interval_is_that_for_one_more_run():
    found = one(FALL, run(0.0), runs_of(change=FIVE))
    half = stats.t(4).ppf(0.975) * np.std(FIVE, ddof=1) * math.sqrt(1 + 1 / 5)
    assert found.low == pytest.approx(-0.01 - half, abs=1e-6)
    assert found.high == pytest.approx(-0.01 + half, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12), st.sampled_from([0.8, 0.95]))
def test_the_interval_is_student_s(values, level):
    _, high = stats.t.interval(level, len(values) - 1)
    expected = high * np.std(values, ddof=1) * math.sqrt(1 + 1 / len(values))
    assert prediction(values, level) == pytest.approx(expected, abs=1e-12)
    assert prediction(values, level, least=5.0) >= prediction(values, level)


DRAWN = 4_000


def within(share, count):
    """Whether a count is one that DRAWN trials of a share give in 999 of 1,000 cases."""
    low, high = stats.binom(DRAWN, share).interval(0.999)
    return low <= count <= high


@pytest.mark.parametrize("n", [3, 5, 10])
def test_one_more_run_lies_outside_as_often_as_stated(n):
    """Both rates that `driftkit.gate.against` states, over baselines and runs."""
    rng = np.random.default_rng([2026, n])
    runs, more = rng.normal(size=(DRAWN, n)), rng.normal(size=DRAWN)
    away = more - runs.mean(axis=1)
    for level in (0.95, KEPT_LEVEL):
        half = np.array([prediction(list(each), level) for each in runs])
        assert within((1 - level) / 2, (away < -half).sum())
        assert within((1 - level) / 2, (away > half).sum())


@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_run_of_the_same_recipe_seldom_fails_and_a_loss_seldom_passes(n):
    """The rule itself, where runs lie as far apart as the margin."""
    rng = np.random.default_rng([7, n])
    outcomes = {0.0: [], MARGIN: []}
    for loss, found in outcomes.items():
        for _ in range(400):
            *accepted, now = rng.normal(0, MARGIN / 2, n + 1)
            found.append(one(FALL, run(now - loss), runs_of(change=accepted)).outcome)
    assert outcomes[0.0].count("fail") <= stats.binom(400, 0.025).ppf(0.999)
    assert outcomes[MARGIN].count("pass") <= stats.binom(400, 0.10).ppf(0.999)


@pytest.mark.parametrize("n", range(1, FEWEST))
def test_of_too_few_runs_the_items_decide_against_their_mean(n):
    found = one(FALL, run(-0.03), runs_of(change=[0.0, 0.01][:n]))
    mean = [0.0, 0.005][n - 1]
    assert (found.runs, found.outcome) == (0, "fail")
    assert found.value == pytest.approx(-0.03 - mean)
    assert found.high == pytest.approx(found.value + math.hypot(0.02, 0.02), abs=1e-6)
    known = one("overlap mean[moved] >= baseline - 0.1", run(), runs_of(overlap=[0.5, 0.54][:n]))
    assert (known.decided_by, known.reference) == ("value", [0.5, 0.52][n - 1])


@pytest.mark.parametrize(
    ("rule", "now", "outcome"),
    [
        ("overlap mean[moved] >= baseline", {"overlap": 0.5}, "pass"),
        ("overlap mean[moved] >= baseline", {"overlap": 0.499999}, "inconclusive"),
        ("overlap mean[moved] >= baseline", {"overlap": 0.49999}, "fail"),
        ("overlap mean[moved] >= baseline - 0.1", {"overlap": 0.45}, "pass"),
        ("removed <= baseline", {"removed": 0}, "pass"),
        ("removed <= baseline", {"removed": 1}, "inconclusive"),
        ("removed <= baseline", {"removed": 2}, "fail"),
        ("moved <= baseline + 20%", {"moved": 110}, "pass"),
        ("moved <= baseline + 20%", {"moved": 130}, "fail"),
        ("change[*] >= baseline", {"change": -0.5 / 353}, "inconclusive"),  # half an item
        (FALL, {"change": -0.5 / 353}, "pass"),
    ],
)
def test_of_equal_runs_a_hair_is_no_failure(rule, now, outcome):
    assert one(rule, run(**now), runs_of(moved=[100] * 5)).outcome == outcome


def test_a_known_value_is_decided_by_the_scatter_too():
    runs = runs_of(overlap=[0.45, 0.47, 0.46, 0.44, 0.48])
    found = one("overlap mean[moved] >= baseline - 0.1", run(overlap=0.44), runs)
    assert (found.outcome, found.subject) == ("pass", "overlap@10 mean[moved] - baseline")
    assert found.detail == "0.46 in the mean of 5 runs, 0.44 now"
    assert found.bound == -0.1
    assert one("overlap mean[moved] >= baseline - 0.1", run(overlap=0.3), runs).outcome == "fail"
    percent = one("moved <= baseline + 20%", run(moved=145), runs_of(moved=[90, 100, 110]))
    assert (percent.value, percent.bound, percent.outcome) == (45, 20, "inconclusive")


def test_a_run_of_the_baseline_is_compared_with_itself():
    runs = runs_of(change=[0.05, 0.0, -0.05])
    for each in runs:
        found = one(FALL, each, runs)
        assert (found.value, found.outcome, found.runs) == (0.0, "pass", 0)


def test_what_one_run_lacks_is_not_guessed():
    runs = runs_of(change=[0.0, math.nan, 0.01])
    found = one(FALL, run(), runs)
    assert (found.outcome, found.reason) == (
        "not measured",
        "the baseline could not measure it in run-1",
    )
    runs = [*runs_of(change=[0.0, 0.01]), run(0.0, "other", n=350)]
    assert "the baseline answered 350 items and this table 353" in one(FALL, run(), runs).reason
