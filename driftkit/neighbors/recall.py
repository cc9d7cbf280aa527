"""How many of the true neighbors an approximate search found, and what that leaves unsure.

All is measured on words drawn at random, whose neighbors are found exactly, too. The bound of a
mean is that of Hoeffding 1963 ("Probability Inequalities for Sums of Bounded Random Variables",
theorem 1): it holds for any values from 0 to 1, however many of a word's neighbors are missed
together, and for words drawn without repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arguments import real, shown
from driftkit.arrays import Values
from driftkit.errors import OptionError
from driftkit.neighbors.overlap import Lists, common_by_depth, overlap, rbo

SURE = 0.95
"""How sure all bounds of one search are together, however many settings were tried."""
MOST_WORDS = 0.95
"""Share of the words for which the bound of a single word holds."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What share of the true neighbors lists hold, and how far measures of them may be off.

    All bounds hold together with 95 % confidence. Where the exact engine was taken, nothing is
    missing and `exact` says why.

    Parameters
    ----------
    asked : float
        The recall asked for.
    before, after : float
        Mean share of a sampled word's true neighbors that were found.
    before_least, after_least : float
        What these shares are at least, over all words; not below `asked`.
    mean_error : dict of str to float
        How far the mean over all words may be off, of ``overlap`` and of ``rbo``.
    word_error : dict of str to float
        How far a single word's may be off, but for 5 % of the words.
    sampled : int
        Words that it was measured on.
    looked_into : str
        Where neighbors were looked for, such as ``"graphs of 30 near candidates"``.
    exact : str or None
        Why the exact engine was taken.

    Examples
    --------
    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> table = Embeddings(["a", "b", "c"], [[1, 0.1], [1, 0], [0, 1]])
    >>> print(neighbor_shifts(align(table, table), k=1, recall=0.9).recall)
    neighbors are exact, though recall 0.9 was asked for: of 3 words among 3 candidates that takes \
less time
    """

    asked: float
    before: float
    before_least: float
    after: float
    after_least: float
    mean_error: dict[str, float]
    word_error: dict[str, float]
    sampled: int = 0
    looked_into: str = "all candidates"
    exact: str | None = None

    @classmethod
    def of_exact(cls, asked: float, why: str) -> Recall:
        """Return the recall of exact lists."""
        none = {"overlap": 0.0, "rbo": 0.0}
        return cls(asked, 1.0, 1.0, 1.0, 1.0, none, dict(none), exact=why)

    @property
    def is_enough(self) -> bool:
        """Whether what was asked for is found in both tables."""
        return min(self.before_least, self.after_least) >= self.asked

    def around(
        self, measure: str, values: Values, errors: Mapping[str, float]
    ) -> tuple[Values, Values]:
        """Return the ends (m,) between which true values of a measure lie, from 0 to 1."""
        error = errors[measure]
        return np.maximum(values - error, 0), np.minimum(values + error, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.exact is not None:
            return f"neighbors are exact, though recall {self.asked:g} was asked for: {self.exact}"
        return (
            f"neighbors are approximate: at least {_floor(self.before_least)} of the true ones "
            f"before and {_floor(self.after_least)} after were found ({self.asked:g} was asked "
            f"for; {self.sampled:,} words, 95 % confidence); mean overlap is off by at most "
            f"{_ceil(self.mean_error['overlap'])}, that of a word, for 95 % of them, by at most "
            f"{_ceil(self.word_error['overlap'])}"
        )


def require_recall(recall: object) -> float:
    """Return a recall above 0 and up to 1, which is exact; refuse anything else."""
    share = real(recall)
    if not 0 < share <= 1:
        raise OptionError(
            f"recall={shown(recall)} was given; it must be a number above 0 and below 1, the share "
            "of the true neighbors to be found, or 1 for exact neighbors."
        )
    return share


def measured(
    asked: float,
    exact: tuple[Lists, Lists],
    found: tuple[Lists, Lists],
    persistence: float,
    settings: int,
    looked_into: str,
) -> Recall:
    """Compare lists (m, k) of sampled words, before and after, with their exact ones.

    Words without a neighbor are left out. The bounds hold for each of so many `settings` together.
    """
    known = (exact[0][:, 0] >= 0) & (exact[1][:, 0] >= 0)
    exact = exact[0][known], exact[1][known]
    found = found[0][known], found[1][known]
    doubt = (1 - SURE) / (6 * settings)  # four means and two bounds of words in each
    missing = [1 - found_share(*sides) for sides in zip(exact, found, strict=True)]
    off = {
        "overlap": np.abs(overlap(*found) - overlap(*exact)),
        "rbo": np.abs(rbo(*found, persistence) - rbo(*exact, persistence)),
    }
    before, after = missing
    return Recall(
        asked,
        float(1 - before.mean()),
        1 - mean_at_most(before, doubt),
        float(1 - after.mean()),
        1 - mean_at_most(after, doubt),
        {name: mean_at_most(values, doubt) for name, values in off.items()},
        {name: most_at_most(values, doubt) for name, values in off.items()},
        int(known.sum()),
        looked_into,
    )


def found_share(exact: Lists, found: Lists) -> Values:
    """Share of each exact list (m, k), none of them empty, that was found.

    >>> exact = np.array([[3, 1], [4, -1]], np.int32)
    >>> found_share(exact, np.array([[1, 9], [4, -1]], np.int32)).tolist()
    [0.5, 1.0]
    """
    share: Values = common_by_depth(exact, found)[:, -1] / (exact >= 0).sum(axis=1)
    return share


def mean_at_most(values: Values, doubt: float) -> float:
    """Upper bound of the mean of all, by a sample (m,) of values from 0 to 1.

    It is wrong for a share of `doubt` of the samples at most.

    >>> round(mean_at_most(np.zeros(1000), 0.05), 4)  # the rule of three
    0.003
    >>> mean_at_most(np.ones(10), 0.05)
    1.0
    """
    from scipy.optimize import brentq
    from scipy.special import rel_entr

    if not len(values):
        return 1.0
    mean = min(float(np.mean(values)), 1.0)
    most = math.log(1 / doubt) / len(values)

    def beyond(bound: float) -> float:
        return float(rel_entr(mean, bound) + rel_entr(1 - mean, 1 - bound)) - most

    highest = 1 - 1e-12
    if mean >= highest or beyond(highest) <= 0:
        return 1.0
    return min(1.0, float(brentq(beyond, mean, highest)) + 1e-9)


def most_at_most(values: Values, doubt: float) -> float:
    """Bound that `MOST_WORDS` of all values keep, by a sample (m,) of them; 1 where it is small.

    It is one of the values in order, so nothing is assumed of them (Wilks 1941, "Determination of
    Sample Sizes for Setting Tolerance Limits").
    """
    from scipy.stats import binom

    place = int(binom.ppf(1 - doubt, len(values), MOST_WORDS)) if len(values) else 0
    return float(np.sort(values)[place]) if place < len(values) else 1.0


def _floor(share: float) -> str:
    return f"{math.floor(share * 1000) / 1000:.3f}"


def _ceil(share: float) -> str:
    return f"{math.ceil(share * 1000) / 1000:.3f}"
