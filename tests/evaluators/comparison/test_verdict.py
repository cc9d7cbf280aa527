from __future__ import annotations

import math
from itertools import product

import pytest

from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.comparison.verdict import (
    check_margins,
    fewest_items,
    margin_of,
    status_of,
)
from driftkit.evaluators.significance import Interval
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY


@pytest.mark.parametrize(
    ("delta", "low", "high", "status"),
    [
        (-0.05, -0.08, -0.01, "lost"),
        (-0.02, -0.03, -0.005, "lost"),
        (0.05, 0.01, 0.08, "gained"),
        (0.0, -0.01, 0.01, "retained"),
        (0.0, 0.0, 0.0, "retained"),
        (-0.01, -0.015, -0.005, "retained"),  # surely a fall, and surely one that is harmless
        (-0.015, -0.025, -0.005, "inconclusive"),  # a fall, perhaps beyond the margin
        (-0.05, -0.11, 0.01, "inconclusive"),
        (0.0, -0.05, 0.05, "inconclusive"),
        (0.0, -0.02, 0.01, "inconclusive"),  # the margin itself is outside
        (math.nan, -0.01, 0.01, "not measured"),
        (0.0, math.nan, math.nan, "not measured"),
    ],
)
def test_the_rule(delta: float, low: float, high: float, status: str) -> None:
    assert status_of(delta, Interval(low, high, 0.5), 0.02) == status


def test_the_rule_is_symmetric() -> None:
    mirror = {"lost": "gained", "gained": "lost"}
    grid = [i / 100 for i in range(-6, 7)]
    for low, delta, high in product(grid, grid, grid):
        if low <= delta <= high:
            status = status_of(delta, Interval(low, high, 0.5), 0.02)
            mirrored = status_of(-delta, Interval(-high, -low, 0.5), 0.02)
            assert mirrored == mirror.get(status, status)


def test_where_lower_is_better_and_where_neither_is() -> None:
    fell, rose = Interval(-0.09, -0.03, 0.01), Interval(0.03, 0.09, 0.01)
    assert status_of(-0.05, fell, 0.02, higher_is_better=False) == "gained"
    assert status_of(0.05, rose, 0.02, higher_is_better=False) == "lost"
    assert status_of(0.05, rose, 0.02, higher_is_better=None) == "inconclusive"
    assert status_of(0.0, Interval(-0.01, 0.01, 1), 0.02, higher_is_better=None) == "retained"


def test_every_measure_of_benchmarks_has_a_margin() -> None:
    for measure in REGISTRY.values():
        if measure.kind not in ("word", "space"):
            assert 0 < margin_of(str(measure)) <= 0.2
    assert margin_of("3cosadd@1") == 0.01
    assert margin_of("3cosadd@1", {"3cosadd@1": 0.3, "3cosadd": 0.2}) == 0.3
    assert (fewest_items("3cosadd"), fewest_items("opp"), fewest_items("pearson")) == (100, 50, 10)
    check_margins(None)


def test_a_measure_of_others_declares_its_margin() -> None:
    def declare(high: float, margin: float | None) -> None:
        mine = Measure("mine", "similarity", 0, high, True, "Mine.", "here", margin=margin)
        REGISTRY["mine"] = mine

    with pytest.raises(UnknownNameError, match="Register a measure of your own first"):
        margin_of("mine")
    declare(5, None)
    assert (margin_of("mine"), fewest_items("mine")) == (0.05, 100)
    declare(math.inf, 0.5)
    assert (margin_of("mine"), fewest_items("mine")) == (0.5, 10)
    declare(math.inf, None)
    with pytest.raises(OptionError, match="its range has no end"):
        margin_of("mine")
    assert margin_of("mine", {"mine": 3}) == 3
