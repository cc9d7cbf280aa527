"""From finished cells to a frame with a line for each, and what is computed from that frame.

Everything the pages say is computed from the lines of ``results.csv``; the runs are not needed.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from scipy.stats import t as student

from driftkit.atomic import replacing

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
DIGITS = "%.12g"  # fewer tie values whose ranks a correlation needs
LONG = ("predicted", "gold", "epochs_log")
CONFIDENCE = 0.95


def collect(folder):
    """Return the finished cells of a folder of runs, each with its distance from the frozen model.

    *disagreement* is the share of test sentences that the frozen model of the same seed labels
    differently. A family's column is the mean change of its benchmarks, and *kept* the mean of
    similarity and analogies.
    """
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    if not records:
        raise SystemExit(f"no cell is finished in {folder}; run the study first.")
    cells = pd.DataFrame(records)
    frozen = {
        (*map(cell.get, SETTING), cell["seed"]): letters(cell["predicted"])
        for cell in records
        if cell["recipe"] == "frozen"
    }
    derived = {
        "disagreement": [
            float((letters(cell["predicted"]) != frozen[key]).mean()) if key in frozen else np.nan
            for cell in records
            for key in [(*map(cell.get, SETTING), cell["seed"])]
        ]
    }
    for family, names in FAMILIES.items():
        columns = [f"delta[{name}]" for name in names if f"delta[{name}]" in cells]
        derived[family] = cells[columns].mean(axis=1) if columns else np.nan
    bands = [column for column in cells if "[rank " in column]  # of the space; no table shows them
    cells = pd.concat([cells.drop(columns=[*LONG, *bands]), pd.DataFrame(derived)], axis=1)
    return cells.assign(kept=cells[["similarity", "analogies"]].mean(axis=1))


def write_results(cells, path):
    with replacing(path) as partial:
        cells.sort_values([*SETTING, "recipe", "seed"]).to_csv(
            partial, index=False, float_format=DIGITS
        )


def letters(text):
    return np.array(list(text))


def gains(cells, frozen):
    """Return each cell's *gain*, its accuracy over the frozen model of the same seed."""
    keys = [*SETTING, "seed"]
    known = cells[[*keys, "test", "disagreement", "n_test"]]
    paired = known.merge(frozen[[*keys, "test"]], on=keys, suffixes=("", "_frozen"))
    return paired.assign(gain=paired["test"] - paired["test_frozen"])


def gain_interval(cells, frozen):
    """Return the accuracy gained over frozen and its 95 % interval over seeds and test sentences.

    Settings count the same each. The variance is that of the seeds, within each setting, plus that
    of the test sentences. Of the latter a line of results tells only the most it can be: where one
    of two models is right and the other is not, they disagree, so the gains of single sentences
    (1, 0 or -1) vary by no more than disagreement - gain^2. Seeds, and settings of one task, are
    tested on the same sentences and are taken to err alike; tasks err on their own. So the true
    interval can be narrower and is not wider, but for what three seeds cannot show.
    """
    settings = [
        (task, some) for (task, *_), some in gains(cells, frozen).groupby(SETTING, sort=True)
    ]
    means = [some["gain"].mean() for _, some in settings]
    of_seeds, freedom, of_sentences = 0.0, 0, {}
    for task, some in settings:
        if len(some) > 1:
            of_seeds += some["gain"].var() / len(some) / len(settings) ** 2
            freedom += len(some) - 1
        most = (some["disagreement"] - some["gain"] ** 2).clip(lower=0)
        error = np.sqrt((most / some["n_test"]).mean()) / len(settings)
        of_sentences[task] = of_sentences.get(task, 0.0) + error
    variance = of_seeds + sum(error**2 for error in of_sentences.values())
    # Welch and Satterthwaite: only the seeds' part has few degrees of freedom.
    degrees = freedom * (variance / of_seeds) ** 2 if of_seeds else np.inf
    width = student.ppf((1 + CONFIDENCE) / 2, degrees) * np.sqrt(variance)
    return np.mean(means), np.mean(means) - width, np.mean(means) + width


def scatter_over_settings(cells, frozen):
    """Return half the 95 % interval of the mean gain, were the settings a sample of settings."""
    means = gains(cells, frozen).groupby(SETTING)["gain"].mean()
    n = len(means)
    return student.ppf((1 + CONFIDENCE) / 2, n - 1) * means.std() / np.sqrt(n) if n > 1 else np.nan


def pareto(points):
    """Return the names that no other beats on both coordinates, from the left to the right."""
    return [
        name
        for name, (x, y) in sorted(points.items(), key=lambda item: item[1])
        if not any(a >= x and b >= y and (a, b) != (x, y) for a, b in points.values())
    ]


def points_of(cells):
    """Return a setting's recipes by what they kept and their test accuracy, means over seeds."""
    known = cells.dropna(subset=["kept"])
    return {
        name: (float(each["kept"].mean()), float(each["test"].mean()))
        for name, each in known.groupby("recipe")
    }
