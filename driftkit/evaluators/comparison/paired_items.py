"""Two tables on the items both can answer, item by item."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit
from scipy.stats import binom, rankdata

from driftkit.arrays import Mask, Values
from driftkit.errors import OptionError
from driftkit.evaluators.comparison.spread import Spread
from driftkit.evaluators.correlations import CORRELATIONS, undefined_reason
from driftkit.evaluators.lookup import Items, ItemsLost
from driftkit.evaluators.significance import (
    LEVEL,
    Clusters,
    CorrelationDifference,
    Difference,
    MeanDifference,
    PearsonDifference,
    SpearmanDifference,
)
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd


@dataclass(eq=False)
class PairedItems(ABC):
    """What both tables of a pair say about the m items of a benchmark that both can answer.

    Parameters
    ----------
    measure : str
        How items are summed up, such as ``"3cosadd@1"``.
    pair : Pair
    items : Items
        All items of the benchmark among the shared words of the pair, as `find_items` looks them
        up with ``pair.index`` and ``pair.zero``; m of them are usable.
    before, after : array_like, shape (m,)
        What the original and the tuned table give each usable item.

    Attributes
    ----------
    n_total, oov, zero, reason
        As of `items`.
    size, moved : ndarray of int64, shape (m,)
        How many words each item has, and how many of them moved.
    related : ndarray of int64, shape (m, c)
        What items share that makes them change together: their words, -1 where there is none.
        An evaluator may set others.
    lost : ItemsLost
        Items that the original alone could answer, where the evaluator is one of driftkit's.
    rarest : ndarray of int64, shape (m,)
        Rank, from 0 in the original table, of the rarest word of each item.

    Raises
    ------
    OptionError
        If there is not one value for each usable item.
    """

    is_judged: ClassVar = True
    """Whether a change is a loss or a gain; that of a bias is neither."""

    measure: str
    pair: InitVar[Pair]
    items: InitVar[Items]
    before: Values = field(repr=False)
    after: Values = field(repr=False)

    def __post_init__(self, pair: Pair, items: Items) -> None:
        before, after = np.asarray(self.before, np.float64), np.asarray(self.after, np.float64)
        self.before, self.after = (
            np.where(np.isinf(each), np.nan, each) for each in (before, after)
        )
        if not self.before.shape == self.after.shape == (items.n_used,):
            raise OptionError(
                f"{self.measure} compares {items.n_used} items that both tables can answer, but "
                f"values of shape {self.before.shape} and {self.after.shape} were given; give one "
                "for each of these items."
            )
        rows = items.rows[items.usable]  # (m, w)
        there = rows >= 0
        self.n_total, self.oov, self.zero = items.n_total, items.oov, items.zero
        self.reason = items.reason
        self.size = there.sum(axis=1)
        self.moved = (pair.moved[rows] & there).sum(axis=1)
        ranks = np.where(there, pair.original_rows[rows], -1)
        self.rarest = ranks.max(axis=1, initial=-1)
        self.related = rows
        self.lost = ItemsLost()

    def __len__(self) -> int:
        return len(self.before)

    @property
    def changeable(self) -> Mask:
        """Items that could have changed, (m,): one of their words moved, or more."""
        return np.asarray(self.moved > 0)

    @property
    def rivals(self) -> Mask:
        """Items none of whose words moved, but a rival of their answer did, (m,)."""
        return np.zeros(len(self), bool)

    def spread(self, resamples: int, rng: np.random.Generator) -> Spread:
        """Return how far the difference varies with the items, those that share words together."""
        difference, clusters = self.difference(), Clusters(self.related)
        independent = clusters.count(self.changeable | self.rivals) or None
        drawn = difference.resample(resamples, rng)
        effect = clusters.design_effect(difference.influence()) if clusters.is_shared else 1.0
        return Spread(difference, self.delta, drawn, effect, independent)

    @property
    def delta(self) -> float:
        """The score after less the score before, over all items."""
        before, after = self.values(np.ones(len(self), bool))
        return after - before

    @abstractmethod
    def values(self, chosen: Mask) -> tuple[float, float]:
        """Return the score of both tables over the chosen items (m,); NaN if it has none."""

    @abstractmethod
    def difference(self) -> Difference:
        """Return the difference of scores, ready to be resampled and tested."""

    def undefined(self) -> str | None:
        """Return why no verdict is possible though items were answered; None if one is."""
        return None

    def nothing_to_lose(self, margin: float) -> str | None:
        """Return why the original's own score is too low for a fall to be seen; None if not."""
        del margin
        return None

    def without_rivals(self) -> Self | None:
        """Return the comparison as if no rival had moved; None if none changed an item."""
        return None

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Return the items that suffered most, worst first, as plain values."""
        del most
        return []

    @abstractmethod
    def questions(self) -> dict[str, Any]:
        """Return what the benchmark itself asks and knows of the items, as plain values."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per item."""

    def part(self, chosen: Mask) -> Self | None:
        """Return the comparison over some of the items (m,); None where a part has no meaning."""
        del chosen
        return None

    def _part(self, chosen: Mask, *more: str) -> Self:
        """Take some of the items out of the arrays and lists that hold one entry for each."""
        found = copy(self)
        found.n_total = max(round(self.n_total * float(chosen.mean())), int(chosen.sum()))
        for name in ("before", "after", "size", "moved", "rarest", "related", *more):
            setattr(found, name, _chosen(getattr(self, name), chosen))
        return found

    def since(self, previous: PairedItems) -> Self:
        """Return the comparison of a previous tuned table with this one, over the same items."""
        found = copy(self)
        found.before = previous.after
        return found


