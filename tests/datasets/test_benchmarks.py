from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from driftkit.datasets import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)

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
