"""Weeks of a small recipe, one of them damaged, audited in hundredths of a second each."""

import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.provenance import Source

DAY = 86_400
FIRST = 1_789_000_000  # 10 September 2026
WORDS = [f"word{at}" for at in range(80)]
RULES = [
    "self_cosine mean >= baseline - 0.01",
    "moved <= 60",
    "warn l2 mean[moved] <= baseline + 5%",
    "link != broken",
]
SIZES = [0.02] * 6 + [0.5] + [0.02] * 3  # of the moves; the seventh week is damaged


def audit_of(seed, size=0.02, *, day=None, name=None, original=None, **settings):
    """Audit one week of a small recipe, made on some day."""
    before = np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32)
    after = before.copy()
    after[:40] += (size * np.random.default_rng(seed).normal(size=(40, 6))).astype(np.float32)
    source = Source(name or f"week-{seed}.pt")
    table = dk.Embeddings(WORDS, before if original is None else original, source=Source("o.npy"))
    tuned = dk.Embeddings(WORDS, after, source=source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "SOURCE_DATE_EPOCH", str(int(FIRST + (seed * 7 if day is None else day) * DAY))
        )
        return dk.audit(dk.align(table, tuned), **{"benchmarks": [], "k": 3, **settings})


def write(audit, path, **changes):
    path.write_text(json.dumps(audit.to_dict() | changes))
    return path
