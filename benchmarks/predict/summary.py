"""From results.csv to summary.json: all that the page says, intervals included."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.predict import analysis, combine
from benchmarks.predict.analysis import BASELINES, SETTING, spearman
from benchmarks.predict.consumers import CONSUMERS
from benchmarks.predict.tables import FROZEN
from benchmarks.predict.tables import cells as planned
from driftkit.atomic import replacing

RESULTS = Path(__file__).parent / "results.csv"
STUDY = Path(__file__).parents[1] / "forgetting" / "results.csv"
SUMMARY = Path(__file__).parent / "summary.json"
ALIKE = "classifier, trained alike"
OTHERWISE = ("gradual",)  # recipes that also train the classifier itself in another way
COMPARED = ("pip_loss[moved]", "overlap@10[moved]")
SETS = {"tables": "the tables alone", "texts": "the tables and unlabeled texts"}


def needs_texts(name):
    return name.startswith("text ") or name.endswith("[used]")


def of_set(names, which):
    return [name for name in names if which == "texts" or not needs_texts(name)]


def summarize(rows, study, n=analysis.DRAWS):
    """Return what is known of measures, ceilings and combinations, as plain lists."""
    cells = analysis.tuned(rows)
    names = analysis.measures_of(cells)
    return {
        "counts": counts(rows, cells, names, study),
        "ranking": [
            {"view": view} | row
            for view, each, some in views(cells)
            for row in ranking(some, each, names, n)
        ],
        "again": [
            {"view": view} | row
            for view, each, some in views(analysis.tuned(as_rows(study)))
            if each == "classifier"
            for row in again(some, each, names, n)
        ],
        "leads": [
            {"view": view, "study": of is study} | lead(some, each, *COMPARED, n)
            for of in (rows, study)
            for view, each, some in views(analysis.tuned(rows if of is rows else as_rows(study)))
            if of is rows or each == "classifier"
        ],
        "ceilings": [
            {"view": view} | row
            for view, each, some in views(cells)
            for row in analysis.ceilings(some, each).to_dict("records")
        ],
        "held out": [
            {"view": view} | row
            for view, each, some in views(cells)
            for which in SETS
            for row in judged(some, each, names, which, n)
        ],
    }


def views(cells):
    """Yield a name, the consumer and the cells of each view that is ranked."""
    alike = cells[~cells["recipe"].isin(OTHERWISE)].reset_index(drop=True)
    yield "classifier", "classifier", cells
    yield ALIKE, "classifier", alike
    for consumer in CONSUMERS[1:]:
        yield consumer, consumer, cells


def as_rows(study):
    """The rows of the forgetting study under the names used here."""
    renamed = study.copy().rename(columns=lambda name: name.replace("rbo(p=0.9)@10", "rbo@10"))
    return renamed.assign(**{"moved share": study["moved"], "classifier": study["disagreement"]})


def again(cells, consumer, names, n):
    """The same measures on the tables of the forgetting study, trained apart from these."""
    shared = [name for name in analysis.measures_of(cells) if name in names]
    return ranking(cells, consumer, shared, n)


def counts(rows, cells, names, study):
    """How much there is, what it took, and how far it is from the forgetting study."""
    keys = [*SETTING, "recipe", "seed"]
    both = rows.merge(study[[*keys, "test", "disagreement"]], on=keys, suffixes=("", "_study"))
    apart = (both["test"] - both["test_study"]).abs()
    frozen = rows.dropna(subset=["reseeded"])
    return {
        "planned": sum(cell.recipe != FROZEN for cell in planned()),
        "cells": len(rows), "tuned": len(cells), "settings": len(cells.groupby(SETTING)),
        "measures": len(names), "texts": sum(map(needs_texts, names)),
        "hours": float(rows["seconds"].sum() / 3600),
        "compared": len(both), "same": int((apart < 5e-5).sum()), "apart": float(apart.mean()),
        "bias": float((both["test"] - both["test_study"]).mean()),
        "reseeded": {
            str(share): float(some.mean()) for share, some in frozen.groupby("fraction")["reseeded"]
        },
    }  # fmt: skip


def ranking(cells, consumer, names, n):
    """A row for each measure and baseline, the strongest first."""
    every = [*names, *BASELINES]
    table = analysis.table_of(cells, consumer, every)
    found = analysis.resampled(cells, consumer, every, n)
    low, high = np.nanpercentile(found, [2.5, 97.5], axis=0)
    table = table.assign(low=low, high=high, ties=analysis.ties(found))
    order = table["within tasks"].abs().sort_values(ascending=False).index
    return _plain(table.loc[order])


def judged(cells, consumer, names, which, n):
    """What is chosen or fitted on two tasks and judged on the third: single, combined, boosted."""
    some = of_set(names, which)
    chosen = analysis.held_out(cells, consumer, some)
    y = cells[consumer].to_numpy(float)
    single = turned(cells, chosen)
    of_tables = turned(cells, analysis.held_out(cells, consumer, of_set(names, "tables")))
    ways = {"single": (single, dict(zip(chosen["task"], chosen["measure"], strict=True)))}
    made, weights = combine.predictions(cells, consumer, some)
    ways["combined"] = (made, {task: int((weights[task] > 0).sum()) for task in weights})
    ways["boosted"] = (combine.predictions(cells, consumer, some, trees=True)[0], {})
    for way, (values, of) in ways.items():
        yield {
            "from": which, "way": way, "of": of,
            **{
                task: float(spearman(values[places][:, None], y[places])[0])
                for task, places in cells.groupby("task").indices.items()
            },
            **combine.gain(cells, consumer, values, single, n),
            "over tables": combine.gain(cells, consumer, values, of_tables, n),
        }  # fmt: skip


def turned(cells, chosen):
    """The values (n,) of the measure chosen for each task, turned to rise with drift."""
    values = np.empty(len(cells))
    for row in chosen.itertuples():
        here = (cells["task"] == row.task).to_numpy()
        values[here] = cells.loc[here, row.measure] * np.sign(row.others)
    return values


def lead(cells, consumer, first, second, n):
    """How much more strongly one measure tells than another, and its 95 % interval."""
    found = np.abs(analysis.resampled(cells, consumer, [first, second], n))
    x = cells[[first, second]].to_numpy(float)
    one, other = np.abs(analysis.by_task(cells, x, cells[consumer].to_numpy(float)))
    low, high = np.nanpercentile(found[:, 0] - found[:, 1], [2.5, 97.5])
    return {
        "first": first, "second": second, "difference": float(one - other),
        "low": float(low), "high": float(high),
    }  # fmt: skip


def _plain(table):
    return json.loads(table.to_json(orient="records", double_precision=6))


def write_summary(results=RESULTS, study=STUDY, path=SUMMARY):
    found = summarize(pd.read_csv(results), pd.read_csv(study))
    with replacing(path) as partial:
        partial.write_text(json.dumps(found, indent=0), encoding="utf-8")
