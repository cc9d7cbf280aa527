from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError
from driftkit.evaluators.comparison.paired_items import PairedAnswers, PairedSimilarity
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.lookup import Items, find_items
from driftkit.pair import Pair, align


@pytest.fixture
def similar(rng: np.random.Generator) -> PairedSimilarity:
    """Thirty pairs of words; the words of the first five pairs moved."""
    gold, before = rng.normal(size=(2, 30))
    after = before + np.where(np.arange(30) < 5, 3 * rng.normal(size=30), 0)
    pairs = tuple((f"a{i}", f"b{i}") for i in range(30))
    words = [word for pair in pairs for word in pair]
    tuned = np.ones((60, 2))
    tuned[:10] = 2
    pair = align(Embeddings(words, np.ones((60, 2))), Embeddings(words, tuned))
    items = find_items(pairs, pair.index, pair.zero)
    return PairedSimilarity("spearman", pair, items, before, after, pairs=pairs, gold=gold)


def test_ranks_and_their_change(similar: PairedSimilarity) -> None:
    frame = similar.to_frame()
    assert frame.original_rank.tolist() == rankdata(-similar.before).tolist()
    assert (frame.rank_change == frame.tuned_rank - frame.original_rank).all()
    assert similar.size.tolist() == [2] * 30
    assert similar.moved.tolist() == [2] * 5 + [0] * 25


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
    tests = similar.difference().tests(999, np.random.default_rng(0))
    assert tests.keys() == {"permutation", "steiger", "williams", "meng"}
    delta = spearman(similar.gold, similar.after) - spearman(similar.gold, similar.before)
    assert tests["permutation"].statistic == pytest.approx(delta)
    assert {np.sign(test.statistic) for test in tests.values()} == {np.sign(delta)}
    assert similar.difference().effect()[0] == "cohen_q"
    assert np.sign(similar.difference().effect()[1]) == np.sign(delta)


def looked_up(m: int) -> tuple[Pair, Items]:
    """Items of one word each, the rarest word first."""
    words = [f"w{i}" for i in range(m)]
    table = Embeddings(words[::-1], np.ones((m, 2)))
    pair = align(table, table)
    return pair, find_items([(word,) for word in words], pair.index, pair.zero)


def answers(before: list[float], after: list[float]) -> PairedAnswers:
    return PairedAnswers("opp", *looked_up(len(before)), before, after)


def test_answers_right_or_wrong_and_shares() -> None:
    rng = np.random.default_rng(0)
    sharp = answers([1, 1, 0], [1, 0, 0])
    assert sharp.difference().tests(99, rng).keys() == {"permutation", "mcnemar"}
    blurred = answers([1, 0.5, 0], [1, 0, 0.25])
    assert blurred.difference().tests(99, rng).keys() == {"permutation"}
    frame = blurred.to_frame()
    assert frame.broke.tolist() == [False, True, False]
    assert frame.mended.tolist() == [False, False, True]
    assert frame.item.tolist() == ["w0", "w1", "w2"]  # unless the evaluator has better columns
    assert answers([1, 1, 1], [0, 1, 0]).broken(5)[0]["words"] == ["w2"]  # the most frequent first
    assert "nothing to lose" in str(answers([0, 0], [0, 0]).undefined())
    assert sharp.difference().effect()[0] == "cohen_h"
    assert answers([3, 2], [4, 9]).difference().effect()[0] == ""  # no shares


def test_a_later_release_is_compared_with_an_earlier_one() -> None:
    later = answers([1, 1, 0], [1, 0, 0]).since(answers([1, 1, 0], [0, 1, 1]))
    assert (later.before.tolist(), later.after.tolist()) == ([0, 1, 1], [1, 0, 0])


def test_values_that_are_not_those_of_the_items() -> None:
    with pytest.raises(OptionError, match=r"compares 3 items .* shape \(2,\) and \(3,\)"):
        PairedAnswers("opp", *looked_up(3), [1, 0], [1, 0, 1])


def test_the_rarest_word_is_ranked_in_the_original_table() -> None:
    original = Embeddings(["x", "a", "b", "c"], np.eye(4))
    pair = align(original, Embeddings(["c", "b", "a"], np.eye(3, 4)))
    rows = np.array([pair.rows(["a", "c"]), [pair.index["b"], -1]])
    found = PairedAnswers("opp", pair, Items(rows, np.ones(2, bool), (), ()), [1, 0], [1, 0])
    assert found.rarest.tolist() == [3, 2]
    assert found.size.tolist() == [2, 1]
