"""What an audit measured: the numbers every question, view and rule goes by."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

import numpy as np

from driftkit.arguments import shown, whole, whole_number
from driftkit.arrays import Mask, Rows, Values
from driftkit.drift import SpaceDrift, WordDrift
from driftkit.drift.clipping import saturated
from driftkit.drift.crossing import IMMATERIAL
from driftkit.drift.groups import Summary, band_masks, summarize
from driftkit.drift.reading import Reading
from driftkit.drift.remedy import Remedy
from driftkit.encoders import encoder_of
from driftkit.errors import AlignmentError, OptionError
from driftkit.evaluators import ScoreChange, ScoreChanges
from driftkit.explain.explanation import Explained, explained
from driftkit.measures.registry import requested_measures
from driftkit.neighbors import NeighborShifts, Shift
from driftkit.neighbors.optional_measures import shifts_of_others
from driftkit.pair import Pair
from driftkit.subwords import is_special

EPOCH = "SOURCE_DATE_EPOCH"
"""The variable that says what time it is to whatever has to give the same bytes again; see
https://reproducible-builds.org/specs/source-date-epoch."""

TIE = 2.0**-23  # cosines closer than this can be one number in float32

_LAST = 253_402_300_799  # the last second of the year 9999


def time_now() -> datetime:
    """Return the time, in UTC; `EPOCH`, where it is set, tells it."""
    given = os.environ.get(EPOCH)
    if given is None:
        return datetime.now(UTC)
    seconds = whole_number(given)
    if seconds is None or not 0 <= seconds <= _LAST:
        raise OptionError(
            f"the variable {EPOCH} is {shown(given)}; it holds seconds since 1970, such as "
            "1764230400, or is not set."
        )
    return datetime.fromtimestamp(seconds, UTC)


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
class Measured:
    """What was measured; `driftkit.findings.Findings` adds what it answers and advises."""

    pair: Pair
    settings: Settings
    words: WordDrift = field(repr=False)
    space: SpaceDrift = field(repr=False)
    shifts: NeighborShifts = field(repr=False)
    scores: ScoreChanges = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)
    remedy: Remedy | None = field(repr=False)
    null: Measured | None = field(default=None, repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    time: datetime = field(default_factory=time_now, repr=False, compare=False)

    @property
    def noun(self) -> Literal["word", "item"]:
        """What a row stands for: a *word* where benchmarks of words were asked, else an *item*.

        What an encoder made rows of are items: its benchmarks encode words of their own.
        """
        made = encoder_of(self.pair.original) is not None
        return "word" if self.scores and not made else "item"

    @property
    def place(self) -> str:
        """What the position of a row is: a ``rank`` only where words are in order of frequency."""
        return self.pair.original.source.place if self.noun == "word" else "row"

    @cached_property
    def candidate_rows(self) -> Rows:
        """Position of each candidate among the shared words, shape (c,)."""
        return self.pair.rows(self.shifts.words)

    @cached_property
    def displaced(self) -> Mask:
        """Candidates that moved farther than their nearest original neighbor was, shape (c,).

        The word's new vector is less like its own old one than another word's old vector was, so
        anything that still reads the original table can take it for another word. A tie counts, as
        where two nearest neighbors were exchanged, and so do rows that became zero; one that was
        zero before had no place to leave. Rows of different widths have no distance, which is an
        `AlignmentError`.
        """
        if self.pair.mismatch:
            raise AlignmentError(f"displaced words are not measured: {self.pair.mismatch}.")
        own = self.words.self_cosine[self.candidate_rows]
        left = (self.pair.moved & (self.pair.before_norms > 0))[self.candidate_rows]
        nearest = self.shifts.before_cosine[:, 0]
        near = (own - nearest > TIE) | (own >= 1 - TIE)
        return np.asarray(left & ~near)

    @cached_property
    def matters(self) -> Mask:
        """Shared words that moved by more than is immaterial, or from or to zero, shape (n,)."""
        return np.asarray(~(self.words.relative_l2 < IMMATERIAL))

    @cached_property
    def saturated(self) -> Mask:
        """Shared words clipped at the tuned table's largest number, (n,), as `displaced`."""
        return saturated(self.pair)

    @cached_property
    def damaged(self) -> Mapping[str, int | None]:
        """How many words are displaced, and how many saturated; None where no one can say."""
        counts = ("displaced", "saturated")
        if self.pair.mismatch:
            return dict.fromkeys(counts)
        return {name: int(getattr(self, name).sum()) for name in counts}

    def status(self, *statuses: str) -> list[ScoreChange]:
        """Return the benchmarks that have one of these statuses."""
        return [change for change in self.scores if change.status in statuses]

    @cached_property
    def crowded(self) -> float:
        """Share of the candidates that now have an added word among their neighbors.

        NaN where no word was added.
        """
        if not self.pair.added:
            return np.nan
        return float((self.shifts.after >= len(self.shifts.shared)).any(axis=1).mean())

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
        return whole + summarize(by_name, band_masks(len(self.pair)), self.words.reasons)

    def most_shifted(self, n: int, *, moved: bool) -> list[Shift]:
        """Return the words that kept the fewest neighbors, the most frequent first among equals.

        At most `n`: words whose own row moved, or with ``moved=False`` words that did not move but
        lost neighbors. Special tokens such as ``[PAD]`` are no words, and left out.
        """
        whole(0, n=n)
        return [self.shifts.at(at) for at in self.in_order_of_shift(moved=moved)[:n].tolist()]

    def in_order_of_shift(self, *, moved: bool) -> Rows:
        """Return the positions among the candidates of all words that `most_shifted` can return."""
        overlap = self.shifts.overlap
        special = np.array([is_special(word) for word in self.shifts.words], bool)
        chosen = np.flatnonzero((self.shifts.moved == moved) & (overlap < 1) & ~special)
        return chosen[np.lexsort((self.candidate_rows[chosen], overlap[chosen]))]

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
            noun=self.noun,
        )
