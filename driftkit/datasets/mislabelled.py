"""Files in circulation that do not hold what their name says.

Both come from the collection ``vecto-ai/word-benchmarks``. A score on either would be compared with
published scores of another benchmark, so they are refused.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from driftkit.datasets.benchmarks import Benchmark, SimilarityBenchmark
from driftkit.errors import BenchmarkError

NOT_SIMLEX = {
    ("old", "new"): 0.0,
    ("smart", "intelligent"): 9.76923076923077,
    ("hard", "difficult"): 9.692307692307692,
    ("happy", "cheerful"): 9.307692307692308,
    ("hard", "easy"): 0.0,
    ("fast", "rapid"): 9.846153846153847,
}
"""The first ratings of the ``simlex999.csv`` that is not SimLex: its pairs, rated anew."""

YP130 = {("brag", "boast"), ("concoct", "devise"), ("accentuate", "highlight")}
"""Pairs of YP-130 that VERB-143 does not have."""


def refuse_mislabelled(path: Path, benchmark: Benchmark) -> None:
    """Refuse the two files known to hold something else than their name says.

    Raises
    ------
    BenchmarkError
        With what the file holds, and the name of the right benchmark.
    """
    if not isinstance(benchmark, SimilarityBenchmark):
        return
    ratings = dict(zip(benchmark.pairs, benchmark.gold.tolist(), strict=True))
    if all(
        math.isclose(ratings.get(pair, -1), rated, abs_tol=0.05)
        for pair, rated in NOT_SIMLEX.items()
    ):
        raise BenchmarkError(
            f"{path} is not SimLex-999: it has the pairs of SimLex-999 with other ratings (old and "
            "new get 0.0 instead of 1.58), so its scores compare with nothing published; use the "
            "name simlex999."
        )
    called = re.sub(r"[^a-z0-9]", "", path.stem.casefold())
    if "verb143" in called and ratings.keys() >= YP130:
        raise BenchmarkError(
            f"{path} is not VERB-143: it holds YP-130; use the name verb143 for the one and yp130 "
            "for the other."
        )
