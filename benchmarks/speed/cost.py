"""What the neighbors of every word cost: terms that mean something, fitted to measured runs.

    python -m benchmarks.speed.cost                    # the fit, its errors and the predictions
    python -m benchmarks.speed.cost --write            # the same as docs/explanation/cost.md
    python -m benchmarks.speed.cost --measure 10000 20000 --dimensions 50

A run is told by what has to be done for it (`work_of`, `work_on_a_card`), counted from the
engine's own constants. Seconds for one of each are fitted by least squares of relative errors, none
below 0. Processor seconds of the interpreter's thread are kept apart from those of the threads that
it starts, as only these become fewer with more of them.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isqrt, log
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from driftkit.neighbors.export.rows import words_together
from driftkit.neighbors.export.write import SHARES
from driftkit.neighbors.search.card import SLACK as CARD_SLACK
from driftkit.neighbors.search.exact import COARSE_SLACK, ENTRY_BYTES, LEAST_TOGETHER, MEMORY
from driftkit.neighbors.search.incremental import MOSTLY_CHANGED, RESERVE
from driftkit.neighbors.search.tiled import STRETCH_BYTES, tile_for, tiles_of

RUNS = Path(__file__).with_name("cost.csv")
K = 10
DEPTH = K + max(RESERVE, COARSE_SLACK + K // 4)
SMALL = 50_000  # rows of the tables that predict those of more
CARD_SMALL = 400_000
HERE, CARD, XEON = "EPYC", "H100", "Xeon"
Work = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """A measurement. Of `seconds` (of the processor, or on a clock), `serial` were one thread's."""

    machine: str
    engine: str  # what was multiplied; of an earlier engine its commit
    threads: int
    what: str
    n: int
    d: int
    moved: float
    asked: int  # words; of "tiles" the rows of one
    seconds: float
    serial: float

    @property
    def parallel(self) -> float:
        return self.seconds - self.serial


