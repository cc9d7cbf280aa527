"""The audit: every measure run once over a pair, and the one result everything else shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftkit.datasets import Benchmark
from driftkit.drift import SpaceDrift, WordDrift, space_drift, word_drift
from driftkit.drift.saturation import saturated
from driftkit.drift.summary import Summary
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators import ScoreChange, ScoreChanges, compare_scores
from driftkit.evaluators.decision import Status
from driftkit.neighbors import NeighborShifts, Shift, neighbor_shifts
from driftkit.pair import Pair

Progress = Callable[[str, int, int], None]
"""Called with (stage, steps done, steps in all)."""

Verdict = Literal["safe to ship", "ship with care", "undecided", "do not ship"]

Frame = Literal["words", "benchmarks", "split", "space", "summary"]

PHRASES: Mapping[Status, str] = {
    "lost": "lost",
    "gained": "gained",
    "retained": "retained",
    "inconclusive": "could not settle",
    "not measured": "could not measure",
}
"""How the headline speaks of each status, in its order."""

CANDIDATES = 60_000
"""Neighbors are sought among this many of the first shared words, and as many moved ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an audit was asked for; with the two tables it decides every figure."""

    k: int
    candidates: int
    resamples: int
    seed: int


@dataclass(frozen=True)
class Audit:
    """What fine-tuning did to a table of word vectors.

    Made by `audit`. Everything shown to people or machines is a view of this.

    Parameters
    ----------
    pair : Pair
    settings : Settings
    words : WordDrift
        How far each of the n shared words moved.
    space : SpaceDrift
        How far the space as a whole moved.
    shifts : NeighborShifts
        Whose neighbors changed, for every word of the candidate list.
    scores : ScoreChanges
        What the benchmarks say was lost, retained or gained.
    """

    pair: Pair
    settings: Settings
    words: WordDrift = field(repr=False)
    space: SpaceDrift = field(repr=False)
    shifts: NeighborShifts = field(repr=False)
    scores: ScoreChanges = field(repr=False)

    @cached_property
    def candidate_rows(self) -> npt.NDArray[np.int64]:
        """Position of each candidate among the shared words, shape (c,)."""
        return np.fromiter((self.pair.index[word] for word in self.shifts.words), np.int64)

    @cached_property
    def displaced(self) -> npt.NDArray[np.bool_]:
        """Candidates that moved past their nearest original neighbor, shape (c,).

        The word's new vector is less like its own old one than another word's old vector was, so
        whatever still reads the original table can take it for another word. Undirected rows
        that moved count too.
        """
        own = self.words.self_cosine[self.candidate_rows]
        moved = self.pair.moved[self.candidate_rows]
        nearest = self.shifts.before_cosine[:, 0]
        return np.asarray(moved & ~(own >= nearest))

    @cached_property
    def saturated(self) -> npt.NDArray[np.bool_]:
        """Shared words cut off at the tuned table's largest number, shape (n,).

        See `driftkit.drift.saturation.saturated`.
        """
        return saturated(self.pair)

    def status(self, *statuses: str) -> list[ScoreChange]:
        """Benchmarks whose status is one of these, in the order asked for."""
        return [change for change in self.scores if change.status in statuses]

    @property
    def verdict(self) -> Verdict:
        """What the figures advise.

        *Do not ship* when a benchmark was lost; *undecided* when one is inconclusive or could not
        be measured; *ship with care* when something was gained, words are missing, cut off or
        displaced, since other readers of the table will notice; *safe to ship* otherwise.
        """
        if self.status("lost"):
            return "do not ship"
        if self.status("inconclusive", "not measured"):
            return "undecided"
        harmed = self.pair.removed or self.saturated.any() or self.displaced.any()
        if self.status("gained") or harmed:
            return "ship with care"
        return "safe to ship"

    @property
    def headline(self) -> str:
        """The verdict and its reasons in one sentence for people in a hurry."""
        parts = []
        for status, phrase in PHRASES.items():
            if found := self.status(status):
                parts.append(f"{phrase} {_listed(map(_figures, found))}")
        parts.append(f"{int(self.pair.moved.sum()):,} of {len(self.pair):,} words moved")
        if self.pair.removed:
            parts.append(f"{len(self.pair.removed):,} words are missing")
        if count := int(self.saturated.sum()):
            parts.append(
                f"{count:,} are cut off at the table's largest number, as by a file type too "
                "narrow for them"
            )
        if count := int(self.displaced.sum()):
            parts.append(
                f"{count:,} lie farther from their old place than their nearest neighbor did, so "
                "whatever still reads the original vectors will mistake them"
            )
        return f"{self.verdict.capitalize()}: {'; '.join(parts)}."

    def summaries(self) -> tuple[Summary, ...]:
        """Per-word measures summed up over all, moved and unmoved words, neighbors first."""
        return self.shifts.summary() + self.words.summary()

    def most_shifted(self, n: int, *, moved: bool) -> list[Shift]:
        """Words that kept the fewest neighbors, the most frequent first among equals.

        Parameters
        ----------
        n : int
            At most this many.
        moved : bool
            Whether to list words whose own row moved, or words that never did and lost
            neighbors all the same.
        """
        overlap = self.shifts.overlap
        chosen = np.flatnonzero((self.shifts.moved == moved) & (overlap < 1))
        order = np.lexsort((self.candidate_rows[chosen], overlap[chosen]))
        return [self.shifts.at(at) for at in chosen[order[:n]].tolist()]

    def shifts_of(self, words: Sequence[str]) -> NeighborShifts:
        """Neighbors of chosen shared words, over the same candidates.

        Parameters
        ----------
        words : sequence of str
            They need not be candidates.

        Raises
        ------
        UnknownNameError
            If a word is not shared.
        """
        return neighbor_shifts(self.pair, words, self.settings.k, candidates=self.shifts.candidates)

    def to_frame(self, table: Frame = "benchmarks") -> pd.DataFrame:
        """Give one part as a tidy pandas frame.

        Parameters
        ----------
        table : {"words", "benchmarks", "split", "space", "summary"}
            ``words`` has a row for each shared word with every per-word measure; those of
            neighbors are NaN for words that were not candidates.

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        frames: Mapping[str, Callable[[], pd.DataFrame]] = {
            "words": self._word_frame,
            "benchmarks": self.scores.to_frame,
            "split": self.scores.split_frame,
            "space": self.space.to_frame,
            "summary": lambda: pd.DataFrame([row.to_dict() for row in self.summaries()]),
        }
        if table not in frames:
            raise UnknownNameError("part of an audit", table, frames)
        return frames[table]()

    def _word_frame(self) -> pd.DataFrame:
        frame = self.words.to_frame()
        frame.insert(1, "rank", self.pair.original_rows + 1)
        for name, values in self.shifts.figures().items():
            column = np.full(len(frame), np.nan)
            column[self.candidate_rows] = values
            frame[name] = column
        return frame

    def to_dict(self, top: int = 50) -> dict[str, Any]:
        """Give the JSON document ``driftkit.audit/1`` as plain values.

        Parameters
        ----------
        top : int
            How many of the most shifted moved, and of the unmoved, words to include.
        """
        from driftkit.report.serialize import audit_document

        return audit_document(self, top)

    def __repr__(self) -> str:
        from driftkit.report.terminal import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from driftkit.report.notebook import audit_html

        return audit_html(self)


