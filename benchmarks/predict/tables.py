"""The study's cells trained again, keeping the table of each and the classifier of each frozen one.

A finished cell is an archive in a folder and is never trained again. It holds the `table` (n, d),
the labels `predicted` of the test sentences, accuracies on `test` and `dev`, the processor's
`seconds`, and, where the table was frozen, the classifier's `model.*`.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.forgetting.cell import Cell, trained
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.study import ROWS, SCARCE_EPOCHS, grid
from benchmarks.forgetting.tasks import FILES
from driftkit.atomic import replacing

FROZEN = "frozen"
FURTHER = 3  # one more seed of the cheapest settings
SCARCE = 0.01


def cells():
    """Return every cell of the study that starts from the original vectors, and a further seed."""
    names = [name for name, recipe in RECIPES.items() if not recipe.random]
    return [cell for cell in grid(False) if cell.recipe in names] + [
        Cell(task, "mlp", name, FURTHER, SCARCE, SCARCE_EPOCHS[SCARCE], ROWS)
        for task in FILES
        for name in names
    ]


def path_of(folder, cell):
    return folder / f"{cell.key}.npz"


def train_all(folder, glove, part=0, parts=1):
    """Train what is not there yet of one of several parts of the cells."""
    folder.mkdir(parents=True, exist_ok=True)
    for cell in cells()[part::parts]:
        if not path_of(folder, cell).exists():
            keep(path_of(folder, cell), cell, glove)
            print(cell.key, flush=True)


def keep(path, cell, glove, texts=None):
    """Train a cell and write its archive."""
    began = time.process_time()
    done = trained(cell, RECIPES[cell.recipe], glove, texts)
    arrays = {
        "table": done.table.weight.detach().numpy(),
        "predicted": done.predicted,
        "test": done.looks[-1]["test"],
        "dev": done.looks[-1]["dev"],
    }
    if cell.recipe == FROZEN:
        arrays |= {f"model.{name}": each.numpy() for name, each in done.model.state_dict().items()}
    with replacing(path) as partial:
        np.savez(partial, seconds=time.process_time() - began, **arrays)


def reader_of(path, cell, d, classes):
    """Return the classifier that a frozen cell trained on the original vectors."""
    import torch

    model = MODELS[cell.model](d, classes)
    with np.load(path) as kept:
        state = {
            name.removeprefix("model."): torch.from_numpy(kept[name])
            for name in kept.files
            if name.startswith("model.")
        }
    model.load_state_dict(state)
    return model.eval()