def read(path: Path = RUNS) -> list[Run]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Run(
                row["machine"], row["engine"], int(row["threads"]), row["what"], int(row["n"]),
                int(row["d"]), float(row["moved"]), int(row["asked"]), float(row["seconds"]),
                float(row["serial"] or 0),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def chosen(runs: Iterable[Run], **having: object) -> list[Run]:
    """Runs whose fields have these values."""
    return [
        run for run in runs if all(getattr(run, name) == value for name, value in having.items())
    ]


# What has to be done.


def pairs(n: float, moved: float, asked: float) -> tuple[float, float]:
    """Products of two words that each of the two spaces takes.

    >>> pairs(1_000, 0.5, 1_000), pairs(1_000, 0.5, 100)
    ((500000.0, 375000.0), (100000, 75000.0))
    """
    both = asked * n / 2 if asked == n else asked * n
    return both, both if moved > MOSTLY_CHANGED else both * (2 * moved - moved**2)


def work_of(n: int, d: int, moved: float, asked: float | None = None) -> Work:
    """What a processor does for the neighbors of `asked` words in both spaces; of all unless given.

    Where the lists of all do not fit into `MEMORY`, they are made in several parts, each of which
    meets every row: then no product serves two words.
    """
    if asked is None or asked == n:
        parts = ceil(n / (MEMORY // (ENTRY_BYTES * DEPTH)))
        if parts > 1:
            return times(parts, work_of(n, d, moved, n / parts))
        asked = n
    products = sum(pairs(n, moved, asked))
    entered, decided = log(n / DEPTH), 1 + 1.4 * moved  # the second space fills few: it is known
    if asked < n and DEPTH < moved * n <= MOSTLY_CHANGED * n:
        entered += (1 - moved) * log(moved * n / DEPTH)  # but what offers to the others is not
        decided += 1 - moved
    return {
        "products": products * 4 * ceil(d / 4),
        "looks": products,
        "heaps": asked * DEPTH * entered,
        "decided": asked * DEPTH * decided * d,
        "encoded": 2 * d * (n if asked == n else n + asked),
        "words": asked,
        "rows": n,
    }


def work_on_a_card(n: int, d: int, asked: float | None = None, spaces: int = 2) -> Work:
    """What a card does: each space is searched whole, and every table is sent."""
    asked = n if asked is None else asked
    return {
        "products": spaces * asked * n * 32 * ceil(d / 32),
        "looks": spaces * asked * n,
        "table": spaces * n * d,
        "decided": spaces * asked * (K + CARD_SLACK) * d,
        "words": spaces * asked,
    }


def fits_a_card(n: int, d: int) -> bool:
    """Whether one holds a table, room for a second, and one in float16."""
    return 12.0 * n * d < 80e9


def only(work: Work, *names: str) -> Work:
    return {name: work[name] for name in names}


def times(many: float, work: Work) -> Work:
    return {name: many * amount for name, amount in work.items()}


# What one of each takes.

PARALLEL = ("products", "looks", "heaps", "decided", "encoded")
SERIAL = ("words", "rows")
ON_A_CARD = ("products", "looks", "table", "decided", "words")


def fitted(works: Sequence[Work], seconds: Sequence[float], terms: Sequence[str]) -> Work:
    """Seconds that one of each term takes, none below 0: least squares of relative errors.

    >>> fitted([{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 8.0}], [3.0, 12.0], ["a", "b"])
    {'a': 2.0, 'b': 1.0}
    """
    rows = [
        [work.get(term, 0) / took for term in terms]
        for work, took in zip(works, seconds, strict=True)
    ]
    matrix = np.array(rows)
    size = np.where(matrix.any(axis=0), matrix.max(axis=0), 1)
    cost, _ = nnls(matrix / size, np.ones(len(rows)))
    return dict(zip(terms, (float(f"{each:.12g}") for each in cost / size), strict=True))


def cost_of(work: Work, cost: Work) -> float:
    """Seconds of work, of the terms that have a cost."""
    return sum(each * work.get(term, 0) for term, each in cost.items())


@dataclass(frozen=True, slots=True)
class Processor:
    """One core: seconds of each term that threads share, and of those that one thread does."""

    parallel: Work
    serial: Work

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Processor:
        works = [work_of(run.n, run.d, run.moved, run.asked) for run in runs]
        return cls(
            fitted(works, [run.parallel for run in runs], PARALLEL),
            fitted(works, [run.serial for run in runs], SERIAL),
        )

    def seconds(self, work: Work, threads: int = 1, slower: float = 1.0) -> float:
        return slower * cost_of(work, self.parallel) / threads + cost_of(work, self.serial)


def card_of(runs: Sequence[Run]) -> Work:
    """Seconds of each term on a card, from whole runs and from parts of one that were timed."""
    return fitted([_on_a_card(run) for run in runs], [run.seconds for run in runs], ON_A_CARD)


def _on_a_card(run: Run) -> Work:
    whole, one = work_on_a_card(run.n, run.d), work_on_a_card(run.n, run.d, spaces=1)
    parts = {
        "both": whole,
        "one space": one,
        "pass": only(one, "products", "looks"),
        "table": only(one, "table"),
    }
    return parts[run.what]


def errors(runs: Sequence[Run]) -> list[float]:
    """Errors of what tables of up to `SMALL` rows predict for larger ones, as shares."""
    processor = Processor.of([run for run in runs if run.n <= SMALL])
    return [
        processor.seconds(work_of(run.n, run.d, run.moved, run.asked)) / run.seconds - 1
        for run in runs
        if run.n > SMALL
    ]


def card_errors(runs: Sequence[Run]) -> list[float]:
    """Errors for larger tables on a card, predicted from those of up to `CARD_SMALL` rows."""
    cost = card_of([run for run in runs if run.n <= CARD_SMALL])
    return [cost_of(_on_a_card(run), cost) / run.seconds - 1 for run in runs if run.n > CARD_SMALL]


# More threads.


def waiting(areas: Sequence[float], threads: int) -> float:
    """How much longer threads take that fetch the next of some tiles than if none ever waited.

    >>> waiting([1, 1, 1], 2), waiting([1, 1, 1, 1], 2)
    (1.3333333333333333, 1.0)
    """
    free = [0.0] * threads
    for area in areas:
        heapq.heapreplace(free, free[0] + area)
    return max(free) * threads / sum(areas)


@dataclass(frozen=True, slots=True)
class Tiles:
    """How n rows of d numbers are cut, in as many bytes each as their codes take."""

    n: int
    d: int
    product: str = "int8"

    def rows(self, threads: int) -> int:
        """Rows of a tile, where panels have 64 columns."""
        stretch = STRETCH_BYTES // (4 * self.d)
        row_bytes = 4 * (self.d if self.product == "float32" else ceil(self.d / 4))
        return max(1, tile_for(row_bytes, min(self.n, stretch), threads) // 64) * 64

    def waits(self, threads: int) -> float:
        """How long threads wait within a stretch, as `waiting`."""
        n = min(self.n, STRETCH_BYTES // (4 * self.d))
        tiles = tiles_of(n, n, self.rows(threads), same=True)
        areas = (tiles[:, 1] - tiles[:, 0]) * (tiles[:, 3] - tiles[:, 2])
        return waiting(areas.tolist(), threads)

    def slower(self, threads: int, order: float) -> float:
        """How much longer the tiles of so many threads take than those of one; see `ordering`."""
        return (1 + order / self.rows(threads)) / (1 + order / self.rows(1))


def ordering(runs: Sequence[Run]) -> float:
    """Rows of a tile whose columns take as long to be put in order as to be multiplied."""
    least = {run.d: min(each.seconds for each in chosen(runs, d=run.d)) for run in runs}
    works = [{"all": 1.0, "order": 1 / run.asked} for run in runs]
    cost = fitted(works, [run.seconds / least[run.d] for run in runs], ("all", "order"))
    return cost["order"] / cost["all"]


def faster(one: Run, threads: int, order: float) -> float:
    """How many times as fast as one thread several are, if memory and clock let them."""
    tiles, share = Tiles(one.n, one.d, one.engine), one.serial / one.seconds
    slow = tiles.slower(threads, order) * tiles.waits(threads)
    return 1 / (share + (1 - share) / threads * slow)


def old_work(n: int, d: int, moved: float, threads: int) -> Work:
    """What the engine of 0389e60 did: tiles shrank as threads grew; each had steps in Python."""
    tile = min(2_048, max(64, isqrt((1 << 21) // threads) // 64 * 64))
    products = sum(pairs(n, moved, n))
    return {
        "products": products * d / threads,
        "looks": products / threads,
        "tiles": products / tile**2,
        "words": n,
    }


def old_errors(runs: Sequence[Run]) -> list[float]:
    works = [old_work(run.n, run.d, run.moved, run.threads) for run in runs]
    cost = fitted(works, [run.seconds for run in runs], ("products", "looks", "tiles", "words"))
    return [cost_of(work, cost) / run.seconds - 1 for work, run in zip(works, runs, strict=True)]


# More machines.


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster; bytes, and bytes a second."""

    cores: int = 64
    memory: float = 512e9
    network: float = 1.25e9  # from where the tables lie
    cards: int = 0


WORD_BYTES = 200  # that a process takes for a word and its place in both tables (measured)
LAYOUTS = (64, 32, 16, 8, 4, 2, 1)  # processes on a node


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the seconds of `shifts --all -o` go, by part of the work, and how it was laid out."""

    processes: int  # on each node
    parts: int
    seconds: Work

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Model:
    """All that was fitted."""

    processor: Processor
    card: Work
    opened: Work
    written: float  # seconds for a row of the output, in a worker
    joined: float  # and in the client
    unit: float  # seconds for a number of a row that is made ready for a card on the processor
    order: float  # as `ordering` tells

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Model:
        def mean(what: str) -> float:
            some = chosen(runs, what=what)
            return sum(run.seconds for run in some) / sum(run.asked for run in some)

        opens, units = chosen(runs, what="open"), chosen(runs, what="unit rows")
        return cls(
            Processor.of(chosen(runs, machine=HERE, engine="int8", what="both")),
            card_of(chosen(runs, machine=CARD)),
            fitted(
                [{"numbers": 2 * run.n * run.d, "words": 2 * run.n} for run in opens],
                [run.seconds for run in opens],
                ("numbers", "words"),
            ),
            mean("write parquet"),
            mean("join parquet"),
            sum(run.seconds for run in units) / sum(run.n * run.d for run in units),
            ordering(chosen(runs, what="tiles")),
        )

    def plan(self, n: int, d: int, moved: float, nodes: int, node: Node) -> Plan | None:
        """The fastest layout of processes whose memory suffices; None where none does."""
        layouts = [
            self._plan(n, d, moved, nodes, node, processes)
            for processes in ((node.cards,) if node.cards else LAYOUTS)
            if processes <= node.cores and processes * WORD_BYTES * n <= node.memory
        ]
        return min(layouts, key=lambda plan: plan.total, default=None)

    def _plan(self, n: int, d: int, moved: float, nodes: int, node: Node, processes: int) -> Plan:
        size = min(words_together(K), max(LEAST_TOGETHER, ceil(n / SHARES)))
        parts = ceil(n / size)
        rounds = ceil(parts / (nodes * processes))
        table = 8.0 * n * d  # bytes of both
        work, threads = work_of(n, d, moved, size), max(1, node.cores // processes)
        again = max(0.0, table - max(0.0, node.memory - processes * WORD_BYTES * n))
        every = cost_of(work, self.processor.serial)
        if node.cards:
            search = cost_of(work_on_a_card(n, d, size), self.card)
            every += 0 if fits_a_card(n, d) else 2 * n * d * self.unit
        else:
            slower = Tiles(n, d).slower(threads, self.order)
            search = slower * cost_of(work, self.processor.parallel) / threads
        opening = cost_of({"numbers": 2 * n * d, "words": 2 * n}, self.opened)
        return Plan(
            processes,
            parts,
            {
                # The client reads all of it before it shares anything out, then each process does.
                "reading the tables first": 2 * (opening + table / node.network),
                "searching": rounds * search,
                "what one thread does in each part": rounds * every,
                "reading again what memory does not hold": (
                    rounds * processes * again / node.network
                ),
                "writing": rounds * size * self.written,
                "joining": n * self.joined,
            },
        )


TABLES = ((3_000_000, 300), (30_000_000, 128), (1_000_000_000, 128))
NODES = (1, 8, 64)
MOVED = 0.05


def spread(runs: Sequence[Run], n: int, d: int, threads: int, draws: int = 200) -> float:
    """How far a prediction may be off, as a share: 90 % of refits to as many runs drawn anew."""
    draw = np.random.default_rng(0)
    work = work_of(n, d, MOVED, words_together(K))
    whole = Processor.of(runs).seconds(work, threads)
    found = []
    for _ in range(draws):
        some = [runs[at] for at in draw.integers(0, len(runs), len(runs))]
        found.append(Processor.of(some).seconds(work, threads) / whole)
    low, high = np.quantile(found, [0.05, 0.95])
    return float(max(1 - low, high - 1))


# Measuring.


def measured(n: int, d: int, moved: float, asked: int, product: str, repeats: int) -> Run:
    """Processor seconds of both spaces on one thread: the least of some tries."""
    from benchmarks.speed.neighbors import tuned
    from driftkit.arrays import changed_rows, row_norms
    from driftkit.neighbors.search.incremental import Spaces, nearest_in_both

    before = made_up(n, d)
    after = tuned(before, moved)
    changed = changed_rows(before, after)
    spaces = Spaces(before, after, row_norms(before), row_norms(after), changed)
    rows = np.sort(np.random.default_rng(5).choice(n, asked, replace=False))
    took = min(
        clock(lambda: nearest_in_both(spaces, rows, K, product=product))  # type: ignore[arg-type]
        for _ in range(repeats)
    )
    return Run(HERE, product, 1, "both", n, d, moved, asked, *took)


def clock(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor in all threads, and in this one."""
    start = time.process_time(), time.thread_time()
    work()
    return time.process_time() - start[0], time.thread_time() - start[1]


def made_up(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Rows in families of twenty, made in little memory."""
    draw = np.random.default_rng(seed)
    centers = draw.normal(size=(max(1, n // 20), d)).astype(np.float32)
    rows = centers[draw.integers(0, len(centers), n)]
    for start in range(0, n, 20_000):
        some = rows[start : start + 20_000]
        some += draw.normal(size=some.shape)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("--measure", type=int, nargs="+", metavar="N", help="print runs instead")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[50, 128, 300])
    parser.add_argument("--moved", type=float, nargs="+", default=[0.05, 1.0])
    parser.add_argument("--asked", type=int, help="words asked about; all unless given")
    parser.add_argument("--product", choices=["int8", "float32"], default="int8")
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    if given.measure is None:
        from benchmarks.speed.cost_page import PAGE, page_of

        page = page_of(read())
        if given.write:
            PAGE.write_text(page, encoding="utf-8")
        else:
            print(page, end="")
        return
    import torch

    torch.set_num_threads(1)
    measured(2_000, 50, 0.05, 2_000, given.product, 1)  # compiles, or reads what was compiled
    for n in given.measure:
        for d in given.dimensions:
            for moved in given.moved:
                run = measured(n, d, moved, given.asked or n, given.product, given.repeats)
                print(line_of(run), flush=True)


def line_of(run: Run) -> str:
    """A line of the file of runs."""
    return (
        f"{run.machine},{run.engine},{run.threads},{run.what},{run.n},{run.d},{run.moved:g},"
        f"{run.asked},{run.seconds:.3f},{run.serial:.3f}"
    )


if __name__ == "__main__":
    main()
