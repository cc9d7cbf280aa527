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


def summarize(rows, study):
    """Return what is known of measures, ceilings and combinations, as plain lists."""
    cells, again = analysis.tuned(rows), analysis.tuned(as_rows(study))
    names = analysis.measures_of(cells)
    shared = [name for name in analysis.measures_of(again) if name in names]
    found = {"ranking": [], "again": [], "leads": [], "ceilings": [], "held out": []}
    for view, consumer, some in views(cells):
        ways = [way for which in SETS for way in fitted(some, consumer, names, which)]
        made = pd.DataFrame({way["column"]: way.pop("values") for way in ways})
        columns = [*names, *BASELINES, *made]
        strength = Strength(pd.concat([some, made], axis=1), consumer, columns)
        for part, lines in {
            "ranking": ranking(strength, [*names, *BASELINES]),
            "leads": [strength.lead(*COMPARED) | {"study": False}],
            "ceilings": analysis.ceilings(some, consumer).to_dict("records"),
            "held out": judged(strength, ways),
        }.items():
            found[part] += [{"view": view} | line for line in lines]
    for view, consumer, some in views(again):
        if consumer == CONSUMERS[0]:
            strength = Strength(some, consumer, [*shared, *BASELINES])
            lines = ranking(strength, [*shared, *BASELINES])
            found["again"] += [{"view": view} | line for line in lines]
            found["leads"].append({"view": view} | strength.lead(*COMPARED) | {"study": True})
    return {"counts": counts(rows, cells, names, study)} | found


class Strength:
    """How strongly columns tell a consumer within tasks, with every setting and without each."""

    def __init__(self, cells, consumer, columns):
        self.cells, self.consumer = cells, consumer
        x, y = cells[columns].to_numpy(float), cells[consumer].to_numpy(float)
        without, self.tasks = analysis.spread(cells, x, y)
        self.of = pd.Series(analysis.by_task(cells, x, y), columns)
        self.without = pd.DataFrame(without, columns=columns)

    def half(self, columns):
        return analysis.half(self.without[columns].to_numpy(), self.tasks)

    def lead(self, first, second):
        """How much more strongly one column tells than another, and its 95 % interval."""
        one, other = self.of[[first, second]].abs()
        apart = self.without[first].abs() - self.without[second].abs()
        within = float(analysis.half(apart.to_numpy()[:, None], self.tasks)[0])
        difference = float(one - other)
        return {"difference": difference, "low": difference - within, "high": difference + within}


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


def ranking(strength, names):
    """A row for each measure and baseline, the strongest first; whether it ties with that."""
    table = analysis.table_of(strength.cells, strength.consumer, names)
    within = strength.half(names)
    first = strength.of[names].abs().idxmax()
    table = table.assign(
        low=table["within tasks"] - within,
        high=table["within tasks"] + within,
        ties=[name == first or strength.lead(first, name)["low"] <= 0 for name in names],
    )
    order = table["within tasks"].abs().sort_values(ascending=False).index
    return json.loads(table.loc[order].to_json(orient="records", double_precision=6))


def fitted(cells, consumer, names, which):
    """What is chosen or fitted on two tasks for the third, and its values (n,) for every cell."""
    some = of_set(names, which)
    chosen = analysis.held_out(cells, consumer, some)
    of = dict(zip(chosen["task"], chosen["measure"], strict=True))
    made, weights = combine.predictions(cells, consumer, some)
    weighty = {task: int((weights[task] > 0).sum()) for task in weights}
    trees, _ = combine.predictions(cells, consumer, some, trees=True)
    for way, values, chosen_of in (
        ("single", turned(cells, chosen), of), ("combined", made, weighty), ("boosted", trees, {}),
    ):  # fmt: skip
        yield {
            "from": which, "way": way, "of": chosen_of, "column": f"{way} of {which}",
            "values": values,
        }  # fmt: skip


def judged(strength, ways):
    """Each way with its correlation on every task, and its gain over the single measures chosen."""
    y = strength.cells[strength.consumer].to_numpy(float)
    for way in ways:
        values = strength.cells[[way["column"]]].to_numpy(float)
        yield {
            **way,
            **{
                task: float(spearman(values[places], y[places])[0])
                for task, places in strength.cells.groupby("task").indices.items()
            },
            "mean": float(strength.of[way["column"]]),
            **strength.lead(way["column"], f"single of {way['from']}"),
            "over tables": strength.lead(way["column"], "single of tables"),
        }


def turned(cells, chosen):
    """The values (n,) of the measure chosen for each task, turned to rise with drift."""
    values = np.empty(len(cells))
    for row in chosen.itertuples():
        here = (cells["task"] == row.task).to_numpy()
        values[here] = cells.loc[here, row.measure] * np.sign(row.others)
    return values


def write_summary(results=RESULTS, study=STUDY, path=SUMMARY):
    found = summarize(pd.read_csv(results), pd.read_csv(study))
    with replacing(path) as partial:
        partial.write_text(json.dumps(found, indent=0), encoding="utf-8")
