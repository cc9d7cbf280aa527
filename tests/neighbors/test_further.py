import dataclasses

import numpy as np
import pytest

from driftkit import neighbor_shifts
from driftkit.drift.words import word_drift
from driftkit.measures.requested import requested_measures
from driftkit.neighbors.further import further_of, shifts_and_further
from driftkit.neighbors.hubness import hubness_figures
from driftkit.neighbors.optional_measures import neighbor_figures

NAMES = [
    "jaccard", "rbo(p=0.98)@7", "overlap@7", "mutual_change@6", "k_occurrence_change",
    "largest_hub@5", "cka", "displacement", "overlap", "rbo",
]  # fmt: skip
K = 3


@pytest.fixture
def asked():
    return requested_measures(NAMES, K)


def test_lists_are_those_of_a_plain_search(pair, asked):
    found, _ = shifts_and_further(pair, pair.words, K, asked)
    alone = neighbor_shifts(pair, k=K)
    for field in dataclasses.fields(alone):
        if field.name != "further":
            np.testing.assert_array_equal(getattr(found, field.name), getattr(alone, field.name))
    assert found.before.base is None  # the deep lists are let go


def test_measures_are_taken_at_their_own_depth_and_others_left_to_others(pair, asked):
    found, hubs = shifts_and_further(pair, pair.words, K, asked)
    deep = neighbor_shifts(pair, k=7)
    named = {str(each): each for each in asked}
    assert list(found.further) == [
        "jaccard@3", "rbo(p=0.98)@7", "overlap@7", "mutual_change@6", "k_occurrence_change@3",
    ]  # fmt: skip
    expected = neighbor_figures(pair, deep, [named[name] for name in found.further])
    for name, values in found.further.items():
        np.testing.assert_array_equal(values, expected[name])
    assert hubs == tuple(hubness_figures(pair, deep, [named["largest_hub@5"]]))


def test_without_further_measures_it_is_a_plain_search(pair):
    found, hubs = shifts_and_further(pair, pair.words, K, ())
    assert (dict(found.further), hubs) == ({}, ())


def test_other_words_are_measured_alike(pair, asked):
    pool = [f"w{i}" for i in range(60)]
    whole, _ = shifts_and_further(pair, pool, K, asked, candidates=pool)
    found = further_of(pair, ["w70", "w3"], whole, asked)
    assert list(found.further) == list(whole.further)
    for name, values in found.further.items():
        assert values[1] == whole.further[name][3]
        assert np.isnan(values[0]) == (name in ("mutual_change@6", "k_occurrence_change@3"))


def test_displacement_is_the_drift_s_own(pair, asked):
    drift = word_drift(pair, asked)
    np.testing.assert_allclose(
        drift.values["displacement(center=0,anchors=0)"], 1 - drift.self_cosine, atol=1e-12
    )