def audit(
    pair: Pair,
    *,
    benchmarks: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
    k: int = 10,
    candidates: int = CANDIDATES,
    resamples: int = 2000,
    seed: int = 0,
    memo: MutableMapping[Any, Any] | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Measure what fine-tuning did: which words moved, what was forgotten, what breaks.

    Parameters
    ----------
    pair : Pair
        From `align`.
    benchmarks : sequence of str or path, optional
        Names or files; by default ``ws353``, ``simlex999`` and ``google``.
    k : int
        Depth of the neighbor lists.
    candidates : int
        Neighbors are sought among the first so many shared words (the most frequent, in files
        that are sorted so), joined by the moved words that follow, up to as many again.
    resamples : int
        Bootstrap resamples behind each interval.
    seed : int
        Seed of the bootstrap.
    memo : mutable mapping, optional
        Give the same dictionary when several tuned tables are audited against one original, so
        that work on the original, its scores and its neighbors, is done once.
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Audit

    Raises
    ------
    OptionError
        If an option is out of range.
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed.
    """
    if k < 1 or candidates < 1:
        raise OptionError(f"k={k} and candidates={candidates} were given; both must be 1 or more.")

    def stage(name: str) -> Callable[[int, int], None] | None:
        if progress is None:
            return None
        progress(name, 0, 1)
        return lambda done, total: progress(name, done, total)

    stage("drift")
    words, space = word_drift(pair), space_drift(pair)
    scores = compare_scores(
        pair, benchmarks, seed=seed, resamples=resamples, memo=memo, progress=stage("benchmarks")
    )
    pool = candidate_words(pair, candidates)
    shifts = neighbor_shifts(pair, pool, k, candidates=pool, memo=memo, progress=stage("neighbors"))
    return Audit(pair, Settings(k, candidates, resamples, seed), words, space, shifts, scores)


def candidate_words(pair: Pair, candidates: int) -> list[str]:
    """Words among which an audit seeks neighbors: the first shared ones, then moved ones.

    Parameters
    ----------
    pair : Pair
    candidates : int
        See `audit`.
    """
    later = candidates + np.flatnonzero(pair.moved[candidates:])[:candidates]
    return [*pair.words[:candidates], *(pair.words[row] for row in later.tolist())]


def _figures(change: ScoreChange) -> str:
    if change.status not in ("lost", "gained"):
        return change.name
    return f"{change.name} ({change.original:.3f} to {change.tuned:.3f})"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else str(last)
