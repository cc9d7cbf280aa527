"""Audits that every test of the gate looks at."""

from types import SimpleNamespace

import numpy as np
import pytest

import driftkit as dk
from driftkit.provenance import Source

QUICK = {"benchmarks": ["ws353", "simlex999"], "resamples": 200}


def _table(words, matrix, name):
    return dk.Embeddings(words, matrix, source=Source(name))


@pytest.fixture(scope="session")
def audits(nudged):
    """Audits of the most frequent words of GloVe against tables that were harmed or not.

    ``gentle`` moved a little, ``harmed`` 150 rows a lot, ``same`` not at all, ``fewer`` lacks the
    last third of the words.
    """
    rng = np.random.default_rng(1)
    gentle = nudged.before.copy()
    gentle[nudged.moved] += rng.normal(0, 1e-3, (len(nudged.moved), 50)).astype(np.float32)
    original = _table(nudged.words, nudged.before, "original.npy")
    kept = 2_000
    tables = {
        "gentle": _table(nudged.words, gentle, "gentle.pt"),
        "harmed": _table(nudged.tuned_words, nudged.after, "harmed.pt"),
        "same": _table(nudged.words, nudged.before.copy(), "same.pt"),
        "fewer": _table(nudged.words[:kept], gentle[:kept], "fewer.pt"),
    }
    return SimpleNamespace(
        **{name: dk.audit(dk.align(original, table), **QUICK) for name, table in tables.items()}
    )


@pytest.fixture(scope="session")
def seeds(audits, nudged):
    """Audits of four runs of one recipe: the rows of ``gentle`` moved as little, by other seeds."""

    def run(seed):
        rows = nudged.before.copy()
        noise = np.random.default_rng(100 + seed).normal(0, 0.02, (len(nudged.moved), 50))
        rows[nudged.moved] += noise.astype(np.float32)
        table = _table(nudged.words, rows, f"seed-{seed}.pt")
        return dk.audit(dk.align(audits.gentle.pair.original, table), **QUICK)

    return [run(seed) for seed in range(4)]
