"""Why the neighbors of words changed, and where words moved to, for the words of a pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Group, RenderableType

from driftkit.arguments import shown
from driftkit.arrays import Mask
from driftkit.display import Displayed, Text, number, section, table
from driftkit.drift.groups import none_if_nan
from driftkit.drift.words import self_cosines
from driftkit.errors import OptionError
from driftkit.escaping import printable
from driftkit.explain.directions import Cluster, Direction, drift_directions, moved_together
from driftkit.names import LONG, told_apart
from driftkit.neighbors.result import Shift
from driftkit.pair import Pair

LINE = 3  # words named on each side of a line
LISTED = 20  # words of a cluster in the JSON document; its size counts them all
CLUSTERS = 6  # clusters shown; all are in the JSON document
LISTED_NAME = 20  # columns of a name in a table
NAMED = 4  # words named of a cluster, and at each end of a direction

Cause = Literal[
    "the word moved",
    "its neighbors moved",
    "both moved",
    "a new word came",
    "nothing changed",
    "not measured",
]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one word's neighbors changed, and why."""

    word: str
    lost: tuple[str, ...]  # nearest first
    gained: tuple[str, ...]
    cause: Cause
    """Who moved of the word and the neighbors it lost or gained (if none, those it kept), or that
    it gained none but added words; not measured between tables of different dimensions."""
    own: float  # 1 - self_cosine; NaN where the word has no direction
    neighbors: float  # mean of the same over its neighbors before; NaN if none has a direction

    def __str__(self) -> str:
        return self.told()

    def told(self, noun: str = "word") -> str:
        """Return the explanation as a sentence about a word, or an item."""
        shown = told_apart((self.word, *self.lost[:LINE], *self.gained[:LINE]), LONG)
        changes = [
            f"{verb} {', '.join(shown[name] for name in names[:LINE])}"
            + (", …" if len(names) > LINE else "")
            for verb, names in (("lost", self.lost), ("gained", self.gained))
            if names
        ]
        told = "; ".join(changes) or "kept its neighbors"
        if self.cause == "not measured":
            return printable(f"{shown[self.word]}: {told}")
        return printable(
            f"{shown[self.word]}: {told}; moved itself {_shown(self.own)}, "
            f"its old neighbors moved {_shown(self.neighbors)} ({self.cause.replace('word', noun)})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON; None for what is NaN."""
        return {name: none_if_nan(value) for name, value in asdict(self).items()}


def explain(pair: Pair, shifts: Iterable[Shift]) -> list[Explanation]:
    """Explain the shift of each word asked about, found in this pair.

    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> words = ["good", "bad", "film"]
    >>> original = Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(words, [[0.1, 1], [1, 0], [0, 1]])
    >>> pair = align(original, tuned)
    >>> print(explain(pair, neighbor_shifts(pair, ["good"], k=1))[0])
    good: lost bad; gained film; moved itself 0.80, its old neighbors moved 0.00 (the word moved)
    """
    found = []
    for shift in shifts:
        if shift.within is not None:
            raise OptionError(
                f"an explanation needs exact neighbors, and those of {shown(shift.word)} are "
                "approximate; find them without recall."
            )
        rows = pair.rows((shift.word, *(name for name, _ in shift.before)))
        new = set(shift.added)
        known_gained = [name for name in shift.gained if name not in new]
        same = not (shift.lost or shift.gained)
        others = rows[1:] if same else pair.rows((*shift.lost, *known_gained))
        own, *theirs = (1 - self_cosines(pair, rows)).tolist()
        known = [moved for moved in theirs if not np.isnan(moved)]
        mean = sum(known) / len(known) if known else np.nan
        cause = _cause(bool(pair.moved[rows[0]]), pair.moved[others], same=same)
        if new and not known_gained:
            cause = "a new word came"
        if pair.mismatch and cause != "nothing changed":
            cause = "not measured"
        found.append(Explanation(shift.word, shift.lost, shift.gained, cause, own, mean))
    return found


def _cause(word: bool, others: Mask, *, same: bool) -> Cause:
    """Say who moved, given whether the word did, each neighbor, and whether all were kept."""
    neighbors = bool(others.any())
    if word:
        return "both moved" if neighbors else "the word moved"
    return "nothing changed" if same and not neighbors else "its neighbors moved"


def _shown(value: float) -> str:
    return "(not measured)" if np.isnan(value) else f"{value:.2f}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explained(Displayed):
    """What brought the changes of a pair about; made by `Audit.explain`."""

    moved: tuple[Explanation, ...]
    unmoved: tuple[Explanation, ...]  # words that lost neighbors all the same
    directions: tuple[Direction, ...]  # the largest first
    clusters: tuple[Cluster, ...]  # the largest first
    noun: str = "word"
    reason: str | None = None  # why it is not known who moved, nor where to

    def to_dict(self) -> dict[str, Any]:
        """Return the part ``explanation`` of the JSON document."""
        return {
            "reason": self.reason,
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
            (f"Why {self.noun}s that moved lost neighbors", self.moved),
            (f"Why {self.noun}s that did not move lost neighbors", self.unmoved),
        ):
            if words:
                parts.append(section(title, *(Text(each.told(self.noun)) for each in words)))
        if self.directions:
            parts.append(self._shown_directions())
        if self.clusters:
            parts.append(self._shown_clusters())
        if self.reason:
            why = f"Who moved, and in which directions, is not measured: {self.reason}."
            parts += [Text(""), Text(why, "dim")]
        return Group(*parts) if parts else section("Nothing moved, so there is nothing to explain")

    def _shown_directions(self) -> RenderableType:
        made = table(right=("share",))
        made.add_column(f"from {self.noun}s like", overflow="fold")
        made.add_column(f"to {self.noun}s like", overflow="fold")
        for each in self.directions:
            made.add_row(f"{each.share:.0%}", _named(each.away), _named(each.toward))
        note = "These are the principal components of the moves, with their share of the drift."
        return section(f"Directions in which {self.noun}s moved", made, Text(note, "dim"))

    def _shown_clusters(self) -> RenderableType:
        made = table(right=(f"{self.noun}s", "coherence"))
        for name in ("such as", f"from {self.noun}s like", f"to {self.noun}s like"):
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
        return section(f"{self.noun}s that moved together".capitalize(), made, Text(note, "dim"))


def explained(
    pair: Pair,
    moved: Sequence[Shift],
    unmoved: Sequence[Shift],
    *,
    seed: int = 0,
    noun: str = "word",
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
        noun,
        pair.mismatch,
    )


def _ends(direction: Direction) -> dict[str, Any]:
    return {
        "share": direction.share,
        "toward": list(direction.toward),
        "away": list(direction.away),
        "vector": direction.vector.tolist(),
    }


def _named(words: tuple[str, ...]) -> str:
    return ", ".join(told_apart(words[:NAMED], LISTED_NAME).values())
