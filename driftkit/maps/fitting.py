"""Fit a map between two spaces on the rows that moved, and refuse where none keeps the link."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from driftkit.arguments import require, whole
from driftkit.arrays import Mask, Matrix, Rows, Values, alike, generator, row_bytes
from driftkit.display import counted
from driftkit.drift.crossing import IMMATERIAL, Found, own_ranks, spaced, steps
from driftkit.errors import OptionError
from driftkit.maps.affine import Affine, families
from driftkit.maps.consumer import Consumer, Flips, Reads
from driftkit.maps.map import Evidence, Map, Refusal, Side, Trial
from driftkit.pair import Pair

FITTED = 20_000  # moved rows a map is fitted on, evenly spaced
ASKED = 500  # of them, those whose own row is sought in the other space, evenly spaced
FEWEST = 20  # moved rows with a direction
FOLDS = 5

UNSEEN = 0.1  # weight of a row that no input holds; one that n hold has the square root of n more

EXACT = 1e-10  # share of the squared length of rows that is rounding: two maps are alike within it

TURNED = 1e-9  # mean squared distance of unit vectors below which no row was turned

UNDONE = 0.1
"""Share of the movement, and of the turning, of rows it was not fitted on that a map must undo,
beyond what it undoes of random moves of the same size. These it undoes in part by drawing rows to
where most rows are: up to a half where the moves are as long as the rows."""

FOUND, MISSES = 0.01, 0.5
"""Where more than the first share of the rows do not find their place without a map, with it no
more than the second share of these may miss it."""

FEWER_FLIPS = 0.2
"""Share of a consumer's flips that a map must take back. Unless rows come back by it as they must
without a consumer, it must take back as much of those that are left by a map of random moves of the
same size (which takes some back, as it draws rows to where most rows are, and so decisions to the
commonest one), and of those that one and the same row for every word leaves. Where all rows that
moved are decided alike, these two may leave none, and show nothing."""

SURE = 0.05
"""P-value of a sign test below which flips were surely taken back."""


def fit_map(
    pair: Pair,
    to: Side = "original",
    *,
    consumer: Any = None,
    inputs: Iterable[Any] | None = None,
    labels: Iterable[Any] | None = None,
    reads: Reads = "means",
    seed: int = 0,
) -> Map | Refusal:
    """Fit a map between the two spaces of a pair, for what reads only one of them.

    Candidates go from simple to rich: a scale, a translation, a rotation with a scale, affine maps
    of low rank, affine maps. They are fitted on the rows that moved (those that did not would make
    every map the identity), judged by rows that they were not fitted on, and the simplest within
    one standard error of the best is taken. Words whose rows are equal in both tables are one row.
    With a consumer, rows may count as often as its inputs hold them; which is better is decided on
    one half of the inputs and told of the other.

    It refuses where rows the map was not fitted on do not come back by a stated amount, or where
    the consumer's decisions do not. Zero rows have no direction: none is fitted, none is mapped.

    Parameters
    ----------
    pair : Pair
        Tables of equal width or not.
    to : {"original", "tuned"}
        ``"original"`` maps tuned rows for what reads the original vectors. ``"tuned"`` maps
        original rows, to keep an index of them for tuned queries.
    consumer : callable, torch.nn.Module or scikit-learn classifier, optional
        What reads original vectors: takes rows (m, d), returns labels (m,) or scores (m, classes).
    inputs, labels, reads
        What it decides about, see `driftkit.link`.
    seed : int
        Of the folds, and of the halves of the inputs.

    Returns
    -------
    Map or Refusal
        A refusal counts as false and has a ``reason``.

    Raises
    ------
    OptionError
        If `pair` is no pair, an option is unknown, or a consumer is given for ``to="tuned"``.

    Examples
    --------
    >>> import driftkit as dk
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(200, 4))
    >>> turned = rows @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> words = [f"w{i}" for i in range(200)]
    >>> pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, turned))
    >>> back = dk.fit_map(pair)
    >>> back.affine.name, bool(np.allclose(back(turned), rows, atol=1e-5))
    ('rotation', True)
    """
    require(pair, Pair, "dk.fit_map")
    whole(0, seed=seed)
    if to not in ("original", "tuned"):
        raise OptionError(f"to={to!r} was given; a map leads to original or to tuned.")
    if consumer is not None and to == "tuned":
        raise OptionError("a consumer reads original vectors; fit a map to='original' for it.")
    if consumer is None and (inputs is not None or labels is not None):
        raise OptionError("inputs are what a consumer decides about; give consumer= too.")
    asks = consumer
    if consumer is not None and not isinstance(consumer, Consumer):
        asks = Consumer(consumer, pair, inputs, labels, reads=reads)
    rows = np.flatnonzero(pair.moved & ~pair.zero)
    fit = _Fit(pair, to, rows, seed)
    if (refusal := _without_a_trial(pair, rows, len(fit.x), is_asked=asks is not None)) is not None:
        return refusal
    trials = _Trials(fit, np.ones(len(fit.x)))
    if asks is None:
        evidence = trials.evidence()
    else:
        first, second = asks.halves(seed)
        counts = np.bincount(fit.which, asks.counts(len(pair))[rows])
        weighed = _Trials(fit, np.sqrt(counts) + UNSEEN)
        flips = [
            asks.flips(asks.decide(fit.mapped(each.crossed(each.chosen))), first).flipped
            for each in (trials, weighed)
        ]
        trials = weighed if flips[1] < flips[0] else trials
        evidence = trials.evidence_of(asks, second)
    if reason := _why_not(evidence, trials.chosen):
        return Refusal(reason, evidence)
    names = None
    if not pair.moved.all():
        moved = (pair.words[row] for row in np.flatnonzero(pair.moved).tolist())
        names = frozenset((*moved, *pair.added))
    hashes = {"original": pair.original.sha256, "tuned": pair.tuned.sha256}
    return Map(to, trials.final, names, hashes, evidence)


def _without_a_trial(pair: Pair, rows: Rows, n: int, *, is_asked: bool) -> Refusal | None:
    if not pair.moved.any():
        return Refusal("none is needed, no row moved")
    if n < FEWEST:
        unlike = " and differ" if n < len(rows) else ""
        return Refusal(
            f"{counted(n, 'moved row has', 'moved rows have')} a direction on both sides{unlike}; "
            f"a map is fitted on {FEWEST} or more"
        )
    if not is_asked and not pair.mismatch and _stay(pair, rows):
        return Refusal(
            "none is needed, rows moved by less than a hundredth of their length, and are found "
            "where they were"
        )
    return None


def _stay(pair: Pair, rows: Rows) -> bool:
    """Whether no row moved by as much as matters, nor to where another is as near."""
    if (pair.moved & pair.zero).any() or steps(pair, rows).max() >= IMMATERIAL:
        return False
    asked = spaced(rows, ASKED)
    before, after = (
        own_ranks(side[asked], pair.before, asked) for side in (pair.before, pair.after)
    )
    lost = (~after[way].kept(before[way]) for way in ("cosine", "l2"))
    return all(each.mean() <= FOUND for each in lost)


class _Fit:
    """The rows a map is fitted on, in folds: one of those that are equal in both tables."""

    given: Matrix | Values

    def __init__(self, pair: Pair, to: Side, rows: Rows, seed: int) -> None:
        sides = (pair.after, pair.before) if to == "original" else (pair.before, pair.after)
        (self.given, self.target), self.seed = sides, seed
        self.rows = rows  # places of the moved words with a direction
        self.others = np.flatnonzero(pair.moved & pair.zero)
        self.zeros = int((np.linalg.norm(self.given[self.others], axis=1) == 0).sum())
        first, self.which = alike(row_bytes(*(side[rows] for side in sides)))
        self.own = rows[first]  # places of the m rows that differ, (m,)
        self.x, self.y = (side[self.own].astype(np.float64) for side in sides)
        self.fitted = np.zeros(len(first), bool)
        self.fitted[spaced(np.arange(len(first)), FITTED)] = True
        self.fold = generator(seed, "folds of rows").permutation(len(first)) % FOLDS

    def at_random(self) -> _Fit:
        """Return the same with random moves of the same size in place of those that were made."""
        other = copy(self)
        steps = generator(self.seed, "random moves").normal(size=self.x.shape)
        length = np.linalg.norm(self.x - self.y, axis=1) / np.linalg.norm(steps, axis=1)
        other.x = self.y + length[:, None] * steps
        other.given = self.mapped(other.x)
        return other

    def maps(self, chosen: Mask, weights: Values) -> list[Affine]:
        """Return a map of each kind, fitted on the chosen rows."""
        chosen = chosen & self.fitted
        return list(families(self.x[chosen], self.y[chosen], weights[chosen]))

    def mapped(self, rows: Values) -> Values:
        """Return the target's rows of all shared words, with these (m, e) where words moved.

        Words without a direction on one side are as they were given: a map leaves zero rows.
        """
        table = np.array(self.target, np.float64)
        alike = self.given.shape == self.target.shape
        table[self.others] = self.given[self.others] if alike else 0
        table[self.rows] = rows[self.which]
        return table

    def found(self, rows: Values) -> Mask:
        """Return for some rows of (m, e) whether their nearest target row by distance is theirs.

        Where target rows are so near to each other that they are tied, any of these may be it.
        """
        return self._ranks(rows).kept(self._own_ranks)

    @cached_property
    def _own_ranks(self) -> Found:
        return self._ranks(self.y)

    def _ranks(self, rows: Values) -> Found:
        asked = spaced(np.arange(len(self.own)), ASKED)
        return own_ranks(rows[asked], self.target, self.own[asked])["l2"]


class _Trials:
    """Every kind of map, tried on rows that it was not fitted on, with one set of weights."""

    def __init__(self, fit: _Fit, weights: Values) -> None:
        self.fit, self.weights = fit, weights
        by_fold = [fit.maps(fit.fold != at, weights) for at in range(FOLDS)]
        self.kinds = {maps[0].name: maps for maps in zip(*by_fold, strict=True)}

    def crossed(self, name: str) -> Values:
        """Return the rows (m, e) as maps of one kind, not fitted on them, map them."""
        fit = self.fit
        mapped = np.empty_like(fit.y)
        for at, each in enumerate(self.kinds[name]):
            mapped[fit.fold == at] = each(fit.x[fit.fold == at])
        return mapped

    @cached_property
    def chosen(self) -> str:
        """The simplest kind within one standard error of the best."""
        left = {
            name: self.weights * np.square(self.crossed(name) - self.fit.y).sum(axis=1)
            for name in self.kinds
        }
        best = min(left.values(), key=lambda each: float(each.mean()))

        exact = EXACT * float((self.weights * np.square(self.fit.y).sum(axis=1)).mean())

        def is_as_good(name: str) -> bool:
            excess = left[name] - best
            error = float(excess.std()) / math.sqrt(len(excess))
            return float(excess.mean()) <= error + exact

        simplest: list[str] = sorted(self.kinds, key=lambda name: self.kinds[name][0].parameters)
        return next(name for name in simplest if is_as_good(name))

    @property
    def final(self) -> Affine:
        """The map of the chosen kind, fitted on all rows."""
        every = self.fit.maps(np.ones(len(self.fit.x), bool), self.weights)
        return next(each for each in every if each.name == self.chosen)

    def trial(self, name: str) -> Trial:
        """Return what one kind of map undoes."""
        mapped = self.crossed(name)
        return Trial(name, self.kinds[name][0].parameters, *_undone(self.fit.x, self.fit.y, mapped))

    @cached_property
    def by_chance(self) -> _Trials:
        """The same of random moves of the same size."""
        return _Trials(self.fit.at_random(), self.weights)

    def evidence_of(self, asks: Consumer, among: Mask) -> Evidence:
        """Return what a consumer decides of some inputs with the chosen kind of map, too."""
        fit, evidence = self.fit, self.evidence()
        final = self.final
        crossed = asks.decide(asks.with_added(fit.mapped(self.crossed(self.chosen)), final))
        mapped = asks.decide(asks.with_added(fit.mapped(final(fit.x)), final))
        mean = np.average(fit.y, axis=0, weights=self.weights)
        one_row = asks.decide(
            asks.with_added(
                fit.mapped(np.broadcast_to(mean, fit.y.shape)),
                lambda added: np.broadcast_to(mean, (len(added), len(mean))),
            )
        )
        allowed = asks.flips(one_row, among).flipped
        old: Flips | None = None
        without = one_row  # rows of another width cannot be read at all
        if fit.x.shape == fit.y.shape:
            without = asks.decide(asks.with_added(fit.given))
            old = asks.flips(without, among)
            moved = asks.flips(asks.decide(self.by_chance.fit.given), among).flipped
            by_chance = asks.decide(fit.mapped(self.by_chance.crossed(self.chosen)))
            left = asks.flips(by_chance, among).flipped / moved if moved else 1.0
            come_back = _why_not_for_rows(evidence, self.chosen) is None
            allowed = old.flipped if come_back else min(left * old.flipped, old.flipped, allowed)
        return replace(
            evidence,
            flips=(old, asks.flips(mapped, among)),
            unseen=asks.flips(crossed, among),
            allowed=(1 - FEWER_FLIPS) * allowed,
            p_value=asks.taken_back(without, crossed, among),
            inputs=asks.inputs,
        )

    def evidence(self) -> Evidence:
        """Return what each kind of map undoes, the chosen one also of random moves, and finds."""
        fit, trials = self.fit, tuple(map(self.trial, self.kinds))
        after = fit.found(self.crossed(self.chosen))
        found, lost, chance = (np.nan, float(after.mean())), np.nan, None
        if fit.x.shape == fit.y.shape:
            before = fit.found(fit.x)
            found = float(before.mean()), found[1]
            lost = float((before & ~after).mean())
            chance = self.by_chance.trial(self.chosen)
        return Evidence(len(fit.rows), fit.zeros, trials, chance, found, lost)


def _undone(x: Values, y: Values, mapped: Values) -> tuple[float, float]:
    """Return the shares of movement and of turning that a map undoes; of spread, if widths differ.

    What is undone is measured from where rows stood, x (m, d). Rows of another width stand nowhere,
    so there it is measured from the mean of y (m, e).
    """
    stood = x if x.shape == y.shape else np.broadcast_to(y.mean(axis=0), y.shape)
    undone = 1 - np.square(mapped - y).sum() / np.square(stood - y).sum()
    before = np.square(_unit(stood) - _unit(y)).sum()
    after = np.square(_unit(mapped) - _unit(y)).sum()
    return float(undone), float(1 - after / before) if before > TURNED * len(x) else np.nan


def _why_not(evidence: Evidence, chosen: str) -> str | None:
    """Return why a map is refused, or None if it is given; a consumer decides, if there is one."""
    if evidence.unseen is not None:
        return _why_not_for_a_consumer(evidence, evidence.unseen, chosen)
    return _why_not_for_rows(evidence, chosen)


def _why_not_for_rows(evidence: Evidence, chosen: str) -> str | None:
    trial = next(each for each in evidence.trials if each.name == chosen)
    before, after = (np.nan_to_num(each) for each in evidence.found)
    undone, chance = trial.least, 0.0 if evidence.chance is None else evidence.chance.least
    if undone < chance + UNDONE:
        return (
            f"rows moved each its own way; the best map, {chosen}, undoes {max(undone, 0):.0%} of "
            f"the movement of rows it was not fitted on, and {max(chance, 0):.0%} of random moves "
            "of the same size"
        )
    missed = 1 - before
    if after < before or (missed > FOUND and 1 - after > MISSES * missed):
        return (
            f"of the moved rows {after:.1%} find their place with the best map, {chosen}, and "
            f"{before:.1%} without"
        )
    return None


def _why_not_for_a_consumer(evidence: Evidence, new: Flips, chosen: str) -> str | None:
    old = evidence.flips[0] if evidence.flips else None
    allowed, p_value = evidence.allowed, evidence.p_value
    assert allowed is not None
    assert p_value is not None
    if new.flipped <= allowed and p_value < SURE:
        return None
    if old is not None and not old.flipped:
        if old.only is None:
            return f"none is needed, the consumer decides all of {old.n:,} inputs as it did"
        return f"the consumer says {old.only} of all of {old.n:,} inputs, which shows nothing"
    without = "" if old is None else f", and {old.flipped:.1%} without"
    return (
        f"the consumer decides {new.flipped:.1%} of {new.n:,} inputs otherwise with the best map, "
        f"{chosen}, of words it was not fitted on{without}; it must leave {allowed:.1%} at most, "
        f"and surely take flips back (p-value {p_value:.2g})"
    )


def _unit(rows: Values) -> Values:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Values = np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > 0)
    return unit
