import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftkit.arrays import changed_rows, row_norms
from driftkit.neighbors.search.exact import Search, nearest
from driftkit.neighbors.search.incremental import Added, Spaces, nearest_in_both


def spaces_of(before, after):
    changed = changed_rows(before, after)
    return Spaces(before, after, row_norms(before), row_norms(after), changed)


def in_each(spaces, queries, k, candidates=None):
    """Two searches that share nothing; their own oracle is in test_exact."""
    return tuple(
        nearest(matrix, queries, k, candidates=candidates)
        for matrix in (spaces.before, spaces.after)
    )


@st.composite
def questions(draw):
    n, d = draw(st.integers(1, 120)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tied = draw(st.booleans())
    make = (lambda m: rng.integers(-1, 2, (m, d))) if tied else (lambda m: rng.normal(size=(m, d)))
    before = make(n).astype(np.float32)
    after = before.copy()
    changed = rng.random(n) < draw(st.sampled_from([0, 0.02, 0.1, 0.5, 0.9, 1]))
    after[changed] = make(int(changed.sum()))
    candidates = draw(st.none() | st.integers(1, n).map(lambda c: rng.permutation(n)[:c]))
    queries = rng.integers(0, n, draw(st.integers(0, 20)))
    if draw(st.booleans()):
        queries = np.arange(n) if candidates is None else candidates
    return spaces_of(before, after), queries, draw(st.integers(1, 12)), candidates


@given(questions())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sharing_changes_nothing(engine, same, question):
    spaces, queries, k, candidates = question
    memo = {}
    expected = in_each(spaces, queries, k, candidates)
    for _ in range(2):  # the second time from the memo
        found = nearest_in_both(spaces, queries, k, candidates=candidates, memo=memo, engine=engine)
        for one, other in zip(found, expected, strict=True):
            same(one, other)


def with_added(spaces, extra, rng):
    """The same spaces, the second with rows of its own among the matched ones."""
    order = rng.permutation(len(spaces.after) + len(extra))
    table = np.vstack([spaces.after, extra])[order]
    place = np.argsort(order)
    added = Added(table, row_norms(table), place[len(spaces.after) :], place[: len(spaces.after)])
    return dataclasses.replace(spaces, added=added)


@given(questions(), st.integers(0, 60), st.integers(0, 2**32 - 1))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_added_rows_are_candidates_after_and_come_last_among_equals(engine, question, a, seed):
    """All cosines with matched and added candidates in float64, rounded and sorted."""
    spaces, queries, k, candidates = question
    rng = np.random.default_rng(seed)
    n, d = spaces.after.shape
    extra = rng.permutation(np.concatenate([spaces.after, rng.normal(size=(a, d))]))[:a]
    extra = extra.astype(np.float32)
    memo = {}
    before, _ = in_each(spaces, queries, k, candidates)
    spaces = with_added(spaces, extra, rng)
    pool = np.arange(n) if candidates is None else candidates
    rows = np.vstack([spaces.after[pool], extra]).astype(float)
    norms = row_norms(np.vstack([spaces.after[pool], extra]))
    for _ in range(2):  # the second time from the memo
        found = nearest_in_both(spaces, queries, k, candidates=candidates, memo=memo, engine=engine)
        for one, other in zip(found[0], before, strict=True):
            np.testing.assert_array_equal(one, other)
        identity, cosine = found[1]
        for at, query in enumerate(queries):
            with np.errstate(invalid="ignore", divide="ignore"):
                own = spaces.after[query].astype(float)
                # As the engine sums: the products of a row, one row at a time.
                all_ = (rows * own).sum(axis=1) / (norms * spaces.after_norms[query])
            all_ = np.clip(all_, -1, 1).astype(np.float32)
            all_[: len(pool)][pool == query] = np.nan
            order = np.lexsort((np.arange(len(all_)), -all_))
            order = order[~np.isnan(all_[order])][:k]
            assert identity[at, : len(order)].tolist() == order.tolist()
            assert (identity[at, len(order) :] == -1).all()
            np.testing.assert_array_equal(cosine[at, : len(order)], all_[order])


def test_progress_with_added_rows_ends_at_both_spaces(moved):
    calls = []
    spaces = with_added(moved, moved.before[:40] + 1, np.random.default_rng(0))
    nearest_in_both(spaces, np.arange(600), 5, memory=1, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[-1] == (1200, 1200)
    assert (512, 1200) in calls


@pytest.fixture(scope="module")
def moved():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(3000, 20)).astype(np.float32)
    after = before.copy()
    after[::20] += rng.normal(size=after[::20].shape).astype(np.float32)
    return spaces_of(before, after)


def test_several_stretches_of_tiles(engine, same, moved, monkeypatch):
    monkeypatch.setattr("driftkit.neighbors.search.tiled.TILE", 128)
    monkeypatch.setattr("driftkit.neighbors.search.tiled.STRETCH_BYTES", 4 * 20 * 512)
    queries = np.arange(3000)
    found, expected = (
        nearest_in_both(moved, queries, 10, engine=engine),
        in_each(moved, queries, 10),
    )
    for one, other in zip(found, expected, strict=True):
        same(one, other)


def test_little_memory_means_blocks_of_queries(engine, same, moved):
    calls = []
    found = nearest_in_both(
        moved, np.arange(600), 5, memory=1, progress=lambda *call: calls.append(call), engine=engine
    )
    for one, other in zip(found, in_each(moved, np.arange(600), 5), strict=True):
        same(one, other)
    assert calls == sorted(calls)
    assert calls[-1] == (1200, 1200)
    assert (512, 1200) in calls


def test_lists_too_short_to_stand_in_are_found_anew(engine, same, monkeypatch):
    # Every neighbor of the first cluster changes, so nothing kept of the original is left.
    rng = np.random.default_rng(1)
    center = np.repeat(rng.normal(size=(40, 15)), 30, axis=0)
    before = (center + 0.1 * rng.normal(size=center.shape)).astype(np.float32)
    after = before.copy()
    after[1:30] = rng.normal(size=(29, 15))
    spaces, queries = spaces_of(before, after), np.arange(len(before))
    again = []
    real = Search.lists
    monkeypatch.setattr(
        Search,
        "lists",
        lambda self, rows, k, **how: again.append(len(rows)) or real(self, rows, k, **how),
    )
    found = nearest_in_both(spaces, queries, 10, engine=engine)
    assert again[-1] == 1
    monkeypatch.undo()
    for one, other in zip(found, in_each(spaces, queries, 10), strict=True):
        same(one, other)


def test_equal_spaces_are_searched_once(same, moved):
    spaces = spaces_of(moved.before, moved.before.copy())
    before, after = nearest_in_both(spaces, np.arange(100), 5)
    same(before, after)


def test_number_of_threads_does_not_show(engine, moved):
    threads, answers = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            answers.append(nearest_in_both(moved, np.arange(3000), 10, engine=engine))
    finally:
        torch.set_num_threads(threads)
    one, two = ([part.tobytes() for found in each for part in found] for each in answers)
    assert one == two
