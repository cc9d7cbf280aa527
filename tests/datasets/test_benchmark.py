import numpy as np

from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark


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


def test_length_is_the_number_of_pairs():
    toy = SimilarityBenchmark("toy", (("a", "b"), ("a", "b")), np.array([1.0, 2.0]))
    assert len(toy) == 2
