"""How far a run lies from the runs of a baseline.

A baseline of one run holds what its items leave open, and no word on what another seed would have
scored. Several runs of one recipe answer the same items, so their scatter is that of seeds on these
items, and a run that lies farther off than one more of them would is another recipe, or a broken
one. With the mean m and the standard deviation s of n runs, one more run x of the same recipe has

    x - m within  t(n - 1) s sqrt(1 + 1 / n)

(Student's prediction interval; exact where runs are normal, and near it where not: see
docs/explanation/gate.md). Two such intervals decide a rule. What
lies outside the one at `LEVEL` is no chance of seeds; so a run of the same recipe fails a rule in
at most 2.5 of 100 cases. The bound has to be kept by the whole interval at `KEPT_LEVEL`; so a run
of a recipe that lost as much as the bound allows passes in at most 7.5 of 100. The share is one
over baselines too: against one whose runs happen to lie close together it is larger for all its
weeks.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from scipy.special import stdtrit

from driftkit.arrays import generator
from driftkit.audits import Audit
from driftkit.evaluators.significance import LEVEL
from driftkit.gate.baseline import Baseline
from driftkit.gate.facts import NAN, Fact, portable, step
from driftkit.gate.run import Run
from driftkit.gate.subjects import Subject

FEWEST = 3
"""Runs from which their scatter decides. Of two the interval is 15.6 s to either side, of three
5.0 s, of five 3.0 s, of ten 2.4 s, of very many 2.0 s."""

KEPT_LEVEL = 0.85

Compare = Callable[[Subject, Run, Baseline], Fact | None]
"""Return how far a run lies from a baseline; None where two known values are simply compared."""

PairedInterval = Callable[[Subject], tuple[float, float]]
"""Return the interval of candidate minus previous release on a benchmark."""


def accepted(stored: Baseline, current: Run) -> Baseline:
    """Return what a run is compared with: itself, where it is one of the runs of a baseline."""
    own = tuple(run for run in stored.runs if run.sha256 == current.sha256)
    return replace(stored, runs=own or stored.runs)


def is_decided_by_runs(stored: Baseline) -> bool:
    """Whether a baseline has runs enough to go by their scatter."""
    return len(stored.runs) >= FEWEST


def mean_of(subject: Subject, stored: Baseline) -> float:
    """Return the mean of the runs of a baseline, NaN where one of them was not measured."""
    return statistics.fmean(run.facts[subject].value for run in stored.runs)


def where(stored: Baseline) -> str:
    """Say what a value of a baseline is the mean of."""
    n = len(stored.runs)
    return "in the baseline" if n == 1 else f"in the mean of {n} runs"


def difference(
    subject: Subject, current: Run, stored: Baseline, paired: PairedInterval | None = None
) -> Fact | None:
    """Return candidate minus the mean of a baseline's runs, and how far chance may move it.

    None where nothing is known of chance: of fewer than `FEWEST` runs and no benchmark. Benchmarks
    of which the two answered other items are not measured. From `FEWEST` runs on, the
    interval is that for one more run; with fewer it is that of the items, see `_by_items`.
    """
    now, thens = current.facts[subject], [run.facts[subject] for run in stored.runs]
    empty = replace(now, value=NAN, low=NAN, high=NAN, unchanged=0.0, detail="")
    of_items = subject.kind == "benchmark" and now.uncertain
    if not of_items and not is_decided_by_runs(stored):
        return None
    if math.isnan(now.value) or (of_items and now.reason is not None):
        return replace(empty, reason=now.reason)
    for run, then in zip(stored.runs, thens, strict=True):
        if math.isnan(then.value) or (of_items and math.isnan(then.low)):
            which = f" in {run.name}" if len(thens) > 1 else ""
            return replace(empty, reason=f"the baseline could not measure it{which}")
    if of_items:
        for run in stored.runs:
            if (there := run.n_used(subject)) != (here := current.n_used(subject)):
                why = f"the baseline answered {there:,} items and this table {here:,}"
                why += ", and only answers to the same items can be compared"
                return replace(empty, reason=why)
    value = now.value - mean_of(subject, stored)
    fact = replace(empty, value=value, uncertain=True, detail=_detail(subject, current, stored))
    if stored.runs[0].sha256 == current.sha256:  # the very same table: nothing is uncertain
        return portable(subject, replace(fact, low=value, high=value, doubt=None))
    if is_decided_by_runs(stored):
        values = [then.value for then in thens]
        half = prediction(values, LEVEL, step(subject, now))
        kept = prediction(values, KEPT_LEVEL)
        fact = replace(fact, low=value - half, high=value + half, kept=kept, runs=len(thens))
        return portable(subject, fact)
    low, high = paired(subject) if paired else _by_items(now, thens, value)
    return portable(subject, replace(fact, low=low, high=high))


def prediction(values: Sequence[float], level: float, least: float = 0.0) -> float:
    """Return how far one more value may lie from the mean of `values`, n of them, n > 1.

    They scatter by half of `least` at the least, the step to which they are known: where runs are
    equal, one that differs by a hair is of no other recipe.

    >>> round(prediction([0.50, 0.52, 0.51, 0.53, 0.49], 0.95), 4)
    0.0481
    """
    n = len(values)
    scatter = max(statistics.stdev(values), least / 2)
    return float(stdtrit(n - 1, (1 + level) / 2)) * scatter * math.sqrt(1 + 1 / n)


def _by_items(now: Fact, thens: Sequence[Fact], value: float) -> tuple[float, float]:
    """Put the interval of a difference together from the intervals against the original.

    A file holds no items, so they are taken as if they were independent (MOVER, Zou & Donner 2008):
    with d = d2 - d1, the ends are d - sqrt((d2 - l2)^2 + (u1 - d1)^2) and
    d + sqrt((u2 - d2)^2 + (d1 - l1)^2). Both answer the same items, so their errors tend to agree
    and this interval is, if anything, too wide: inconclusive more often, wrong no more often.
    """
    below = statistics.fmean(then.value - then.low for then in thens)
    above = statistics.fmean(then.high - then.value for then in thens)
    return (
        value - math.hypot(now.value - now.low, above),
        value + math.hypot(now.high - now.value, below),
    )


def _detail(subject: Subject, current: Run, stored: Baseline) -> str:
    write = "{:.6g}"
    if subject.kind == "benchmark" and current.facts[subject].uncertain:
        subject, write = replace(subject, of="tuned"), "{:.3f}"
    before, after = mean_of(subject, stored), current.facts[subject].value
    return f"{write.format(before)} {where(stored)}, {write.format(after)} now"


def paired_interval(audit: Audit, previous: Audit, subject: Subject) -> tuple[float, float]:
    """Resample the items that both releases answered, the previous one in the original's place."""
    items, older = (
        next(
            change.items
            for change in each.scores
            if (change.name, change.measure) == (subject.on, subject.measure)
        )
        for each in (audit, previous)
    )
    settings = audit.settings
    rng = generator(settings.seed, subject.on)
    bounds = items.since(older).spread(settings.resamples, rng).bounds()
    return bounds.low, bounds.high
