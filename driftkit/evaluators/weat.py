"""Bias before and after: the Word Embedding Association Test (Caliskan, Bryson & Narayanan 2017).

A word w leans to the attributes A over B by s(w) = mean cos(w, a) - mean cos(w, b). The effect size
is the difference of the mean lean of the targets X and Y over the standard deviation (n - 1) of the
lean of all of them; it lies within -2 and 2. The p-value is the share of equal-sized partitions of
X and Y together whose difference is at least as large: one-sided, exact where there are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arrays import Matrix
from driftkit.datasets.word_sets import WORD_SETS, WordSets, read_word_sets
from driftkit.errors import BenchmarkError
from driftkit.evaluators.inputs import as_table
from driftkit.evaluators.lookup import Case, Mask, Rows, Values, check_case, lookup
from driftkit.evaluators.significance import Interval, interval
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.evaluators.inputs import Table

FEWEST_TARGETS, FEWEST_ATTRIBUTES = 3, 2
"""With fewer words left in a set, nothing is measured."""

EXACT = 20_000
"""Up to so many partitions are all looked at; beyond, as many are drawn."""


@dataclass(frozen=True, slots=True)
class Bias:
    """The result of one association test on one table.

    Parameters
    ----------
    name : str
    labels : tuple of four str
    effect_size : float
        Above 0 where X goes with A and Y with B; NaN if not measured.
    p_value : float
        One-sided.
    n_x, n_y, n_a, n_b : int
        Words used of each set.
    oov : tuple of str
        Words the table lacks, or whose row is zero.
    reason : str or None
        Why nothing was measured.
    leans : mapping of str to float
        s(w) of each target.
    """

    name: str
    labels: tuple[str, str, str, str]
    effect_size: float
    p_value: float
    n_x: int
    n_y: int
    n_a: int
    n_b: int
    oov: tuple[str, ...] = field(repr=False)
    reason: str | None
    leans: dict[str, float] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values; NaN becomes None."""
        return {
            "name": self.name,
            "labels": list(self.labels),
            "effect_size": None if math.isnan(self.effect_size) else self.effect_size,
            "p_value": None if math.isnan(self.p_value) else self.p_value,
            "n": [self.n_x, self.n_y, self.n_a, self.n_b],
            "oov": list(self.oov),
            "reason": self.reason,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each target word: its set and its lean, ready to be drawn."""
        import pandas as pd

        sets = [self.labels[0]] * self.n_x + [self.labels[1]] * self.n_y
        leans = self.leans
        return pd.DataFrame(
            {"word": list(leans), "set": sets[: len(leans)], "lean": list(leans.values())}
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<code>{escape(repr(self))}</code>"


@dataclass(frozen=True, slots=True)
class BiasChange:
    """The same test on both tables of a pair, over the words both have.

    Parameters
    ----------
    original, tuned : Bias
    delta : float
        Change of the effect size.
    ci_low, ci_high : float
        95 % bootstrap interval of `delta`, targets resampled within their set.
    p_change : float
        Two-sided p-value of `delta` from the same resamples.
    """

    original: Bias
    tuned: Bias
    delta: float
    ci_low: float
    ci_high: float
    p_change: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values; NaN becomes None."""
        change = {name: getattr(self, name) for name in ("delta", "ci_low", "ci_high", "p_change")}
        return {
            "original": self.original.to_dict(),
            "tuned": self.tuned.to_dict(),
            **{name: None if math.isnan(value) else value for name, value in change.items()},
        }


class WEAT:
    """An association test of bias.

    Parameters
    ----------
    sets : str, path or WordSets
        ``weat1`` to ``weat10``, a file of `driftkit.datasets.word_sets`, or the sets themselves.
    case : {"exact-then-folded", "exact", "fold"}
    seed : int
        Of the partitions and resamples drawn.

    Examples
    --------
    >>> sets = WordSets("toy", ("x", "y", "a", "b"), ("x1", "x2", "x3"), ("y1", "y2", "y3"),
    ...                 ("a1", "a2"), ("b1", "b2"))
    >>> words = ["x1", "x2", "x3", "y1", "y2", "y3", "a1", "a2", "b1", "b2"]
    >>> rows = [[1, .1], [1, .2], [1, .3], [.1, 1], [.2, 1], [.3, 1]] + 2 * [[1, 0]] + 2 * [[0, 1]]
    >>> found = WEAT(sets).score((words, rows))
    >>> round(found.effect_size, 2), found.p_value
    (1.81, 0.05)
    """

    def __init__(
        self,
        sets: str | PathLike[str] | WordSets,
        *,
        case: Case = "exact-then-folded",
        seed: int = 0,
    ) -> None:
        check_case(case)
        self.sets = _word_sets(sets)
        if both := sorted(set(self.sets.x) & set(self.sets.y)):
            raise BenchmarkError(
                f"{self.sets.name} has {both[0]!r} in both sets of targets; a word can only be in "
                "one of them."
            )
        self.case: Case = case
        self.seed = seed

    def score(self, source: Table) -> Bias:
        """Test one table.

        Parameters
        ----------
        source : Embeddings, KeyedVectors, (words, vectors), str or path
        """
        table = as_table(source)
        words, rows = self._find(table.index, table.norms == 0)
        return self._bias(table.matrix, words, rows)

    def compare(self, pair: Pair, *, resamples: int = 2000) -> BiasChange:
        """Test both tables of a pair over the words both have.

        Parameters
        ----------
        pair : Pair
        resamples : int
            Bootstrap resamples behind the interval.
        """
        words, rows = self._find(pair.index, pair.zero)
        before = self._bias(pair.before, words, rows)
        after = self._bias(pair.after, words, rows)
        bounds = Interval(math.nan, math.nan, math.nan)
        if before.reason is None:
            bounds = interval(self._resampled(before, after, resamples))
        return BiasChange(
            before, after, after.effect_size - before.effect_size, bounds.low, bounds.high,
            bounds.p_value,
        )  # fmt: skip

    def _find(
        self, index: dict[str, int], is_zero: Mask
    ) -> tuple[list[tuple[str, ...]], list[Rows]]:
        find = lookup(index, self.case)
        words, rows = [], []
        for chosen in (self.sets.x, self.sets.y, self.sets.a, self.sets.b):
            found = {word: find(word) for word in chosen}
            there = {word: row for word, row in found.items() if row >= 0 and not is_zero[row]}
            words.append(tuple(there))
            rows.append(np.fromiter(there.values(), np.int64))
        return words, rows

    def _bias(self, matrix: Matrix, words: list[tuple[str, ...]], rows: list[Rows]) -> Bias:
        n_x, n_y, n_a, n_b = map(len, words)
        asked = (self.sets.x, self.sets.y, self.sets.a, self.sets.b)
        oov = tuple(
            w for all_, kept in zip(asked, words, strict=True) for w in all_ if w not in kept
        )
        reason, effect, p, leans = None, math.nan, math.nan, np.empty(0)
        if min(n_x, n_y) < FEWEST_TARGETS or min(n_a, n_b) < FEWEST_ATTRIBUTES:
            reason = (
                f"of the four sets {n_x}, {n_y}, {n_a} and {n_b} words can be used; targets need "
                f"{FEWEST_TARGETS} and attributes {FEWEST_ATTRIBUTES}"
            )
        else:
            x, y, a, b = (_unit(matrix, some) for some in rows)
            leans = np.concatenate([x, y]) @ (a.mean(axis=0) - b.mean(axis=0))
            effect = _effect(leans[None, :n_x], leans[None, n_x:])[0]
            p = _p_value(leans, n_x, np.random.default_rng(self.seed))
            if math.isnan(effect):
                reason = "all targets lean alike"
        return Bias(
            self.sets.name, self.sets.labels, float(effect), p, n_x, n_y, n_a, n_b, oov, reason,
            dict(zip([*words[0], *words[1]], leans.tolist(), strict=False)),
        )  # fmt: skip

    def _resampled(self, before: Bias, after: Bias, resamples: int) -> Values:
        rng = np.random.default_rng([self.seed, 1])
        x = rng.integers(0, before.n_x, (resamples, before.n_x))
        y = rng.integers(before.n_x, before.n_x + before.n_y, (resamples, before.n_y))
        sides = []
        for side in (before, after):
            leans = np.fromiter(side.leans.values(), np.float64)
            sides.append(_effect(leans[x], leans[y]))
        return sides[1] - sides[0]


def _word_sets(sets: str | PathLike[str] | WordSets) -> WordSets:
    if isinstance(sets, WordSets):
        return sets
    if str(sets) in WORD_SETS or not Path(sets).exists():
        return WORD_SETS[str(sets)]
    found = read_word_sets(Path(sets))
    if len(found) > 1:
        raise BenchmarkError(
            f"{sets} holds {len(found)} tests ({', '.join(found)}); read it with "
            "driftkit.datasets.read_word_sets and give one of them."
        )
    return next(iter(found.values()))


def _unit(matrix: Matrix, rows: Rows) -> Values:
    vectors = matrix[rows].astype(np.float64)
    unit: Values = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _effect(x: Values, y: Values) -> Values:
    """Effect sizes from leans (r, n_x) and (r, n_y); NaN where all are equal."""
    spread = np.concatenate([x, y], axis=1).std(axis=1, ddof=1)
    gap = x.mean(axis=1) - y.mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        effect: Values = np.where(spread > 1e-12, gap / spread, np.nan)
    return effect


def _p_value(leans: Values, n_x: int, rng: np.random.Generator) -> float:
    """Share of partitions whose first part leans at least as much; the actual one is among them."""
    n = len(leans)
    observed = leans[:n_x].sum() - 1e-12
    if math.comb(n, n_x) <= EXACT:
        chosen: Sequence[Any] | np.ndarray = list(combinations(range(n), n_x))
        return float((leans[np.array(chosen)].sum(axis=1) >= observed).mean())
    order = rng.permuted(np.tile(np.arange(n), (EXACT, 1)), axis=1)[:, :n_x]
    return float((1 + (leans[order].sum(axis=1) >= observed).sum()) / (1 + EXACT))
