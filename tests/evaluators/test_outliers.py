from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from driftkit import compare_scores
from driftkit.datasets import OutlierBenchmark, OutlierGroup
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators import Outliers
from driftkit.evaluators.outliers import position
from driftkit.pair import align


def compactness(matrix: np.ndarray, rows: list[int], left_out: int) -> float:
    """The paper's score: the mean similarity of all ordered pairs without one word."""
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    rest = [row for row in rows if row != left_out]
    pairs = list(permutations(rest, 2))
    return sum(float(unit[i] @ unit[j]) for i, j in pairs) / len(pairs)


def test_the_position_by_the_paper_s_compactness(rng: np.random.Generator) -> None:
    for _ in range(50):
        matrix = rng.normal(size=(9, 4)).astype(np.float32)
        group, outlier = np.arange(8), 8
        scores = {row: compactness(matrix, list(range(9)), row) for row in range(9)}
        expected = sum(scores[row] < scores[outlier] for row in group)
        assert position(matrix, group, outlier) == expected


def toy(rng: np.random.Generator) -> tuple[Embeddings, OutlierBenchmark]:
    groups, words, rows = [], [], []
    for g in range(10):
        members = tuple(f"g{g}w{i}" for i in range(6))
        outliers = tuple(f"g{g}o{i}" for i in range(8))
        groups.append(OutlierGroup(f"g{g}", members, outliers))
        center = rng.normal(size=12)
        words += [*members, *outliers]
        rows += [*(center + 0.1 * rng.normal(size=(6, 12))), *rng.normal(size=(8, 12))]
    return Embeddings(words, rows), OutlierBenchmark("toy", tuple(groups))


def test_clear_outliers_are_seen(rng: np.random.Generator) -> None:
    table, groups = toy(rng)
    found = Outliers(groups).score(table)
    assert found.value == found["outlier_accuracy"].value == 1
    assert found.n_used == 80
    assert Outliers(groups, "outlier_accuracy").score(table).scores[0].measure == "outlier_accuracy"


def test_words_the_table_lacks() -> None:
    words = ["a", "b", "c", "out", "odd"]
    table = Embeddings(words, [[1, 0], [1, 0.1], [0, 0], [0, 1], [0.1, 1]])
    groups = (
        OutlierGroup("fine", ("a", "b", "c", "void"), ("out", "nowhere")),
        OutlierGroup("one word left", ("a", "c", "void"), ("odd",)),
    )
    found = Outliers(OutlierBenchmark("toy", groups)).score(table)
    assert found.item_frame().used.tolist() == [True, False, False]
    assert found.item_frame().position[0] == 1  # among the two that are left
    assert set(found.oov) == {"void", "nowhere"}
    assert found.scores[0].zero == ("c",)
    nothing = Outliers(OutlierBenchmark("toy", groups)).score((["x"], [[1.0]]))
    assert math.isnan(nothing.value)
    assert "no set has its outlier" in str(nothing.scores[0].reason)


def test_a_tie_counts_against_the_outlier() -> None:
    assert position(np.ones((4, 3), np.float32), np.arange(3), 3) == 0


@pytest.mark.parametrize("measure", ["opp", "outlier_accuracy"])
def test_a_pair_that_was_scrambled_sees_them_no_more(measure, rng: np.random.Generator) -> None:
    table, groups = toy(rng)
    scrambled = Embeddings(table.words, table.matrix[rng.permutation(len(table))])
    one = Outliers(groups, measure)
    change = compare_scores(align(table, scrambled), one)["toy"]
    assert change.status == "lost"
    assert change.tuned == pytest.approx(one.score(scrambled).value)
    assert ("mcnemar" in change.tests) == (measure == "outlier_accuracy")
    assert change.split[2].n == pytest.approx(80, abs=8)  # nearly every word moved
    assert not math.isnan(change.cluster_low)
    assert set(change.items.to_frame().category) == {f"g{g}" for g in range(10)}


def test_what_does_not_fit() -> None:
    with pytest.raises(BenchmarkError, match="no groups with outliers"):
        Outliers("ws353")
    with pytest.raises(UnknownNameError, match="did you mean 'opp'"):
        Outliers(OutlierBenchmark("toy", ()), "op")


def test_real_sets(glove: Embeddings, shared_data: Path) -> None:
    """8-8-8 names companies and places with underscores and capitals: much is OOV here."""
    found = Outliers(shared_data / "outliers" / "8-8-8.csv").score(glove)
    assert found.value > 0.8
    assert found.n_used > 40
