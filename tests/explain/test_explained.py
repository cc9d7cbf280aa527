import numpy as np
import pytest

from driftkit.display import to_text
from driftkit.explain.directions import Cluster, Direction
from driftkit.explain.explanation import CLUSTERS, Explained, Explanation


@pytest.fixture(scope="module")
def found():
    good = Explanation(
        "good", ("bad", "thing", "way", "even"), ("excellent", "superb"), "both moved", 0.31, 0.12
    )
    film = Explanation("film", ("movie",), ("cinema",), "its neighbors moved", 0.0, 0.4)
    valence = Direction(
        np.eye(3)[0],
        0.574,
        ("superb", "excellent", "brilliant", "fine", "nice"),
        ("awful", "arson"),
    )
    rest = Direction(np.eye(3)[1], 0.061, ("may", "june"), ("betty", "gloria"))
    clusters = [Cluster(("good", "great", "happy", "best", "joy"), valence, 0.84)]
    clusters += [Cluster(("it",), rest, 1.0)] * CLUSTERS
    return Explained((good,), (film,), (valence, rest), tuple(clusters))


def test_golden(found, golden):
    golden(to_text(found, 80) + "\n", "explained.txt")


def test_parts_without_anything_are_left_out(found):
    alone = Explained((), found.unmoved, (), ())
    assert to_text(alone, 120).splitlines()[1:] == [
        "Why words that did not move lost neighbors",
        str(found.unmoved[0]),
    ]
