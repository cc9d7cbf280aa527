"""The difference between a release and the one before it on one benchmark, with its interval."""

from __future__ import annotations

import math
import zlib
from dataclasses import fields, replace
from typing import Any

import numpy as np

from driftkit.auditing import Audit
from driftkit.evaluators.significance import interval
from driftkit.gate.baseline import Baseline
from driftkit.gate.figures import NAN, Figure, rounded
from driftkit.gate.origin import content_sha256
from driftkit.gate.subjects import Subject


def difference(
    subject: Subject,
    now: Figure,
    then: Figure,
    audit: Audit,
    previous: Audit | None,
    stored: Baseline,
) -> Figure:
    """Give candidate minus baseline.

    With the audit of the previous release the two tables are compared item by item, by the paired
    bootstrap that the audit itself uses. A file holds no items, so the interval is put together
    from the two intervals against the original as if they were independent (MOVER, Zou & Donner
    2008): with d = d2 - d1, its ends are d - sqrt((d2 - l2)^2 + (u1 - d1)^2) and
    d + sqrt((u2 - d2)^2 + (d1 - l1)^2). Both answer the same items, so their errors tend to agree
    and this interval is, if anything, too wide: inconclusive more often, wrong no more often.

    Parameters
    ----------
    subject : Subject
        A benchmark.
    now, then : Figure
        Of the candidate and of the baseline, both against the original.
    audit : Audit
        Of the candidate.
    previous : Audit or None
        Of the previous release.
    stored : Baseline

    Returns
    -------
    Figure
        Not measured when the two did not answer the same items.
    """
    n_then = stored.document["benchmarks"][subject.on]["n_used"]
    n_now = audit.scores[subject.on].n_used
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
    if _same_table(audit, stored):
        low = high = value
    elif previous is None:
        low = value - math.hypot(now.value - now.low, then.high - then.value)
        high = value + math.hypot(now.high - now.value, then.value - then.low)
    else:
        low, high = _paired(subject, audit, previous)
    score = stored.figures.get(replace(subject, of="tuned"))
    after = audit.scores[subject.on].tuned
    detail = "" if score is None else f"{score.value:.3f} in the baseline, {after:.3f} now"
    return replace(empty, value=rounded(value), low=rounded(low), high=rounded(high), detail=detail)


def _same_table(audit: Audit, stored: Baseline) -> bool:
    """Whether the candidate is the very table of the baseline, so that nothing is uncertain."""
    return bool(stored.document["tuned"]["sha256"] == content_sha256(audit.pair.tuned))


def _paired(subject: Subject, audit: Audit, previous: Audit) -> tuple[float, float]:
    """Resample the items that both releases answered, the previous one in the original's place."""
    items = audit.scores[subject.on].items
    older = previous.scores[subject.on].items
    swapped: dict[str, Any] = {
        each.name: getattr(older, each.name.replace("before", "after", 1))
        for each in fields(items)
        if each.name.startswith("before")
    }
    settings = audit.settings
    rng = np.random.default_rng([settings.seed, zlib.crc32(subject.on.encode())])
    bounds = interval(replace(items, **swapped).resample(settings.resamples, rng))
    return bounds.low, bounds.high
