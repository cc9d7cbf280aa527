import numpy as np
import pytest
from scipy.stats import skew

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.measures.registry import REGISTRY, parse_measure
from driftkit.neighbors.optional_measures import hubness_values, k_occurrences, skewness
from driftkit.neighbors.search.exact import nearest


def test_agrees_with_scipy_and_a_count_by_hand():
    lists = np.random.default_rng(0).integers(-1, 30, (50, 4)).astype(np.int32)
    counts = k_occurrences(lists, 30)
    assert counts.tolist() == [int((lists == c).sum()) for c in range(30)]
    assert skewness(counts) == pytest.approx(skew(counts))


def test_an_even_spread_has_no_skewness():
    assert np.isnan(skewness(np.full(5, 2)))


def test_hubness_of_glove(glove):
    lists, _ = nearest(np.asarray(glove.matrix[:10_000]), np.arange(10_000), 10)
    counts = k_occurrences(lists, 10_000)
    assert skewness(counts) == pytest.approx(1.678, abs=1e-3)
    assert (counts.max(), glove.words[counts.argmax()]) == (78, "smith")
    assert np.mean(counts == 0) == pytest.approx(0.0226, abs=5e-5)


def test_values_by_group_are_those_of_counts(pair):
    shifts = neighbor_shifts(pair, k=4)
    asked = [
        parse_measure(f"{name}@3") for name in ("hubness_skewness", "largest_hub", "antihub_share")
    ]
    found = {(f.measure, f.group, f.of): f for f in hubness_values(pair, shifts, asked)}
    assert len(found) == 3 * 3 * 2
    counts = k_occurrences(shifts.after[:, :3], len(pair) + 1)[:-1]  # less the added word
    for group, mask in (("all", slice(None)), ("moved", pair.moved), ("unmoved", ~pair.moved)):
        some = counts[mask][pair.after_norms[mask] > 0]
        assert found["hubness_skewness@3", group, "tuned"].value == pytest.approx(skew(some))
        assert found["largest_hub@3", group, "tuned"].value == some.max()
        assert found["antihub_share@3", group, "tuned"].value == np.mean(some == 0)
        assert found["antihub_share@3", group, "tuned"].n == len(some)


def test_a_zero_row_is_no_antihub():
    words = ["a", "b", "c", "zero"]
    before = Embeddings(words, [[1, 0], [1, 0.1], [0.9, 0], [1, 1]])
    pair = align(before, Embeddings(words, [[1, 0], [1, 0.1], [0.9, 0], [0, 0]]))
    shifts = neighbor_shifts(pair, k=2)
    found = {
        (f.group, f.of): (f.n, f.value, f.reason)
        for f in hubness_values(pair, shifts, [parse_measure("antihub_share@2")])
    }
    assert found["all", "original"] == (4, 0.25, None)
    assert found["all", "tuned"] == (3, 0, None)
    n, value, reason = found["moved", "tuned"]
    assert (n, reason) == (0, "the moved words among the candidates have no direction")
    assert np.isnan(value)


def test_an_empty_group_and_equal_counts_say_so():
    words = ["a", "b"]
    table = Embeddings(words, np.eye(2) + 1)
    pair = align(table, table)
    found = {
        f.group: f.reason
        for f in hubness_values(pair, neighbor_shifts(pair, k=1), [REGISTRY["hubness_skewness"]])
    }
    assert found["moved"] == "there are no moved words among the candidates"
    assert found["all"] == "all are neighbors of equally many words"
