import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import driftkit as dk
from driftkit.gate import Baseline
from driftkit.gate.against import difference, paired_interval
from driftkit.gate.facts import facts_of, rounded
from driftkit.gate.run import run_of
from driftkit.gate.subjects import Subject

WS353 = Subject("benchmark", "spearman", on="ws353")


def _between(now, then, *, live):
    paired = partial(paired_interval, now, then) if live else None
    return difference(WS353, run_of(now), Baseline("b.json", (run_of(then),)), paired)


def test_two_releases_are_compared_item_by_item(audits):
    """The same values as comparing the two tables with each other directly."""
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
    now, then = facts_of(audits.harmed)[WS353], facts_of(audits.gentle)[WS353]
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
    now, then = run_of(audits.harmed), run_of(audits.gentle)

    def with_(run, **changes):
        return replace(run, facts={**run.facts, WS353: replace(run.facts[WS353], **changes)})

    def difference_to(run, now=now):
        return difference(WS353, now, Baseline("b.json", (run,)))

    unknown = difference_to(with_(then, value=math.nan))
    assert unknown.reason == "the baseline could not measure it"
    assert difference_to(then, with_(now, reason="why")).reason == "why"
