import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.drift.null_model import null_pair
from driftkit.drift.space import space_drift


def test_moves_are_as_long_and_go_elsewhere(pair):
    null = null_pair(pair, seed=1)
    assert null.words == pair.words
    np.testing.assert_array_equal(null.moved, pair.moved)
    length = np.linalg.norm(pair.after - pair.before, axis=1)
    found = null.after - null.before
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), length, rtol=1e-4, atol=1e-6)
    moved = pair.moved
    unit = (pair.after - pair.before)[moved] / length[moved, None]
    along = (unit * found[moved]).sum(axis=1) / length[moved]
    assert abs(along.mean()) < 0.05  # about 1 / sqrt(150 * 50)


def test_added_words_keep_their_rows():
    original = Embeddings(["a", "b"], np.eye(2))
    tuned = Embeddings(["new", "a", "b"], [[3, 4], [1, 1], [0, 1]])
    null = null_pair(align(original, tuned))
    assert null.added == ("new",)
    assert null.tuned["new"].tolist() == [3, 4]


def test_a_seed_decides(pair):
    one, same, other = (null_pair(pair, seed=seed).after for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_random_moves_read_as_their_own_null(pair):
    random = null_pair(pair, seed=1)
    one, other = (space_drift(each) for each in (random, null_pair(random, seed=2)))
    expected = pytest.approx(other.find("cka", "moved").value, abs=0.05)
    assert one.find("cka", "moved").value == expected


def test_the_numbers_that_made_the_table_do_not_make_its_null():
    matrix = np.random.default_rng(0).normal(size=(300, 20))
    words = [f"w{row}" for row in range(300)]
    moved = np.array(matrix)
    moved[:150] += 1
    null = null_pair(align(Embeddings(words, matrix), Embeddings(words, moved)), seed=0)
    step = (null.after - null.before)[:150]
    cosine = (step * null.before[:150]).sum(axis=1)
    cosine /= np.linalg.norm(step, axis=1) * null.before_norms[:150]
    assert abs(cosine.mean()) < 0.2
