"""Both tables of a pair on benchmarks, and the difference tested."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from driftkit.datasets import Benchmark, SimilarityBenchmark, get_all
from driftkit.errors import OptionError
from driftkit.evaluators.changes import ScoreChange, ScoreChanges, SplitChange
from driftkit.evaluators.decision import FEWEST_ITEMS, MARGINS, decide
from driftkit.evaluators.items import Items, evaluable, find_items
from driftkit.evaluators.paired import Memo, Paired, pair_analogies, pair_similarity
from driftkit.evaluators.progress import Progress, part
from driftkit.evaluators.significance import Interval, holm, interval
from driftkit.measures import parse_measure
from driftkit.pair import Pair

FEWEST_RESAMPLES = 100
"""With fewer, the ends of a 95 % interval are single draws."""


def compare_scores(
    pair: Pair,
    benchmarks: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
    *,
    seed: int = 0,
    resamples: int = 2000,
    memo: Memo | None = None,
    progress: Progress | None = None,
) -> ScoreChanges:
    """Score both tables of a pair on the items both can answer, and test the difference.

    Parameters
    ----------
    pair : Pair
        Words are looked up among its shared words, and analogies are answered with those, so that
        both tables have the same choice.
    benchmarks : sequence of str or path, optional
        Names or files; by default ``ws353``, ``simlex999`` and ``google``.
    seed : int
        Seed of the bootstrap. Each benchmark draws from a stream of its own, so its interval does
        not depend on the others.
    resamples : int
        Number of bootstrap resamples, 100 or more.
    memo : mutable mapping, optional
        Give the same dictionary when several tuned tables are compared with one original: its
        answers to analogies are then searched once. It keeps the original alive.
    progress : callable, optional
        Called with (done, total).

    Returns
    -------
    ScoreChanges

    Raises
    ------
    UnknownNameError, BenchmarkError
        If a benchmark cannot be found or parsed.
    OptionError
        If `seed` or `resamples` is out of range.
    """
    if resamples < FEWEST_RESAMPLES:
        raise OptionError(
            f"resamples={resamples} is too few for an interval; give {FEWEST_RESAMPLES} or more."
        )
    if seed < 0:
        raise OptionError(f"seed={seed} is negative; give 0 or more.")
    asked = evaluable(get_all(benchmarks))
    changes = []
    for step, benchmark in enumerate(asked):
        report = part(progress, step, len(asked))
        rng = np.random.default_rng([seed, zlib.crc32(benchmark.name.encode())])
        if isinstance(benchmark, SimilarityBenchmark):
            items = find_items(benchmark.pairs, pair.index, pair.zero)
            paired: Paired = pair_similarity(pair, benchmark, items)
        else:
            items = find_items(benchmark.quadruples, pair.index, pair.zero)
            paired = pair_analogies(pair, benchmark, items, memo, report)
        changes.append(_change(benchmark.name, items, paired, resamples, rng))
        if report is not None:
            report(1, 1)
    adjusted = holm([change.p_value for change in changes])
    return ScoreChanges(
        tuple(replace(change, p_holm=p) for change, p in zip(changes, adjusted, strict=True))
    )


def _change(
    name: str, items: Items, paired: Paired, resamples: int, rng: np.random.Generator
) -> ScoreChange:
    kind = parse_measure(paired.measure).name
    original, tuned = paired.values(np.ones(items.n_used, bool))
    reason = items.reason
    if reason is None and items.n_used < FEWEST_ITEMS[kind]:
        reason = (
            f"both tables answer {items.n_used} items; "
            f"{paired.measure} needs {FEWEST_ITEMS[kind]} or more for a verdict"
        )
    reason = reason or paired.undefined()
    bounds = Interval(math.nan, math.nan, math.nan)
    if reason is None:
        bounds = interval(paired.resample(resamples, rng))
    return ScoreChange(
        name=name,
        measure=paired.measure,
        n_total=items.n_total,
        n_used=items.n_used,
        oov=items.oov,
        zero=items.zero,
        original=original,
        tuned=tuned,
        delta=tuned - original,
        ci_low=bounds.low,
        ci_high=bounds.high,
        p_value=bounds.p_value,
        p_holm=math.nan,
        status=decide(tuned - original, bounds, MARGINS[kind]),
        margin=MARGINS[kind],
        reason=reason,
        split=tuple(_split(paired)),
        items=paired,
    )


def _split(paired: Paired) -> Iterator[SplitChange]:
    none, every = paired.moved == 0, paired.moved == paired.words_per_item
    for moved, chosen in (("none", none), ("some", ~none & ~every), ("all", every)):
        original, tuned = paired.values(chosen)
        yield SplitChange(moved, int(chosen.sum()), original, tuned, tuned - original)
