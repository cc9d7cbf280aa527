"""Are verdicts on benchmarks right as often as they say?

Items are drawn from a population in which the human scores and the two tables' scores are jointly
normal with known Spearman correlations, and go through the very functions behind `compare_scores`.

null    the tables are equally good in the population and differ only by noise: how often is the
        change called lost? Nominal is 2.5 %, the lower tail of the 95 % interval.
power   the tuned table is worse in the population by a planted loss: how often is it called lost,
        inconclusive, retained?
shares  the null for accuracies: as many answers break as are mended in the population.

    python benchmarks/validity/calibration.py --runs 1000
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from pathlib import Path

import numpy as np

from driftkit.atomic import replacing
from driftkit.evaluators.comparison.verdict import margin_of, status_of
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import (
    MeanDifference,
    SpearmanDifference,
    bca_interval,
    detectable_correlation,
    interval,
)

ITEMS = (65, 353, 3000)
AGREEMENTS = (0.7, 0.95)
LOSSES = (0.02, 0.05, 0.1, 0.2)
ORIGINAL = 0.5
RESAMPLES = 2000  # the default of compare_scores


def pearson_for(rho: float) -> float:
    """Pearson's correlation of normal variables whose Spearman correlation is rho."""
    return 2 * math.sin(math.pi * rho / 6)


def draw(
    n: int, loss: float, agreement: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    before, after, both = map(pearson_for, (ORIGINAL, ORIGINAL - loss, agreement))
    covariance = np.array([[1, before, after], [before, 1, both], [after, both, 1]])
    gold, x, y = np.linalg.cholesky(covariance) @ rng.normal(size=(3, n))
    return np.round(gold * 10), x, y  # human scores are coarse, so ranks tie


def verdicts(n: int, loss: float, agreement: float, runs: int, method: str) -> Counter[str]:
    rng = np.random.default_rng([n, round(1000 * loss), round(1000 * agreement)])
    counts: Counter[str] = Counter()
    for _ in range(runs):
        gold, before, after = draw(n, loss, agreement, rng)
        difference = SpearmanDifference(gold, before, after)
        delta = spearman(gold, after) - spearman(gold, before)
        drawn = difference.resample(RESAMPLES, rng)
        if method == "bca":
            bounds = bca_interval(drawn, delta, difference.jackknife())
        else:
            bounds = interval(drawn, n)
        counts[status_of(delta, bounds, margin_of("spearman"))] += 1
        counts["below zero"] += bounds.high < 0
    return counts


def share_verdicts(n: int, discordant: float, runs: int) -> Counter[str]:
    rng = np.random.default_rng([n, round(1000 * discordant)])
    counts: Counter[str] = Counter()
    for _ in range(runs):
        change = rng.choice([-1, 0, 1], n, p=[discordant / 2, 1 - discordant, discordant / 2])
        drawn = MeanDifference(np.zeros(n), change).resample(RESAMPLES, rng)
        bounds = interval(drawn, n)
        counts[status_of(float(change.mean()), bounds, margin_of("3cosadd"))] += 1
        counts["below zero"] += bounds.high < 0
    return counts


def row(part: str, n: int, counts: Counter[str], runs: int, **more: float) -> dict[str, object]:
    names = ("lost", "gained", "retained", "inconclusive", "below zero")
    return {"part": part, "n": n, **more, **{name: counts[name] / runs for name in names}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="runs of the null")
    parser.add_argument("--power-runs", type=int, default=200, help="runs of each planted loss")
    parser.add_argument("--method", choices=["percentile", "bca"], default="percentile")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    start = time.perf_counter()
    rows = []

    def add(entry: dict[str, object]) -> None:
        rows.append(entry)
        shown = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items())
        print("  ".join(shown), flush=True)

    for n in ITEMS:
        for agreement in AGREEMENTS:
            found = verdicts(n, 0.0, agreement, options.runs, options.method)
            add(row("null", n, found, options.runs, agreement=agreement))
    for n in (100, 1000, 19_544):
        found = share_verdicts(n, 0.1, options.runs)
        add(row("shares", n, found, options.runs, discordant=0.1))
    for n in ITEMS:
        for loss in LOSSES:
            found = verdicts(n, loss, 0.9, options.power_runs, options.method)
            sees = detectable_correlation(n, ORIGINAL, 0.9)
            add(row("power", n, found, options.power_runs, loss=loss, detectable=sees))
    print(f"{time.perf_counter() - start:.0f} s, {options.method}, {RESAMPLES} resamples, margin "
          f"{margin_of('spearman')} and {margin_of('3cosadd')}")  # fmt: skip
    if options.json:
        with replacing(options.json) as partial:
            partial.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
