"""Which measures tell what consumers do: rank correlations, their intervals, and their ceiling.

A *setting* is a task, a classifier and a share of its sentences. Cells of one setting have much in
common, so intervals are over settings, resampled within tasks, and never over cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from scipy.stats import t as student

from benchmarks.forgetting.recipes import RECIPES
from benchmarks.predict.consumers import CONSUMERS

SETTING = ["task", "model", "fraction"]
GROUP = [*SETTING, "recipe"]
KNOWN = [*SETTING, "recipe", "seed", "epochs", "test", "seconds", "reseeded"]
BASELINES = ("rate", "epochs", "rate x epochs")
FEWEST = 8  # cells below which a rank correlation is not taken


def tuned(rows):
    """The cells in which a table moved, with what is known without looking at a table."""
    cells = rows[rows["moved share"] > 0].reset_index(drop=True)
    rate = cells["recipe"].map({name: recipe.rate for name, recipe in RECIPES.items()})
    return cells.copy().assign(**{"rate": rate, "rate x epochs": rate * cells["epochs"]})


def measures_of(rows):
    """Names of the measures that every tuned table has and that are not all the same."""
    names = [name for name in rows if name not in (*KNOWN, *CONSUMERS, *BASELINES)]
    return [name for name in names if rows[name].notna().all() and rows[name].nunique() > 1]


def spearman(x, y):
    """Rank correlations (m,) of the columns of x (n, m) with y (n,); NaN where one is constant."""
    x, y = (rankdata(each, axis=0).astype(float) for each in (x, y))
    x, y = x - x.mean(axis=0), y - y.mean()
    size = np.sqrt(np.square(x).sum(axis=0) * np.square(y).sum())
    return np.divide(y @ x, size, out=np.full(x.shape[1], np.nan), where=size > 0)


def by_task(cells, x, y):
    """Mean over tasks of the correlations (m,) within each."""
    return mean_within(cells, ["task"], x, y)


def mean_within(cells, keys, x, y):
    """Mean over groups of cells, all if no keys are given, of the correlations (m,) within."""
    groups = cells.groupby(keys).indices.values() if keys else [np.arange(len(cells))]
    found = [spearman(x[places], y[places]) for places in groups if len(places) >= FEWEST]
    known = [[value for value in column if value == value] for column in zip(*found, strict=True)]
    means = [float(np.mean(some)) if some else np.nan for some in known]
    return np.array(means or [np.nan] * x.shape[1])


def table_of(cells, consumer, names):
    """A row for each measure: its correlation over all cells and within each kind of group."""
    x, y = cells[list(names)].to_numpy(float), cells[consumer].to_numpy(float)
    table = pd.DataFrame({"measure": list(names), "all": spearman(x, y)})
    for task, places in cells.groupby("task").indices.items():
        table[task] = spearman(x[places], y[places])
    for label, keys in {
        "tasks": ["task"], "settings": SETTING, "recipes": ["recipe"],
    }.items():  # fmt: skip
        table[f"within {label}"] = mean_within(cells, keys, x, y)
    return table


def spread(cells, x, y):
    """Mean correlations within tasks (m,) with each setting left out, and the task it is of.

    A bootstrap would draw some of the few settings of a task twice and others not at all, which
    lowers correlations: its intervals can leave out the value they are of.
    """
    settings = cells.groupby(SETTING).indices
    kept = [np.setdiff1d(np.arange(len(cells)), places) for places in settings.values()]
    found = [by_task(cells.iloc[some], x[some], y[some]) for some in kept]
    return np.array(found), np.array([task for task, *_ in settings])


def half(without, tasks):
    """Half the 95 % interval (m,) of what was found (s, m) without each of s settings.

    The jackknife within tasks, with Student's t of as many degrees of freedom as there are
    settings, less one a task.
    """
    variance = np.zeros(without.shape[1])
    for task in np.unique(tasks):
        some = without[tasks == task]
        variance += (len(some) - 1) * some.var(axis=0)
    freedom = len(tasks) - len(np.unique(tasks))
    return student.ppf(0.975, freedom) * np.sqrt(variance) if freedom else variance * np.nan


def best(cells, consumer, names):
    """The measure with the strongest mean correlation within the tasks given."""
    x, y = cells[list(names)].to_numpy(float), cells[consumer].to_numpy(float)
    found = by_task(cells, x, y)
    place = int(np.nanargmax(np.abs(found)))
    return names[place], float(found[place])


def held_out(cells, consumer, names):
    """For each task: the best measure of the other two, and what it is worth on this one."""
    rows = []
    for task in cells["task"].unique():
        there, here = cells[cells["task"] != task], cells[cells["task"] == task]
        name, elsewhere = best(there, consumer, names)
        value = spearman(here[[name]].to_numpy(float), here[consumer].to_numpy(float))[0]
        rows.append({"task": task, "measure": name, "others": elsewhere, "held out": float(value)})
    return pd.DataFrame(rows)


def ceilings(cells, consumer, draws_of=100, seed=0):
    """What seeds alone allow, over all cells, within tasks and within settings.

    *Seeds* is the correlation of one seed's outcomes with another's of the same recipes and
    settings, the mean over pairs of seeds. By the attenuation formula no measure that knows the
    recipe and the setting but not the seed correlates more than its root (*root*), and *simulated*
    is what the mean of the seeds, which is such a measure, reaches for one more seed: the mean,
    and noise drawn from the deviations of the same setting, widened for the mean's own error.
    """
    wide = cells.pivot_table(index=GROUP, columns="seed", values=consumer).reset_index()
    seeds = [seed for seed in sorted(cells["seed"].unique()) if wide[seed].notna().sum() >= FEWEST]
    rng = np.random.default_rng(seed)
    group = cells.groupby(GROUP)[consumer]
    mean, count = group.transform("mean").to_numpy(), group.transform("count").to_numpy()
    several = count > 1
    left = np.where(several, cells[consumer] - mean, 0) * np.sqrt(count / np.maximum(count - 1, 1))
    pools = [places[several[places]] for places in cells.groupby(SETTING).indices.values()]
    simulated = []
    for _ in range(draws_of):
        noise = np.zeros(len(cells))
        for places in pools:
            noise[places] = rng.choice(left[places], len(places)) if len(places) else 0
        simulated.append(mean + noise)
    pairs = [(a, b) for at, a in enumerate(seeds) for b in seeds[at + 1 :]]
    rows = []
    for label, keys in {"all": [], "within tasks": ["task"], "within settings": SETTING}.items():
        agreed, sizes = [], []
        for first, second in pairs:
            both = wide[wide[[first, second]].notna().all(axis=1)].reset_index(drop=True)
            found = mean_within(both, keys, both[[first]].to_numpy(), both[second].to_numpy())[0]
            if found == found:
                agreed.append(found)
                sizes.append(len(both))
        agreement = float(np.average(agreed, weights=sizes)) if sizes else np.nan
        reached = [mean_within(cells, keys, mean[:, None], each)[0] for each in simulated]
        rows.append(
            {
                "over": label, "seeds": agreement, "root": float(np.sqrt(max(agreement, 0))),
                "simulated": float(np.mean(reached)),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
