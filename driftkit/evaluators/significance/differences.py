"""Differences of two correlations and of two means, their sizes, and those that can be seen."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

from driftkit.arrays import Values
from driftkit.evaluators.correlations import pearson
from driftkit.evaluators.significance.bootstrap import LEVEL, Counts, Difference
from driftkit.evaluators.significance.hypothesis_tests import (
    Test,
    correlation_tests,
    mcnemar,
    permute_correlation,
    permute_means,
)

POWER = 0.8
"""Probability with which a two-sided test at 5 % finds a minimum detectable difference: one of
z(0.975) + z(0.8), or 2.80, standard errors (Cohen 1988)."""

_ERRORS = float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))


class CorrelationDifference(Difference):
    """Difference of two correlations with the same human scores `gold`, all of them (m,)."""

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        self.m = len(gold)
        self.sides = self.standard(gold), self.standard(before), self.standard(after)

    @staticmethod
    def standard(values: Values) -> Values:
        """Return values whose Pearson correlation is the correlation meant."""
        return values

    @abstractmethod
    def influences(self) -> tuple[Values, Values]:
        """Return how much each item pulls the correlation before, and that after, (m,) both."""

    def influence(self) -> Values:
        """Return how much each item pulls the difference, (m,)."""
        before, after = self.influences()
        return after - before

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
    """Difference of Spearman's correlations; ranks come from cumulative sums, without sorting."""

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

    def influences(self) -> tuple[Values, Values]:
        """Return how much each pair pulls either correlation, itself and through others' ranks."""
        gold, before, after = self.sides
        return (
            _rank_influence((self.gold, gold), (self.before, before)),
            _rank_influence((self.gold, gold), (self.after, after)),
        )

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
        return np.asarray(rho[1] - rho[0])


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

    def above(self, values: Values) -> Values:
        """Return the sum of values (m,) over the items ranked higher, ties counting half, (m,)."""
        upto = np.zeros(len(values) + 1)
        np.cumsum(values[self.order], out=upto[1:])
        found = np.empty(len(values))
        found[self.order] = upto[-1] - (upto[self.first] + upto[self.after]) / 2
        return found


def _rank_influence(one: tuple[Ranking, Values], other: tuple[Ranking, Values]) -> Values:
    """Return the influence of m items on a Spearman correlation, from both rankings and ranks.

    With ranks as shares of the items, less a half, both the item's own product and the ranks that
    change because it is there count.
    """
    (x_order, x), (y_order, y) = ((order, _shares(ranks)) for order, ranks in (one, other))
    m = len(x)
    xy, xx, yy = (x * y).mean(), (x * x).mean(), (y * y).mean()
    if min(xx, yy) == 0:
        return np.full(m, np.nan)
    pull = x * y + (x_order.above(y) + y_order.above(x)) / m - 3 * xy
    pull_x = x * x + 2 * x_order.above(x) / m - 3 * xx
    pull_y = y * y + 2 * y_order.above(y) / m - 3 * yy
    return np.asarray(pull / np.sqrt(xx * yy) - _half(xy, xx, yy) * (pull_x / xx + pull_y / yy))


def _shares(ranks: Values) -> Values:
    return (ranks - 0.5) / len(ranks) - 0.5


def _half(xy: float, xx: float, yy: float) -> float:
    """Return half the correlation of two sides from their mean products."""
    return xy / (2 * math.sqrt(xx * yy))


class PearsonDifference(CorrelationDifference):
    """Difference of Pearson's correlations."""

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        super().__init__(gold, before, after)
        g, b, a = (_standard(side) for side in self.sides)
        self.columns = np.stack([np.ones(self.m), g, b, a, g * g, b * b, a * a, g * b, g * a], 1)

    def influences(self) -> tuple[Values, Values]:
        """Return how much each pair pulls either correlation."""
        gold, before, after = (_standard(side) for side in self.sides)
        return _product_influence(gold, before), _product_influence(gold, after)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        total, g, b, a, gg, bb, aa, gb, ga = (counts @ self.columns).T
        with np.errstate(invalid="ignore", divide="ignore"):
            g, b, a, gg, bb, aa, gb, ga = (x / total for x in (g, b, a, gg, bb, aa, gb, ga))
            spread = gg - g * g
            after = (ga - g * a) / np.sqrt(spread * (aa - a * a))
            before = (gb - g * b) / np.sqrt(spread * (bb - b * b))
        return np.asarray(after - before)


