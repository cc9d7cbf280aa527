"""How it is shown why neighbors changed and where words moved to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.display import number, section, table

if TYPE_CHECKING:
    from driftkit.explain.explanation import Explained

CLUSTERS = 6
"""Clusters shown; all are in the JSON document."""
NAMED = 4
"""Words named of a cluster, and at each end of a direction."""


def explained_view(found: Explained) -> RenderableType:
    """A line for each word with its cause, then directions, then words that moved together."""
    parts: list[RenderableType] = []
    for title, words in (
        ("Why words that moved lost neighbors", found.moved),
        ("Why words that never moved lost neighbors", found.unmoved),
    ):
        if words:
            parts.append(section(title, *(Text(str(each)) for each in words)))
    if found.directions:
        parts.append(_directions(found))
    if found.clusters:
        parts.append(_clusters(found))
    if not parts:
        parts.append(section("Nothing moved, so there is nothing to explain"))
    return Group(*parts)


def _directions(found: Explained) -> RenderableType:
    made = table(right=("share",))
    made.add_column("from words like", overflow="fold")
    made.add_column("to words like", overflow="fold")
    for each in found.directions:
        away, toward = (_listed(words) for words in (each.away, each.toward))
        made.add_row(f"{each.share:.0%}", away, toward)
    note = "Principal components of the moves, and their share of the drift."
    return section("Directions words moved in", made, Text(note, "dim"))


def _clusters(found: Explained) -> RenderableType:
    made = table(right=("words", "coherence"))
    for name in ("such as", "from words like", "to words like"):
        made.add_column(name, overflow="fold")
    for each in found.clusters[:CLUSTERS]:
        made.add_row(
            f"{len(each.words):,}",
            number(each.coherence),
            *map(_listed, (each.words, each.direction.away, each.direction.toward)),
        )
    note = "A coherence of 1 means that all went exactly one way."
    if len(found.clusters) > CLUSTERS:
        note += f" These are the largest of {len(found.clusters)} clusters; JSON has all."
    return section("Words that moved together", made, Text(note, "dim"))


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words[:NAMED])
