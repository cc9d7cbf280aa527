"""Why neighbors changed and where words moved to, for the words of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.display import Displayed, number, section, table
from driftkit.explain.causes import Explanation, explain
from driftkit.explain.directions import Cluster, Direction, drift_directions, moved_together
from driftkit.neighbors import Shift
from driftkit.pair import Pair

LISTED = 20
"""Words of a cluster in the JSON document; its size counts them all."""
CLUSTERS = 6
"""Clusters shown; all are in the JSON document."""
NAMED = 4
"""Words named of a cluster, and at each end of a direction."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explained(Displayed):
    """What brought the changes of a pair about; made by `Audit.explain`."""

    moved: tuple[Explanation, ...]
    unmoved: tuple[Explanation, ...]  # words that lost neighbors all the same
    directions: tuple[Direction, ...]  # the largest first
    clusters: tuple[Cluster, ...]  # the largest first

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

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = []
        for title, words in (
            ("Why words that moved lost neighbors", self.moved),
            ("Why words that did not move lost neighbors", self.unmoved),
        ):
            if words:
                parts.append(section(title, *(Text(str(each)) for each in words)))
        if self.directions:
            parts.append(self._shown_directions())
        if self.clusters:
            parts.append(self._shown_clusters())
        return Group(*parts) if parts else section("Nothing moved, so there is nothing to explain")

    def _shown_directions(self) -> RenderableType:
        made = table(right=("share",))
        made.add_column("from words like", overflow="fold")
        made.add_column("to words like", overflow="fold")
        for each in self.directions:
            made.add_row(f"{each.share:.0%}", _named(each.away), _named(each.toward))
        note = "These are the principal components of the moves, with their share of the drift."
        return section("Directions in which words moved", made, Text(note, "dim"))

    def _shown_clusters(self) -> RenderableType:
        made = table(right=("words", "coherence"))
        for name in ("such as", "from words like", "to words like"):
            made.add_column(name, overflow="fold")
        for each in self.clusters[:CLUSTERS]:
            made.add_row(
                f"{len(each.words):,}",
                number(each.coherence),
                *map(_named, (each.words, each.direction.away, each.direction.toward)),
            )
        note = "A coherence of 1 means that all moved in exactly the same direction."
        if len(self.clusters) > CLUSTERS:
            note += f" These are the largest of {len(self.clusters)} clusters; JSON has all."
        return section("Words that moved together", made, Text(note, "dim"))


def explained(
    pair: Pair, moved: Sequence[Shift], unmoved: Sequence[Shift], *, seed: int = 0
) -> Explained:
    """Explain the shifts of some words, and find the directions of the drift of all.

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


def _named(words: tuple[str, ...]) -> str:
    return ", ".join(words[:NAMED])
