import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from driftkit import Embeddings, align
from driftkit.drift.displacement import displacement
from driftkit.drift.words import word_drift
from driftkit.errors import OptionError


def pair_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


@pytest.fixture
def space():
    return np.random.default_rng(0).normal(size=(60, 7)).astype(np.float32)


def test_without_options_it_is_one_less_the_self_cosine(space):
    pair = pair_of(space, space[::-1])
    np.testing.assert_allclose(displacement(pair), 1 - word_drift(pair).self_cosine, atol=1e-12)


def test_one_rotation_and_one_shift_are_taken_out(space):
    after = space @ ortho_group.rvs(7, random_state=1) + 4
    pair = pair_of(space, after)
    assert displacement(pair).mean() > 0.3
    assert displacement(pair, center=True, anchors=np.ones(60, bool)).max() < 1e-6


def test_agrees_with_scipy_on_anchors(space):
    rng = np.random.default_rng(1)
    after = (space @ ortho_group.rvs(7, random_state=2) + 0.3 * rng.normal(size=space.shape)) + 1
    pair, anchors = pair_of(space, after), np.arange(60) < 20
    x, y = pair.before.astype(float), pair.after.astype(float)
    for center in (False, True):
        a, b = (x - x.mean(axis=0), y - y.mean(axis=0)) if center else (x, y)
        b = b @ orthogonal_procrustes(b[anchors], a[anchors])[0]
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        found = displacement(pair, center=center, anchors=anchors)
        np.testing.assert_allclose(found, 1 - cosine, atol=1e-9)


def test_a_map_fitted_on_unmoved_rows_is_the_identity(space):
    after = space.copy()
    after[:10] *= -1
    pair = pair_of(space, after)
    np.testing.assert_allclose(
        displacement(pair, anchors=~pair.moved), displacement(pair), atol=1e-9
    )


def test_zero_rows_and_no_anchors(space):
    space[3] = 0
    pair = pair_of(space, space)
    assert np.flatnonzero(np.isnan(displacement(pair, center=True))).tolist() == [3]
    for anchors in (np.zeros(60, bool), np.ones(59, bool)):
        with pytest.raises(OptionError, match="mark at least one"):
            displacement(pair, anchors=anchors)
