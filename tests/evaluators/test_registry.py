from __future__ import annotations

from pathlib import Path

import pytest

from driftkit.datasets import (
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    get,
)
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators import Analogy, Categorization, Outliers, Similarity, SynonymChoice
from driftkit.evaluators.registry import evaluators


def test_every_kind_has_an_evaluator() -> None:
    asked = [
        "ws353",
        get("google"),
        CategorizationBenchmark("ap", ("a", "b"), ("x", "y")),
        OutlierBenchmark("888", (OutlierGroup("g", ("a", "b"), ("c",)),)),
        ChoiceBenchmark("toefl", ("a",), (("b", "c"),), (0,)),
    ]
    kinds = [Similarity, Analogy, Categorization, Outliers, SynonymChoice]
    assert [type(one) for one in evaluators(asked)] == kinds


def test_one_alone_and_none() -> None:
    mine = Similarity("ws353", measure="pearson")
    assert evaluators(mine) == (mine,)
    assert [one.benchmark.name for one in evaluators("ws353")] == ["ws353"]
    assert [one.benchmark.name for one in evaluators()] == ["ws353", "simlex999", "google"]
    assert [one.benchmark.name for one in evaluators(get("ws353"))] == ["ws353"]


def test_a_path_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("a b 1\nb c 2\n")
    assert [one.benchmark.name for one in evaluators(path)] == ["mine"]


def test_the_same_twice_is_refused() -> None:
    both = evaluators([Similarity("ws353"), Similarity("ws353", measure="pearson"), "simlex999"])
    assert len(both) == 3
    with pytest.raises(BenchmarkError, match="spearman of 'ws353' is asked for twice"):
        evaluators(["ws353", Similarity("ws353", oov="zero")])
    with pytest.raises(BenchmarkError, match="spearman of 'ws353' is asked for twice"):
        evaluators(["ws353", "ws353"])
    with pytest.raises(UnknownNameError):
        evaluators([Similarity("ws353"), "simlex99"])
