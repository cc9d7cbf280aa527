from fractions import Fraction

import numpy as np
import pytest

from driftkit.errors import OptionError
from driftkit.neighbors.recall import (
    Recall,
    found_share,
    mean_at_most,
    measured,
    most_at_most,
    require_recall,
)

PAST_FLOATS = [pytest.param(number, id="huge") for number in (10**400, Fraction(1, 10**400))]


@pytest.mark.parametrize("bad", [0, -0.1, 1.01, float("nan"), True, "high", None, *PAST_FLOATS])
def test_a_recall_is_a_share(bad):
    with pytest.raises(OptionError, match="a number above 0 and below 1"):
        require_recall(bad)


def test_one_is_exact():
    assert require_recall(1) == 1.0
    assert require_recall(np.float32(0.5)) == 0.5


def test_the_share_of_a_list_that_was_found_does_not_look_at_order():
    exact = np.array([[1, 2, 3], [4, 5, -1]], np.int32)
    found = np.array([[3, 9, 1], [5, 7, 8]], np.int32)
    np.testing.assert_allclose(found_share(exact, found), [2 / 3, 1 / 2])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.5, 0.99])
def test_the_bound_of_a_mean_is_below_it_less_often_than_the_doubt(share):
    """Also where all neighbors of a word are missed together, which is the widest spread."""
    rng = np.random.default_rng(0)
    samples = rng.random((400, 300)) < share
    below = [mean_at_most(sample.astype(float), 0.05) < share for sample in samples]
    # 20 are allowed on average; more than 40 would be one of a hundred thousand tests.
    assert sum(below) <= 40


def test_the_bound_of_a_mean_closes_in_as_a_sample_grows():
    widths = [mean_at_most(np.resize([0, 0, 0, 0.5], n), 0.05) - 0.125 for n in (40, 400, 4000)]
    assert widths[0] > 2 * widths[1] > 4 * widths[2] > 0


def test_bounds_of_little_are_wide():
    assert mean_at_most(np.empty(0), 0.05) == 1
    assert mean_at_most(np.zeros(1), 0.05) > 0.9
    assert most_at_most(np.zeros(20), 0.05) == 1  # too few to speak of 95 %


def test_the_bound_of_most_words_holds_for_most_words():
    rng = np.random.default_rng(1)
    samples = rng.random((400, 300))
    wrong = [most_at_most(sample, 0.05) < 0.95 for sample in samples]
    assert sum(wrong) <= 40


def test_overlaps_are_off_by_no_more_than_neighbors_are_missing():
    """The worst case: each missing neighbor changes the overlap by one k-th at most."""
    rng = np.random.default_rng(2)
    lists = [rng.permuted(np.tile(np.arange(30, dtype=np.int32), (200, 1)), axis=1) for _ in "ab"]
    exact = lists[0][:, :10], lists[1][:, :10]
    found = tuple(side.copy() for side in exact)
    for side, whole in zip(found, lists, strict=True):
        lost = rng.random((200, 10)) < 0.1
        side[lost] = whole[:, 10:20][lost]  # none of which was a neighbor
    told = measured(0.5, exact, found, 0.9, 3, "some")
    missing = (1 - found_share(exact[0], found[0])) + (1 - found_share(exact[1], found[1]))
    assert told.before == pytest.approx(found_share(exact[0], found[0]).mean())
    assert told.word_error["overlap"] <= missing.max() + 1e-9
    assert told.before_least < told.before
    assert told.is_enough


def test_words_without_neighbors_tell_nothing():
    lists = np.array([[1, 2], [-1, -1]], np.int32)
    told = measured(0.5, (lists, lists), (lists, lists), 0.9, 1, "all")
    assert (told.sampled, told.before, told.after) == (1, 1.0, 1.0)
    assert not told.is_enough  # one word shows little


def test_exact_lists_say_why():
    told = Recall.of_exact(0.9, "there are few")
    assert told.is_enough
    assert str(told) == "neighbors are exact, though recall 0.9 was asked for: there are few"
