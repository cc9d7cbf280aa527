"""Both tables of a pair on benchmarks, and the difference tested."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from driftkit.arguments import require
from driftkit.defaults import RESAMPLES
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.analogy.evaluator import Memo
from driftkit.evaluators.comparison.paired_items import Paired, PairedAnswers
from driftkit.evaluators.comparison.result import BandChange, ScoreChange, ScoreChanges, SplitChange
from driftkit.evaluators.comparison.verdict import FEWEST_ITEMS, check_margins, decide, margin_of
from driftkit.evaluators.lookup import Items, Values
from driftkit.evaluators.registry import Asked, evaluators
from driftkit.evaluators.significance import (
    Interval,
    bca_interval,
    detectable_difference,
    holm,
    interval,
    jackknife,
    resample_clusters,
)
from driftkit.measures.registry import parse_measure
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress, part

Method = Literal["percentile", "bca"]

BANDS = (1_000, 10_000, 100_000)
"""Bounds of the frequency bands, by the rank of an item's rarest word in the original table."""

FEWEST_CLUSTERS = 5
"""With fewer categories a bootstrap over them has too few distinct resamples."""

FEWEST_RESAMPLES = 100
"""With fewer, the ends of a 95 % interval are single draws."""


def compare_scores(
    pair: Pair,
    benchmarks: Sequence[Asked] | Asked | None = None,
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
        both tables have the same choice.
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        Names, files or evaluators with their options, such as ``Analogy("google", "3cosmul")``; by
        default ``ws353``, ``simlex999`` and ``google``.
    seed : int
        Seed of the bootstrap. Each benchmark draws from a stream of its own, so its interval does
        not depend on the others.
    resamples : int
        Number of bootstrap resamples and of permutations, 100 or more.
    margins : mapping of str to float, optional
        The smallest change that counts, by measure, such as ``{"spearman": 0.05}``; the others
        keep their defaults, see `driftkit.evaluators.comparison.verdict`.
    method : {"percentile", "bca"}
        The interval a status is decided by.
    memo : mutable mapping, optional
        Give the same dictionary when several tuned tables are compared with one original: its
        answers to analogies are then searched once. It keeps the original alive.
    progress : callable or True, optional
        Called with (done, total); True draws a bar on standard error.

    Returns
    -------
    ScoreChanges

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed.
    OptionError
        If `pair` is not a pair, or `seed` or `resamples` is out of range.
    """
    require(pair, Pair, "dk.compare_scores")
    progress = as_progress(progress, "benchmarks")
    if resamples < FEWEST_RESAMPLES:
        raise OptionError(
            f"resamples={resamples} is too few for an interval; give {FEWEST_RESAMPLES} or more."
        )
    if seed < 0:
        raise OptionError(f"seed={seed} is negative; give 0 or more.")
    if method not in get_args(Method):
        raise UnknownNameError("method", method, get_args(Method))
    check_margins(margins)
    asked = evaluators(benchmarks)
    changes = []
    for step, evaluator in enumerate(asked):
        report = part(progress, step, len(asked))
        name = evaluator.benchmark.name
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        items, paired = evaluator.pair(pair, memo, report)
        margin = margin_of(paired.measure, margins)
        changes.append(_change(name, items, paired, resamples, rng, margin, method))
        if report is not None:
            report(1, 1)
    adjusted = holm([change.p_value for change in changes])
    return ScoreChanges(
        tuple(replace(change, p_holm=p) for change, p in zip(changes, adjusted, strict=True))
    )


def _change(
    name: str,
    items: Items,
    paired: Paired,
    resamples: int,
    rng: np.random.Generator,
    margin: float,
    method: Method,
) -> ScoreChange:
    kind = parse_measure(paired.measure).name
    original, tuned = paired.values(np.ones(items.n_used, bool))
    delta = tuned - original
    reason = items.reason
    if reason is None and items.n_used < FEWEST_ITEMS[kind]:
        reason = (
            f"both tables answer {items.n_used} items; "
            f"{paired.measure} needs {FEWEST_ITEMS[kind]} or more for a verdict"
        )
    reason = reason or paired.undefined()
    bounds = clustered = Interval(math.nan, math.nan, math.nan)
    tests, effect, detectable = {}, ("", math.nan), math.nan
    if reason is None:
        differences = paired.resample(resamples, rng)
        bounds = _interval(paired, differences, delta, method)
        tests = paired.tests(resamples, rng)
        effect = paired.effect()
        detectable = detectable_difference(float(np.nanstd(differences)))
        clustered = _clustered(paired, resamples, rng)
    return ScoreChange(
        name=name,
        measure=paired.measure,
        n_total=items.n_total,
        n_used=items.n_used,
        oov=items.oov,
        zero=items.zero,
        original=original,
        tuned=tuned,
        delta=delta,
        ci_low=bounds.low,
        ci_high=bounds.high,
        p_value=bounds.p_value,
        p_holm=math.nan,
        status=decide(delta, bounds, margin),
        margin=margin,
        reason=reason,
        split=tuple(_split(paired)),
        items=paired,
        method=method,
        tests=tests,
        effect=effect,
        detectable=detectable,
        cluster_low=clustered.low,
        cluster_high=clustered.high,
        bands=tuple(_bands(paired)),
    )


def _interval(paired: Paired, differences: Values, delta: float, method: Method) -> Interval:
    if method == "percentile":
        return interval(differences, len(paired.moved))
    return bca_interval(differences, delta, jackknife(paired.difference()))


def _clustered(paired: Paired, resamples: int, rng: np.random.Generator) -> Interval:
    """Interval over whole categories, where the items have enough of them."""
    if not isinstance(paired, PairedAnswers) or len(set(paired.categories)) < FEWEST_CLUSTERS:
        return Interval(math.nan, math.nan, math.nan)
    drawn = resample_clusters(
        paired.before, paired.after, paired.categories, resamples=resamples, rng=rng
    )
    return interval(drawn, len(set(paired.categories)))


def _split(paired: Paired) -> Iterator[SplitChange]:
    none, every = paired.moved == 0, paired.moved == paired.size
    for moved, chosen in (("none", none), ("some", ~none & ~every), ("all", every & ~none)):
        original, tuned = paired.values(chosen)
        yield SplitChange(moved, int(chosen.sum()), original, tuned, tuned - original)


def _bands(paired: Paired) -> Iterator[BandChange]:
    which = np.searchsorted(BANDS, paired.rarest, side="right")
    for band, first in enumerate((0, *BANDS)):
        chosen = which == band
        last = BANDS[band] if band < len(BANDS) else None
        original, tuned = paired.values(chosen)
        yield BandChange(first + 1, last, int(chosen.sum()), original, tuned, tuned - original)
