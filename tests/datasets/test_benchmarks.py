from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from driftkit.datasets import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
    WordSets,
)
from driftkit.errors import BenchmarkError

EVERY_KIND = (
    SimilarityBenchmark("s", (("a", "b"), ("a", "b")), np.array([1.0, 2.0])),
    AnalogyBenchmark("a", (("a", "b", "c", "d"), ("e", "f", "g", "h")), ("", "")),
    CategorizationBenchmark("c", ("lion", "fig"), ("animal", "fruit")),
    OutlierBenchmark("o", (OutlierGroup("g", ("a", "b", "e"), ("c", "d")),)),
)


@pytest.mark.parametrize("benchmark", EVERY_KIND, ids=lambda benchmark: benchmark.name)
def test_every_kind_counts_its_items_and_cannot_be_changed(benchmark):
    assert isinstance(benchmark, Benchmark)
    assert len(benchmark) == 2
    assert len(repr(benchmark)) < 80
    with pytest.raises(FrozenInstanceError):
        benchmark.name = "other"


def analogies(*categories):
    return AnalogyBenchmark("toy", (("a", "b", "c", "d"),) * len(categories), categories)


def test_sections_keep_the_order_of_the_file_and_groups_follow_word2vec():
    mixed = analogies("capitals", "gram1", "capitals", "gram2")
    assert mixed.sections == ("capitals", "gram1", "gram2")
    assert mixed.groups == {"semantic": ("capitals",), "syntactic": ("gram1", "gram2")}
    assert len(mixed) == 4


def test_a_file_of_one_kind_or_without_sections_has_no_groups():
    assert analogies("gram1", "gram2").groups == {}
    assert analogies("", "").sections == ()


def test_categories_come_in_the_order_of_the_file():
    assert CategorizationBenchmark("c", ("a", "b", "c"), ("z", "y", "z")).categories == ("z", "y")


def test_lists_are_taken_for_tuples_and_arrays():
    similar = SimilarityBenchmark("s", [["a", "b"], ["a", "c"]], [1, 2.5])
    assert similar.pairs == (("a", "b"), ("a", "c"))
    assert similar.gold.dtype == np.float64
    assert len(SimilarityBenchmark("empty", (), ())) == 0
    assert AnalogyBenchmark("a", [list("abcd")], [""]).accepted == (("d",),)
    assert ChoiceBenchmark("t", ["a"], [["b", "c"]], [1]).options == (("b", "c"),)
    assert OutlierGroup("g", ["a", "b"], ["c"]).words == ("a", "b")
    assert WordSets("w", list("wxyz"), ["a"], ["b"], ["c"], ["d"]).x == ("a",)


PAIRS = (("a", "b"), ("a", "c"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SimilarityBenchmark("t", PAIRS, [1.0]), "gold holds 1 for 2 pairs"),
        (lambda: SimilarityBenchmark("t", PAIRS, [1.0, 2, 3]), "gold holds 3 for 2 pairs"),
        (lambda: SimilarityBenchmark("t", PAIRS, ["1", "2"]), "give one number for each pair"),
        (lambda: SimilarityBenchmark("t", PAIRS, [[1], [1, 2]]), "give one number for each pair"),
        (lambda: SimilarityBenchmark("t", PAIRS, [1, np.nan]), "rating of .'a', 'c'. is nan"),
        (lambda: SimilarityBenchmark("t", [("a",)], [1]), "2 words are due there"),
        (lambda: SimilarityBenchmark("t", "ab", [1]), "pairs='ab' was given"),
        (lambda: SimilarityBenchmark(3, PAIRS, [1, 2]), "name and pairs must be"),
        (lambda: AnalogyBenchmark("t", [tuple("abc")], [""]), "4 words are due"),
        (lambda: AnalogyBenchmark("t", [tuple("abcd")], ()), "categories holds 0 for 1 quad"),
        (
            lambda: AnalogyBenchmark("t", [tuple("abcd")] * 2, ["", ""], [["e"]]),
            "alternatives holds 1 for 2 quadruples",
        ),
        (lambda: CategorizationBenchmark("t", ("a", "b"), ("x",)), "labels holds 1 for 2 words"),
        (lambda: CategorizationBenchmark("t", ("a", 3), ("x", "y")), "must be str"),
        (lambda: OutlierGroup("t", ("a",), ("b",)), "a group needs two or more"),
        (lambda: OutlierBenchmark("t", [("a", "b")]), "groups must be OutlierGroup"),
        (lambda: ChoiceBenchmark("t", ["a"], [["b", "c"]], [2]), "right holds 2; it is the place"),
        (lambda: ChoiceBenchmark("t", ["a"], [["b", "c"]], []), "right holds 0 for 1 stems"),
        (lambda: WordSets("t", ("x", "y"), ["a"], ["b"], ["c"], ["d"]), "labels holds .* 4 words"),
        (lambda: WordSets("t", tuple("wxyz"), "ab", ["b"], ["c"], ["d"]), "x='ab' was given"),
    ],
)
def test_a_benchmark_that_contradicts_itself_cannot_be_made(make, sentence):
    with pytest.raises(BenchmarkError, match=rf"^benchmark .*{sentence}"):
        make()
