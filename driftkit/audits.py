"""The audit: every measure run once over a pair."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from driftkit.datasets import Benchmark
from driftkit.drift import SpaceDrift, space_drift, word_drift
from driftkit.drift.null_model import null_pair
from driftkit.errors import OptionError
from driftkit.evaluators import compare_scores
from driftkit.findings import Audit as Audit
from driftkit.findings import Settings
from driftkit.measures.measure import Measure
from driftkit.measures.requested import requested_measures
from driftkit.neighbors.optional_measures import shifts_with_measures
from driftkit.pair import Pair
from driftkit.progress import Progress as Steps

Progress = Callable[[str, int, int], None]
"""Called with (stage, steps done, steps in all)."""

CANDIDATES = 60_000
"""Neighbors are sought among this many of the first shared words, and as many moved ones."""

FEWEST_RESAMPLES = 100
"""Enough where nobody reads the intervals."""


def audit(
    pair: Pair,
    *,
    benchmarks: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
    k: int = 10,
    candidates: int = CANDIDATES,
    resamples: int = 2000,
    seed: int = 0,
    measures: Sequence[str] = (),
    null: bool = False,
    memo: MutableMapping[Any, Any] | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Measure what fine-tuning did: which words moved, what was forgotten, what breaks.

    Parameters
    ----------
    pair : Pair
        From `align`.
    benchmarks : sequence of str or path, optional
        Names or files; by default ``ws353``, ``simlex999`` and ``google``.
    k : int
        Depth of the neighbor lists.
    candidates : int
        Neighbors are sought among the first so many shared words (the most frequent, in files
        that are sorted so), joined by the moved words that follow, up to as many again.
    resamples : int
        Bootstrap resamples behind each interval.
    seed : int
        Seed of the bootstrap, and of the random moves of the null.
    measures : sequence of str, optional
        Names of measures to take besides those that always are, such as ``"jaccard@50"``,
        ``"displacement(center=1)"`` or ``"hubness_skewness"``; a depth left out is `k`. Neighbors
        are searched once, as deep as the deepest needs.
    null : bool
        Whether to audit random moves of the same size per row as well (`Audit.null`), so that a
        figure can be read as more or less than chance. It takes about as long again.
    memo : mutable mapping, optional
        Give the same dictionary when several tuned tables are audited against one original, so
        that work on the original, its scores and its neighbors, is done once.
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Audit

    Raises
    ------
    OptionError
        If an option is out of range.
    UnknownNameError, BenchmarkError
        If a measure or a benchmark cannot be found, or a benchmark cannot be parsed.
    """
    if k < 1 or candidates < 1:
        raise OptionError(f"k={k} and candidates={candidates} were given; both must be 1 or more.")

    asked = requested_measures(measures, k)
    settings = Settings(k, candidates, resamples, seed, tuple(map(str, asked)), null)

    def stage(name: str) -> Steps | None:
        if progress is None:
            return None
        progress(name, 0, 1)
        return lambda done, total: progress(name, done, total)

    if not null:
        return _measure(pair, settings, benchmarks, asked, memo, stage)
    memo = {} if memo is None else memo
    found = _measure(pair, settings, benchmarks, asked, memo, stage)
    random = _measure(
        null_pair(pair, seed=seed),
        replace(settings, resamples=FEWEST_RESAMPLES, null=False),
        benchmarks,
        asked,
        memo,
        lambda name: stage(f"{name} of random moves"),
    )
    return replace(found, null=random)


def _measure(
    pair: Pair,
    settings: Settings,
    benchmarks: Sequence[str | PathLike[str] | Benchmark] | str | None,
    asked: Sequence[Measure],
    memo: MutableMapping[Any, Any] | None,
    stage: Callable[[str], Steps | None],
) -> Audit:
    stage("drift")
    words, space = word_drift(pair, asked), space_drift(pair, measures=asked)
    scores = compare_scores(
        pair,
        benchmarks,
        seed=settings.seed,
        resamples=settings.resamples,
        memo=memo,
        progress=stage("benchmarks"),
    )
    pool = candidate_words(pair, settings.candidates)
    shifts, hubs = shifts_with_measures(
        pair, pool, settings.k, asked, candidates=pool, memo=memo, progress=stage("neighbors")
    )
    return Audit(pair, settings, words, SpaceDrift(space.values + hubs), shifts, scores)


def candidate_words(pair: Pair, candidates: int) -> list[str]:
    """Words among which an audit seeks neighbors: the first shared ones, then moved ones.

    Parameters
    ----------
    pair : Pair
    candidates : int
        See `audit`.
    """
    later = candidates + np.flatnonzero(pair.moved[candidates:])[:candidates]
    return [*pair.words[:candidates], *(pair.words[row] for row in later.tolist())]
