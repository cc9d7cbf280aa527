"""The verdict follows from the six statuses by one rule."""

from itertools import product

import numpy as np
import pytest

from driftkit import Embeddings, align, audit
from driftkit.questions.finding import QUESTIONS, STATUSES, Finding
from driftkit.questions.verdict import ADVICE, headline_of, verdict_of

WORDS = ["good", "bad", "film"]
ROWS = np.eye(3, dtype=np.float32)
MOVED = align(Embeddings(WORDS, ROWS), Embeddings(WORDS, 2 * ROWS))
SAME = align(Embeddings(WORDS, ROWS), Embeddings(WORDS, ROWS))


def findings(**statuses):
    return [
        Finding(question, statuses.get(question, "kept"), f"said of {question}", {})
        for question in QUESTIONS
    ]


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ({}, "safe to ship"),
        ({"input": "broken"}, "do not ship"),
        ({"knowledge": "broken", "neighbors": "not tested"}, "do not ship"),
        ({"neighbors": "broken"}, "do not ship"),
        ({"numbers": "broken"}, "do not ship"),
        ({"link": "broken"}, "ship with care"),
        ({"vocabulary": "broken"}, "ship with care"),
        ({"knowledge": "not tested"}, "undecided"),
        ({"neighbors": "not tested", "link": "broken"}, "undecided"),
        ({"numbers": "changed"}, "ship with care"),
    ],
)
def test_rule(statuses, verdict):
    assert verdict_of(MOVED, findings(**statuses)) == verdict


def test_knowledge_that_was_not_asked_about_leaves_the_other_five_to_decide():
    def with_none_asked(**others):
        found = [each for each in findings(**others) if each.question != "knowledge"]
        return [*found, Finding("knowledge", "not tested", "none was asked for", {"asked": False})]

    assert verdict_of(MOVED, with_none_asked()) == "ship with care"  # and never safe
    assert verdict_of(MOVED, with_none_asked(neighbors="not tested")) == "undecided"
    assert verdict_of(MOVED, with_none_asked(numbers="broken")) == "do not ship"
    assert verdict_of(SAME, with_none_asked(input="changed")) == "unchanged"
    assert headline_of(MOVED, with_none_asked(link="changed"), "item") == (
        "Ship with care: said of neighbors; said of link; knowledge was not tested: none was asked "
        "for; 3 of 3 items moved."
    )


def test_what_does_not_differ_is_unchanged():
    assert verdict_of(SAME, findings(input="changed")) == "unchanged"
    assert verdict_of(SAME, findings(knowledge="not tested")) == "unchanged"


def test_what_was_misread_is_not_unchanged():
    assert verdict_of(SAME, findings(input="broken")) == "do not ship"


def test_nothing_is_safe_that_was_not_kept():
    for statuses in product(STATUSES, repeat=len(QUESTIONS)):
        found = findings(**dict(zip(QUESTIONS, statuses, strict=True)))
        verdict = verdict_of(MOVED, found)
        assert verdict in ADVICE
        assert (verdict == "safe to ship") == (set(statuses) == {"kept"})


def test_the_headline_says_what_decided_and_names_the_rest():
    headline = headline_of(MOVED, findings(neighbors="broken", link="broken", numbers="changed"))
    assert headline == (
        "Do not ship: said of neighbors; broken: link; changed: numbers; 3 of 3 words moved."
    )


def test_the_headline_says_what_was_not_tested():
    headline = headline_of(MOVED, findings(knowledge="not tested"))
    assert headline == ("Undecided: said of knowledge; said of neighbors; 3 of 3 words moved.")


def test_rows_that_were_zero_and_are_trained_since_lost_nothing():
    words = [f"w{i}" for i in range(300)]
    tuned = np.random.default_rng(1).standard_normal((300, 8)).astype(np.float32)
    original = tuned.copy()
    original[:60] = 0
    for before, after, status in (
        (original, tuned, "changed"),
        (tuned, original, "broken"),
        (np.zeros_like(tuned), tuned, "not tested"),
    ):
        pair = align(Embeddings(words, before), Embeddings(words, after))
        finding = audit(pair, []).finding("neighbors")
        assert finding.status == status
        assert ("lost all neighbors" in finding.sentence) == (status == "broken")
        assert ("60 items had a row of zeros before" in finding.sentence) == (status == "changed")
