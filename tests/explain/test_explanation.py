import json

import numpy as np
import pytest

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.explain.explanation import LISTED, explained


@pytest.fixture(scope="module")
def two_ways():
    """A hundred words: the first 30 went one way, the next 20 another."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(100, 6))
    after = before.copy()
    after[:30] += [4, 0, 0, 0, 0, 0]
    after[30:50] += [0, -3, 0, 0, 0, 0]
    words = [f"w{row}" for row in range(100)]
    return align(Embeddings(words, before), Embeddings(words, after))


@pytest.fixture(scope="module")
def found(two_ways):
    shifts = neighbor_shifts(two_ways, k=5)
    return explained(two_ways, [shifts["w3"], shifts["w40"]], [shifts["w77"]])


def test_causes_and_directions(found, two_ways):
    assert {each.cause for each in found.moved} <= {"the word moved", "both moved"}
    (unmoved,) = found.unmoved
    assert unmoved.cause == "its neighbors moved"
    first, second = found.directions
    np.testing.assert_allclose(np.abs(first.vector), np.eye(6)[0], atol=1e-6)
    np.testing.assert_allclose(second.vector, -np.eye(6)[1], atol=1e-6)
    # shares of 30 x 16 and 20 x 9
    assert (first.share, second.share) == pytest.approx((480 / 660, 180 / 660))
    assert {len(each.words) for each in found.clusters} >= {30, 20}


def test_the_part_of_the_document(found):
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [entry["word"] for entry in document["words"]] == ["w3", "w40", "w77"]
    largest = document["clusters"][0]
    assert (largest["size"], len(largest["words"])) == (30, LISTED)
    assert largest["coherence"] == pytest.approx(1)
    assert len(document["directions"][0]["vector"]) == 6


def test_view_of_what_never_moved():
    table = Embeddings(["a", "b"], np.eye(2))
    nothing = explained(align(table, table), [], [])
    assert "Nothing moved, so there is nothing to explain" in repr(nothing)
    assert nothing.to_dict() == {"reason": None, "words": [], "directions": [], "clusters": []}
