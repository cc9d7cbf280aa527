"""Evaluators and benchmarks that others wrote: what goes wrong with them is one sentence."""

from __future__ import annotations

import json
import sys
from collections import namedtuple

import numpy as np
import pytest

import driftkit as dk
from driftkit.datasets import catalog
from driftkit.errors import BenchmarkError, OptionError
from driftkit.evaluators import Evaluation, PairedAnswers, Score, find_items, registry
from driftkit.measures import Measure
from driftkit.measures import registry as measures

Words = namedtuple("Words", "name items")
WORDS = [f"w{i}" for i in range(120)]
HITS = Words("some_words", tuple((word,) for word in WORDS))


class Hits:
    """Says of each word what a test wants it to, or does something else instead."""

    measure = "hits"

    def __init__(self, benchmark=HITS, said=1.0, do=None):
        self.benchmark, self.said, self.do = benchmark, said, do

    def score(self, table):
        if self.do:
            return self.do()
        items = find_items(self.benchmark.items, table.index, table.norms == 0)
        return Evaluation([Score.of(items, table, self, self.said)])

    def compare(self, pair):
        if self.do:
            return self.do()
        items = find_items(self.benchmark.items, pair.index, pair.zero)
        return PairedAnswers(self.measure, pair, items, *2 * [np.full(len(WORDS), self.said)])


class BrokenItems(PairedAnswers):
    def values(self, chosen):
        raise KeyError("mine", chosen)


@pytest.fixture(autouse=True)
def registered():
    """The measure of it; what a test registers is gone after it."""
    kept = [
        (each, dict(each)) for each in (measures.REGISTRY, catalog.REGISTRY, registry.EVALUATORS)
    ]
    dk.register_measure(
        Measure("hits", "words", 0, 1, higher_is_better=True, summary="Hits.", source="us")
    )
    yield
    for mapping, items in kept:
        mapping.clear()
        mapping.update(items)


@pytest.fixture
def pair():
    table = dk.Embeddings(WORDS, np.random.default_rng(0).normal(size=(len(WORDS), 4)))
    return dk.align(table, table)


def failing():
    return 1 / 0


@pytest.mark.parametrize(
    ("do", "said", "cause"),
    [
        (failing, r"failed \(ZeroDivisionError: division by zero\)", ZeroDivisionError),
        (lambda: sys.exit(0), r"failed \(SystemExit: 0\)", SystemExit),
        (lambda: 0.5, r"failed \(TypeError: float was returned where ", TypeError),
    ],
)
def test_an_evaluator_that_fails_is_named(pair, do, said, cause):
    for ask in (dk.score, dk.compare_scores):
        with pytest.raises(BenchmarkError, match=f"evaluator Hits of 'some_words' {said}") as told:
            ask(pair.original if ask is dk.score else pair, [Hits(do=do)])
        assert isinstance(told.value.__cause__, cause)


def test_so_are_items_of_ones_own_and_an_evaluator_that_cannot_be_made(pair):
    items = find_items(HITS.items, pair.index, pair.zero)
    broken = BrokenItems("hits", pair, items, *2 * [np.ones(len(WORDS))])
    with pytest.raises(BenchmarkError, match=r"Hits of 'some_words' failed \(KeyError"):
        dk.compare_scores(pair, [Hits(do=lambda: broken)])
    with pytest.raises(BenchmarkError, match="Hits of '.' failed .AttributeError"):
        dk.score(pair.original, [Hits(None)])
    dk.register_evaluator(Words, lambda benchmark: None)
    with pytest.raises(BenchmarkError, match="of 'some_words' failed .TypeError: NoneType was"):
        dk.score(pair.original, [HITS])


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (failing, r"failed \(ZeroDivisionError: division by zero\)"),
        (lambda: sys.exit("bye"), r"failed \(SystemExit: bye\)"),
        (lambda: None, "failed .TypeError: NoneType is no benchmark, nor evaluator of one"),
    ],
)
def test_a_function_that_makes_no_benchmark_is_named(load, said):
    dk.register_benchmark("mine", load)
    with pytest.raises(BenchmarkError, match=f"registered as benchmark 'mine' {said}"):
        dk.datasets.get("mine")


@pytest.mark.parametrize("given", [(3, Hits), (None, None), (Words, "Hits"), ("Words", Hits)])
def test_an_evaluator_is_registered_as_a_class_for_a_type(given):
    with pytest.raises(OptionError, match="give a type of benchmarks, and the class of their eval"):
        dk.register_evaluator(*given)


def test_what_they_print_goes_to_standard_error(pair, capsys):
    dk.register_benchmark("some_words", lambda: sys.stdout.write("loading\n") and Hits())
    dk.score(pair.original, ["some_words"])
    with pytest.raises(BenchmarkError):
        dk.score(pair.original, [Hits(do=lambda: sys.stdout.write("scoring\n"))])
    assert capsys.readouterr() == ("", "loading\nscoring\n")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_finite_number_is_not_measured_and_says_so(pair, value):
    scores = dk.score(pair.original, [Hits(said=value)])
    said = "hits of these items is not a finite number"
    assert (str(scores.results[0].value), scores.results[0].reason) == ("nan", said)
    assert f"Not measured: some_words: {said}." in repr(scores)
    found = dk.audit(pair, [Hits(said=value)], k=1, resamples=100)
    assert (found.scores[0].status, found.scores[0].reason) == ("not measured", said)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_value_outside_the_declared_range_is_refused(pair):
    for ask, given in ((dk.score, pair.original), (dk.compare_scores, pair)):
        with pytest.raises(OptionError, match="^hits came out as 17, outside its range of 0 to 1;"):
            ask(given, [Hits(said=17.0)])


def test_a_measure_that_nobody_registered_has_no_range_in_score(pair):
    other = Hits(said=17.0)
    other.measure = "of_no_registry"
    assert dk.score(pair.original, [other]).results[0].value == 17


def test_an_evaluation_without_scores_is_refused(pair):
    with pytest.raises(BenchmarkError, match="Hits of 'some_words' failed .*without scores"):
        dk.score(pair.original, [Hits(do=lambda: Evaluation(()))])
    assert "value" in Evaluation(()).to_frame()
