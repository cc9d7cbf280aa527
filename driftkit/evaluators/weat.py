"""Bias before and after: the Word Embedding Association Test (Caliskan, Bryson & Narayanan 2017).

A word w leans to the attributes A over B by s(w) = mean cos(w, a) - mean cos(w, b). The effect size
is the difference of the mean lean of the targets X and Y over the standard deviation (n - 1) of the
lean of all of them; it lies within -2 and 2. The p-value is the share of equal-sized partitions of
X and Y together whose difference is at least as large: one-sided, exact where there are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from driftkit.arguments import whole
from driftkit.arrays import Mask, Matrix, Rows, Values, generator
from driftkit.datasets import WordSets
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError
from driftkit.evaluators.base import BuiltIn, Memo, filled
from driftkit.evaluators.closeness import TIE, unit_rows
from driftkit.evaluators.comparison.paired_items import PairedItems
from driftkit.evaluators.lookup import Case, Find, Items, Spelling, find_items
from driftkit.evaluators.scores import Evaluation, Score
from driftkit.evaluators.significance import Difference, Interval, Test, interval
from driftkit.evaluators.significance.bootstrap import Counts
from driftkit.pair import Pair
from driftkit.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

FEWEST_TARGETS, FEWEST_ATTRIBUTES = 3, 2
"""With fewer words left in a set, nothing is measured."""

EXACT = 20_000  # up to this many partitions are all looked at; beyond, as many are drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets(Items):
    """The targets X, then Y, as items; and the rows of the usable words of X, Y, A and B."""

    sets: list[Rows]


class WEAT(BuiltIn[WordSets, _Targets]):
    """An association test of bias; its items are the target words.

    The score is the effect size: above 0 where X goes with A and Y with B. Its `details` are the
    labels of the four sets, how many words of each were used, and the one-sided p-value. Two tables
    are compared over the words both have, targets resampled within their set. A change is
    *retained* or *inconclusive*, never lost or gained: which bias is right is not for a test to
    say.

    Parameters
    ----------
    benchmark : str, path or WordSets
        ``weat1`` to ``weat10``, a file with one test (see `driftkit.datasets.read_word_sets`), or
        the sets themselves.
    case : {"exact-then-folded", "exact", "fold"}
    **spelling
        ``normalize`` (``"none"``, ``"NFC"``, ``"NFD"`` or ``"NFKC"``) and ``phrase_separator``
        (a character): other ways to find words.
    seed : int
        Of the partitions drawn.

    Examples
    --------
    >>> sets = WordSets("toy", ("x", "y", "a", "b"), ("x1", "x2", "x3"), ("y1", "y2", "y3"),
    ...                 ("a1", "a2"), ("b1", "b2"))
    >>> words = ["x1", "x2", "x3", "y1", "y2", "y3", "a1", "a2", "b1", "b2"]
    >>> rows = [[1, .1], [1, .2], [1, .3], [.1, 1], [.2, 1], [.3, 1]] + 2 * [[1, 0]] + 2 * [[0, 1]]
    >>> found = WEAT(sets).score((words, rows))
    >>> round(found.value, 2), found.scores[0].details["p_value"]
    (1.81, 0.05)
    """

    _kind, _lacks = WordSets, "has no sets of words for a test of bias"
    measure = "weat"

    def __init__(
        self,
        benchmark: str | PathLike[str] | WordSets,
        *,
        case: Case = "exact-then-folded",
        seed: int = 0,
        **spelling: Unpack[Spelling],
    ) -> None:
        super().__init__(benchmark, case=case, **spelling)
        whole(0, seed=seed)
        self.seed = seed
        sets = self.benchmark
        if both := sorted(set(sets.x) & set(sets.y)):
            raise BenchmarkError(
                f"{sets.name} has {both[0]!r} in both sets of targets; a word can only be in one "
                "of them."
            )

    def _items(self, find: Find, is_zero: Mask) -> _Targets:
        sets = self.benchmark
        words = (*sets.x, *sets.y, *sets.a, *sets.b)
        found = find_items([(word,) for word in words], find, is_zero)
        usable_rows = np.where(found.usable, found.rows[:, 0], -1)
        ends = np.cumsum([len(sets.x), len(sets.y), len(sets.a)])
        rows = [some[some >= 0] for some in np.split(usable_rows, ends)]
        n_x, n_y, n_a, n_b = map(len, rows)
        enough = min(n_x, n_y) >= FEWEST_TARGETS and min(n_a, n_b) >= FEWEST_ATTRIBUTES
        why = (
            f"of the four sets {n_x}, {n_y}, {n_a} and {n_b} words can be used; targets need "
            f"{FEWEST_TARGETS} and attributes {FEWEST_ATTRIBUTES}"
        )
        targets, usable = found.rows[: len(sets)], found.usable[: len(sets)] & enough
        return _Targets(targets, usable, found.oov, found.zero, why, sets=rows)

    def _leans(self, matrix: Matrix, items: _Targets) -> Values:
        """Return the lean of each target that is used, those of X first."""
        if items.n_used == 0:
            return np.empty(0)
        x, y, a, b = (unit_rows(matrix, rows) for rows in items.sets)
        return np.asarray(np.concatenate([x, y]) @ (a.mean(axis=0) - b.mean(axis=0)))

    def _score(self, table: Embeddings, items: _Targets, _: Progress | None) -> Evaluation:
        sets, leans = self.benchmark, self._leans(table.matrix, items)
        test = _test(leans, len(items.sets[0]), self.seed)
        details = {
            "labels": list(sets.labels),
            "n": list(map(len, items.sets)),
            "p_value": None if math.isnan(test.p_value) else test.p_value,
        }
        reason = (items.reason or ALIKE) if math.isnan(test.statistic) else None
        score = Score.of(items, table, self, test.statistic, reason=reason, details=details)
        columns = {
            "word": [*sets.x, *sets.y],
            "set": [sets.labels[0]] * len(sets.x) + [sets.labels[1]] * len(sets.y),
            "lean": filled(leans, items.usable, np.nan),
            "used": items.usable,
        }
        return Evaluation((score,), self.settings, columns, ("set", "lean", "word"))

    def _compare(
        self, pair: Pair, items: _Targets, _memo: Memo | None, _: Progress | None
    ) -> PairedBias:
        before, after = (self._leans(side, items) for side in (pair.before, pair.after))
        words = [[pair.words[row] for row in rows] for rows in items.sets]
        more: Any = {"labels": self.benchmark.labels, "words": words, "seed": self.seed}
        more["attributes_moved"] = bool(pair.moved[np.concatenate(items.sets[2:])].any())
        return PairedBias(self.measure, pair, items, before, after, **more)


@dataclass(eq=False, kw_only=True)
class PairedBias(PairedItems):
    """An association test on both tables; `before` and `after` are the leans of the targets.

    `words` are those of X, Y, A and B that both tables have.
    """

    is_judged: ClassVar = False
    labels: tuple[str, ...]
    words: list[list[str]] = field(repr=False)
    seed: int
    attributes_moved: bool = False

    @property
    def changeable(self) -> Mask:
        """All targets where an attribute moved, since each leans by all of those."""
        return np.asarray(super().changeable | self.attributes_moved)

    @property
    def is_x(self) -> Mask:
        """Which targets are of X, (m,)."""
        return np.arange(len(self)) < len(self.words[0])

    def values(self, chosen: Mask) -> tuple[float, float]:
        """Return the effect sizes over the chosen targets; NaN with too few in a set."""
        x, y = chosen & self.is_x, chosen & ~self.is_x
        if min(x.sum(), y.sum()) < FEWEST_TARGETS:
            return math.nan, math.nan
        before, after = (_effect(side[x], side[y]) for side in (self.before, self.after))
        return float(before), float(after)

    def difference(self) -> Difference:
        """Return the difference of effect sizes, targets resampled within their set."""
        return _BiasDifference(self.before, self.after, len(self.words[0]), self.seed)

    def undefined(self) -> str | None:
        """Return that all targets lean alike in a table, where they do."""
        effects = self.values(np.ones(len(self), bool))
        return ALIKE if any(map(math.isnan, effects)) else None

    def questions(self) -> dict[str, Any]:
        """Return the words of the four sets that both tables have."""
        return dict(zip("xyab", self.words, strict=True)) | {"labels": self.labels}

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each target: its set and its lean in both tables."""
        import pandas as pd

        return pd.DataFrame(
            {
                "word": [*self.words[0], *self.words[1]][: len(self)],
                "set": np.where(self.is_x, *self.labels[:2]),
                "original": self.before,
                "tuned": self.after,
                "moved": self.moved,
            }
        )