@dataclass(eq=False, kw_only=True)
class PairedSimilarity(PairedItems):
    """A similarity benchmark answered by both tables; see `PairedItems`.

    Parameters
    ----------
    measure : {"spearman", "pearson"}
    pair, items, before, after
        `before` and `after` are how close each table finds the m pairs.
    pairs : sequence of (str, str)
        The m pairs of words.
    gold : ndarray of float64, shape (m,)
        Human scores.
    """

    pairs: Sequence[tuple[str, str]] = field(repr=False)
    gold: Values = field(repr=False)

    def part(self, chosen: Mask) -> Self:
        """Return the comparison over some of the pairs."""
        return self._part(chosen, "pairs", "gold")

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Return the correlation of both tables with people over the chosen pairs."""
        correlation = CORRELATIONS[self.measure]
        gold = self.gold[chosen]
        return correlation(gold, self.before[chosen]), correlation(gold, self.after[chosen])

    def difference(self) -> CorrelationDifference:
        """Return the difference of correlations."""
        kind = SpearmanDifference if self.measure == "spearman" else PearsonDifference
        return kind(self.gold, self.before, self.after)

    def undefined(self) -> str | None:
        """Return why a correlation is NaN; None if neither is."""
        if np.isnan(self.values(np.ones(len(self), bool))).any():
            return undefined_reason(self.gold)
        return None

    def nothing_to_lose(self, margin: float) -> str | None:
        """Return that the original's correlation with people may be zero, where that is so."""
        del margin
        influence, _ = self.difference().influences()
        clusters, m = Clusters(self.related), len(self)
        error = math.sqrt(clusters.design_effect(influence) * float(influence @ influence)) / m
        value, _ = self.values(np.ones(m, bool))
        half = error * float(stdtrit(max(clusters.count() - 1, 1), (1 + LEVEL) / 2))
        if abs(value) > half:
            return None
        return (
            f"nothing to lose: the original's own {self.measure} of {value:.2f} cannot be told "
            f"from chance ({LEVEL:.0%} interval {value - half:.2f} to {value + half:.2f})"
        )

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Return pairs that changed and whose rank went farthest from the human one."""
        frame = self.to_frame()
        off = (frame["tuned_rank"] - frame["gold_rank"]).abs()
        worse = off - (frame["original_rank"] - frame["gold_rank"]).abs()
        fell = (worse > 0) & (frame["tuned"] != frame["original"])
        chosen = frame.loc[worse[fell].sort_values(ascending=False, kind="stable").index[:most]]
        ranks = ("gold_rank", "original", "tuned", "original_rank", "tuned_rank")
        return [
            {
                "words": [row["word1"], row["word2"]],
                **{name: float(row[name]) for name in ranks},
                "moved": int(row["moved"]),
            }
            for _, row in chosen.iterrows()
        ]

    def questions(self) -> dict[str, Any]:
        """Return the pairs and their human scores."""
        return {"pairs": tuple(self.pairs), "gold": self.gold.tolist()}

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each pair; rank 1 is the most similar, ties share their average rank."""
        import pandas as pd

        before, after = rankdata(-self.before), rankdata(-self.after)
        first, second = zip(*self.pairs, strict=True) if self.pairs else ((), ())
        return pd.DataFrame(
            {
                "word1": first,
                "word2": second,
                "gold": self.gold,
                "original": self.before,
                "tuned": self.after,
                "gold_rank": rankdata(-self.gold),
                "original_rank": before,
                "tuned_rank": after,
                "rank_change": after - before,
                "moved": self.moved,
            }
        )


