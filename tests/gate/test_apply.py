"""Rules applied to facts that no audit made, and how one fact is decided."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import BaselineError, RuleError
from driftkit.evaluators.comparison.verdict import status_of
from driftkit.evaluators.significance import Interval
from driftkit.gate.apply import apply_rules, decide
from driftkit.gate.baseline import Baseline
from driftkit.gate.facts import Fact
from driftkit.gate.policy import make_policy
from driftkit.gate.run import Run
from driftkit.gate.subjects import Subject
from driftkit.measures import REGISTRY, Measure

NAN = math.nan
SPEARMAN = Subject("benchmark", "spearman", on="ws353")
OVERLAP = Subject("group", "overlap@10", "mean", "moved")
MOVED = Subject("count", "moved")


def table(change=(-0.01, -0.015, -0.005), n=300, moved=10, overlap=0.8, name="a"):
    value, low, high = change
    uncertain = {"uncertain": True, "margin": 0.02, "n": n}
    return Run(
        name,
        {"benchmarks": {"spearman[ws353]": {"n_used": n}}, "tuned": {"sha256": name}},
        {
            SPEARMAN: Fact(value, low, high, unchanged=0.0, **uncertain),
            Subject("benchmark", "spearman", "tuned", "ws353"): Fact(
                0.5 + value, 0.5 + low, 0.5 + high, unchanged=0.5, **uncertain
            ),
            OVERLAP: Fact(overlap, n=10),
            MOVED: Fact(moved, whole=200),
        },
    )


def one(rule, current, *runs):
    stored = Baseline("b.json", runs) if runs else None
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
def test_bounds_in_the_units_of_the_value(rule, bound, tolerance, slack, outcome):
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
    del lacking.facts[OVERLAP]
    with pytest.raises(BaselineError, match="it has no overlap@10 mean"):
        one("overlap mean[moved] >= baseline", table(), lacking)


def test_an_unmeasured_baseline_is_no_pass():
    result = one("overlap mean[moved] >= baseline", table(), table(overlap=math.nan))
    assert result.outcome == "not measured"


def exact(value, **more):
    return Fact(value, **more)


def change(value, low, high, **more):
    return Fact(value, low, high, uncertain=True, unchanged=0.0, **more)


@pytest.mark.parametrize(
    ("fact", "operator", "bound", "outcome"),
    [
        (exact(3), ">=", 3, "pass"),
        (exact(3), ">", 3, "fail"),
        (exact(3), "<=", 3, "pass"),
        (exact(3), "<", 3, "fail"),
        (exact(3), "=", 3, "pass"),
        (exact(3), "=", 4, "fail"),
        (exact(NAN, reason="why"), ">=", 3, "not measured"),
        (exact(3), ">=", NAN, "not measured"),
        (exact(3, reason="partly"), ">=", 3, "not measured"),
        (exact(2, reason="partly"), ">=", 3, "fail"),
        # harmless and well known
        (change(-0.001, -0.004, 0.002), ">=", -0.02, "pass"),
        # no accident, and more than allowed
        (change(-0.05, -0.10, -0.01), ">=", -0.02, "fail"),
        # no accident, less than allowed by its estimate, perhaps more
        (change(-0.01, -0.03, -0.002), ">=", -0.02, "inconclusive"),
        # more than allowed by its estimate, perhaps an accident
        (change(-0.05, -0.12, 0.02), ">=", -0.02, "inconclusive"),
        # a fall that is proven to be within the bound
        (change(-0.01, -0.015, -0.005), ">=", -0.02, "pass"),
        # a gain asked for
        (change(0.01, 0.005, 0.015), ">=", 0.05, "fail"),
        (change(0.04, 0.01, 0.07), ">=", 0.05, "inconclusive"),
        (change(0.09, 0.06, 0.12), ">=", 0.05, "pass"),
        (change(0.05, 0.01, 0.09), "<=", 0.02, "fail"),
        (change(0.0, -0.01, 0.01), "<=", 0.02, "pass"),
        (change(0.0, 0.0, 0.0), "=", 0.0, "pass"),
        (change(0.1, NAN, NAN, reason="too few items"), ">=", -0.02, "not measured"),
        (change(0.1, NAN, NAN), ">=", -0.02, "inconclusive"),
    ],
)
def test_outcomes(fact, operator, bound, outcome):
    assert decide(fact, operator, bound) == outcome


@pytest.mark.parametrize(
    ("fact", "outcome"),
    [
        (change(0.0, -0.01, 0.01), "pass"),
        (change(0.06, 0.04, 0.08), "fail"),
        (change(-0.06, -0.08, -0.04), "fail"),
        (change(0.015, 0.0, 0.03), "inconclusive"),
    ],
)
def test_equal_within_a_tolerance(fact, outcome):
    assert decide(fact, "=", 0.0, 0.02) == outcome


@st.composite
def changes(draw):
    value = draw(st.floats(-0.2, 0.2))
    low = value - draw(st.floats(0, 0.2))
    high = value + draw(st.floats(0, 0.2))
    return change(value, low, high)


@settings(max_examples=300, deadline=None)
@given(changes(), st.floats(0.001, 0.1))
def test_a_lost_benchmark_fails_and_no_other_does(fact, margin):
    """The gate and the audit never disagree about the same values."""
    status = status_of(fact.value, Interval(fact.low, fact.high, 0.5), margin)
    outcome = decide(fact, ">=", -margin)
    if fact.value != -margin:
        assert (outcome == "fail") == (status == "lost")
    if status == "retained":
        assert decide(fact, "=", 0.0, margin) == "pass"


@settings(max_examples=200, deadline=None)
@given(changes(), st.floats(-0.2, 0.2), st.floats(0, 0.2))
def test_a_laxer_bound_never_turns_a_pass_around(fact, bound, laxer):
    if decide(fact, ">=", bound) == "pass":
        assert decide(fact, ">=", bound - laxer) == "pass"
    if decide(fact, ">=", bound - laxer) == "fail":
        assert decide(fact, ">=", bound) == "fail"


@settings(max_examples=200, deadline=None)
@given(changes(), st.floats(-0.2, 0.2))
def test_the_two_directions_mirror_each_other(fact, bound):
    mirrored = change(-fact.value, -fact.high, -fact.low)
    assert decide(fact, ">=", bound) == decide(mirrored, "<=", -bound)
    assert decide(fact, ">", bound) == decide(mirrored, "<", -bound)


@settings(max_examples=100, deadline=None)
@given(st.floats(-0.05, 0.3))
def test_no_change_at_all_is_never_a_failure(bound):
    """The estimate must leave the bound *and* the interval must leave no change."""
    outcome = decide(change(0.0, -0.03, 0.03), ">=", bound)
    assert outcome != "fail" or bound > 0.03


@pytest.fixture
def errors_are_counted(monkeypatch):
    """A measure of benchmarks of which less is better."""
    lower = Measure("misses", "words", 0, 1, higher_is_better=False, summary="Misses.", source="us")
    monkeypatch.setitem(REGISTRY, "misses", lower)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [((0.05, 0.03, 0.07), "fail"), ((-0.05, -0.07, -0.03), "pass"), ((0.01, 0, 0.015), "pass")],
)
@pytest.mark.usefixtures("errors_are_counted")
def test_where_lower_is_better_a_rule_on_any_change_is_mirrored(change, outcome):
    def scored(value, low, high):
        kinds = {"uncertain": True, "margin": 0.02, "n": 300}
        facts = {
            Subject("benchmark", "misses", on="ws353"): Fact(
                value, low, high, unchanged=0.0, **kinds
            )
        }
        after = Fact(0.5 + value, 0.5 + low, 0.5 + high, unchanged=0.5, **kinds)
        return Run("a", {}, facts | {Subject("benchmark", "misses", "tuned", "ws353"): after})

    found = scored(*change)
    for rule in ("change[*] >= -margin", "change[ws353] >= original - margin"):
        assert one(rule, found).outcome == outcome
    assert one("misses[ws353] <= margin", found).outcome == outcome  # a name is read as it stands
    assert one("change[*] >= -margin", found).bound == 0.02
    assert one("change[ws353] tuned <= 0.9", found).outcome == "pass"
