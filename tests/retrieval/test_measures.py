"""Measures of results: by hand, and those that would bring the library down refused."""

import math
import sys

import pytest

from driftkit.errors import MissingExtraError, OptionError, UnknownNameError
from driftkit.retrieval.measures import DEFAULT, MEASURES, parse, parse_all, values_of

JUDGED = {"q": {"a": -1, "b": 2, "c": 1, "d": 0, "missed": 1}}
RESULTS = ["a", "b", "unjudged", "c"]

BY_HAND = {
    "nDCG@10": (2 / math.log2(3) + 1 / math.log2(5)) / (2 + 1 / math.log2(3) + 1 / 2),
    "nDCG@1": 0,
    "RR@10": 1 / 2,
    "RR": 1 / 2,
    "RR@1": 0,
    "RR(rel=2)@10": 1 / 2,
    "R@100": 2 / 3,
    "R@2": 1 / 3,
    "R(rel=2)@2": 1,
    "P@4": 2 / 4,
    "AP": (1 / 2 + 2 / 4) / 3,
    "Rprec": 1 / 3,
    "Success@1": 0,
    "Success@2": 1,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_measure_is_what_it_is_by_hand(name):
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
    measure = parse(name)
    assert str(measure) == name
    found = values_of([measure], JUDGED, ["q"], [RESULTS])
    assert found[name] == pytest.approx([BY_HAND[name]], abs=1e-12)


def test_the_order_of_results_is_kept_whatever_their_names():
    """trec_eval orders equal scores by name; places leave nothing equal."""
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
    for results in (["a", "z"], ["z", "a"]):
        found = values_of([parse("RR")], {"q": {"a": 1}}, ["q"], [results])
        assert found["RR"] == [1 / (1 + results.index("a"))]


def test_a_query_without_results_has_nothing():
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
    every = [parse(name) for name in BY_HAND]
    both = {"p": {"a": 1}, "q": {"a": 1}}
    found = values_of(every, both, ["q", "p"], [["a"], []])
    assert {name: values[1] for name, values in found.items()} == dict.fromkeys(BY_HAND, 0)
    assert found["RR"][0] == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ndcg@10", "unknown measure of retrieval 'ndcg'"),
        ("NumRet", "unknown measure of retrieval 'NumRet'"),
        ("nDCG@-1", "unknown measure of retrieval 'nDCG@-1'"),
        ("nDCG@", "unknown measure of retrieval 'nDCG@'"),
        ("nDCG@0", "nDCG takes a cut-off from 1 to 100,000"),
        ("nDCG@1000000", "nDCG takes a cut-off from 1 to"),
        ("nDCG(rel=2)@10", "nDCG takes a relevance only as a grade"),
        ("R(rel=0)@10", "R takes a relevance from 1 to 1,000"),
        ("Rprec@10", "Rprec takes no cut-off"),
        ("P", "P needs a cut-off; write P@10"),
        ("RR(judged_only=True)", "unknown measure of retrieval"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_library_sees_it(name, why):
    with pytest.raises((OptionError, UnknownNameError)) as refused:
        parse(name)
    assert why in str(refused.value)


def test_measures_come_once_and_are_known_to_the_library():
    library = pytest.importorskip(
        "ir_measures", reason="ir-measures (extra retrieval) is not installed"
    )
    assert tuple(map(str, parse_all(None))) == DEFAULT
    assert len(parse_all(["RR", "RR"])) == 1
    with pytest.raises(OptionError, match="name one or more"):
        parse_all([])
    for name, (cutoff, _) in MEASURES.items():
        written = name if cutoff != "must" else f"{name}@5"
        assert str(library.parse_measure(written)) == written


def test_without_the_library_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'driftkit\[retrieval\]'"):
        values_of([parse("RR")], JUDGED, ["q"], [RESULTS])
