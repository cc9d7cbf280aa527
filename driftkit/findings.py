"""What an audit found: what was measured, and the verdict; everything shown is a view of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from driftkit.arguments import whole
from driftkit.arrays import Mask, Rows, Values
from driftkit.display import joined
from driftkit.drift import SpaceDrift, WordDrift
from driftkit.drift.clipping import saturated
from driftkit.drift.groups import Summary, band_masks, summarize
from driftkit.evaluators import ScoreChange, ScoreChanges
from driftkit.evaluators.comparison.verdict import Status
from driftkit.explain.explanation import Explained, explained
from driftkit.measures.registry import requested_measures
from driftkit.neighbors import NeighborShifts, Shift
from driftkit.neighbors.optional_measures import shifts_of_others
from driftkit.pair import Pair

Advice = Literal["safe to ship", "ship with care", "undecided", "do not ship"]

PHRASES: Mapping[Status, str] = {
    "lost": "lost",
    "gained": "gained",
    "retained": "retained",
    "inconclusive": "inconclusive on",
    "not tested": "could not test",
    "not measured": "could not measure",
}
"""How the headline speaks of each status, in its order."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an audit was asked for; with the two tables it decides every value."""

    k: int
    candidates: int
    resamples: int
    seed: int
    measures: tuple[str, ...] = ()
    null: bool = False


@dataclass(frozen=True)
class Findings:
    """What was measured, and what it advises; `driftkit.Audit` adds how it is shown."""

    pair: Pair
    settings: Settings
    words: WordDrift = field(repr=False)
    space: SpaceDrift = field(repr=False)
    shifts: NeighborShifts = field(repr=False)
    scores: ScoreChanges = field(repr=False)
    null: Findings | None = field(default=None, repr=False)

    @cached_property
    def candidate_rows(self) -> Rows:
        """Position of each candidate among the shared words, shape (c,)."""
        return self.pair.rows(self.shifts.words)

    @cached_property
    def displaced(self) -> Mask:
        """Candidates that moved farther than their nearest original neighbor was, shape (c,).

        The word's new vector is less like its own old one than another word's old vector was, so
        anything that still reads the original table can take it for another word. Rows without a
        direction that moved count too.
        """
        own = self.words.self_cosine[self.candidate_rows]
        moved = self.pair.moved[self.candidate_rows]
        nearest = self.shifts.before_cosine[:, 0]
        return np.asarray(moved & ~(own >= nearest))

    @cached_property
    def saturated(self) -> Mask:
        """Shared words clipped at the tuned table's largest number, shape (n,)."""
        return saturated(self.pair)

    def status(self, *statuses: str) -> list[ScoreChange]:
        """Return the benchmarks that have one of these statuses."""
        return [change for change in self.scores if change.status in statuses]

    @property
    def verdict(self) -> Advice:
        """What the measurements advise.

        *Do not ship* when a benchmark was lost; *undecided* when one is inconclusive or could not
        be tested or measured, or none was asked for; *ship with care* when something was gained,
        or words are missing, clipped or displaced, which other readers of the table will notice;
        *safe to ship* otherwise.
        """
        if self.status("lost"):
            return "do not ship"
        if not self.scores or self.status("inconclusive", "not tested", "not measured"):
            return "undecided"
        harmed = self.pair.removed or self.saturated.any() or self.displaced.any()
        if self.status("gained") or harmed:
            return "ship with care"
        return "safe to ship"

    @property
    def headline(self) -> str:
        """The verdict and its reasons in one sentence for people in a hurry."""
        return f"{self.verdict.capitalize()}: {'; '.join(self._reasons())}."

    def _reasons(self) -> Iterator[str]:
        for status, phrase in PHRASES.items():
            if found := self.status(status):
                yield f"{phrase} {joined(map(_scored, found))}"
        if not self.scores:
            yield "no benchmark was asked for"
        count, moved = int(self.displaced.sum()), int(self.pair.moved.sum())
        said = f"{moved:,} of {len(self.pair):,} words moved"
        if count:
            its, confused = "their", "them with other words"
            if count == 1:
                its, confused = "its", "it with another word"
            said += (
                f", {'all' if 1 < count == moved else f'{count:,}'} of them farther away than "
                f"{its} nearest neighbor was, so anything that still reads the original vectors "
                f"will confuse {confused}"
            )
        yield said
        if removed := len(self.pair.removed):
            yield "1 word is missing" if removed == 1 else f"{removed:,} words are missing"
        if clipped := int(self.saturated.sum()):
            words = "1 word is" if clipped == 1 else f"{clipped:,} words are"
            yield (
                f"{words} clipped at the table's largest number, as happens when a number type is "
                "too narrow"
            )

    @cached_property
    def values(self) -> Mapping[str, Values]:
        """Every per-word measure (n,) by name; NaN for words whose neighbors were not sought."""
        found = dict(self.words.values)
        for name, values in self.shifts.values.items():
            found[name] = np.full(len(self.pair), np.nan)
            found[name][self.candidate_rows] = values
        return found

    def summaries(self, *, bands: bool = False) -> tuple[Summary, ...]:
        """Sum up each per-word measure over all, moved and unmoved words, neighbors first.

        With `bands`, the words of each band of ranks follow; there, words whose neighbors were not
        sought count as unmeasured.
        """
        whole = self.shifts.summary() + self.words.summary()
        if not bands:
            return whole
        by_name = {row.measure: self.values[row.measure] for row in whole}
        return whole + summarize(by_name, band_masks(len(self.pair)))

    def most_shifted(self, n: int, *, moved: bool) -> list[Shift]:
        """Return the words that kept the fewest neighbors, the most frequent first among equals.

        At most `n`: words whose own row moved, or with ``moved=False`` words that did not move but
        lost neighbors.
        """
        whole(0, n=n)
        overlap = self.shifts.overlap
        chosen = np.flatnonzero((self.shifts.moved == moved) & (overlap < 1))
        order = np.lexsort((self.candidate_rows[chosen], overlap[chosen]))
        return [self.shifts.at(at) for at in chosen[order[:n]].tolist()]

    def shifts_of(self, words: Sequence[str]) -> NeighborShifts:
        """Return the neighbors of chosen shared words, over the same candidates.

        The words need not be candidates; one that is not shared is an `UnknownNameError`.
        """
        measures = requested_measures(self.settings.measures, self.settings.k)
        return shifts_of_others(self.pair, words, self.shifts, measures)

    def explain(self, top: int = 6) -> Explained:
        """Tell why neighbors changed and where words moved to.

        The result has a line for each of the `top` most shifted moved, and unmoved, words with its
        cause, the main directions of the drift, and words that moved together.
        """
        whole(0, top=top)
        return explained(
            self.pair,
            self.most_shifted(top, moved=True),
            self.most_shifted(top, moved=False),
            seed=self.settings.seed,
        )


def _scored(change: ScoreChange) -> str:
    """Name a benchmark, with both scores where they differ for certain."""
    if change.status not in ("lost", "gained"):
        return change.name
    return f"{change.name} ({change.original:.3f} to {change.tuned:.3f})"
