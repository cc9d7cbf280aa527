"""Verdicts that the views are tested with."""

import dataclasses
import math

import numpy as np
import pytest

import driftkit as dk
from driftkit.gate import Result, Verdict, make_policy
from driftkit.provenance import Source
from driftkit.questions.finding import Finding

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
    findings = tuple(dataclasses.replace(each, sentence=text) for each in verdict.findings)
    return dataclasses.replace(
        verdict, tuned=text, original=text, audit=text, results=results, notes=(text,),
        findings=findings,
        words=((text, (text,)),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def worked():
    """A verdict written by hand, one result of every kind, for texts that are compared whole."""
    shared = {"operator": ">=", "tolerance": 0.0, "reference": math.nan, "reason": None, "runs": 0}
    exact = {"low": math.nan, "high": math.nan, "decided_by": "value"}
    results = (
        Result(rule="change[*] >= -margin", subject="spearman[ws353]", value=-0.0814, low=-0.15,
               high=-0.0215, bound=-0.02, slack=-0.0614, outcome="fail", action="fail",
               decided_by="interval", n=353, detail="0.503 to 0.422", **shared),
        Result(rule="change[*] >= -margin", subject="spearman[simlex999]", value=0.00106,
               low=-0.0604, high=0.0625, bound=-0.02, slack=0.02106, outcome="inconclusive",
               action="warn", decided_by="interval", n=999, detail="0.265 to 0.266",
               **{**shared, "reason": "the interval allows both"}),
        Result(rule="moved <= 10%", subject="moved", value=4392, bound=40_000, slack=35_608,
               outcome="pass", action="pass", n=400_000, detail="", **exact,
               **{**shared, "operator": "<="}),
        Result(rule="word[good] overlap >= 0.5", subject="word[good] overlap@10", value=math.nan,
               bound=0.5, slack=math.nan, outcome="not measured", action="fail", n=1, detail="",
               **exact, **{**shared, "reason": "the word is not in hot.pt"}),
        Result(rule="link == kept", subject="link", value=2.0, low=math.nan, high=math.nan,
               bound=0.0, slack=math.nan, outcome="fail", action="fail", decided_by="status",
               n=400_000, detail="a reader of the original vectors finds 0% of the words it found",
               **{**shared, "operator": "="}),
    )  # fmt: skip
    return Verdict(
        original="original.npy",
        tuned="hot.pt",
        results=results,
        policy=make_policy(["change[*] >= -margin", "moved <= 10%", "word[good] overlap >= 0.5"]),
        baseline=None,
        runs=0,
        audit="Do not ship: lost ws353 (0.503 to 0.422); 4,392 of 400,000 words moved.",
        findings=(
            Finding("knowledge", "broken", "lost ws353 (0.503 to 0.422)", {"lost": ["ws353"]}),
            Finding("numbers", "kept", "no row clipped or collapsed, no dimension lost", {}),
        ),
        words=(("united", ("states", "nations")),),
        notes=("baseline: numpy 2.3.0 then, 2.4.6 now",),
        about={"sources": {"original": {"sha256": "0" * 64}, "tuned": {"sha256": "1" * 64}},
               "driftkit": "0.1.0", "benchmarks": {"spearman[ws353]": {}}},
    )  # fmt: skip
