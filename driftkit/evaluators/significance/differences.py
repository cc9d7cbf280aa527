"""Differences of two correlations and of two means, ready to be resampled and tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from driftkit.arrays import Values
from driftkit.evaluators.correlations import pearson
from driftkit.evaluators.significance.bootstrap import Counts, Difference
from driftkit.evaluators.significance.effect_size import cohen_h, cohen_q
from driftkit.evaluators.significance.hypothesis_tests import (
    Test,
    correlation_tests,
    mcnemar,
    permute_correlation,
    permute_means,
)


class CorrelationDifference(Difference):
    """Difference of two correlations with the same human scores `gold`, all of them (m,)."""

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        self.m = len(gold)
        self.sides = self.standard(gold), self.standard(before), self.standard(after)

    @staticmethod
    def standard(values: Values) -> Values:
        """Return values whose Pearson correlation is the correlation meant."""
        return values

    def tests(self, permutations: int, rng: np.random.Generator) -> dict[str, Test]:
        """Permutation of the two tables, and Steiger, Williams and Meng."""
        gold, before, after = self.sides
        r_before, r_after = pearson(gold, before), pearson(gold, after)
        p = permute_correlation(gold, before, after, permutations=permutations, rng=rng)
        return {
            "permutation": Test(r_after - r_before, p),
            **correlation_tests(r_after, r_before, pearson(before, after), self.m),
        }

    def effect(self) -> tuple[str, float]:
        """Return Cohen's q."""
        gold, before, after = self.sides
        return "cohen_q", cohen_q(pearson(gold, before), pearson(gold, after))


class SpearmanDifference(CorrelationDifference):
    """Difference of Spearman's correlations.

    Under counts, average ranks are cumulative sums over the items in sorted order, so nothing is
    sorted here: O(m) per resample.
    """

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        super().__init__(gold, before, after)
        self.gold, self.before, self.after = Ranking(gold), Ranking(before), Ranking(after)
        # From the order of the human scores, which comes first, to those of the tables.
        place = np.empty(self.m, np.int64)
        place[self.gold.order] = np.arange(self.m)
        self.to_before, self.to_after = place[self.before.order], place[self.after.order]

    @staticmethod
    def standard(values: Values) -> Values:
        """Return average ranks."""
        return np.asarray(rankdata(values), np.float64)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        counts = counts.take(self.gold.order, axis=1)
        gold = self.gold.centered(counts)  # (r, m)
        weighted = counts * gold  # float64 from here on
        spread = np.einsum("ij,ij->i", weighted, gold)
        rho = []
        for ranking, order in ((self.before, self.to_before), (self.after, self.to_after)):
            own = counts.take(order, axis=1)
            ranks = ranking.centered(own)
            shared = np.einsum("ij,ij->i", weighted.take(order, axis=1), ranks)
            own_spread = np.einsum("ij,ij->i", own * ranks, ranks)
            with np.errstate(invalid="ignore", divide="ignore"):
                rho.append(shared / np.sqrt(spread * own_spread))
        difference: Values = rho[1] - rho[0]
        return difference


class Ranking:
    """The order of m values, found once, to rank any counts of them."""

    def __init__(self, values: Values) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.first = np.searchsorted(ordered, ordered, side="left")  # of each run of equals
        self.after = np.searchsorted(ordered, ordered, side="right")
        self.is_tied = bool((self.after - self.first > 1).any())

    def centered(self, counts: Counts) -> Values:
        """Return twice the average ranks less their mean, for counts in sorted order, (r, m).

        Twice, because that is a whole number, and integers add up six times as fast.
        """
        upto = np.cumsum(counts, axis=1)  # items among the first j
        total = upto[:, -1:]
        if not self.is_tied:
            return (2 * upto - counts - total).astype(np.float64)
        below = np.zeros((len(counts), counts.shape[1] + 1), np.int64)
        below[:, 1:] = upto
        ranks = below.take(self.first, axis=1) + below.take(self.after, axis=1) - total
        return ranks.astype(np.float64)


class PearsonDifference(CorrelationDifference):
    """Difference of Pearson's correlations."""

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        super().__init__(gold, before, after)
        g, b, a = (_standard(side) for side in self.sides)
        self.columns = np.stack([np.ones(self.m), g, b, a, g * g, b * b, a * a, g * b, g * a], 1)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        total, g, b, a, gg, bb, aa, gb, ga = (counts @ self.columns).T
        with np.errstate(invalid="ignore", divide="ignore"):
            g, b, a, gg, bb, aa, gb, ga = (x / total for x in (g, b, a, gg, bb, aa, gb, ga))
            spread = gg - g * g
            after = (ga - g * a) / np.sqrt(spread * (aa - a * a))
            before = (gb - g * b) / np.sqrt(spread * (bb - b * b))
        difference: Values = after - before
        return difference


def _standard(values: Values) -> Values:
    """Centered and scaled, so that the sums of squares lose nothing."""
    centered = values - values.mean()
    size = np.abs(centered).max(initial=0.0)
    scaled: Values = centered / size if size > 0 else centered
    return scaled


class MeanDifference(Difference):
    """Difference of mean scores (m,), such as accuracies; booleans for right or wrong."""

    def __init__(self, before: npt.ArrayLike, after: npt.ArrayLike) -> None:
        self.before, self.after = np.asarray(before, np.float64), np.asarray(after, np.float64)
        self.change = self.after - self.before
        self.m = len(self.change)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        difference: Values = counts @ self.change / counts.sum(axis=1)
        return difference

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Bootstrap without drawing an item.

        A resample is known by how often each distinct change occurs in it, and these counts are
        multinomial: for right or wrong answers only three numbers are drawn.
        """
        distinct, counts = np.unique(self.change, return_counts=True)
        drawn = rng.multinomial(self.m, counts / self.m, resamples)
        differences: Values = drawn @ distinct / self.m
        return differences

    def resample_clusters(
        self, clusters: Sequence[str], resamples: int, rng: np.random.Generator
    ) -> Values:
        """Bootstrap over whole categories (m,), since the words of one break together.

        That gives the interval its honest width (Davison & Hinkley 1997, section 3.8).
        """
        names, which = np.unique(np.asarray(clusters, object).astype(str), return_inverse=True)
        sums = np.bincount(which, self.change, minlength=len(names))
        sizes = np.bincount(which, minlength=len(names))
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
        differences: Values = (drawn @ sums) / (drawn @ sizes)
        return differences

    def tests(self, permutations: int, rng: np.random.Generator) -> dict[str, Test]:
        """Permutation of the two tables; McNemar where items are right or wrong."""
        delta = float(self.after.mean() - self.before.mean())
        p = permute_means(self.before, self.after, permutations=permutations, rng=rng)
        found = {"permutation": Test(delta, p)}
        if np.isin(self.before, (0, 1)).all() and np.isin(self.after, (0, 1)).all():
            found["mcnemar"] = mcnemar(self.before == 1, self.after == 1)
        return found

    def effect(self) -> tuple[str, float]:
        """Return Cohen's h, where the means are shares."""
        before, after = float(self.before.mean()), float(self.after.mean())
        if not 0 <= min(before, after) <= max(before, after) <= 1:
            return super().effect()
        return "cohen_h", cohen_h(before, after)
