import numpy as np
import pytest
from scipy.stats import skew

from driftkit.neighbors.exact import nearest
from driftkit.neighbors.hubness import hubness, k_occurrences


def test_agrees_with_scipy_and_a_count_by_hand():
    lists = np.random.default_rng(0).integers(-1, 30, (50, 4)).astype(np.int32)
    counts = k_occurrences(lists, 30)
    assert counts.tolist() == [int((lists == c).sum()) for c in range(30)]
    assert hubness(counts).skewness == pytest.approx(skew(counts))
    assert hubness(counts).largest == counts.max()


def test_an_even_spread_has_no_skewness():
    found = hubness(np.full(5, 2))
    assert np.isnan(found.skewness)
    assert found.to_dict()["antihubs"] == 0


def test_hubness_of_glove(glove):
    lists, _ = nearest(np.asarray(glove.matrix[:10_000]), np.arange(10_000), 10)
    counts = k_occurrences(lists, 10_000)
    found = hubness(counts)
    assert found.skewness == pytest.approx(1.678, abs=1e-3)
    assert (found.largest, glove.words[counts.argmax()]) == (78, "smith")
    assert found.antihubs == pytest.approx(0.0226, abs=5e-5)
