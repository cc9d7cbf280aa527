import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.errors import OptionError
from driftkit.explain.directions import drift_directions, moved_together


@pytest.fixture(scope="module")
def two_ways():
    """Words that move along two axes: 30 along the first, 20 along the second."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(200, 6))
    after = before.copy()
    after[:30, 0] += 2 + rng.random(30)
    after[30:50, 1] -= 1 + 0.1 * rng.random(20)
    words = [f"w{i}" for i in range(200)]
    return align(Embeddings(words, before), Embeddings(words, after))


def test_principal_components_and_the_words_at_their_ends(two_ways):
    first, second = drift_directions(two_ways, 5, named=3)
    np.testing.assert_allclose(np.abs(first.vector), np.eye(6)[0], atol=1e-6)
    assert first.vector[0] > 0  # most words went that way
    assert second.vector[1] < 0
    assert first.share + second.share == pytest.approx(1)
    x = two_ways.before
    cosine = x[:, 0] / np.linalg.norm(x, axis=1)
    assert first.toward == tuple(two_ways.words[row] for row in np.argsort(-cosine)[:3])
    assert first.away == tuple(two_ways.words[row] for row in np.argsort(cosine)[:3])
    assert "% of the drift: " in str(first)


def test_words_that_moved_together_are_one_cluster(two_ways):
    first, second = moved_together(two_ways, 2)
    assert set(first.words) == {f"w{i}" for i in range(30)}
    assert set(second.words) == {f"w{i}" for i in range(30, 50)}
    assert first.coherence == pytest.approx(1)
    assert second.direction.share == pytest.approx(1)
    steps = two_ways.after[:30, 0] - two_ways.before[:30, 0]
    assert first.words[0] == f"w{steps.argmax()}"
    assert len(moved_together(two_ways, 8)) <= 8


def test_a_seed_decides(two_ways):
    names = lambda seed: [c.words for c in moved_together(two_ways, 4, seed=seed)]  # noqa: E731
    assert names(3) == names(3)


def test_nothing_moved_and_bad_options(two_ways):
    still = align(two_ways.original, two_ways.original)
    assert drift_directions(still) == moved_together(still) == []
    with pytest.raises(OptionError, match="n=0"):
        drift_directions(two_ways, 0)
    with pytest.raises(OptionError, match="named=0"):
        moved_together(two_ways, named=0)