class _BiasDifference(Difference):
    """Difference of effect sizes from leans (m,), those of the n_x targets X first."""

    def __init__(self, before: Values, after: Values, n_x: int, seed: int) -> None:
        self.before, self.after, self.n_x, self.seed = before, after, n_x, seed
        self.m = len(before)

    def __call__(self, counts: Counts) -> Values:
        targets = [np.repeat(np.arange(self.m), count) for count in counts]
        found = [self._between(some[some < self.n_x], some[some >= self.n_x]) for some in targets]
        return np.array(found)

    def resample(self, resamples: int, rng: np.random.Generator) -> Values:
        x = rng.integers(0, self.n_x, (resamples, self.n_x))
        y = rng.integers(self.n_x, self.m, (resamples, self.m - self.n_x))
        return self._between(x, y)

    def percentiles(self, differences: Values, _n: int | None = None) -> Interval:
        """Return plain percentiles: the correction is for items that are drawn from one set."""
        return interval(differences)

    def tests(self, _permutations: int, _rng: np.random.Generator) -> dict[str, Test]:
        """Test the association in each table, one-sided."""
        sides = {"original": self.before, "tuned": self.after}
        return {name: _test(leans, self.n_x, self.seed) for name, leans in sides.items()}

    def _between(self, x: Rows, y: Rows) -> Values:
        before, after = (_effect(side[x], side[y]) for side in (self.before, self.after))
        return after - before


ALIKE = "all targets lean alike"


def _effect(x: Values, y: Values) -> Values:
    """Return effect sizes from leans (..., n_x) and (..., n_y); NaN where all are equal."""
    spread = np.concatenate([x, y], axis=-1).std(axis=-1, ddof=1)
    gap = x.mean(axis=-1) - y.mean(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > TIE, gap / spread, np.nan)


def _test(leans: Values, n_x: int, seed: int) -> Test:
    """Return the effect size, and the share of partitions whose first part leans at least as much.

    The actual partition is among them.
    """
    n = len(leans)
    if n == 0:
        return Test()
    effect = float(_effect(leans[:n_x], leans[n_x:]))
    observed = leans[:n_x].sum() - TIE
    if math.comb(n, n_x) <= EXACT:
        chosen = np.array(list(combinations(range(n), n_x)))
        return Test(effect, float((leans[chosen].sum(axis=1) >= observed).mean()))
    rng = generator(seed, "weat partitions")
    order = rng.permuted(np.tile(np.arange(n), (EXACT, 1)), axis=1)[:, :n_x]
    return Test(effect, float((1 + (leans[order].sum(axis=1) >= observed).sum()) / (1 + EXACT)))
