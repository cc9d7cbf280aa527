"""Whole-space measures and whole audits: how long they take, on an idle machine.

python -m benchmarks.speed.space                      # 400,000 rows, d = 50 and 300
python -m benchmarks.speed.space --audit ORIGINAL TUNED
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.speed.neighbors import forget_peak, memory, tuned, vectors
from driftkit import Embeddings, align, audit, load
from driftkit.drift import space_drift, word_drift

TARGET = 15.0
AUDIT_TARGET = 25.0


def measures(n: int, d: int) -> None:
    before = vectors(n, d)
    words = [f"w{row}" for row in range(len(before))]
    pair = align(Embeddings(words, before), Embeddings(words, tuned(before, 0.05)))
    forget_peak()
    at_rest = memory("VmHWM")
    for name, function in (("space", space_drift), ("words", word_drift)):
        start = time.perf_counter()
        function(pair)
        seconds = time.perf_counter() - start
        target = f"  target {TARGET:.0f} s" if (name, d) == ("space", 300) else ""
        print(f"n {len(pair):,}  d {d}  {name}: {seconds:.1f} s{target}", flush=True)
    grown = memory("VmHWM") - at_rest
    print(f"  peak memory grew by {grown:.0f} MB")


def whole_audit(original: str, tuned_: str) -> None:
    stages: dict[str, float] = {}

    def note(stage: str, *_: int) -> None:
        stages.setdefault(stage, time.perf_counter())

    start = time.perf_counter()
    pair = align(load(original), load(tuned_))
    loaded = time.perf_counter()
    audit(pair, progress=note)
    end = time.perf_counter()
    print(f"load and join: {loaded - start:.1f} s")
    times = [*stages.values(), end]
    for stage, begun, ended in zip(stages, times, times[1:], strict=False):
        print(f"{stage}: {ended - begun:.1f} s")
    print(f"all: {end - start:.1f} s  target {AUDIT_TARGET:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--dimensions", type=int, nargs="*", default=[50, 300])
    parser.add_argument("--audit", nargs=2, metavar=("ORIGINAL", "TUNED"))
    given = parser.parse_args()
    if given.audit:
        whole_audit(*given.audit)
        return
    np.seterr(all="raise", under="ignore")
    for d in given.dimensions:
        measures(given.rows, d)


if __name__ == "__main__":
    main()
