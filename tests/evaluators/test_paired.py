import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.evaluators.items import find_items
from driftkit.evaluators.paired import pair_analogies, pair_similarity


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(1)
    words = [f"w{row}" for row in range(30)]
    before = rng.normal(size=(30, 5))
    after = before.copy()
    after[:6] = rng.normal(size=(6, 5))
    return align(Embeddings(words, before), Embeddings(words, after))


def test_pairs_are_counted_by_the_words_that_moved(small):
    pairs = (("w0", "w1"), ("w0", "w20"), ("w20", "w21"), ("w20", "nowhere"))
    benchmark = SimilarityBenchmark("toy", pairs, np.arange(4.0))
    paired = pair_similarity(small, benchmark, find_items(pairs, small.index, small.zero))
    assert paired.pairs == pairs[:3]
    assert paired.moved.tolist() == [2, 1, 0]
    assert paired.before[2] == paired.after[2]
    frame = paired.to_frame()
    assert (frame.rank_change == frame.tuned_rank - frame.original_rank).all()


def test_a_memo_keeps_the_original_s_answers_and_changes_none(small):
    rng = np.random.default_rng(2)
    questions = tuple(tuple(f"w{row}" for row in rng.choice(30, 4, False)) for _ in range(50))
    benchmark = AnalogyBenchmark("toy", questions, ("",) * 50)
    items = find_items(questions, small.index, small.zero)
    memo = {}
    first = pair_analogies(small, benchmark, items, memo)
    assert len(memo) == 1
    again = pair_analogies(small, benchmark, items, memo)
    alone = pair_analogies(small, benchmark, items)
    assert first.after == again.after == alone.after
    assert first.before == again.before == alone.before
    assert len(memo) == 1
    frame = first.to_frame()
    assert not (frame.broke & frame.mended).any()
    assert frame.broke.sum() - frame.mended.sum() == (
        first.before_correct.sum() - first.after_correct.sum()
    )
