"""Three years of weekly retrains by seeds that no rule was chosen on: false alarms, and power.

    python -m benchmarks.validity.year --folder retrains    trains, audits and plants, then reports
    python -m benchmarks.validity.year                      reports from `year.csv` beside this file

Weeks of three recipes are trained and audited. The rules of the default profile on a baseline then
judge each week against the weeks before it. Damage is noise in every row of a trained table, as
wide as lowers the score of that very table by so many margins. The rules on words, which such noise
breaks first, are left out of what is said about damage.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import beta
from torch import nn

import driftkit as dk
from benchmarks.validity.retrains import DIRECT, STAGED, Matrix, Year, as_run, retrained
from driftkit.atomic import replacing
from driftkit.demo import BATCH, EPOCHS, HEAD_RATE, Task, ValenceModel, read_task
from driftkit.provenance import Source
from driftkit.training.schedules import SlantedTriangular
from driftkit.training.unfreezing import AtEpoch, Stage, Unfreezing, freeze_then_unfreeze

FIRST = 10_000  # the first seed of a recipe; those of `retrains.py` are lower
WEEKS = {"direct": 156, "staged": 52, "gradual": 52}
MARGINS = {"ws353": 0.02, "simlex999": 0.02, "google": 0.01}
GRADES, FEW = (0.5, 1, 1.5, 2, 3), 52  # margins planted
LEAD, CREEP, PER_WEEK = 5, 15, 0.1  # weeks before a creeping loss, weeks of it, margins a week
WIDTHS = {"ws353": 0.25, "simlex999": 0.42, "google": 0.085}  # of noise that takes one margin
NEAR, STEPS = 0.03, 25


def gradual(original: dk.Embeddings, seed: int) -> Matrix:
    """Thaw the head, the body and the table one epoch after another, by slanted rates."""
    task: Task = read_task(original, seed)
    generator = torch.Generator().manual_seed(seed)
    model = ValenceModel(torch.from_numpy(np.array(original.matrix)), generator)
    layers = torch.optim.Adam([*model.hidden.parameters(), *model.out.parameters()], HEAD_RATE)
    table = torch.optim.SparseAdam(model.embedding.parameters(), DIRECT.rate)
    stages = (
        Unfreezing(
            layers,
            [
                Stage(model.out, AtEpoch(0), HEAD_RATE),
                Stage(model.hidden, AtEpoch(1), HEAD_RATE / 2.6),
            ],
        ),
        freeze_then_unfreeze(table, model.embedding, AtEpoch(2), DIRECT.rate / 2.6**2),
    )
    examples = torch.from_numpy(np.flatnonzero(~task.held_out))
    steps = EPOCHS * -(-len(examples) // BATCH)
    schedules = [SlantedTriangular(each, steps) for each in (layers, table)]
    rows, ratings = torch.from_numpy(task.rows), torch.from_numpy(task.ratings)
    for epoch in range(EPOCHS):
        for batch in examples[torch.randperm(len(examples), generator=generator)].split(BATCH):
            layers.zero_grad()
            table.zero_grad()
            predicted = model(rows[batch], train_table=epoch >= 2)
            nn.functional.mse_loss(predicted, ratings[batch]).backward()
            layers.step()
            table.step()
            for schedule in schedules:
                schedule.step()
        for stage in stages:
            stage.end_epoch()
    return model.embedding.weight.detach().numpy()


RECIPES: dict[str, Callable[[dk.Embeddings, int], Matrix]] = {
    "direct": lambda original, seed: retrained(original, DIRECT, seed),
    "staged": lambda original, seed: retrained(original, STAGED, seed),
    "gradual": gradual,
}


class Tables:
    """Tables trained by a recipe and a seed; of each the rows that moved are kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.year = Year(folder)
        self.original = self.year.original
        self.found: dict[tuple[str, float], float] = {}

    def table(self, recipe: str, seed: int) -> Matrix:
        path = self.year.folder / f"{recipe}-{seed}.npz"
        if not path.exists():
            found = RECIPES[recipe](self.original, seed)
            rows = np.flatnonzero((found != self.original.matrix).any(axis=1))
            with replacing(path) as partial, partial.open("wb") as file:
                np.savez(file, rows=rows, vectors=found[rows])
        kept = np.load(path)
        matrix = np.array(self.original.matrix)
        matrix[kept["rows"]] = kept["vectors"]
        return matrix

    def week(self, recipe: str, seed: int):
        return self.year.week(f"{recipe} {seed}", lambda: self.embeddings(self.table(recipe, seed)))

    def embeddings(self, matrix: Matrix) -> dk.Embeddings:
        return dk.Embeddings(self.original.words, matrix, source=Source("candidate"))

    def damaged(self, seed: int, benchmark: str, margins: float) -> float:
        """Return the change of a benchmark in a direct week that lost some margins more by noise.

        The width of the noise is sought until the loss is right to `NEAR` margins.
        """
        matrix, unit = self.table("direct", seed), MARGINS[benchmark]
        widths = np.linalg.norm(matrix, axis=1, keepdims=True) / np.sqrt(matrix.shape[1])
        rng = np.random.default_rng([seed, len(benchmark)])
        noise = widths * rng.standard_normal(matrix.shape, np.float32)
        score = partial(self.score, benchmark)
        whole = score(matrix)
        scale = self.found.get((benchmark, margins), WIDTHS[benchmark] * margins**0.5)
        for _ in range(STEPS):
            now = score(matrix + np.float32(scale) * noise)
            lost = (whole - now) / unit
            if abs(lost - margins) <= NEAR:
                self.found[benchmark, margins] = scale  # where the next week begins
                return now - self.original_scores[benchmark]
            # The loss grows with about the square of the width, so this is nearly Newton's step.
            scale *= np.clip(margins / lost, 0.25, 4) ** 0.5 if lost > 0 else 1.5
        raise RuntimeError(f"no noise takes {margins} margins of {benchmark} from seed {seed}.")

    def score(self, benchmark: str, matrix: Matrix) -> float:
        return float(dk.score(self.embeddings(matrix), [benchmark]).results[0].value)

    @cached_property
    def original_scores(self) -> dict[str, float]:
        return {name: self.score(name, self.original.matrix) for name in MARGINS}


