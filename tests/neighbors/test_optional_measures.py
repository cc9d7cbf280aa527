import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.measures.registry import parse_measure
from driftkit.neighbors.optional_measures import FURTHER, neighbor_figures


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_agrees_with_sets_and_sums(pair):
    shifts = neighbor_shifts(pair, k=4)
    figures = neighbor_figures(pair, shifts)
    assert list(figures) == [
        "jaccard@4", "average_overlap@4", "local_neighborhood@4", "mutual_change@4",
        "k_occurrence_change@4",
    ]  # fmt: skip
    before, after = (
        [set(row.tolist()) for row in lists] for lists in (shifts.before, shifts.after)
    )
    x, y = pair.before.astype(float), pair.after.astype(float)
    for at, shift in enumerate(shifts):
        if not shift.after:
            assert np.isnan(figures["jaccard@4"][at])
            continue
        a, b = before[at], after[at]
        assert figures["jaccard@4"][at] == len(a & b) / len(a | b)
        depths = [
            len(set(shifts.before[at, :d]) & set(shifts.after[at, :d])) / d for d in range(1, 5)
        ]
        assert np.isclose(figures["average_overlap@4"][at], np.mean(depths))
        mutual = [np.mean([at in lists[other] for other in lists[at]]) for lists in (before, after)]
        assert np.isclose(figures["mutual_change@4"][at], mutual[1] - mutual[0])
        if not any(not y[other].any() for other in a | b):
            sides = [[cosine(m[at], m[other]) for other in sorted(a | b)] for m in (x, y)]
            local = 1 - cosine(*map(np.array, sides))
            assert np.isclose(figures["local_neighborhood@4"][at], local)
        count = sum(at in lists for lists in after) - sum(at in lists for lists in before)
        assert figures["k_occurrence_change@4"][at] == count


def test_words_that_are_no_candidates_have_no_occurrences(pair):
    shifts = neighbor_shifts(pair, ["w50", "w1"], k=3, candidates=20)
    figures = neighbor_figures(pair, shifts)
    assert np.isnan(figures["k_occurrence_change@3"]).tolist() == [True, False]
    # None of their neighbors was asked about.
    assert np.isnan(figures["mutual_change@3"]).all()


def test_short_lists_of_no_candidate_are_nobody_s():
    """-1 stands for no candidate and for no neighbor, and the two must not meet."""
    words = ["a", "b", "c"]
    pair = align(Embeddings(words, np.eye(3) + 1), Embeddings(words, np.eye(3) + 1))
    shifts = neighbor_shifts(pair, ["a", "b", "c"], k=2, candidates=["b", "c"])
    figures = neighbor_figures(pair, shifts)
    assert np.isnan(figures["mutual_change@2"]).tolist() == [True, False, False]


@pytest.mark.parametrize("name", [*FURTHER, "overlap", "rbo(p=0.5)"])
def test_deep_lists_hold_every_shallower_figure(pair, name):
    deep = neighbor_shifts(pair, k=9)
    asked = [parse_measure(f"{name}@{k}") for k in (1, 4, 9)]
    found = neighbor_figures(pair, deep, asked)
    for measure in asked:
        alone = neighbor_figures(pair, neighbor_shifts(pair, k=measure.k), [measure])
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
    figures = {name.split("@")[0]: each for name, each in neighbor_figures(pair, shifts).items()}
    a, b = (
        [[at for at in row if at >= 0] for row in lists.tolist()]
        for lists in (shifts.before, shifts.after)
    )
    for at in range(n):
        before, after = a[at], b[at]
        occurrences = [sum(at in row for row in lists) for lists in (a, b)]
        assert figures["k_occurrence_change"][at] == occurrences[1] - occurrences[0]
        if not before or not after:
            assert all(np.isnan(figures[name][at]) for name in FURTHER if "k_occ" not in name)
            continue
        union = sorted({*before, *after})
        assert figures["jaccard"][at] == len({*before} & {*after}) / len(union)
        longer = max(len(before), len(after))
        agreed = [len({*before[:t]} & {*after[:t]}) / t for t in range(1, longer + 1)]
        assert np.isclose(figures["average_overlap"][at], np.mean(agreed))
        mutual = [np.mean([at in lists[w] for w in lists[at]]) for lists in (a, b)]
        assert np.isclose(figures["mutual_change"][at], mutual[1] - mutual[0])
        x, y = ([m[at] @ m[w] for w in union] for m in map(unit, (pair.before, pair.after)))
        size = np.linalg.norm(x) * np.linalg.norm(y)
        if size < 1e-6 or np.isnan(size):  # at right angles to all, or a neighbor without direction
            continue
        assert np.isclose(figures["local_neighborhood"][at], 1 - np.dot(x, y) / size, atol=1e-6)


def unit(matrix):
    with np.errstate(invalid="ignore"):
        return matrix.astype(float) / np.linalg.norm(matrix.astype(float), axis=1, keepdims=True)
