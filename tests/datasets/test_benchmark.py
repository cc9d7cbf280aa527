from __future__ import annotations

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
    SimilarityBenchmark("s", (("a", "b"), ("c", "d")), np.array([1.0, 2.0])),
    AnalogyBenchmark("a", (("a", "b", "c", "d"), ("e", "f", "g", "h")), ("", "")),
    CategorizationBenchmark("c", ("lion", "fig"), ("animal", "fruit")),
    OutlierBenchmark("o", (OutlierGroup("g", ("a", "b"), ("c", "d")),)),
)


@pytest.mark.parametrize("benchmark", EVERY_KIND, ids=lambda benchmark: benchmark.name)
def test_every_kind_counts_its_items_and_cannot_be_changed(benchmark: Benchmark) -> None:
    assert isinstance(benchmark, Benchmark)
    assert len(benchmark) == 2
    assert len(repr(benchmark)) < 80
    with pytest.raises(FrozenInstanceError):
        benchmark.name = "other"


def test_sections_and_groups_of_analogies() -> None:
    question = ("a", "b", "c", "d")
    mixed = AnalogyBenchmark("m", (question,) * 3, ("gram1", "family", "gram1"))
    assert mixed.sections == ("gram1", "family")
    assert mixed.groups == {"semantic": ("family",), "syntactic": ("gram1",)}
    assert AnalogyBenchmark("m", (question,), ("gram1",)).groups == {}


def test_categories_come_in_the_order_of_the_file() -> None:
    benchmark = CategorizationBenchmark("c", ("a", "b", "c"), ("z", "y", "z"))
    assert benchmark.categories == ("z", "y")
