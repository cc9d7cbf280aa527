"""The difference between a release and the one before it on one benchmark, with its interval."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from driftkit.audits import Audit
from driftkit.gate.baseline import Baseline
from driftkit.gate.facts import NAN, Fact, portable
from driftkit.gate.subjects import Subject

PairedInterval = Callable[[Subject], tuple[float, float]]
"""Return the interval of candidate minus previous release on a benchmark."""


def difference(
    subject: Subject, current: Baseline, stored: Baseline, paired: PairedInterval | None = None
) -> Fact:
    """Return candidate minus baseline; not measured when the two answered other items.

    With the audit of the previous release the two tables are compared item by item, by the paired
    bootstrap that the audit itself uses. A file holds no items, so the interval is put together
    from the two intervals against the original as if they were independent (MOVER, Zou & Donner
    2008): with d = d2 - d1, its ends are d - sqrt((d2 - l2)^2 + (u1 - d1)^2) and
    d + sqrt((u2 - d2)^2 + (d1 - l1)^2). Both answer the same items, so their errors tend to agree
    and this interval is, if anything, too wide: inconclusive more often, wrong no more often.
    """
    now, then = current.facts[subject], stored.facts[subject]
    name = str(replace(subject, of=""))
    n_then, n_now = (each.document["benchmarks"][name]["n_used"] for each in (stored, current))
    empty = replace(now, value=NAN, low=NAN, high=NAN, unchanged=0.0, detail="")
    if now.reason is not None:
        return replace(empty, reason=now.reason)
    if math.isnan(then.value) or math.isnan(then.low):
        return replace(empty, reason="the baseline could not measure it")
    if n_then != n_now:
        return replace(
            empty,
            reason=f"the baseline answered {n_then:,} items and this table {n_now:,}, and only "
            "answers to the same items can be compared",
        )
    value = now.value - then.value
    if stored.document["tuned"]["sha256"] == current.document["tuned"]["sha256"]:
        low = high = value  # the very same table: nothing is uncertain
    elif paired is None:
        low = value - math.hypot(now.value - now.low, then.high - then.value)
        high = value + math.hypot(now.high - now.value, then.value - then.low)
    else:
        low, high = paired(subject)
    before, after = (each.facts[replace(subject, of="tuned")].value for each in (stored, current))
    detail = f"{before:.3f} in the baseline, {after:.3f} now"
    return portable(subject, replace(empty, value=value, low=low, high=high, detail=detail))


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
    rng = np.random.default_rng([settings.seed, zlib.crc32(subject.on.encode())])
    difference = items.since(older).difference()
    bounds = difference.percentiles(difference.resample(settings.resamples, rng))
    return bounds.low, bounds.high
