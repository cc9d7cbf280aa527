"""What a reader of the original vectors finds, against the obvious loop."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from driftkit import Embeddings, align, audit
from driftkit.drift.reading import ASKED, readings


def pair(before, after):
    words = [f"w{row}" for row in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def obvious(before, after, rows):
    """Of these rows, the share whose own original row is nearer than every other."""
    before, after = before.astype(np.float64), after.astype(np.float64)
    found = {}
    for way, far in (
        ("cosine", cdist(after[rows], before, "cosine")),
        ("l2", cdist(after[rows], before)),
        ("dot", -after[rows] @ before.T),
    ):
        own = far[np.arange(len(rows)), rows].copy()
        far[np.arange(len(rows)), rows] = np.inf
        found[way] = float((own < far.min(axis=1)).mean())
    return found


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0, 3.0])
def test_against_the_obvious_loop(noise):
    rng = np.random.default_rng(0)
    before = rng.normal(size=(300, 8)).astype(np.float32)
    after = before.copy()
    moved = np.arange(0, 300, 2)
    after[moved] += noise * rng.normal(size=(150, 8)).astype(np.float32)
    made = pair(before, after)
    for reading, rows in zip(
        readings(made, np.arange(300)), (moved if noise else [], np.arange(300)), strict=True
    ):
        assert reading.n == len(rows)
        if reading.n:
            assert reading.tuned == pytest.approx(obvious(before, after, rows))
            assert reading.original == pytest.approx(obvious(before, before, rows))


def test_ties_count_against():
    before = np.array([[1, 0], [0, 1], [1, 1]])
    moved, _ = readings(pair(before, before[[1, 0, 2]]), np.arange(3))
    assert moved.tuned == {"cosine": 0, "l2": 0, "dot": 0}
    along, _ = readings(pair([[1, 0], [3, 0]], [[2, 0], [3, 0]]), np.arange(2))
    assert along.original["cosine"] == along.tuned["cosine"] == 0
    twins, _ = readings(pair([[1, 0], [1, 0]], [[2, 0], [1, 0]]), np.arange(2))
    assert twins.original["cosine"] == twins.tuned["cosine"] == 1


def test_a_row_without_direction_is_found_by_none():
    moved, _ = readings(pair([[1, 0], [0, 1]], [[0, 0], [0, 1]]), np.arange(2))
    assert moved.tuned == {"cosine": 0, "l2": 0, "dot": 0}


def test_many_words_are_asked_in_part():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(3 * ASKED, 4))
    moved, frequent = readings(pair(before, 2 * before), np.arange(3 * ASKED))
    assert moved.n == frequent.n == ASKED
    assert moved.tuned["cosine"] == 1


def test_nearly_equal_rows_are_tied_and_what_they_lose_is_told():
    """No twin is the first, so shares that find their own would call any change kept."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(200, 4)).astype(np.float32)
    before[100:] = np.nextafter(before[:100], np.float32(99))
    for after, kept in ((before * 1.001, 1), (np.roll(before, 1, axis=0), 0)):
        moved, _ = readings(pair(before, after), np.arange(200))
        assert moved.original["cosine"] == moved.original["l2"] == 0
        assert moved.kept["cosine"] == moved.kept["l2"] == kept
        found = audit(pair(before, after), benchmarks=[])
        assert found.finding("link").status == ("kept" if kept else "broken")
