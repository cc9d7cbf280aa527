import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.drift.words import word_drift
from driftkit.measures.registry import parse_measure, requested_measures
from driftkit.neighbors.optional_measures import (
    OPTIONAL,
    hubness_values,
    neighbor_values,
    shifts_of_others,
    shifts_with_measures,
)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_agrees_with_sets_and_sums(pair):
    shifts = neighbor_shifts(pair, k=4)
    values = neighbor_values(pair, shifts)
    assert list(values) == [
        "adjusted_overlap@4", "jaccard@4", "average_overlap@4", "local_neighborhood@4",
        "mutual_change@4", "k_occurrence_change@4",
    ]  # fmt: skip
    before, after = (
        [set(row.tolist()) for row in lists] for lists in (shifts.before, shifts.after)
    )
    x, y = pair.before.astype(float), pair.after.astype(float)
    for at, shift in enumerate(shifts):
        if not shift.after:
            assert np.isnan(values["jaccard@4"][at])
            continue
        a, b = before[at], after[at]
        assert values["jaccard@4"][at] == len(a & b) / len(a | b)
        chance = 4 / 120  # of 121 candidates, the word itself is none
        adjusted = (len(a & b) / 4 - chance) / (1 - chance)
        assert np.isclose(values["adjusted_overlap@4"][at], adjusted)
        depths = [
            len(set(shifts.before[at, :d]) & set(shifts.after[at, :d])) / d for d in range(1, 5)
        ]
        assert np.isclose(values["average_overlap@4"][at], np.mean(depths))
        shared = a | b - {120}  # the added word has no row before and no list of its own
        mutual = [
            np.mean([at in lists[other] for other in lists[at] & shared])
            for lists in (before, after)
        ]
        assert np.isclose(values["mutual_change@4"][at], mutual[1] - mutual[0])
        directed = [other for other in shared if x[other].any() and y[other].any()]
        sides = [[cosine(m[at], m[other]) for other in directed] for m in (x, y)]
        local = 1 - cosine(*map(np.array, sides))
        assert np.isclose(values["local_neighborhood@4"][at], local)
        count = sum(at in lists for lists in after) - sum(at in lists for lists in before)
        assert values["k_occurrence_change@4"][at] == count


def test_words_that_are_no_candidates_have_no_occurrences(pair):
    shifts = neighbor_shifts(pair, ["w50", "w1"], k=3, candidates=20)
    values = neighbor_values(pair, shifts)
    assert np.isnan(values["k_occurrence_change@3"]).tolist() == [True, False]
    # None of their neighbors was asked about.
    assert np.isnan(values["mutual_change@3"]).all()


def test_short_lists_of_no_candidate_are_nobody_s():
    """-1 stands for no candidate and for no neighbor, and the two must not meet."""
    words = ["a", "b", "c"]
    pair = align(Embeddings(words, np.eye(3) + 1), Embeddings(words, np.eye(3) + 1))
    shifts = neighbor_shifts(pair, ["a", "b", "c"], k=2, candidates=["b", "c"])
    values = neighbor_values(pair, shifts)
    assert np.isnan(values["mutual_change@2"]).tolist() == [True, False, False]


@pytest.mark.parametrize("name", [*OPTIONAL, "overlap", "rbo(p=0.5)"])
def test_deep_lists_hold_every_shallower_measure(pair, name):
    deep = neighbor_shifts(pair, k=9)
    asked = [parse_measure(f"{name}@{k}") for k in (1, 4, 9)]
    found = neighbor_values(pair, deep, asked)
    for measure in asked:
        alone = neighbor_values(pair, neighbor_shifts(pair, k=measure.k), [measure])
        np.testing.assert_array_equal(found[str(measure)], alone[str(measure)])


