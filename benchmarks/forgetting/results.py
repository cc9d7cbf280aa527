"""Finished cells, as a frame, and what is computed from them."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd

SETTING = ["task", "model", "fraction", "epochs", "rows"]
FAMILIES = {
    "similarity": (
        "ws353", "simlex999", "men", "mturk287", "mturk771", "rg65", "mc30", "rw", "simverb3500",
        "verb143", "yp130", "ws353-sim", "ws353-rel",
    ),
    "analogies": ("google", "msr"),
    "categories": ("ap", "bless", "esslli2008"),
    "outliers": ("8-8-8", "wikisem500"),
}  # fmt: skip
RESAMPLES = 2000


def read_cells(folder):
    """All finished cells, with each one's disagreement with the frozen model of its seed.

    A family's column is the mean change of its benchmarks; ``kept`` that of similarity and
    analogies, what was kept of general knowledge.
    """
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    cells = pd.DataFrame(records)
    frozen = {
        (*map(cell.get, SETTING), cell["seed"]): letters(cell["predicted"])
        for cell in records
        if cell["recipe"] == "frozen"
    }
    cells["disagreement"] = [
        float((letters(cell["predicted"]) != frozen[key]).mean()) if key in frozen else np.nan
        for cell in records
        for key in [(*map(cell.get, SETTING), cell["seed"])]
    ]
    for family, names in FAMILIES.items():
        columns = [f"delta[{name}]" for name in names if f"delta[{name}]" in cells]
        cells[family] = cells[columns].mean(axis=1) if columns else np.nan
    cells["kept"] = cells[["similarity", "analogies"]].mean(axis=1)
    return cells


def letters(text):
    return np.array(list(text))


def gain_interval(cells, frozen):
    """Accuracy gained over frozen: mean and 95 % interval over test sentences and seeds.

    Both are resampled: which sentences are tested, and which seeds were drawn. Where there are
    several settings each counts the same; settings of one task are tested on the same resample of
    its sentences.
    """
    right = [
        (setting[0], _gains(some, frozen)) for setting, some in cells.groupby(SETTING, sort=True)
    ]
    rng = np.random.default_rng(0)
    draws = []
    for task, gains in right:
        seeds, n = gains.shape
        means = gains @ resampled(task, n).T  # (seeds, resamples)
        drawn = rng.integers(seeds, size=(seeds, RESAMPLES))
        draws.append(np.take_along_axis(means, drawn, axis=0).mean(axis=0))
    return (
        np.mean([gains.mean() for _, gains in right]),
        *np.quantile(np.mean(draws, axis=0), [0.025, 0.975]),
    )


@cache
def resampled(task, n):
    """How much each of a task's n sentences counts in each resample, (resamples, n)."""
    rng = np.random.default_rng([n, *task.encode()])
    return rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n


def _gains(cells, frozen):
    """1 where only the cell is right, -1 where only the frozen model is, (seeds, sentences)."""
    paired = cells.merge(frozen, on=[*SETTING, "seed"], suffixes=("", "_frozen"))
    return np.array(
        [
            (letters(row.predicted) == letters(row.gold)).astype(float)
            - (letters(row.predicted_frozen) == letters(row.gold))
            for row in paired.itertuples()
        ]
    )


def pareto(points):
    """Names no other beats on both coordinates, from the left to the right."""
    return [
        name
        for name, (x, y) in sorted(points.items(), key=lambda item: item[1])
        if not any(a >= x and b >= y and (a, b) != (x, y) for a, b in points.values())
    ]


def points_of(cells):
    """A setting's recipes by what they kept and their test accuracy, means over seeds."""
    known = cells.dropna(subset=["kept"])
    return {
        name: (float(each["kept"].mean()), float(each["test"].mean()))
        for name, each in known.groupby("recipe")
    }
