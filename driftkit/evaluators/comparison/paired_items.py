"""Two tables on the items both can answer, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from driftkit.evaluators.correlations import CORRELATIONS, undefined_reason
from driftkit.evaluators.lookup import Mask, Rows, Values
from driftkit.evaluators.significance import (
    Difference,
    MeanDifference,
    PearsonDifference,
    SpearmanDifference,
    Test,
    cohen_h,
    cohen_q,
    mcnemar,
    meng,
    permute_correlation,
    permute_means,
    resample,
    resample_means,
    steiger,
    williams,
)

if TYPE_CHECKING:
    import pandas as pd

Counts = npt.NDArray[np.int64]


class Paired(Protocol):
    """What a comparison needs to know of m items that both tables answered."""

    measure: str
    after: Values  # what the tuned table gives each item, (m,)
    moved: Counts  # how many words of each item moved, (m,)
    rarest: Rows  # position of the rarest word of each item among the shared words, (m,)

    @property
    def size(self) -> Counts:
        """Number of words of each item, (m,)."""
        ...

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Score of both tables over the chosen items; NaN if there is none."""
        ...

    def difference(self) -> Difference:
        """Return the difference of scores as a function of counts of the items."""
        ...

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Bootstrap the difference of scores."""
        ...

    def tests(self, permutations: int, rng: np.random.Generator) -> dict[str, Test]:
        """Test the difference in other ways than by the bootstrap."""
        ...

    def effect(self) -> tuple[str, float]:
        """Name and value of the effect size."""
        ...

    def undefined(self) -> str | None:
        """Why no verdict is possible though items were answered; None if one is."""
        ...

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Return the items that suffered most, worst first, as plain values."""
        ...

    def asked(self) -> dict[str, Any]:
        """Return what the benchmark itself asks and knows of the items, as plain values."""
        ...

    def after_release(self, previous: Paired) -> Paired:
        """Compare with a previous tuned table, which answered the same items, as the original."""
        ...

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each item."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PairedSimilarity:
    """A similarity benchmark answered by both tables.

    Parameters
    ----------
    measure : {"spearman", "pearson"}
    pairs : tuple of (str, str)
        The m pairs both can answer.
    gold, before, after : ndarray of float64, shape (m,)
        Human scores, and closeness in the original and the tuned table.
    moved : ndarray of int64, shape (m,)
        How many words of the pair moved.
    rarest : ndarray of int64, shape (m,)
        Position of the rarer word among the shared words.
    """

    measure: str
    pairs: tuple[tuple[str, str], ...]
    gold: Values
    before: Values
    after: Values
    moved: Counts
    rarest: Rows

    @property
    def size(self) -> Counts:
        """Two words an item."""
        return np.full(len(self.gold), 2)

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Correlation of both tables over the chosen pairs."""
        correlation = CORRELATIONS[self.measure]
        gold = self.gold[chosen]
        return correlation(gold, self.before[chosen]), correlation(gold, self.after[chosen])

    def difference(self) -> Difference:
        """Difference of correlations under counts."""
        kind = SpearmanDifference if self.measure == "spearman" else PearsonDifference
        return kind(self.gold, self.before, self.after)

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Differences over resampled pairs."""
        return resample(self.difference(), resamples=resamples, rng=rng)

    def tests(self, permutations: int, rng: np.random.Generator) -> dict[str, Test]:
        """Permutation of the two tables, and Steiger, Williams and Meng."""
        sides = [self.gold, self.before, self.after]
        if self.measure == "spearman":
            sides = [np.asarray(rankdata(side), np.float64) for side in sides]
        gold, before, after = sides
        correlation = CORRELATIONS["pearson"]
        delta = correlation(gold, after) - correlation(gold, before)
        p = permute_correlation(gold, before, after, permutations=permutations, rng=rng)
        three = (
            correlation(gold, after), correlation(gold, before), correlation(before, after),
            len(gold),
        )  # fmt: skip
        return {
            "permutation": Test(delta, p),
            "steiger": steiger(*three),
            "williams": williams(*three),
            "meng": meng(*three),
        }

    def effect(self) -> tuple[str, float]:
        """Cohen's q."""
        return "cohen_q", cohen_q(*self.values(np.ones(len(self.gold), bool)))

    def undefined(self) -> str | None:
        """Why no verdict is possible though pairs were answered; None if one is."""
        if np.isnan(self.values(np.ones(len(self.gold), bool))).any():
            return undefined_reason(self.gold)
        return None

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Pairs that changed and whose rank went farthest from the human one, worst first."""
        frame = self.to_frame()
        off = (frame["tuned_rank"] - frame["gold_rank"]).abs()
        worse = off - (frame["original_rank"] - frame["gold_rank"]).abs()
        fell = (worse > 0) & (frame["tuned"] != frame["original"])
        chosen = worse[fell].sort_values(ascending=False, kind="stable").index[:most]
        return [
            {
                "words": list(self.pairs[i]),
                "gold_rank": float(frame["gold_rank"][i]),
                "original": float(self.before[i]),
                "tuned": float(self.after[i]),
                "original_rank": float(frame["original_rank"][i]),
                "tuned_rank": float(frame["tuned_rank"][i]),
                "moved": int(self.moved[i]),
            }
            for i in chosen
        ]

    def asked(self) -> dict[str, Any]:
        """Return the pairs and their human scores."""
        return {"pairs": self.pairs, "gold": self.gold.tolist()}

    def after_release(self, previous: Paired) -> PairedSimilarity:
        """Put the tuned closeness of a previous release in the original's place."""
        return replace(self, before=previous.after)

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