def measured(tables: Tables, part: int, parts: int) -> None:
    """Train and audit every week, and plant every damage; what is kept is not made again."""
    for n, (recipe, count) in enumerate(WEEKS.items()):
        for seed in range(FIRST, FIRST + count):
            if (seed + n) % parts == part:
                tables.week(recipe, seed)
    for seed, benchmark, margins in planted():
        path = tables.year.folder / f"damage-{seed}-{benchmark}-{margins:g}.txt"
        if seed % parts == part and not path.exists():
            value = tables.damaged(seed, benchmark, margins)
            with replacing(path) as partial_file:
                partial_file.write_text(repr(value))
            print(f"{path.stem}: {value:+.4f}", file=sys.stderr, flush=True)


def planted() -> Iterator[tuple[int, str, float]]:
    """Yield the seed, the benchmark and the margins of each damage."""
    for benchmark in MARGINS:
        # The analogies take seconds a question, so fewer weeks are damaged in them.
        weeks = FEW if benchmark == "google" else WEEKS["direct"]
        for seed, margins in product(range(FIRST, FIRST + weeks), GRADES):
            yield seed, benchmark, margins
        for seed, margins in creeping_weeks():
            if margins:
                yield seed, benchmark, margins


def creeping_weeks() -> Iterator[tuple[int, float]]:
    """Yield the seed of each week of the creeping years, and the margins lost by then."""
    for begin in range(FIRST, FIRST + WEEKS["direct"] - LEAD - CREEP + 1, LEAD + CREEP):
        for n in range(LEAD + CREEP):
            yield begin + n, round(PER_WEEK * max(n + 1 - LEAD, 0), 9)


if __name__ == "__main__":
    torch.set_num_threads(1)
    measured(Tables(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]))