@given(
    st.integers(1, 25),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_agrees_with_sets_on_random_shapes(n, d, k, seed, tied):
    """Ties, zero rows, one row, one column, and more neighbors asked for than there are."""
    rng = np.random.default_rng(seed)
    make = (lambda: rng.integers(-1, 2, (n, d))) if tied else (lambda: rng.normal(size=(n, d)))
    words = [f"w{row}" for row in range(n)]
    pair = align(Embeddings(words, make()), Embeddings(words, make()))
    shifts = neighbor_shifts(pair, k=k)
    values = {name.split("@")[0]: each for name, each in neighbor_values(pair, shifts).items()}
    a, b = (
        [[at for at in row if at >= 0] for row in lists.tolist()]
        for lists in (shifts.before, shifts.after)
    )
    for at in range(n):
        before, after = a[at], b[at]
        occurrences = [sum(at in row for row in lists) for lists in (a, b)]
        assert values["k_occurrence_change"][at] == occurrences[1] - occurrences[0]
        if not before or not after:
            assert all(np.isnan(values[name][at]) for name in OPTIONAL if "k_occ" not in name)
            continue
        union = sorted({*before, *after})
        assert values["jaccard"][at] == len({*before} & {*after}) / len(union)
        longer = max(len(before), len(after))
        agreed = [len({*before[:t]} & {*after[:t]}) / t for t in range(1, longer + 1)]
        assert np.isclose(values["average_overlap"][at], np.mean(agreed))
        mutual = [np.mean([at in lists[w] for w in lists[at]]) for lists in (a, b)]
        assert np.isclose(values["mutual_change"][at], mutual[1] - mutual[0])
        union = [w for w in union if not pair.zero[w]]
        x, y = ([m[at] @ m[w] for w in union] for m in map(unit, (pair.before, pair.after)))
        size = np.linalg.norm(x) * np.linalg.norm(y)
        if size < 1e-6:  # at right angles to all
            continue
        assert np.isclose(values["local_neighborhood"][at], 1 - np.dot(x, y) / size, atol=1e-6)


def unit(matrix):
    with np.errstate(invalid="ignore"):
        return matrix.astype(float) / np.linalg.norm(matrix.astype(float), axis=1, keepdims=True)


NAMES = [
    "jaccard", "rbo(p=0.98)@7", "overlap@7", "mutual_change@6", "k_occurrence_change",
    "largest_hub@5", "cka", "displacement", "overlap", "rbo",
]  # fmt: skip
K = 3


@pytest.fixture
def asked():
    return requested_measures(NAMES, K)


def test_lists_are_those_of_a_plain_search(pair, asked):
    found, _ = shifts_with_measures(pair, pair.words, K, asked)
    alone = neighbor_shifts(pair, k=K)
    for field in dataclasses.fields(alone):
        if field.name != "optional":
            np.testing.assert_array_equal(getattr(found, field.name), getattr(alone, field.name))
    assert found.before.base is None  # the deep lists are let go


def test_measures_are_taken_at_their_own_depth_and_others_left_to_others(pair, asked):
    found, hubs = shifts_with_measures(pair, pair.words, K, asked)
    deep = neighbor_shifts(pair, k=7)
    named = {str(each): each for each in asked}
    assert list(found.optional) == [
        "jaccard@3", "rbo(p=0.98)@7", "overlap@7", "mutual_change@6", "k_occurrence_change@3",
    ]  # fmt: skip
    expected = neighbor_values(pair, deep, [named[name] for name in found.optional])
    for name, values in found.optional.items():
        np.testing.assert_array_equal(values, expected[name])
    assert hubs == tuple(hubness_values(pair, deep, [named["largest_hub@5"]]))


def test_without_optional_measures_it_is_a_plain_search(pair):
    found, hubs = shifts_with_measures(pair, pair.words, K, ())
    assert (dict(found.optional), hubs) == ({}, ())


def test_other_words_are_measured_alike(pair, asked):
    pool = [f"w{i}" for i in range(60)]
    whole, _ = shifts_with_measures(pair, pool, K, asked, candidates=pool)
    found = shifts_of_others(pair, ["w70", "w3"], whole, asked)
    assert list(found.optional) == list(whole.optional)
    for name, values in found.optional.items():
        assert values[1] == whole.optional[name][3]
        assert np.isnan(values[0]) == (name in ("mutual_change@6", "k_occurrence_change@3"))


def test_displacement_is_the_drift_s_own(pair, asked):
    drift = word_drift(pair, asked)
    np.testing.assert_allclose(
        drift.values["displacement(center=0,anchors=0)"], 1 - drift.self_cosine, atol=1e-12
    )
