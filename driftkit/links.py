"""The link: whether what reads the original vectors can read the tuned ones, and a map if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rich.console import Group as View

from driftkit.arguments import require
from driftkit.arrays import Rows, Values, alike, row_blocks, row_bytes
from driftkit.display import Displayed, Text, counted, number, section, table
from driftkit.drift.crossing import IMMATERIAL, WAYS, Found, Way, own_ranks, spaced, steps
from driftkit.drift.groups import none_if_nan
from driftkit.explain.directions import Direction, drift_directions, drift_rank
from driftkit.maps import Map, Refusal, fit_map
from driftkit.maps.consumer import Consumer, Flips, Inputs, Reads
from driftkit.pair import Pair
from driftkit.questions.link import FOUND, LENGTHS, LOST, TOO_LONG

if TYPE_CHECKING:
    from rich.console import RenderableType

    from driftkit.charts.theme import Chart

Group = Literal["all", "moved", "frequent"]
Status = Literal["holds", "weakened", "broken"]

SCHEMA = "driftkit.link/1"
ASKED = 500  # rows of each group whose own row is sought, evenly spaced
FREQUENT = 10_000  # first shared words, the most frequent in files that are sorted so

MANY_TIMES = 10
"""A step, as a share of a length, from which it is said in lengths and no longer in percent."""

FEW_FLIPS, MANY_FLIPS = 0.02, 0.05
"""Shares of decisions: a link to a consumer holds where surely fewer flip than the first, and is
broken where surely more do than the second. Where fewer than two in a hundred flip, no more than
two points of accuracy can be lost. Nor does it hold where of one decision surely more than the
second are lost: one that is made of few inputs may be lost whole, and few flip."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """How well tuned rows of one group find their own original row, by one way of reading.

    `at_1` is the share whose nearest original row is their own, and `mrr` the mean reciprocal rank,
    over all original rows; a row that is as near counts against it. `original_at_1` is what the
    original rows find themselves, less than 1 by the dot product, or where rows are nearly equal.
    `kept` is the share, of the rows that had a direction, that find their own at no later rank than
    their original rows do. Equal original rows are one place, and words whose rows are equal in
    both tables are asked about once: `n` are asked.
    """

    group: Group
    way: Way
    n: int
    at_1: float
    mrr: float
    original_at_1: float
    kept: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        names = ("group", "way", "n", "at_1", "mrr", "original_at_1", "kept")
        values = {name: getattr(self, name) for name in names}
        return {
            name: none_if_nan(value) if isinstance(value, float) else value
            for name, value in values.items()
        }


@dataclass(frozen=True, repr=False)
class Link(Displayed):
    """Whether what reads the original vectors can read the tuned ones.

    Made by `driftkit.link`.

    Parameters
    ----------
    pair : Pair
    crossings : tuple of Crossing
        Empty where the widths differ.
    lengths : tuple of three float
        Percentiles 5, 50 and 95 of a moved row's length, as a multiple of its original length.
    step : tuple of two float
        Median and largest of the distances rows moved, as a share of their original length.
    dots : float
        Change of dot products of moved rows with original ones, as a share of their size.
    rank : int
        How many directions hold 90 % of the movement.
    directions : tuple of Direction
        The first of them, each with the words at its ends.
    flips : Flips or None
        What the consumer decides otherwise.
    map : Map or Refusal
        The map back to the original space, or why there is none.
    inputs : Inputs or None
        What of the documents was not read; None where there are none.
    """

    pair: Pair
    crossings: tuple[Crossing, ...] = field(repr=False)
    lengths: tuple[float, float, float]
    step: tuple[float, float]
    dots: float
    rank: int
    directions: tuple[Direction, ...]
    flips: Flips | None
    map: Map | Refusal
    inputs: Inputs | None = None

    @property
    def status(self) -> Status:
        """*holds*, *weakened* or *broken*.

        A consumer decides, if there is one. Else a link holds only where no row moved by a
        hundredth of its length and rows are found where they were, and is broken where they are
        taken for others: no search can tell what a consumer that nobody showed would decide. Where
        words of the original table are gone, and no documents say which are read, it does not hold.
        """
        whole: Status = "weakened" if self._words_unasked else "holds"
        if self.flips is not None:
            if self.flips.high < FEW_FLIPS and self.flips.most.low <= MANY_FLIPS:
                return whole if self.flips.only is None else "weakened"
            return "broken" if self.flips.low > MANY_FLIPS else "weakened"
        if not self.pair.moved.any():
            return whole
        if not self.crossings:
            return "broken"
        low, _, high = self.lengths
        longest = max(abs(np.log(low)), abs(np.log(high)))
        if self._kept < LOST or longest > np.log1p(TOO_LONG):
            return "broken"
        stays = self.step[1] < IMMATERIAL and self._kept >= FOUND and not self._filled
        return whole if stays else "weakened"

    @property
    def _words_unasked(self) -> int:
        """How many words are gone, where no documents say whether anything reads them."""
        return len(self.pair.removed) if self.inputs is None else 0

    @property
    def _kept(self) -> float:
        """The least share of rows that are found where they were, by cosine or by distance."""
        kept = [each.kept for each in self.crossings if each.group != "all" and each.way != "dot"]
        return float(np.nanmin(kept)) if not np.isnan(kept).all() else np.nan

    @property
    def _emptied(self) -> int:
        """How many rows became zero."""
        return int((self.pair.moved & (self.pair.after_norms == 0)).sum())

    @property
    def _filled(self) -> int:
        """How many rows were zero and no longer are."""
        return int((self.pair.moved & (self.pair.before_norms == 0)).sum())

    @property
    def headline(self) -> str:
        """The status and what decided it, in one sentence."""
        return f"The link {_PHRASES[self.status]}: {'; '.join(self._why())}."

    def _why(self) -> Iterator[str]:
        moved, n = int(self.pair.moved.sum()), len(self.pair)
        if self.flips is not None:
            yield (
                f"the consumer decides {self.flips.flipped:.1%} of "
                f"{counted(self.flips.n, 'input')} otherwise "
                f"({self.flips.low:.1%} to {self.flips.high:.1%})"
            )
            if self.flips.n < self.flips.given:
                repeated = self.flips.given - self.flips.n
                yield f"{repeated:,} of {self.flips.given:,} inputs repeat others and count once"
            if self.flips.only is not None and self.flips.low <= MANY_FLIPS:
                yield (
                    f"with the original vectors it says {self.flips.only} of all of them, which "
                    "shows little; give inputs that it tells apart"
                )
            most = self.flips.most
            if most.low > MANY_FLIPS and self.flips.low <= MANY_FLIPS:
                yield (
                    f"of {counted(most.n, 'input')} that it called {most.decision}, "
                    f"{most.flipped:.1%} are not called so now"
                )
            if self.flips.accuracy is not None:
                before, after = self.flips.accuracy
                yield f"its accuracy goes from {before:.3f} to {after:.3f}"
        if self.inputs is not None:
            yield from self.inputs.notes
        if self._words_unasked:
            words = counted(self._words_unasked, "word is", "words are")
            yield f"{words} gone, and no documents show whether they are read"
        if not moved:
            yield f"none of {n:,} {'shared ' * bool(self.pair.removed)}rows moved"
            return
        if not self.crossings:
            widths = self.pair.tuned.dimensions, self.pair.original.dimensions
            yield "a reader of {1} dimensions cannot read {0}".format(*widths)
            return
        if self._kept < FOUND:
            yield f"of moved or frequent rows {self._kept:.1%} are found where they were"
        if max(abs(np.log(each)) for each in (self.lengths[0], self.lengths[2])) > LENGTHS:
            low, _, high = self.lengths
            yield f"nine in ten moved rows are {low:.3g} to {high:.3g} times as long as before"
        if self._emptied:
            yield f"{counted(self._emptied, 'row')} became zero"
        if self._filled:
            yield f"{counted(self._filled, 'row was', 'rows were')} zero before"
        half = self.step[0]
        much = f"{half:.1%}" if half < MANY_TIMES else f"{half:.3g} times their length"
        by = "" if np.isnan(half) else f", half of them by {much} or more"
        yield f"{moved:,} of {counted(n, 'row')} moved{by}"
        if self.flips is None:
            yield "no consumer was given, so no decision was looked at"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.link/1`` as plain values."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "headline": self.headline,
            "sources": {
                "original": self.pair.original.source.name,
                "tuned": self.pair.tuned.source.name,
            },
            "rows": {
                "shared": len(self.pair),
                "moved": int(self.pair.moved.sum()),
                "removed": len(self.pair.removed),
            },
            "crossings": [each.to_dict() for each in self.crossings],
            "lengths": [none_if_nan(each) for each in self.lengths],
            "step": [none_if_nan(each) for each in self.step],
            "dots": none_if_nan(self.dots),
            "rank": self.rank,
            "directions": [
                {"share": each.share, "toward": list(each.toward), "away": list(each.away)}
                for each in self.directions
            ],
            "flips": None if self.flips is None else self.flips.to_dict(),
            "inputs": None if self.inputs is None else self.inputs.to_dict(),
            "map": self.map.to_dict(),
        }

    def plot(self) -> Chart:
        """Draw which tuned rows find their own original row, and through the map which do."""
        from driftkit.charts.link import link as drawn

        return drawn(self.to_dict())

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self.headline, "bold")]
        if self.crossings:
            shown = table(
                "tuned rows", "read by", right=("n", "find their own", "original rows do", "MRR")
            )
            for each in self.crossings:
                values = (each.at_1, each.original_at_1, each.mrr)
                cells = (each.group, each.way, f"{each.n:,}", *(number(v, 3) for v in values))
                shown.add_row(*cells)
            parts.append(section("Search across the two spaces", shown))
        if self.directions:
            held = (
                f"{counted(self.rank, 'direction holds', 'directions hold')} 90 % of the movement"
            )
            lines = (Text(str(each)) for each in self.directions)
            parts.append(section("Directions of the drift", Text(f"{held}."), *lines))
        parts.append(section("A map back to the original", self.map.__rich__()))
        return View(*parts)


_PHRASES = {"holds": "holds", "weakened": "is weakened", "broken": "is broken"}


def link(
    pair: Pair,
    consumer: Any = None,
    inputs: Iterable[Any] | None = None,
    labels: Iterable[Any] | None = None,
    *,
    reads: Reads = "means",
    seed: int = 0,
) -> Link:
    """Say whether what reads the original vectors can read the tuned ones, and fit a map.

    Parameters
    ----------
    pair : Pair
        From `align`.
    consumer : callable, torch.nn.Module or scikit-learn classifier, optional
        What reads original vectors: takes float32 rows (m, d), returns labels (m,) or scores
        (m, classes).
    inputs : iterable, optional
        What it decides about: documents, as strings split at blanks or as sequences of words. The
        shared words themselves unless given. The old decision is made on what the original table
        holds of each, the new one on what the tuned table does. Inputs that are the same to the
        consumer count once.
    labels : sequence, optional
        The right decision about each input, by which lost accuracy is measured.
    reads : {"means", "rows"}
        Whether the consumer takes the mean vector of each document, or a list of arrays (t, d).
    seed : int
        Of what `fit_map` draws.

    Returns
    -------
    Link

    Raises
    ------
    OptionError
        If `pair` is no pair, the consumer, inputs and labels do not fit together, or what the
        consumer answers are no decisions.

    Examples
    --------
    >>> import driftkit as dk
    >>> rows = np.random.default_rng(0).normal(size=(100, 4))
    >>> words = [f"w{i}" for i in range(100)]
    >>> pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, rows[:, ::-1]))
    >>> found = dk.link(pair, consumer=lambda rows: rows[:, 0] > 0)
    >>> found.status, found.map.affine.name, found.map.evidence.flips[1].flipped
    ('broken', 'rotation', 0.0)
    """
    require(pair, Pair, "dk.link")
    asks = None
    if consumer is not None:
        asks = Consumer(consumer, pair, inputs, labels, reads=reads)
        inputs = labels = None
    fitted = fit_map(pair, consumer=asks, inputs=inputs, labels=labels, seed=seed)
    same = pair.original.dimensions == pair.tuned.dimensions
    moved = np.flatnonzero(pair.moved & (pair.before_norms > 0))
    both = moved[pair.after_norms[moved] > 0]
    flips = None
    if asks is not None and same:
        flips = asks.flips(asks.decide(asks.with_added(pair.after)))
    return Link(
        pair,
        tuple(_crossings(pair)) if same else (),
        _percentiles(pair.after_norms[both] / pair.before_norms[both], 5, 50, 95),
        _percentiles(steps(pair, moved), 50, 100) if same else (np.nan, np.nan),
        _dots(pair, both) if same else np.nan,
        drift_rank(pair) if same else 0,
        tuple(drift_directions(pair)) if same else (),
        flips,
        fitted,
        None if asks is None else asks.inputs,
    )


def _crossings(pair: Pair) -> Iterator[Crossing]:
    first, _ = alike(row_bytes(pair.before, pair.after))
    groups: dict[Group, Rows]
    groups = {"all": first, "moved": first[pair.moved[first]], "frequent": first[first < FREQUENT]}
    groups = {group: spaced(places, ASKED) for group, places in groups.items()}
    every = np.unique(np.concatenate(list(groups.values())))
    other = pair.changed[every]
    original = own_ranks(pair.before[every], pair.before, every)
    after = own_ranks(pair.after[every[other]], pair.before, every[other])
    for group, asked in groups.items():
        at = np.searchsorted(every, asked)
        has_direction = pair.before_norms[asked] > 0
        for way in WAYS:
            ranks = original[way].ranks.copy()
            ranks[other] = after[way].ranks
            tuned = Found(ranks[at])
            itself = Found(original[way].ranks[at])
            kept = tuned.kept(itself)[has_direction]
            share = float(kept.mean()) if len(kept) else np.nan
            yield Crossing(group, way, len(asked), tuned.at_1, tuned.mrr, itself.at_1, share)


def _dots(pair: Pair, moved: Rows) -> float:
    """Return how much dot products of moved rows with original rows change, against their size."""
    d = pair.original.dimensions
    gram, changes, sizes = np.zeros((d, d)), 0.0, 0.0
    for some in row_blocks(*pair.before.shape):
        rows = pair.before[some].astype(np.float64)
        gram += rows.T @ rows
    for some in row_blocks(len(moved), d):
        before = pair.before[moved[some]].astype(np.float64)
        step = pair.after[moved[some]] - before
        changes += float(((step @ gram) * step).sum())
        sizes += float(((before @ gram) * before).sum())
    return float(np.sqrt(changes / sizes)) if sizes else np.nan


def _percentiles(values: Values, *which: int) -> Any:
    if not len(values):
        return (np.nan,) * len(which)
    return tuple(float(each) for each in np.percentile(values, which))
