"""Whose company changed: nearest neighbors of words before and after."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType

from driftkit.arguments import position, whole
from driftkit.arrays import Mask, Rows, Values
from driftkit.display import Displayed, Text, before_and_after, counted, first_few, number, table
from driftkit.drift.groups import Summary, group_masks, none_if_nan, summarize
from driftkit.errors import OptionError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import parse_measure
from driftkit.names import Names, told_apart
from driftkit.neighbors.overlap import Lists, overlap, rbo
from driftkit.neighbors.recall import Recall

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

Cosines = npt.NDArray[np.float32]
Neighbors = tuple[tuple[str, float], ...]

SHOWN = 10  # words, and neighbors of a word, in a printed table
LISTED = 24  # columns of a word in a printed table


@dataclass(frozen=True, slots=True, repr=False)
class Shift(Displayed):
    """How one word's neighbors changed.

    Parameters
    ----------
    word : str
    before, after : tuple of (str, float)
        Neighbors and their cosines, nearest first.
    overlap, rbo : float
        Agreement of the two lists; NaN when one of them is empty.
    reason : str or None
        Why the agreement could not be measured.
    added : tuple of str
        Those of `after` that only the tuned table has, nearest first.
    within : tuple of float or None
        Where neighbors are approximate, the ends between which the true overlap lies, but for 5 %
        of the words.
    metric : str
        What nearest means. What are called cosines here are the scores of this metric, of
        distances the negative.
    """

    word: str
    before: Neighbors
    after: Neighbors
    overlap: float
    rbo: float
    reason: str | None = None
    added: tuple[str, ...] = ()
    within: tuple[float, float] | None = None
    metric: str = "cosine"

    @property
    def lost(self) -> tuple[str, ...]:
        """Neighbors it had and no longer has, nearest first."""
        return _only(self.before, self.after)

    @property
    def gained(self) -> tuple[str, ...]:
        """Neighbors it has and did not have, nearest first."""
        return _only(self.after, self.before)

    @property
    def kept(self) -> tuple[str, ...]:
        """Neighbors it had and still has, in the order of `before`."""
        lost = set(self.lost)
        return tuple(name for name, _ in self.before if name not in lost)

    def lists(self) -> dict[str, Any]:
        """Return the lists as entries of JSON; a neighbor that was added says so."""
        new = set(self.added)
        return {
            "before": [{"word": name, "cosine": cosine} for name, cosine in self.before],
            "after": [
                {"word": name, "cosine": cosine, **({"added": True} if name in new else {})}
                for name, cosine in self.after
            ],
            "lost": list(self.lost),
            "gained": list(self.gained),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The word, and its neighbors before and after."""
        return (self.word, *(name for name, _ in self.before), *(name for name, _ in self.after))

    def beside(
        self, caption: str, names: Names | None = None, *, scored: bool = False
    ) -> RenderableType:
        """Return both lists side by side, under the word and a caption; `names` as shown.

        If `scored`, the cosines stand beside the names, or the scores of another metric.
        """
        title, sign = ("distance", -1) if self.metric == "euclidean" else (self.metric, 1)
        sides = self.before, self.after
        before, after = ([name for name, _ in side] for side in sides)
        of_before, of_after = ([sign * score for _, score in side] for side in sides)
        return before_and_after(
            self.word,
            caption,
            before,
            after,
            names=names,
            scores=(of_before, of_after) if scored else None,
            score=title,
            reason=self.reason,
        )

    def plot(self) -> Chart:
        """Draw both lists, with a line for each neighbor that was kept (extra ``report``)."""
        from driftkit.charts.neighbors import neighbors

        listed = self.lists()
        return neighbors(self.word, listed["before"], listed["after"], self.reason)

    def __rich__(self) -> RenderableType:
        within = "" if self.within is None else f" ({_ends(self.within)}, approximate)"
        agreement = f"overlap {number(self.overlap)}{within}, rbo {number(self.rbo)}"
        return self.beside(agreement, scored=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NeighborShifts(Displayed):
    """The nearest neighbors of m words before and after, over a list of c candidates.

    Made by `neighbor_shifts`. Iteration yields one `Shift` for each word.

    Parameters
    ----------
    words : tuple of str
        The m words asked about.
    candidates : tuple of str
        The c words that could be neighbors: shared ones, then those of the tuned table alone, which
        could be neighbors only after.
    k : int
        Neighbors asked for.
    moved : ndarray of bool, shape (m,)
        Whether the word's own row moved; words that did not can still lose neighbors.
    before, after : ndarray of int32, shape (m, k)
        Positions in `candidates`, nearest first; -1 where there is no further neighbor.
    before_cosine, after_cosine : ndarray of float32, shape (m, k)
        Their cosines; NaN where there is no neighbor.
    overlap, rbo : ndarray of float64, shape (m,)
        Agreement of the two lists (see `driftkit.neighbors.overlap`); NaN when one is empty.
    reasons : dict of str to str
        For each word that could not be measured, why.
    optional : mapping of str to ndarray of float64, shape (m,)
        Measures that were asked for besides, by name.
    added : int
        How many of the candidates, the last ones, only the tuned table has.
    recall : Recall or None
        Where a recall below 1 was asked for, what was found and how far measures may be off.
    metric : str
        What nearest means (see `Shift`).
    """

    words: tuple[str, ...]
    candidates: tuple[str, ...]
    k: int
    moved: Mask
    before: Lists
    after: Lists
    before_cosine: Cosines
    after_cosine: Cosines
    overlap: Values
    rbo: Values
    reasons: dict[str, str]
    optional: Mapping[str, Values] = field(default_factory=dict)
    added: int = 0
    recall: Recall | None = None
    metric: str = "cosine"

    @property
    def _missing(self) -> Recall | None:
        """The recall where true neighbors may be missing; None where they are exact."""
        return None if self.recall is None or self.recall.exact is not None else self.recall

    @property
    def is_approximate(self) -> bool:
        """Whether true neighbors may be missing."""
        return self._missing is not None

    def require_exact(self, what: str) -> None:
        """Refuse what approximate neighbors cannot answer."""
        if self._missing is not None:
            raise OptionError(
                f"{what} needs exact neighbors, and these were found with "
                f"recall={self._missing.asked:g}; find them without recall."
            )

    @property
    def ends(self) -> dict[str, Values]:
        """Where neighbors are approximate, between which ends true values of words (m,) lie.

        Named as the measure, with ``_low`` and ``_high``; for each measure, they are right but for
        5 % of the words.
        """
        if self._missing is None:
            return {}
        out: dict[str, Values] = {}
        for measure, values in zip(self.measures, (self.overlap, self.rbo), strict=True):
            low, high = self._missing.around(measure.name, values, self._missing.word_error)
            out |= {f"{measure}_low": low, f"{measure}_high": high}
        return out

    @property
    def among(self) -> str:
        """Say how many candidates there were, such as ``"20,010 candidates, 10 of them added"``."""
        new = f", {self.added:,} of them added" if self.added else ""
        return f"{counted(len(self.candidates), 'candidate')}{new}"

    @property
    def shared(self) -> tuple[str, ...]:
        """The candidates that both tables have."""
        return self.candidates[: len(self.candidates) - self.added]

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Shift]:
        return map(self.at, range(len(self)))

    def __getitem__(self, word: str | int) -> Shift:
        """Return the shift of one of the words asked about, by name or by position."""
        return self.at(position(word, self.words, "word", "It is not among the words asked about."))

    def at(self, row: int) -> Shift:
        """Return the shift of the word at a position in `words`."""
        word, after = self.words[row], self.after[row]
        new = after[after >= len(self.candidates) - self.added]
        return Shift(
            word,
            self._named(self.before[row], self.before_cosine[row]),
            self._named(after, self.after_cosine[row]),
            float(self.overlap[row]),
            float(self.rbo[row]),
            self.reasons.get(word),
            tuple(self.candidates[position] for position in new.tolist()),
            None
            if (missing := self._missing) is None
            else _overlap_within(missing, self.overlap[row], missing.word_error),
            self.metric,
        )

    def _named(self, positions: Lists, cosines: Cosines) -> Neighbors:
        return tuple(
            (self.candidates[position], cosine)
            for position, cosine in zip(positions.tolist(), cosines.tolist(), strict=True)
            if position >= 0
        )

    @property
    def measures(self) -> tuple[Measure, Measure]:
        """What `overlap` and `rbo` hold, with their depth: ``overlap@10``, ``rbo(p=0.9)@10``."""
        return parse_measure(f"overlap@{self.k}"), parse_measure(f"rbo@{self.k}")

    @property
    def values(self) -> dict[str, Values]:
        """Every measure of the words (m,) by name."""
        share, ranked = self.measures
        return {str(share): self.overlap, str(ranked): self.rbo, **self.optional}

    def first(self, k: int) -> NeighborShifts:
        """Return what a search for fewer neighbors would have given; these if k is their number."""
        if k >= self.k:
            return self
        self.require_exact("a search for fewer neighbors")
        before, after = self.before[:, :k].copy(), self.after[:, :k].copy()
        (_, persistence), *_ = parse_measure("rbo").parameters
        return replace(
            self,
            k=k,
            before=before,
            after=after,
            before_cosine=self.before_cosine[:, :k].copy(),
            after_cosine=self.after_cosine[:, :k].copy(),
            overlap=overlap(before, after),
            rbo=rbo(before, after, persistence),
        )

    def summary(self) -> tuple[Summary, ...]:
        """Sum up each measure over all, the moved and the unmoved of the words asked about."""
        return summarize(self.values, group_masks(self.moved))

    def most_shifted(self, n: int | None = None) -> Rows:
        """Positions in `words` of the n lowest overlaps, or of all, from the lowest up.

        Ties are ordered by RBO, then as given; words that could not be measured come last.
        """
        whole(0, n=len(self) if n is None else n)
        return np.lexsort((self.rbo, self.overlap))[:n]

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row for each word.

        Columns: ``word``, ``moved``, a column for each measure, and the tuples of words ``lost``,
        ``gained`` and ``kept``; where neighbors are approximate also `ends`, and what is in
        ``attrs["recall"]``. `neighbor_frame` has one row for each neighbor.
        """
        import pandas as pd

        shifts = list(self)
        frame = pd.DataFrame(
            {
                "word": self.words,
                "moved": self.moved,
                **self.values,
                **self.ends,
                "lost": [shift.lost for shift in shifts],
                "gained": [shift.gained for shift in shifts],
                "kept": [shift.kept for shift in shifts],
            }
        )
        frame.attrs |= self._told_recall
        return frame

    def neighbor_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row for each word and rank.

        Columns: ``word``, ``rank`` (from 1), ``before``, ``before_cosine``, ``after``,
        ``after_cosine``; a missing neighbor is None. ``attrs["recall"]`` is as of `to_frame`.
        """
        import pandas as pd

        names = np.array([*self.candidates, None], object)  # position -1 is the None at the end
        frame = pd.DataFrame(
            {
                "word": np.repeat(np.array(self.words, object), self.k),
                "rank": np.tile(np.arange(1, self.k + 1), len(self)),
                "before": names[self.before.ravel()],
                "before_cosine": self.before_cosine.ravel(),
                "after": names[self.after.ravel()],
                "after_cosine": self.after_cosine.ravel(),
            }
        )
        frame.attrs |= self._told_recall
        return frame

    @property
    def _told_recall(self) -> dict[str, Any]:
        """What was asked for and found, and the mean overlap with its ends, as an entry of JSON."""
        if self.recall is None:
            return {}
        mean = float(np.nanmean(self.overlap)) if np.isfinite(self.overlap).any() else np.nan
        low, high = _overlap_within(self.recall, mean, self.recall.mean_error)
        between = {"mean_overlap": none_if_nan(mean), "low": none_if_nan(low)}
        return {"recall": {**self.recall.to_dict(), **between, "high": none_if_nan(high)}}

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON (``driftkit.shifts/1``)."""
        values = {**self.values, **self.ends}
        return {
            "schema": "driftkit.shifts/1",
            "k": self.k,
            "candidates": len(self.candidates),
            **self._told_recall,
            "summary": [row.to_dict() for row in self.summary()],
            "words": [
                {
                    "word": shift.word,
                    "moved": moved,
                    "measures": {
                        name: none_if_nan(float(each[at])) for name, each in values.items()
                    },
                    "reason": shift.reason,
                    **shift.lists(),
                    "kept": list(shift.kept),
                }
                for at, (shift, moved) in enumerate(zip(self, self.moved.tolist(), strict=True))
            ],
        }

    def __rich__(self) -> RenderableType:
        share = self.summary()[0]
        mean = (
            f"mean {share.measure} {number(share.mean, 3)}"
            if share.n
            else f"not measured: {share.reason}"
        )
        if share.n and (missing := self._missing) is not None:
            mean += f" ({_ends(_overlap_within(missing, share.mean, missing.mean_error))})"
        values = self.values
        made = table("word", right=tuple(values))
        for side in ("lost", "gained"):
            made.add_column(side, overflow="fold")
        many = len(self) > SHOWN
        rows = self.most_shifted(SHOWN).tolist() if many else range(len(self))
        names = told_apart((self.words[row] for row in rows), LISTED)
        for row in rows:
            shift = self.at(row)
            cells = (number(float(each[row]), 3) for each in values.values())
            lists = (first_few(names) for names in (shift.lost, shift.gained))
            made.add_row(names[shift.word], *cells, *lists)
        return Group(
            Text(
                f"Neighbors of {counted(len(self), 'word')} "
                f"among {self.among}, "
                f"{mean}{'; most shifted:' if many else ''}"
            ),
            made,
            *([] if self.recall is None else [Text(str(self.recall))]),
        )


def _overlap_within(
    missing: Recall, value: float, errors: Mapping[str, float]
) -> tuple[float, float]:
    """Return the ends between which the true overlap lies."""
    low, high = missing.around("overlap", np.array([value]), errors)
    return float(low[0]), float(high[0])


def _ends(ends: tuple[float, float]) -> str:
    """Write two ends, rounded outwards."""
    low, high = math.floor(ends[0] * 1000) / 1000, math.ceil(ends[1] * 1000) / 1000
    return f"{low:.3f} to {high:.3f}"


def _only(these: Neighbors, those: Neighbors) -> tuple[str, ...]:
    others = dict(those)
    return tuple(name for name, _ in these if name not in others)