@dataclass(frozen=True, slots=True, eq=False)
class PairedAnswers:
    """Items that each table answers rightly or wrongly, or as a share.

    Parameters
    ----------
    measure : str
    columns : mapping of str to sequence
        What stands in the first columns of the frame: the words of each of the m items.
    answers : tuple of two sequences
        What the original and the tuned table answered; None where there was no answer.
    before, after : ndarray of float64, shape (m,)
        Score of each item, 1 for a right answer.
    size, moved : ndarray of int64, shape (m,)
        How many words the item has, and how many of them moved.
    rarest : ndarray of int64, shape (m,)
        Position of the rarest word of the item among the shared words.
    categories : tuple of str
        Section of each item; empty strings where there are none.
    """

    measure: str
    columns: Mapping[str, Sequence[Any]]
    answers: tuple[Sequence[Any], Sequence[Any]]
    before: Values
    after: Values
    size: Counts
    moved: Counts
    rarest: Rows
    categories: tuple[str, ...]

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Mean score of both tables over the chosen items; NaN if there are none."""
        if not chosen.any():
            return float("nan"), float("nan")
        return float(self.before[chosen].mean()), float(self.after[chosen].mean())

    def difference(self) -> Difference:
        """Difference of means under counts."""
        return MeanDifference(self.before, self.after)

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Differences over resampled items."""
        return resample_means(self.before, self.after, resamples=resamples, rng=rng)

    def tests(self, permutations: int, rng: np.random.Generator) -> dict[str, Test]:
        """Permutation of the two tables; McNemar where items are right or wrong."""
        delta = float(self.after.mean() - self.before.mean())
        p = permute_means(self.before, self.after, permutations=permutations, rng=rng)
        found = {"permutation": Test(delta, p)}
        if np.isin(self.before, (0, 1)).all() and np.isin(self.after, (0, 1)).all():
            found["mcnemar"] = mcnemar(self.before == 1, self.after == 1)
        return found

    def effect(self) -> tuple[str, float]:
        """Cohen's h."""
        return "cohen_h", cohen_h(float(self.before.mean()), float(self.after.mean()))

    def undefined(self) -> str | None:
        """Why no verdict is possible though items were answered; None if one is."""
        if not self.before.any() and not self.after.any():
            return "neither table answers one question rightly, so there was nothing to lose"
        return None

    def broken(self, most: int) -> list[dict[str, Any]]:
        """Items answered worse than before; those whose words are most frequent first."""
        fell = np.flatnonzero(self.after < self.before)
        names = list(self.columns)
        return [
            {
                "words": [self.columns[name][i] for name in names],
                "category": self.categories[i] or None,
                "original": self.answers[0][i],
                "tuned": self.answers[1][i],
                "moved": int(self.moved[i]),
            }
            for i in fell[np.argsort(self.rarest[fell], kind="stable")][:most].tolist()
        ]

    def asked(self) -> dict[str, Any]:
        """Return the words of the items and their sections."""
        columns = {name: list(values) for name, values in self.columns.items()}
        return columns | {"categories": self.categories}

    def after_release(self, previous: Paired) -> PairedAnswers:
        """Put the tuned scores of a previous release in the original's place."""
        return replace(self, before=previous.after)

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
