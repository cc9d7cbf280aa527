"""What an audit found: the one result that everything people and machines see is a view of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from driftkit.drift import SpaceDrift, WordDrift
from driftkit.drift.clipping import saturated
from driftkit.drift.groups import Summary, band_masks, summarize
from driftkit.errors import UnknownNameError
from driftkit.evaluators import ScoreChange, ScoreChanges
from driftkit.evaluators.comparison.verdict import Status
from driftkit.measures.requested import requested_measures
from driftkit.neighbors import NeighborShifts, Shift
from driftkit.neighbors.optional_measures import shifts_of_others
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.explain.explanation import Explained

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


@dataclass(frozen=True, slots=True)
class Settings:
    """What an audit was asked for; with the two tables it decides every figure."""

    k: int
    candidates: int
    resamples: int
    seed: int
    measures: tuple[str, ...] = ()
    null: bool = False


@dataclass(frozen=True)
class Audit:
    """What fine-tuning did to a table of word vectors.

    Made by `driftkit.audit`. Everything shown to people or machines is a view of this.

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
    null : Audit or None
        The same of random moves of the same size per row, where they were asked for (see
        `driftkit.drift.null_model`). One draw: figures of a single word scatter.
    """

    pair: Pair
    settings: Settings
    words: WordDrift = field(repr=False)
    space: SpaceDrift = field(repr=False)
    shifts: NeighborShifts = field(repr=False)
    scores: ScoreChanges = field(repr=False)
    null: Audit | None = field(default=None, repr=False)

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

        See `driftkit.drift.clipping.saturated`.
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

    @cached_property
    def figures(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Every per-word measure (n,) by name; those of neighbors are NaN for no candidates."""
        found = dict(self.words.values)
        for name, values in self.shifts.values.items():
            found[name] = np.full(len(self.pair), np.nan)
            found[name][self.candidate_rows] = values
        return found

    def summaries(self, *, bands: bool = False) -> tuple[Summary, ...]:
        """Per-word measures summed up over all, moved and unmoved words, neighbors first.

        Parameters
        ----------
        bands : bool
            Whether the words of each band of ranks follow. There, words that were no candidates
            count among the unmeasured ones.
        """
        whole = self.shifts.summary() + self.words.summary()
        if not bands:
            return whole
        by_name = {row.measure: self.figures[row.measure] for row in whole}
        return whole + summarize(by_name, band_masks(len(self.pair)))

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
        measures = requested_measures(self.settings.measures, self.settings.k)
        return shifts_of_others(self.pair, words, self.shifts, measures)

    def explain(self, top: int = 6) -> Explained:
        """Tell why neighbors changed and where words moved to.

        Parameters
        ----------
        top : int
            How many of the most shifted moved, and of the unmoved, words to explain.

        Returns
        -------
        Explained
            A line for each of these words with its cause, the main directions of the drift, and
            words that moved together.
        """
        from driftkit.explain.explanation import explained

        return explained(
            self.pair,
            self.most_shifted(top, moved=True),
            self.most_shifted(top, moved=False),
            seed=self.settings.seed,
        )

    def to_frame(self, table: Frame = "benchmarks") -> pd.DataFrame:
        """Return one part as a tidy pandas frame.

        Parameters
        ----------
        table : {"words", "benchmarks", "split", "space", "summary"}
            ``words`` has a row for each shared word with every per-word measure; those of
            neighbors are NaN for words that were not candidates. Where the null was asked for,
            ``words`` has a further column ``NAME null`` for each measure, and the other parts a
            column ``null``: what random moves would have given instead of a mean, of a value or of
            a score of the tuned table.

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        from driftkit.report.frames import FRAMES

        if table not in FRAMES:
            raise UnknownNameError("part of an audit", table, FRAMES)
        return FRAMES[table](self)

    def to_dict(self, top: int = 50, *, explain: bool = False) -> dict[str, Any]:
        """Return the JSON document ``driftkit.audit/1`` as plain values.

        Parameters
        ----------
        top : int
            How many of the most shifted moved, and of the unmoved, words to include.
        explain : bool
            Whether to include what `explain` tells.
        """
        from driftkit.report.serialize import audit_document

        return audit_document(self, top, explain)

    def __repr__(self) -> str:
        from driftkit.report.terminal import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from driftkit.report.notebook import audit_html

        return audit_html(self)


def _figures(change: ScoreChange) -> str:
    if change.status not in ("lost", "gained"):
        return change.name
    return f"{change.name} ({change.original:.3f} to {change.tuned:.3f})"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else str(last)
