import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.evaluators.comparison.verdict import status_of
from driftkit.evaluators.significance import Interval
from driftkit.gate.facts import Figure
from driftkit.gate.outcome import decide

NAN = math.nan


def exact(value, **more):
    return Figure(value, **more)


def change(value, low, high, **more):
    return Figure(value, low, high, uncertain=True, unchanged=0.0, **more)


@pytest.mark.parametrize(
    ("figure", "operator", "bound", "outcome"),
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
def test_outcomes(figure, operator, bound, outcome):
    assert decide(figure, operator, bound) == outcome


@pytest.mark.parametrize(
    ("figure", "outcome"),
    [
        (change(0.0, -0.01, 0.01), "pass"),
        (change(0.06, 0.04, 0.08), "fail"),
        (change(-0.06, -0.08, -0.04), "fail"),
        (change(0.015, 0.0, 0.03), "inconclusive"),
    ],
)
def test_equal_within_a_tolerance(figure, outcome):
    assert decide(figure, "=", 0.0, 0.02) == outcome


@st.composite
def changes(draw):
    value = draw(st.floats(-0.2, 0.2))
    low = value - draw(st.floats(0, 0.2))
    high = value + draw(st.floats(0, 0.2))
    return change(value, low, high)


@settings(max_examples=300, deadline=None)
@given(changes(), st.floats(0.001, 0.1))
def test_a_lost_benchmark_fails_and_no_other_does(figure, margin):
    """The gate and the audit never disagree about the same figures."""
    status = status_of(figure.value, Interval(figure.low, figure.high, 0.5), margin)
    outcome = decide(figure, ">=", -margin)
    if figure.value != -margin:
        assert (outcome == "fail") == (status == "lost")
    if status == "retained":
        assert decide(figure, "=", 0.0, margin) == "pass"


@settings(max_examples=200, deadline=None)
@given(changes(), st.floats(-0.2, 0.2), st.floats(0, 0.2))
def test_a_laxer_bound_never_turns_a_pass_around(figure, bound, laxer):
    if decide(figure, ">=", bound) == "pass":
        assert decide(figure, ">=", bound - laxer) == "pass"
    if decide(figure, ">=", bound - laxer) == "fail":
        assert decide(figure, ">=", bound) == "fail"


@settings(max_examples=200, deadline=None)
@given(changes(), st.floats(-0.2, 0.2))
def test_the_two_directions_mirror_each_other(figure, bound):
    mirrored = change(-figure.value, -figure.high, -figure.low)
    assert decide(figure, ">=", bound) == decide(mirrored, "<=", -bound)
    assert decide(figure, ">", bound) == decide(mirrored, "<", -bound)


@settings(max_examples=100, deadline=None)
@given(st.floats(-0.05, 0.3))
def test_no_change_at_all_is_never_a_failure(bound):
    """The estimate must leave the bound *and* the interval must leave no change."""
    outcome = decide(change(0.0, -0.03, 0.03), ">=", bound)
    assert outcome != "fail" or bound > 0.03
