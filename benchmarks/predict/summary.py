"""From results.csv to summary.json: all that the page says, intervals included."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.predict import analysis, combine
from benchmarks.predict.analysis import BASELINES, SETTING, spearman
from benchmarks.predict.consumers import CONSUMERS
from driftkit.atomic import replacing

RESULTS = Path(__file__).parent / "results.csv"
STUDY = Path(__file__).parents[1] / "forgetting" / "results.csv"
SUMMARY = Path(__file__).parent / "summary.json"
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
        "ranking": [row for each in CONSUMERS for row in ranking(cells, each, names, n)],
        "ceilings": [
            {"consumer": each} | row
            for each in CONSUMERS
            for row in analysis.ceilings(cells, each).to_dict("records")
        ],
        "held out": [
            row for each in CONSUMERS for which in SETS for row in judged(cells, each, names, which, n)
        ],
    }


def counts(rows, cells, names, study):
    """How much there is, what it took, and how far it is from the forgetting study."""
    keys = [*SETTING, "recipe", "seed"]
    both = rows.merge(study[[*keys, "test", "disagreement"]], on=keys, suffixes=("", "_study"))
    apart = (both["test"] - both["test_study"]).abs()
    frozen = rows.dropna(subset=["reseeded"])
    return {
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
    table = table.assign(consumer=consumer, low=low, high=high, ties=analysis.ties(found))
    order = table["within tasks"].abs().sort_values(ascending=False).index
    return _plain(table.loc[order])


def judged(cells, consumer, names, which, n):
    """What is chosen or fitted on two tasks and judged on the third: single, combined, boosted."""
    some = of_set(names, which)
    chosen = analysis.held_out(cells, consumer, some)
    y = cells[consumer].to_numpy(float)
    single = np.empty(len(cells))
    for row in chosen.itertuples():
        here = (cells["task"] == row.task).to_numpy()
        single[here] = cells.loc[here, row.measure] * np.sign(row.others)
    ways = {"single": (single, dict(zip(chosen["task"], chosen["measure"], strict=True)))}
    made, weights = combine.predictions(cells, consumer, some)
    ways["combined"] = (made, {task: int((weights[task] > 0).sum()) for task in weights})
    ways["boosted"] = (combine.predictions(cells, consumer, some, trees=True)[0], {})
    for way, (values, of) in ways.items():
        yield {
            "consumer": consumer, "from": which, "way": way, "of": of,
            **{
                task: float(spearman(values[places][:, None], y[places])[0])
                for task, places in cells.groupby("task").indices.items()
            },
            **combine.gain(cells, consumer, values, single, n),
        }  # fmt: skip


def _plain(table):
    return json.loads(table.to_json(orient="records", double_precision=6))


def write_summary(results=RESULTS, study=STUDY, path=SUMMARY):
    found = summarize(pd.read_csv(results), pd.read_csv(study))
    with replacing(path) as partial:
        partial.write_text(json.dumps(found, indent=0), encoding="utf-8")