@dataclass(eq=False, kw_only=True)
class PairedAnswers(PairedItems):
    """Items that each table answers rightly, wrongly or in part; the score is the mean of items.

    Parameters
    ----------
    measure, pair, items, before, after
        As of `PairedItems`; `before` and `after` are 1 for a right answer and 0 for a wrong one.
    columns : mapping of str to sequence, optional
        What stands in the first columns of the frame: the words of each of the m items.
    answers : tuple of two sequences, optional
        What the original and the tuned table answered; None where there was no answer. By
        default `before` and `after`.
    categories : sequence of str, optional
        Section of each of the m items. With five or more sections an interval over whole sections
        is taken as well.
    winners_moved : array_like of bool, shape (m,), optional
        Where the answer before or after is a word that moved or was added, though it may be no
        word of the item; none by default.
    chance : float, optional
        Score that guessing gets.
    """

    columns: Mapping[str, Sequence[Any]] = field(repr=False, default_factory=dict)
    answers: tuple[Sequence[Any], Sequence[Any]] = field(repr=False, default=((), ()))
    categories: Sequence[str] = field(repr=False, default=())
    winners_moved: npt.ArrayLike = field(repr=False, default=False)
    chance: float = 0.0

    @property
    def rivals(self) -> Mask:
        """Items none of whose words moved, but the answer before or after did, (m,)."""
        return np.asarray(self.winners_moved & (self.moved == 0))

    def without_rivals(self) -> Self | None:
        """Return the comparison as if no rival had moved; None if none changed an item."""
        if not (self.rivals & (self.before != self.after)).any():
            return None
        found = copy(self)
        found.after = np.where(self.rivals, self.before, self.after)
        return found

    def nothing_to_lose(self, margin: float) -> str | None:
        """Return that the original did no better than guessing, or too little to fall by."""
        m, value = len(self), float(self.before.mean())
        if not 0 <= self.before.min() <= self.before.max() <= 1:
            return None  # no shares, so guessing and a margin say nothing
        if binom.sf(math.floor(self.before.sum()) - 1, m, self.chance) > (1 - LEVEL) / 2:
            return (
                f"nothing to lose: the original's own score of {value:.3g} cannot be told from "
                f"the {self.chance:.3g} that guessing gets"
            )
        if value < margin:
            return (
                f"nothing to lose: the original's own score of {value:.3g} is less than the "
                f"smallest change that counts, {margin:g}"
            )
        return None

    def __post_init__(self, pair: Pair, items: Items) -> None:
        super().__post_init__(pair, items)
        if not self.columns:
            rows = items.rows[items.usable].tolist()
            words = ([pair.words[row] for row in item if row >= 0] for item in rows)
            self.columns = {"item": list(map(" / ".join, words))}
        if not any(map(len, self.answers)):
            self.answers = (self.before.tolist(), self.after.tolist())
        self.winners_moved = np.broadcast_to(np.asarray(self.winners_moved, bool), len(self))
        self.categories = tuple(self.categories) or ("",) * len(self)

    def part(self, chosen: Mask) -> Self:
        """Return the comparison over some of the items."""
        found = self._part(chosen, "categories", "winners_moved")
        found.columns = {name: _chosen(each, chosen) for name, each in self.columns.items()}
        found.answers = (_chosen(self.answers[0], chosen), _chosen(self.answers[1], chosen))
        return found

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Return the mean score of both tables over the chosen items; NaN if there are none."""
        if not chosen.any():
            return float("nan"), float("nan")
        return float(self.before[chosen].mean()), float(self.after[chosen].mean())

    def difference(self) -> Difference:
        """Return the difference of means."""
        return MeanDifference(self.before, self.after)

    def undefined(self) -> str | None:
        """Return that there was nothing to lose, where neither table answered rightly at all."""
        if not self.before.any() and not self.after.any():
            return "neither table answers one question rightly, so there was nothing to lose"
        return None

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Return items answered worse than before; those whose words are most frequent first."""
        fell = np.flatnonzero(self.after < self.before)
        return [
            {
                "words": [values[i] for values in self.columns.values()],
                "category": self.categories[i] or None,
                "original": self.answers[0][i],
                "tuned": self.answers[1][i],
                "moved": int(self.moved[i]),
            }
            for i in fell[np.argsort(self.rarest[fell], kind="stable")][:most].tolist()
        ]

    def questions(self) -> dict[str, Any]:
        """Return the words of the items and their sections."""
        columns = {name: list(values) for name, values in self.columns.items()}
        return columns | {"categories": self.categories}

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each item, with both answers and whether it broke or was mended."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns)).assign(
            category=list(self.categories),
            original=pd.Series(self.answers[0], dtype=object),
            tuned=pd.Series(self.answers[1], dtype=object),
            original_score=self.before,
            tuned_score=self.after,
            original_correct=self.before == 1,
            tuned_correct=self.after == 1,
            broke=self.after < self.before,
            mended=self.after > self.before,
            moved=self.moved,
        )


def _chosen(values: Any, chosen: Mask) -> Any:
    if isinstance(values, np.ndarray):
        return values[chosen]
    return tuple(value for value, kept in zip(values, chosen.tolist(), strict=True) if kept)
