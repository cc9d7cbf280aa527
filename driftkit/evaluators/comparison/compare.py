"""Both tables of a pair on benchmarks, and the difference tested."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from driftkit.arguments import require, whole
from driftkit.arrays import Mask, generator
from driftkit.defaults import RESAMPLES
from driftkit.display import counted
from driftkit.drift.groups import BANDS
from driftkit.errors import UnknownNameError
from driftkit.evaluators.base import BuiltIn, Memo, is_encoded, questions_of
from driftkit.evaluators.comparison import verdict
from driftkit.evaluators.comparison.paired_items import PairedAnswers, PairedItems
from driftkit.evaluators.comparison.result import PartChange, ScoreChange, ScoreChanges
from driftkit.evaluators.comparison.spread import Method, Spread
from driftkit.evaluators.coverage import Answered, notes_on
from driftkit.evaluators.registry import (
    Scorable,
    among_own_words,
    asked_of,
    default_of_encoders,
    evaluators,
)
from driftkit.evaluators.significance import (
    Difference,
    Interval,
    MeanDifference,
    detectable_difference,
    holm,
    interval,
)
from driftkit.measures.registry import finite
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress, part

FEWEST_CLUSTERS = 5  # with fewer categories a bootstrap over them has too few distinct resamples

FEWEST_RESAMPLES = 100  # with fewer, the ends of a 95 % interval are single draws
RESAMPLING = 2_000  # questions that take as long as the resamples of a benchmark
MOST_RESAMPLES = 1_000_000  # more only take time and memory


def compare_scores(
    pair: Pair,
    benchmarks: Sequence[Scorable] | Scorable | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    margins: Mapping[str, float] | None = None,
    method: Method = "percentile",
    memo: Memo | None = None,
    progress: Progress | bool | None = None,
) -> ScoreChanges:
    """Score both tables of a pair on the items both can answer, and test the difference.

    Parameters
    ----------
    pair : Pair
        Words are looked up among its shared words, and analogies are answered with those, so that
        both tables have the same choice. Where encoders made both tables, they are asked about the
        benchmarks' own words and sentences.
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        Names, files or evaluators with their options, such as ``Analogy("google", "3cosmul")``; by
        default ``ws353``, ``simlex999`` and ``google``, for encoders ``ws353``, ``simlex999`` and
        ``sick``.
    seed : int
        Seed of the bootstrap. Each benchmark draws from a stream of its own, so its interval does
        not depend on the others.
    resamples : int
        Number of bootstrap resamples and of permutations, 100 or more.
    margins : mapping of str to float, optional
        The smallest change that counts, by measure, such as ``{"spearman": 0.05}``; the others
        keep what they declare (`driftkit.measures.Measure.margin`).
    method : {"percentile", "bca"}
        The interval a status is decided by.
    memo : mutable mapping, optional
        Pass the same dictionary when several tuned tables are compared with one original: its
        answers to analogies are then searched once. It keeps the original alive.
    progress : callable or True, optional
        Called with (done, total); True draws a bar.

    Returns
    -------
    ScoreChanges

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed, or nobody registered the measure of an evaluator.
    OptionError
        If `pair` is not a pair, or `seed`, `resamples` or a margin is out of range.
    """
    require(pair, Pair, "dk.compare_scores")
    progress = as_progress(progress, "benchmarks")
    whole(FEWEST_RESAMPLES, MOST_RESAMPLES, resamples=resamples)
    whole(0, seed=seed)
    if method not in get_args(Method):
        raise UnknownNameError("method", method, get_args(Method))
    verdict.check_margins(margins)
    encoded = is_encoded(pair)
    notes: list[str] = []
    if encoded and benchmarks is None:
        benchmarks, notes = default_of_encoders()
    asked = evaluators(benchmarks)
    changes = []
    sizes = [RESAMPLING + questions_of(evaluator) for evaluator in asked]
    for step, evaluator in enumerate(asked):
        report = part(progress, step, len(asked), sizes)
        name = evaluator.benchmark.name
        rng = generator(seed, name)
        how = (resamples, rng, margins, method)
        if isinstance(evaluator, BuiltIn):
            items = evaluator.compare(pair, memo=memo, progress=report)
            changes.append(_change(name, items, *how))
        else:
            items = asked_of(evaluator, PairedItems, evaluator.compare, pair)
            changes.append(asked_of(evaluator, ScoreChange, _change, name, items, *how))
        if report is not None:
            report(1, 1)
    adjusted = holm([change.p_value for change in changes])
    answered = [
        Answered(evaluator, change.n_used, change.n_total, change.oov)
        for evaluator, change in zip(asked, changes, strict=True)
    ]
    return ScoreChanges(
        tuple(replace(change, p_holm=p) for change, p in zip(changes, adjusted, strict=True)),
        (*notes, *among_own_words(asked)) if encoded else notes_on(answered, pair.index, pair.zero),
    )


def halves_of(
    changes: Iterable[ScoreChange], *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[ScoreChanges, ScoreChanges]:
    """Return the same comparisons on each of two halves of every benchmark's items.

    Items that begin with the same word are in the same half, whatever the tuned table; the seed
    decides in which. A benchmark that has no meaning in part, such as an association test, or has
    no item, is whole in both.
    """
    halves: tuple[list[ScoreChange], list[ScoreChange]] = ([], [])
    for change in changes:
        items, name = change.items, change.name
        first = items.related[:, 0] if len(items) else np.zeros(0, np.int64)
        drawn = generator(seed, f"half of {name}").random(int(first.max(initial=0)) + 1) < 0.5
        for half, chosen in zip(halves, (drawn[first], ~drawn[first]), strict=True):
            part = items.part(chosen) if len(items) else None
            if part is not None:
                rng = generator(seed, name)
                change = _change(name, part, resamples, rng, None, "percentile")
            half.append(change)
    one, other = halves
    return ScoreChanges(tuple(one)), ScoreChanges(tuple(other))


def _change(
    name: str,
    items: PairedItems,
    resamples: int,
    rng: np.random.Generator,
    margins: Mapping[str, float] | None,
    method: Method,
) -> ScoreChange:
    margin = verdict.margin_of(items.measure, margins)
    original, tuned = _values(items, np.ones(len(items), bool))
    delta = tuned - original
    reason = _not_measured(items, delta)
    bounds = clustered = Interval()
    status: verdict.Status = "not measured"
    more: dict[str, Any] = {}
    if reason is None:
        difference, spread = items.difference(), items.spread(resamples, rng)
        bounds = spread.bounds(method)
        status, reason = decide(items, spread, resamples, rng, margin, method)
        more = {
            "tests": difference.tests(resamples, rng),
            "effect": difference.effect(),
            "detectable": detectable_difference(spread.error),
            "least_visible_fall": max(margin, bounds.high - delta),
        }
        clustered = _clustered(items, difference, resamples, rng)
    return ScoreChange(
        name=name,
        n_used=len(items),
        original=original,
        tuned=tuned,
        delta=delta,
        ci_low=bounds.low,
        ci_high=bounds.high,
        p_value=bounds.p_value,
        p_holm=math.nan,
        status=status,
        margin=margin,
        reason=reason,
        split=tuple(_split(items)),
        items=items,
        method=method,
        cluster_low=clustered.low,
        cluster_high=clustered.high,
        bands=tuple(_bands(items)),
        items_changeable=int(items.changeable.sum()),
        items_rivals=int(items.rivals.sum()),
        items_lost_from_set=items.lost,
        **{same: getattr(items, same) for same in ("measure", "n_total", "oov", "zero")},
        **more,
    )


def _not_measured(items: PairedItems, delta: float) -> str | None:
    """Return why there is no interval; None if there is one."""
    fewest = verdict.fewest_items(items.measure)
    if items.reason is not None:
        return items.reason
    if len(items) < fewest:
        return (
            f"both tables answer {counted(len(items), 'item')}; "
            f"{items.measure} needs {fewest} or more for a verdict"
        )
    if (undefined := items.undefined()) is not None:
        return undefined
    return f"{items.measure} of these items is not a finite number" if math.isnan(delta) else None


def decide(
    items: PairedItems,
    spread: Spread,
    resamples: int,
    rng: np.random.Generator,
    margin: float,
    method: Method = "percentile",
) -> tuple[verdict.Status, str | None]:
    """Return the status of a benchmark that has an interval, and why it has none."""
    better = verdict.benchmark_measure(items.measure).higher_is_better if items.is_judged else None

    def of(compared: PairedItems, spread: Spread) -> verdict.Status:
        bounds = spread.bounds(method)
        return verdict.status_of(compared.delta, bounds, margin, higher_is_better=better)

    status, own = of(items, spread), items.without_rivals()
    if own is not None:
        status = verdict.agreed(status, of(own, own.spread(resamples, rng)))
    return _what_it_can_say(items, status, margin)


def _what_it_can_say(
    items: PairedItems, status: verdict.Status, margin: float
) -> tuple[verdict.Status, str | None]:
    """Return the status, or why these items can have none."""
    if items.is_judged and (reason := items.nothing_to_lose(margin)) is not None:
        return "not measured", reason
    n, changeable, rivals = len(items), int(items.changeable.sum()), int(items.rivals.sum())
    fewest = verdict.fewest_changeable(n)
    by_rivals = status == "lost" and changeable + rivals >= fewest
    if changeable < fewest and not by_rivals:
        verb = "has" if changeable == 1 else "have"
        moved = f"{changeable:,} of its {n:,} items {verb}" if changeable else "no item of it has"
        return "not tested", f"{moved} a word that moved; a status needs {fewest:,}"
    if n < verdict.LEAST_COVERAGE * items.n_total and status != "lost":
        return "not tested", (
            f"both tables answer {n:,} of {counted(items.n_total, 'item')}, under a third; "
            "choose a benchmark whose words they have"
        )
    return status, None


def _values(items: PairedItems, chosen: Mask) -> tuple[float, float]:
    original, tuned = items.values(chosen)
    return finite(items.measure, original), finite(items.measure, tuned)


def _clustered(
    items: PairedItems, difference: Difference, resamples: int, rng: np.random.Generator
) -> Interval:
    """Return an interval over whole categories, where the items have enough of them."""
    if not isinstance(items, PairedAnswers) or not isinstance(difference, MeanDifference):
        return Interval()
    count = len(set(items.categories))
    if count < FEWEST_CLUSTERS:
        return Interval()
    return interval(difference.resample_clusters(items.categories, resamples, rng), count)


def _split(items: PairedItems) -> Iterator[PartChange]:
    """Return the change over items with none, some and all of their words moved."""
    none, every = items.moved == 0, items.moved == items.size
    for moved, chosen in (("none", none), ("some", ~none & ~every), ("all", every & ~none)):
        yield _part(items, {"moved": moved}, chosen)


def _bands(items: PairedItems) -> Iterator[PartChange]:
    """Return the change over items whose rarest word is in each band of ranks."""
    which = np.searchsorted(BANDS, items.rarest, side="right")
    for band, first in enumerate((0, *BANDS)):
        last = BANDS[band] if band < len(BANDS) else None
        yield _part(items, {"first": first + 1, "last": last}, which == band)


def _part(items: PairedItems, part: Mapping[str, Any], chosen: Mask) -> PartChange:
    original, tuned = _values(items, chosen)
    return PartChange(part, int(chosen.sum()), original, tuned, tuned - original)
