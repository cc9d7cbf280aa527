"""Verdicts that the views are tested with."""

import dataclasses

import numpy as np
import pytest

import driftkit as dk
from driftkit.source import Source

RULES = [
    "moved <= 4%",
    "overlap mean[moved] >= 0.6",
    "spearman[ws353] >= -0.02",
    "spearman[ws353] = original +- 1",
    "warn displaced == 0",
    "added <= 5",
]


@pytest.fixture(scope="session")
def audits(nudged):
    original = dk.Embeddings(nudged.words, nudged.before, source=Source("original.npy"))
    tables = {
        "harmed.pt": dk.Embeddings(nudged.tuned_words, nudged.after, source=Source("harmed.pt")),
        "same.pt": dk.Embeddings(nudged.words, np.array(nudged.before), source=Source("same.pt")),
    }
    return {
        name: dk.audit(dk.align(original, table), benchmarks=["ws353"], resamples=200)
        for name, table in tables.items()
    }


@pytest.fixture(scope="session")
def verdicts(audits):
    """One of each kind: failed, and passed with what could not be measured allowed."""
    return [
        dk.check(audit, RULES, not_measured="pass" if name == "same.pt" else None)
        for name, audit in audits.items()
    ]


@pytest.fixture(scope="session")
def hostile(verdicts):
    """A verdict whose every text tries to break out of the format it is written in."""
    text = "a\x00b\x1b[31m|`</failure><!--\ud800\uffff\r\n::error::50% `` *x*"
    verdict = verdicts[0]
    results = tuple(
        dataclasses.replace(each, rule=text, subject=text, detail=text, reason=text)
        for each in verdict.results
    )
    return dataclasses.replace(
        verdict, tuned=text, original=text, audit=text, results=results, notes=(text,),
        words=((text, (text,)),),
    )  # fmt: skip