def _product_influence(x: Values, y: Values) -> Values:
    """Return the influence of m items on a Pearson correlation, from both centered sides."""
    xy, xx, yy = (x * y).mean(), (x * x).mean(), (y * y).mean()
    if min(xx, yy) == 0:
        return np.full(len(x), np.nan)
    return np.asarray(x * y / np.sqrt(xx * yy) - _half(xy, xx, yy) * (x * x / xx + y * y / yy))


def _standard(values: Values) -> Values:
    """Centered and scaled, so that the sums of squares lose nothing."""
    centered = values - values.mean()
    size = np.abs(centered).max(initial=0.0)
    return np.asarray(centered / size if size > 0 else centered)


class MeanDifference(Difference):
    """Difference of mean scores (m,), such as accuracies; booleans for right or wrong."""

    def __init__(self, before: npt.ArrayLike, after: npt.ArrayLike) -> None:
        self.before, self.after = np.asarray(before, np.float64), np.asarray(after, np.float64)
        self.change = self.after - self.before
        self.m = len(self.change)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        return np.asarray(counts @ self.change / counts.sum(axis=1))

    def influence(self) -> Values:
        """Return how far the change of each item is from that of all, (m,)."""
        return np.asarray(self.change - self.change.mean())

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        """Bootstrap by how often each distinct change occurs in a resample: multinomial counts."""
        distinct, counts = np.unique(self.change, return_counts=True)
        drawn = rng.multinomial(self.m, counts / self.m, resamples)
        return drawn @ distinct / self.m

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
        return (drawn @ sums) / (drawn @ sizes)

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


def cohen_q(before: float, after: float) -> float:
    """Return the difference of Fisher's z (Cohen 1988): 0.1 is small, 0.3 medium, 0.5 large.

    >>> round(cohen_q(0.265, 0.192), 3)
    -0.077
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        q = float(np.arctanh(after) - np.arctanh(before))
    return q if math.isfinite(q) else (0.0 if before == after else math.nan)


def cohen_h(before: float, after: float) -> float:
    """Return the change of a share on the arcsine scale (Cohen 1988): 0.2 is small, 0.8 large.

    >>> round(cohen_h(0.462, 0.301), 3)
    -0.333
    """
    return 2 * (math.asin(math.sqrt(after)) - math.asin(math.sqrt(before)))


def detectable_difference(standard_error: float) -> float:
    """Return the minimum detectable difference for a standard error, such as a bootstrap's.

    >>> round(detectable_difference(0.01), 4)
    0.028
    """
    return _ERRORS * standard_error


def detectable_correlation(n: int, correlation: float, agreement: float) -> float:
    """Return the minimum detectable change of a correlation over n pairs, before any data are seen.

    `correlation` is that of either table with the human scores, `agreement` that of the two tables
    (Olkin & Siotani 1976; Steiger 1980: large-sample variance of overlapping correlations).

    >>> round(detectable_correlation(353, 0.5, 0.9), 3)
    0.057
    """
    r2 = correlation**2
    left = 1 - 2 * r2
    covariance = agreement * left - r2 * (left - agreement**2) / 2
    variance = 2 * max((1 - r2) ** 2 - covariance, 0.0)
    return detectable_difference(math.sqrt(variance / n))


def detectable_accuracy(n: int, discordant: float) -> float:
    """Return the minimum detectable change of an accuracy over n questions, before any data.

    A share `discordant` of them is answered rightly by one table and wrongly by the other.

    >>> round(detectable_accuracy(19544, 0.1), 4)
    0.0063
    """
    return detectable_difference(math.sqrt(discordant / n))
