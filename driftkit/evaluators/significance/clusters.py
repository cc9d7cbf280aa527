"""Items that share words are not independent: how much wider that makes an interval.

A benchmark of a thousand pairs is made of a few hundred words, and each word that moved moves every
item it stands in. Drawing the items as if they were independent gives an interval that is too
narrow, for analogies by a factor of two or three. So each word is taken as a cluster of items, and
an item belongs to as many clusters as it has words (Cameron, Gelbach & Miller 2011; Fafchamps &
Gubert 2007 for pairs). With the influence u of each item on a difference, the variance is in
proportion to the sum over the words of (sum of u over the items of the word) squared. Its ratio to
the sum of u squared, which is that of independent items, is the *design effect* (Kish 1965).

In that sum an item's own term occurs once for each of its words. Two words are the two things a
pair relates, and taking the second occurrence off again would be right for very many items; leaving
it is the conservative form (Davezies, D'Haultfoeuille & Guyonvarch 2021), whose rates of false
alarms hold here (docs/explanation/statistics.md). An item of more words, such as an analogy, whose
words go in two pairs, counts twice in all too, each of its words for an equal part.
"""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Mask, Rows, Values

TIMES = 2  # that an item counts at most, over all its words


class Clusters:
    """Which of m items share a word, or another label.

    Parameters
    ----------
    labels : ndarray of int64, shape (m, c)
        The words of each item as numbers from 0; -1 where there is none.

    Examples
    --------
    Three pairs of a chain, and one that shares no word:

    >>> chain = Clusters(np.array([[0, 1], [1, 2], [2, 3], [8, 9]]))
    >>> chain.count(), chain.design_effect(np.array([1.0, 1.0, 1.0, 1.0]))
    (3, 2.25)
    """

    def __init__(self, labels: Rows) -> None:
        ordered = np.sort(labels, axis=1)
        there = ordered >= 0
        there[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]  # a word twice in one item
        numbers = np.unique(ordered, return_inverse=True)[1].reshape(ordered.shape)
        times = np.bincount(numbers[there], minlength=1)
        # A word that stands in one item only adds nothing.
        item, place = np.nonzero(there & (times[numbers] > 1))
        self.m, self.item, self.label = len(labels), item, numbers[item, place]
        self.memberships = np.bincount(item, minlength=self.m)

    @property
    def is_shared(self) -> bool:
        """Whether any two items share something."""
        return len(self.item) > 0

    def count(self, chosen: Mask | None = None) -> int:
        """Return how many independent things chosen items (m,) are, all of them by default."""
        if chosen is None:
            chosen = np.ones(self.m, bool)
        alone = int((chosen & (self.memberships == 0)).sum())
        together = alone + len(np.unique(self.label[chosen[self.item]]))
        return min(together, int(chosen.sum()))

    def design_effect(self, influence: Values) -> float:
        """Return the variance with shared words over that of independent items, 1 or more."""
        independent = float((influence**2).sum())
        if not independent > 0:  # nothing changed, or nothing is known
            return 1.0
        part = np.sqrt(np.minimum(1.0, TIMES / np.maximum(self.memberships, 1)))
        sums = np.bincount(self.label, (influence * part)[self.item])
        alone = influence[self.memberships == 0]
        return max(1.0, float((sums**2).sum() + (alone**2).sum()) / independent)
