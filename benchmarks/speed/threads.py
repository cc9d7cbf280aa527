"""Neighbors in both spaces by the number of threads, and the same bytes from each.

python -m benchmarks.speed.threads                            # 1, 2, 4, 8, 16 threads
python -m benchmarks.speed.threads --rows 100000 --dimensions 50 --threads 1 16
"""

from __future__ import annotations

import argparse
import hashlib
import time

import numpy as np
import torch

from benchmarks.speed.neighbors import K, tuned, unit, vectors
from benchmarks.speed.peers import product_alone
from driftkit.arrays import changed_rows, row_norms
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.incremental import Spaces, nearest_in_both
from driftkit.neighbors.search.tiled import fastest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[50, 300])
    parser.add_argument("--moved", type=float, nargs="+", default=[0.05, 1.0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--product", choices=["int8", "float32"])
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    nearest(vectors(2_000, 50), np.arange(2_000), K)  # compiles, or reads what was compiled
    print(f"torch {torch.__version__}")
    for d in given.dimensions:
        before = vectors(given.rows, d)
        rows = unit(before)
        for moved in given.moved:
            after = tuned(before, moved)
            changed = changed_rows(before, after)
            spaces = Spaces(before, after, row_norms(before), row_norms(after), changed)
            one = 0.0
            for threads in given.threads:
                torch.set_num_threads(threads)
                seconds, g = [], [product_alone(rows)]
                for _ in range(given.repeats):
                    start = time.perf_counter()
                    found = nearest_in_both(
                        spaces, np.arange(len(before)), K, product=given.product
                    )
                    seconds.append(time.perf_counter() - start)
                    g.append(product_alone(rows))
                digest = hashlib.sha256()
                for part in (part for each in found for part in each):
                    digest.update(part.tobytes())
                one = one or min(seconds)
                print(
                    f"{given.product or fastest(d):7}  n {len(before):,}  d {d:>3}  "
                    f"moved {moved:>4.0%}  {threads:>3} threads"
                    f"{min(seconds):>8.2f} s {min(seconds) / min(g):>6.2f} G "
                    f"{one / min(seconds):>6.1f} times the first  {digest.hexdigest()[:12]}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
