"""The difference of two tables' scores, for items that count any number of times.

Resampling with replacement, leaving one item out and weighing items are all the same thing: counts.
Each class here is made from the items once and then called with counts of shape (r, m), one row a
resample; it gives the r differences tuned - original, NaN where a side was constant.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Difference(Protocol):
    """A difference of scores under counts of the items."""

    m: int

    def __call__(self, counts: Counts) -> Values:
        """Return the differences, (r,), for counts of the m items, (r, m)."""
        ...


class SpearmanDifference:
    """Difference of Spearman's correlations with the human scores.

    Under counts, average ranks are cumulative sums over the items in sorted order, so nothing is
    sorted here: O(m) per resample.

    Parameters
    ----------
    gold, before, after : ndarray of float64, shape (m,)
        Human scores, and what the original and the tuned table say.
    """

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        self.m = len(gold)
        self.gold, self.before, self.after = Ranking(gold), Ranking(before), Ranking(after)
        # From the order of the human scores, which comes first, to those of the tables.
        place = np.empty(self.m, np.int64)
        place[self.gold.order] = np.arange(self.m)
        self.to_before, self.to_after = place[self.before.order], place[self.after.order]

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
        """Twice the average ranks less their mean, for counts in sorted order, (r, m).

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


class PearsonDifference:
    """Difference of Pearson's correlations with the human scores.

    Parameters
    ----------
    gold, before, after : ndarray of float64, shape (m,)
    """

    def __init__(self, gold: Values, before: Values, after: Values) -> None:
        self.m = len(gold)
        g, b, a = (_standard(side) for side in (gold, before, after))
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


class MeanDifference:
    """Difference of mean scores, such as accuracies.

    Parameters
    ----------
    before, after : ndarray, shape (m,)
        The score of each item; booleans for right or wrong.
    """

    def __init__(self, before: npt.ArrayLike, after: npt.ArrayLike) -> None:
        self.change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
        self.m = len(self.change)

    def __call__(self, counts: Counts) -> Values:
        """Return the differences for counts of shape (r, m)."""
        difference: Values = counts @ self.change / counts.sum(axis=1)
        return difference
