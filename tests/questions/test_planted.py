"""Planted harms and harmless changes of a real table, each with the question that must see it."""

import pytest

import driftkit as dk
from benchmarks.validity.planted import audit_of, bench, changes, is_wrong
from driftkit.provenance import Source

CHANGES = list(changes())
WORDS = 3_000

SEEN_BY = {
    "every row x 0.01": "link",
    "every row x 100": "link",
    "unit length": "link",
    "random lengths": "link",
    "rows permuted": "neighbors",
    "untrained": "neighbors",
    "all rows equal": "numbers",
    "two fifths of the dimensions zero": "numbers",
    "rank five": "numbers",
    "10% scrambled, in no benchmark": "neighbors",
    "10% replaced, in no benchmark": "neighbors",
    "10% collapsed, in no benchmark": "numbers",
    "10% zeroed, in no benchmark": "numbers",
    "1% scrambled, the others barely moved": "neighbors",
    "3% made fifty times as long, the others barely moved": "link",
    "2 % scrambled among 30 % tuned mildly": "neighbors",
    "a tenth removed": "vocabulary",
    "as many near copies added": "vocabulary",
}
"""The question that is broken by a harm."""


@pytest.fixture(scope="module")
def original(glove):
    return dk.Embeddings(glove.words[:WORDS], glove.matrix[:WORDS], source=Source("original"))


@pytest.fixture(scope="module")
def made(original):
    return bench(original)


@pytest.fixture(scope="module")
def memo():
    return {}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_verdict(original, made, memo, change):
    audit = audit_of(original, change, made, memo)
    assert not is_wrong(change, audit.verdict), audit.headline
    if change.name in SEEN_BY:
        assert audit.finding(SEEN_BY[change.name]).status == "broken", audit.findings
    if audit.verdict == "do not ship":
        assert dk.check(audit).state == "fail"  # the gate never passes what the audit forbids


def test_there_are_enough():
    kinds = [change.kind for change in CHANGES]
    assert len(kinds) - kinds.count("harmless") >= 40
    assert kinds.count("harmless") >= 20
    assert set(SEEN_BY) <= {change.name for change in CHANGES}
