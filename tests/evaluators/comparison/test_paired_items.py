from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from driftkit.embeddings import Embeddings
from driftkit.evaluators.comparison.paired_items import PairedAnswers, PairedSimilarity
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.lookup import rarest
from driftkit.pair import align


@pytest.fixture
def similar(rng: np.random.Generator) -> PairedSimilarity:
    gold, before = rng.normal(size=(2, 30))
    after = before + np.where(np.arange(30) < 5, 3 * rng.normal(size=30), 0)
    pairs = tuple((f"a{i}", f"b{i}") for i in range(30))
    moved = (np.arange(30) < 5).astype(int)
    return PairedSimilarity("spearman", pairs, gold, before, after, moved, np.arange(30))


def test_ranks_and_their_change(similar: PairedSimilarity) -> None:
    frame = similar.to_frame()
    assert frame.original_rank.tolist() == rankdata(-similar.before).tolist()
    assert (frame.rank_change == frame.tuned_rank - frame.original_rank).all()
    assert similar.size.tolist() == [2] * 30


def test_pairs_that_left_their_human_rank_are_named_first(similar: PairedSimilarity) -> None:
    broken = similar.broken(2)
    frame = similar.to_frame()
    worse = (frame.tuned_rank - frame.gold_rank).abs() - (
        frame.original_rank - frame.gold_rank
    ).abs()
    assert [item["words"][0] for item in broken] == [
        f"a{i}" for i in worse[:5].sort_values(ascending=False, kind="stable").index[:2]
    ]
    changed = similar.before != similar.after
    assert len(similar.broken(100)) == ((worse > 0) & changed).sum() <= 5


def test_every_test_speaks_of_the_same_difference(similar: PairedSimilarity) -> None:
    tests = similar.tests(999, np.random.default_rng(0))
    assert tests.keys() == {"permutation", "steiger", "williams", "meng"}
    delta = spearman(similar.gold, similar.after) - spearman(similar.gold, similar.before)
    assert tests["permutation"].statistic == pytest.approx(delta)
    assert {np.sign(test.statistic) for test in tests.values()} == {np.sign(delta)}
    assert similar.effect()[0] == "cohen_q"
    assert np.sign(similar.effect()[1]) == np.sign(delta)


def answers(before: list[float], after: list[float]) -> PairedAnswers:
    m = len(before)
    return PairedAnswers(
        "opp", {"word": [f"w{i}" for i in range(m)]}, (["x"] * m, ["y"] * m),
        np.array(before, float), np.array(after, float), np.full(m, 3), np.zeros(m, int),
        np.arange(m)[::-1], ("",) * m,
    )  # fmt: skip


def test_answers_right_or_wrong_and_shares() -> None:
    sharp = answers([1, 1, 0], [1, 0, 0])
    assert sharp.tests(99, np.random.default_rng(0)).keys() == {"permutation", "mcnemar"}
    blurred = answers([1, 0.5, 0], [1, 0, 0.25])
    assert blurred.tests(99, np.random.default_rng(0)).keys() == {"permutation"}
    frame = blurred.to_frame()
    assert frame.broke.tolist() == [False, True, False]
    assert frame.mended.tolist() == [False, False, True]
    assert answers([1, 1, 1], [0, 1, 0]).broken(5)[0]["words"] == ["w2"]  # the most frequent first
    assert "nothing to lose" in str(answers([0, 0], [0, 0]).undefined())
    assert sharp.effect()[0] == "cohen_h"


def test_the_rarest_word_is_ranked_in_the_original_table() -> None:
    original = Embeddings(["x", "a", "b", "c"], np.eye(4))
    pair = align(original, Embeddings(["c", "b", "a"], np.eye(3, 4)))
    rows = np.array([pair.rows(["a", "c"]), [pair.index["b"], -1]])
    assert rarest(pair, rows).tolist() == [3, 2]
