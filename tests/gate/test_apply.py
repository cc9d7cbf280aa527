"""Rules meet figures that no audit made."""

import math

import pytest

from driftkit.errors import BaselineError, RuleError
from driftkit.gate.apply import apply_rules
from driftkit.gate.baseline import Baseline
from driftkit.gate.facts import Figure
from driftkit.gate.policy import make_policy
from driftkit.gate.subjects import Subject

SPEARMAN = Subject("benchmark", "spearman", on="ws353")
OVERLAP = Subject("group", "overlap@10", "mean", "moved")
MOVED = Subject("count", "moved")


def table(change=(-0.01, -0.015, -0.005), n=300, moved=10, overlap=0.8, name="a"):
    value, low, high = change
    uncertain = {"uncertain": True, "margin": 0.02, "n": n}
    return Baseline(
        name,
        {"benchmarks": {"spearman[ws353]": {"n_used": n}}, "tuned": {"sha256": name}},
        {
            SPEARMAN: Figure(value, low, high, unchanged=0.0, **uncertain),
            Subject("benchmark", "spearman", "tuned", "ws353"): Figure(
                0.5 + value, 0.5 + low, 0.5 + high, unchanged=0.5, **uncertain
            ),
            OVERLAP: Figure(overlap, n=10),
            MOVED: Figure(moved, whole=200),
        },
    )


def one(rule, current, stored=None):
    (result,) = apply_rules(make_policy([rule], baseline=stored is not None), current, stored)
    return result


@pytest.mark.parametrize(
    ("rule", "bound", "tolerance", "slack", "outcome"),
    [
        ("moved <= 10%", 20, 0, 10, "pass"),
        ("moved <= 5", 5, 0, -5, "fail"),
        ("moved = 12 +- 1%", 12, 2, 0, "pass"),
        ("overlap mean[moved] >= 90%", 0.9, 0, -0.1, "fail"),
        ("spearman[ws353] >= -margin", -0.02, 0, 0.01, "pass"),
        ("spearman[ws353] >= -0.5 margin", -0.01, 0, 0, "inconclusive"),
        ("spearman[ws353] >= -0.001", -0.001, 0, -0.009, "fail"),
        ("spearman[ws353] >= original - 5%", 0.475, 0, 0.015, "pass"),
        ("spearman[ws353] = original", 0.5, 0.02, 0.01, "pass"),
        ("spearman[ws353] = original +- 0.1 margin", 0.5, 0.002, -0.008, "fail"),
        ("spearman[ws353] = 0", 0, 0, -0.01, "fail"),
        ("spearman[ws353] tuned > 0.49", 0.49, 0, 0, "fail"),
    ],
)
def test_bounds_in_the_units_of_the_figure(rule, bound, tolerance, slack, outcome):
    result = one(rule, table())
    assert (result.bound, result.tolerance, result.outcome) == (bound, tolerance, outcome)
    assert result.slack == pytest.approx(slack, abs=1e-9)


@pytest.mark.parametrize(
    ("rule", "bound", "outcome"),
    [
        ("moved <= baseline", 10, "pass"),
        ("moved <= baseline - 10%", 9, "fail"),
        ("moved >= baseline + 3", 13, "fail"),
        ("overlap mean[moved] >= baseline - 0.1", 0.75, "pass"),
        ("spearman[ws353] >= baseline - margin", -0.02, "pass"),
        ("spearman[ws353] = baseline", 0, "pass"),
    ],
)
def test_against_a_baseline(rule, bound, outcome):
    result = one(rule, table(name="b"), table(change=(-0.005, -0.007, -0.003), overlap=0.85))
    assert (result.bound, result.outcome) == (pytest.approx(bound), outcome)


def test_a_fall_since_the_baseline_fails_though_the_original_would_allow_it():
    before, now = table(change=(0.05, 0.04, 0.06)), table(change=(0.0, -0.01, 0.01), name="b")
    result = one("change[*] >= baseline - margin", now, before)
    assert (result.outcome, result.action, result.decided_by) == ("fail", "fail", "interval")
    assert result.value == -0.05
    assert result.detail == "0.550 in the baseline, 0.500 now"
    assert one("change[*] >= -margin", now).outcome == "pass"


def test_other_items_than_the_baseline_are_not_compared():
    result = one("change[*] >= baseline - margin", table(n=200), table())
    assert (result.outcome, result.action) == ("not measured", "fail")
    assert "answered 300 items and this table 200" in result.reason


def test_errors_name_what_there_is():
    with pytest.raises(RuleError, match="did you mean 'ws353'"):
        one("spearman[ws35] >= 0", table())
    with pytest.raises(RuleError, match=r"pearson\[ws353\] was not measured; this audit has spear"):
        one("pearson[ws353] >= 0", table())
    lacking = table()
    del lacking.figures[OVERLAP]
    with pytest.raises(BaselineError, match="it has no overlap@10 mean"):
        one("overlap mean[moved] >= baseline", table(), lacking)


def test_an_unmeasured_baseline_is_no_pass():
    result = one("overlap mean[moved] >= baseline", table(), table(overlap=math.nan))
    assert result.outcome == "not measured"
