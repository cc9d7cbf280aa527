"""Why neighbors changed and where words moved to, for the words of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from driftkit.explain.causes import Explanation, explain
from driftkit.explain.directions import Cluster, Direction, drift_directions, moved_together
from driftkit.neighbors import Shift
from driftkit.pair import Pair

LISTED = 20
"""Words of a cluster in the JSON document; its size counts them all."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """What brought the changes of a pair about.

    Made by `Audit.explain`.

    Parameters
    ----------
    moved, unmoved : tuple of Explanation
        A word each: those whose own row moved, and those that lost neighbors all the same.
    directions : tuple of Direction
        Principal components of the moves, the largest first.
    clusters : tuple of Cluster
        Words that moved together, the largest first.
    """

    moved: tuple[Explanation, ...]
    unmoved: tuple[Explanation, ...]
    directions: tuple[Direction, ...]
    clusters: tuple[Cluster, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the part ``explanation`` of the JSON document."""
        return {
            "words": [each.to_dict() for each in (*self.moved, *self.unmoved)],
            "directions": [_ends(each) for each in self.directions],
            "clusters": [
                {
                    "size": len(each.words),
                    "coherence": each.coherence,
                    "words": list(each.words[:LISTED]),
                    **_ends(each.direction),
                }
                for each in self.clusters
            ],
        }

    def __repr__(self) -> str:
        from driftkit.display import to_text
        from driftkit.report.explained import explained_view

        return to_text(explained_view(self))


def explained(
    pair: Pair, moved: Sequence[Shift], unmoved: Sequence[Shift], *, seed: int = 0
) -> Explained:
    """Explain the shifts of some words, and find the directions of the drift of all.

    Parameters
    ----------
    pair : Pair
    moved, unmoved : sequence of Shift
        Found in this pair.
    seed : int
        Seed of the clusters.

    Examples
    --------
    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> words = ["good", "bad", "film"]
    >>> before = Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> pair = align(before, Embeddings(words, [[0.1, 1], [1, 0], [0, 1]]))
    >>> found = explained(pair, list(neighbor_shifts(pair, ["good"], k=1)), [])
    >>> found.moved[0].cause, found.directions[0].toward[0], len(found.clusters)
    ('the word moved', 'film', 1)
    """
    return Explained(
        tuple(explain(pair, moved)),
        tuple(explain(pair, unmoved)),
        tuple(drift_directions(pair)),
        tuple(moved_together(pair, seed=seed)),
    )


def _ends(direction: Direction) -> dict[str, Any]:
    return {
        "share": direction.share,
        "toward": list(direction.toward),
        "away": list(direction.away),
        "vector": direction.vector.tolist(),
    }
