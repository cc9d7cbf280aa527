"""Which words a page lists: those it names, those that changed most, and the most frequent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from driftkit.display import counted
from driftkit.evaluators.comparison.result import BROKEN
from driftkit.explain.directions import Direction
from driftkit.findings import Findings

NAMED = 8  # most shifted words, moved and unmoved, that the head of the page names

MOVED, UNMOVED = 2, 4
"""The most moved words take one half of the list at most, and unmoved ones that lost neighbors one
quarter; the most frequent words have the rest."""


def listed_words(
    audits: Sequence[Findings], directions: Sequence[Sequence[Direction]], most: int
) -> list[str]:
    """Return at most so many words, each a candidate in one of the audits."""
    pools = [set(found.shifts.shared) for found in audits]
    every = set().union(*pools)
    share = most // len(audits)
    chosen: dict[str, None] = {}
    for found, ways in zip(audits, directions, strict=True):
        chosen |= dict.fromkeys(word for word in _named(found, ways) if word in every)
    for found in audits:
        words = found.shifts.words
        for moved, part in ((True, MOVED), (False, UNMOVED)):
            order = found.in_order_of_shift(moved=moved)[: share // part]
            chosen |= dict.fromkeys(words[at] for at in order.tolist())
    for found in audits:
        room = max(most - len(chosen), 0)
        fresh = (word for word in found.shifts.words if word not in chosen)
        chosen |= dict.fromkeys(list(islice(fresh, room)))
    return list(islice(chosen, most))


def _named(found: Findings, directions: Sequence[Direction]) -> Iterator[str]:
    """Yield the most shifted words, those of broken items, and those at ends of the directions."""
    for moved in (True, False):
        yield from (shift.word for shift in found.most_shifted(NAMED, moved=moved))
    for change in found.scores:
        for item in change.items.broken(BROKEN):
            yield from (word for word in item["words"] if isinstance(word, str))
    for each in directions:
        yield from (*each.toward, *each.away)


def which(audits: Sequence[Findings], listed: Sequence[str]) -> str:
    """Say how many words are listed, which, and what of the others is not in the page."""
    noun = audits[0].noun
    every = len(set().union(*(found.pair.index for found in audits)))
    if len(listed) == every:
        return f"Every row is listed: {counted(every, f'shared {noun}')}."
    if not listed:
        return f"None of {counted(every, f'shared {noun}')} is listed, as none was asked for."
    inside = set(listed)
    moved = {
        found.pair.words[row] for found in audits for row in found.pair.moved.nonzero()[0].tolist()
    }
    here = len(inside & moved)
    return (
        f"{len(inside):,} of {every:,} shared {noun}s are listed: "
        f"{'all' if here == len(moved) else f'{here:,} of the'} {len(moved):,} that moved, "
        f"unmoved {noun}s that lost neighbors, those that this page names, and then the first of "
        "the table. Of the others this page holds no neighbors."
    )
