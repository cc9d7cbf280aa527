import math

import numpy as np
import pytest

import driftkit as dk
from driftkit.gate import baseline_of
from driftkit.gate.differences import difference
from driftkit.gate.figures import figures_of, rounded
from driftkit.gate.subjects import Subject

WS353 = Subject("benchmark", "spearman", on="ws353")


def _between(now, then, *, live):
    stored = baseline_of(then)
    return difference(
        WS353, figures_of(now)[WS353], stored.figures[WS353], now, then if live else None, stored
    )


def test_two_releases_are_compared_item_by_item(audits):
    """The same figures as comparing the two tables with each other directly."""
    found = _between(audits.harmed, audits.gentle, live=True)
    direct = dk.compare_scores(
        dk.align(audits.gentle.pair.tuned, audits.harmed.pair.tuned), ["ws353"], resamples=200
    )["ws353"]
    assert found.value == pytest.approx(direct.delta, abs=2e-6)
    assert found.low == pytest.approx(direct.ci_low, abs=2e-6)
    assert found.high == pytest.approx(direct.ci_high, abs=2e-6)
    assert (found.unchanged, found.uncertain) == (0.0, True)


def test_from_a_file_the_two_intervals_are_put_together(audits):
    found = _between(audits.harmed, audits.gentle, live=False)
    now, then = figures_of(audits.harmed)[WS353], figures_of(audits.gentle)[WS353]
    value = now.value - then.value
    low = value - np.sqrt((now.value - now.low) ** 2 + (then.high - then.value) ** 2)
    high = value + np.sqrt((now.high - now.value) ** 2 + (then.value - then.low) ** 2)
    assert (found.value, found.low, found.high) == tuple(map(rounded, (value, low, high)))
    assert found.detail == (
        f"{audits.gentle.scores['ws353'].tuned:.3f} in the baseline, "
        f"{audits.harmed.scores['ws353'].tuned:.3f} now"
    )


def test_the_very_same_table_differs_by_nothing(audits):
    found = _between(audits.harmed, audits.harmed, live=False)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_other_items_are_not_compared(audits):
    found = _between(audits.fewer, audits.gentle, live=False)
    assert math.isnan(found.value)
    assert "only answers to the same items can be compared" in found.reason


def test_what_one_side_could_not_measure_stays_so(audits):
    stored = baseline_of(audits.gentle)
    now, then = figures_of(audits.harmed)[WS353], stored.figures[WS353]
    from dataclasses import replace

    unknown = difference(WS353, now, replace(then, value=math.nan), audits.harmed, None, stored)
    assert unknown.reason == "the baseline could not measure it"
    unknown = difference(WS353, replace(now, reason="why"), then, audits.harmed, None, stored)
    assert unknown.reason == "why"
