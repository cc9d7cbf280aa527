import math

import pytest

from driftkit import Embeddings, score
from driftkit.datasets import AnalogyBenchmark
from driftkit.training.followed import FollowedScore, FollowedSimilarity, follow

WORDS = tuple(f"w{i}" for i in range(60))
INDEX = {word: row for row, word in enumerate(WORDS)}


def scored(weight, benchmark):
    table = Embeddings(WORDS, weight.numpy().copy())
    return next(iter(score(table, [benchmark]))).value


def test_similarity_is_what_score_gives_before_and_after(toy, make_table):
    weight = make_table().weight.detach().clone()
    followed = follow(toy, WORDS, INDEX, weight)
    assert isinstance(followed, FollowedSimilarity)
    assert followed.name == "spearman[toy]"
    assert followed.start == pytest.approx(scored(weight, toy), abs=1e-12)
    weight[5:30] *= -0.5
    weight[2:20, 3] += 1
    assert followed.value(weight) == pytest.approx(scored(weight, toy), abs=1e-12)
    assert followed.value(weight) != followed.start
    weight[int(followed._rows[0])] = 0
    assert math.isnan(followed.value(weight))


def test_words_without_a_row_leave_their_pairs_out(toy, make_table):
    weight = make_table().weight.detach()[:30]
    followed = FollowedSimilarity(
        toy, {word: row for word, row in INDEX.items() if row < 30}, weight
    )
    table = Embeddings(WORDS[:30], weight.numpy().copy())
    assert followed.start == pytest.approx(next(iter(score(table, [toy]))).value, abs=1e-12)


def test_analogies_are_what_score_gives(make_table):
    weight = make_table().weight.detach().clone()
    weight[3] = weight[1] - weight[0] + weight[2]
    quadruples = (("w0", "w1", "w2", "w3"), ("w4", "w5", "w6", "w7"))
    benchmark = AnalogyBenchmark("quads", quadruples, ("all", "all"))
    followed = follow(benchmark, WORDS, INDEX, weight)
    assert isinstance(followed, FollowedScore)
    assert followed.name == "3cosadd@1[quads]"
    assert followed.start == scored(weight, benchmark) == 0.5
    weight[3] *= -1
    assert followed.value(weight) == 0
