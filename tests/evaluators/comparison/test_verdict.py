from __future__ import annotations

import math
from itertools import product

import pytest

from driftkit.evaluators.comparison.verdict import (
    FEWEST_ITEMS,
    MARGINS,
    check_margins,
    decide,
    margin_of,
)
from driftkit.evaluators.significance import Interval
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
    assert decide(delta, Interval(low, high, 0.5), 0.02) == status


def test_the_rule_is_symmetric() -> None:
    mirror = {"lost": "gained", "gained": "lost"}
    grid = [i / 100 for i in range(-6, 7)]
    for low, delta, high in product(grid, grid, grid):
        if low <= delta <= high:
            status = decide(delta, Interval(low, high, 0.5), 0.02)
            mirrored = decide(-delta, Interval(-high, -low, 0.5), 0.02)
            assert mirrored == mirror.get(status, status)


def test_every_margin_is_of_a_known_measure() -> None:
    assert MARGINS.keys() == FEWEST_ITEMS.keys()
    assert margin_of("3cosadd@1") == 0.01
    assert margin_of("3cosadd@1", {"3cosadd@1": 0.3, "3cosadd": 0.2}) == 0.3
    check_margins(None)
    assert MARGINS.keys() <= REGISTRY.keys()
    assert 1 / FEWEST_ITEMS["3cosadd"] <= MARGINS["3cosadd"]
