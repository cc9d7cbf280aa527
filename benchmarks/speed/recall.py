"""Recall and time of approximate libraries, and of the exact engine beside them.

Every row asks for its ten neighbors. Processor seconds of one thread, so that a busy machine
matters little: making the index, then the search of 20,000 words, scaled up to all. Recall is that
of 1,000 other words. A library that is in the file is not measured again, so a stopped run goes on:

    python -m benchmarks.speed.recall --rows 50000 400000 --into recall.jsonl
    python -m benchmarks.speed.recall --into recall.jsonl --show

Health, November 2026: faiss-cpu 1.15.1 (September), usearch 2.26.6 (October), pynndescent 0.7.0
(October). The first two have wheels for Python 3.11 to 3.14 on Linux, macOS and Windows; the third
is pure Python and stands on numba, which driftkit needs anyway, and scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before any of them starts its threads

import numpy as np
import torch

from benchmarks.speed.neighbors import tuned, unit, vectors
from driftkit.arrays import changed_rows, row_norms
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.incremental import Spaces, nearest_in_both

K, SAMPLE, TIMED = 10, 1_000, 20_000
Found = np.ndarray  # (m, K) rows
Ask = Callable[[np.ndarray], Found]


def exact(n: int, d: int) -> Iterator[dict]:
    """The engine: one space, and both at 5 % and 100 % moved."""
    rows = vectors(n, d)
    nearest(rows[:3_000], np.arange(3_000), K)  # compiled now
    start = time.process_time()
    nearest(rows, np.arange(n), K)
    yield {"setting": "one space", "seconds": time.process_time() - start, "recall": 1.0}
    for share in (0.05, 1.0):
        after = tuned(rows, share)
        changed = changed_rows(rows, after)
        spaces = Spaces(rows, after, row_norms(rows), row_norms(after), changed)
        start = time.process_time()
        nearest_in_both(spaces, np.arange(n), K)
        yield {
            "setting": f"both spaces, {share:.0%} moved",
            "seconds": time.process_time() - start,
            "recall": 1.0,
        }


def measured(n: int, truth: Found, made: float, ask: Ask) -> dict:
    start = time.process_time()
    asked = min(n, TIMED)
    ask(np.arange(asked))
    searched = (time.process_time() - start) * n / asked
    recall = recall_of(ask(sample_of(n)), truth)
    return {"made": made, "seconds": made + searched, "recall": recall}


def recall_of(held: Found, truth: Found) -> float:
    kept = [len(set(a) & set(b)) for a, b in zip(held.tolist(), truth.tolist(), strict=True)]
    return float(np.mean(kept) / K)


def sample_of(n: int) -> np.ndarray:
    return np.random.default_rng(7).choice(n, SAMPLE, replace=False)


def others(found: np.ndarray, rows: np.ndarray) -> Found:
    """Leave each row itself out of what was found for it."""
    found = np.where(found == rows[:, None], -1, found)
    order = np.argsort(found < 0, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)[:, :K]


def faiss_ivf(n: int, d: int, truth: Found, cells: float = 4) -> Iterator[dict]:
    import faiss

    rows = unit(vectors(n, d))
    count = int(cells * np.sqrt(n))
    start = time.process_time()
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, count, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = 64
    index.train(rows)
    index.add(rows)
    made = time.process_time() - start
    for probes in (2, 4, 8, 16, 32, 64, 128, 256):
        index.nprobe = probes
        row = measured(n, truth, made, lambda q: others(index.search(rows[q], K + 1)[1], q))
        yield {"setting": f"{count} cells, {probes} looked into", **row}


def faiss_ivf_few(n: int, d: int, truth: Found) -> Iterator[dict]:
    return faiss_ivf(n, d, truth, cells=1)


def faiss_hnsw(n: int, d: int, truth: Found) -> Iterator[dict]:
    import faiss

    rows = unit(vectors(n, d))
    start = time.process_time()
    index = faiss.IndexHNSWFlat(d, 16, faiss.METRIC_INNER_PRODUCT)
    index.add(rows)
    made = time.process_time() - start
    for width in (16, 32, 64, 128, 256):
        index.hnsw.efSearch = width
        row = measured(n, truth, made, lambda q: others(index.search(rows[q], K + 1)[1], q))
        yield {"setting": f"efSearch {width}", **row}


def usearch(n: int, d: int, truth: Found) -> Iterator[dict]:
    from usearch.index import Index

    rows = unit(vectors(n, d))
    start = time.process_time()
    index = Index(ndim=d, metric="ip", dtype="f32")
    index.add(np.arange(n), rows, threads=1)
    made = time.process_time() - start
    for width in (32, 64, 128, 256):
        index.expansion_search = width

        def ask(q: np.ndarray) -> Found:
            return others(index.search(rows[q], K + 1, threads=1).keys.astype(np.int64), q)

        yield {"setting": f"expansion {width}", **measured(n, truth, made, ask)}


def pynndescent(n: int, d: int, truth: Found) -> Iterator[dict]:
    from pynndescent import NNDescent

    rows = unit(vectors(n, d))
    NNDescent(rows[:2_000], metric="dot", n_neighbors=15, n_jobs=1, random_state=0)  # compiled
    for width in (15, 30):
        start = time.process_time()
        made = NNDescent(rows, metric="dot", n_neighbors=width, n_jobs=1, random_state=0)
        graph = others(made.neighbor_graph[0].astype(np.int64), np.arange(n))
        seconds = time.process_time() - start
        recall = recall_of(graph[sample_of(n)], truth)
        yield {"setting": f"{width} neighbors", "seconds": seconds, "recall": recall}


LIBRARIES = {
    "faiss IVF, 4 sqrt(n)": faiss_ivf,
    "faiss IVF, sqrt(n)": faiss_ivf_few,
    "pynndescent": pynndescent,
    "faiss HNSW16": faiss_hnsw,
    "usearch": usearch,
}


def write(path: Path, row: dict) -> None:
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 400_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[50])
    parser.add_argument("--only", nargs="+", default=["exact", *LIBRARIES])
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--show", action="store_true", help="print what is there, measure nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    lines = given.into.read_text().splitlines() if given.into.is_file() else []
    done = [json.loads(line) for line in lines]
    if given.show:
        told = [row for row in done if "finished" not in row]
        for row in sorted(told, key=lambda row: (row["n"], row["d"], row["who"], row["seconds"])):
            print(
                f"n {row['n']:>9,}  d {row['d']:>3}  {row['who']:<22}{row['setting']:<30}"
                f"{row['seconds']:>9.1f} s  recall {row['recall']:.4f}"
            )
        return
    finished = {(row["who"], row["n"], row["d"]) for row in done if "finished" in row}
    for d in given.dimensions:
        for n in given.rows:
            truth = nearest(vectors(n, d), sample_of(n), K)[0]
            for who in given.only:
                if (who, n, d) in finished:
                    continue
                for row in exact(n, d) if who == "exact" else LIBRARIES[who](n, d, truth):
                    write(given.into, {"who": who, "n": n, "d": d, **row})
                write(given.into, {"who": who, "n": n, "d": d, "finished": True})


if __name__ == "__main__":
    main()
