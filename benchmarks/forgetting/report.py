"""From finished cells to results.csv, tables and plots."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forgetting.recipes import RECIPES
from driftkit.atomic import replacing

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "should-one-fine-tune.md"
BEGIN, END = "<!-- results: written by make study -->", "<!-- end of results -->"
SETTING = ["task", "model", "fraction", "epochs", "rows"]
BENCHMARKS = {"ws353": "WS-353", "simlex999": "SimLex", "EN-MEN-TR-3k": "MEN", "google": "Google"}
MEASURES = (
    "overlap@10[all]", "overlap@10[moved]", "overlap@10[unmoved]", "rbo(p=0.9)@10[moved]",
    "self_cosine[moved]", "l2[moved]", "cka[all]", "cka[moved]", "procrustes[all]", "displaced",
)  # fmt: skip
RESAMPLES = 2000
FEWEST = 5  # tables from which a rank correlation is not shown yet


def read_cells(folder):
    """All finished cells, with each one's disagreement with the frozen model of its seed."""
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
    return cells


def letters(text):
    return np.array(list(text))


def gain_interval(cells, frozen):
    """Accuracy gained over frozen: mean and 95 % interval over test sentences and seeds.

    Both are resampled: which sentences are tested, and which seeds were drawn.
    """
    paired = cells.merge(frozen, on="seed", suffixes=("", "_frozen"))
    right = np.array(
        [
            (letters(row.predicted) == letters(row.gold)).astype(float)
            - (letters(row.predicted_frozen) == letters(row.gold))
            for row in paired.itertuples()
        ]
    )  # (seeds, sentences)
    rng = np.random.default_rng(0)
    seeds, sentences = right.shape
    draws = [
        right[rng.integers(seeds, size=seeds)][:, rng.integers(sentences, size=sentences)].mean()
        for _ in range(RESAMPLES)
    ]
    return right.mean(), *np.quantile(draws, [0.025, 0.975])


def table(cells):
    """One setting: a row a recipe."""
    frozen = cells[cells["recipe"] == "frozen"]
    rows = []
    for name, recipe in RECIPES.items():
        some = cells[cells["recipe"] == name]
        if some.empty or frozen.empty:
            continue
        gain, low, high = gain_interval(some, frozen)
        row = {
            "recipe": recipe.label,
            "seeds": len(some),
            "test": f"{some['test'].mean():.3f}",
            "gain over frozen": f"{gain:+.3f} [{low:+.3f}, {high:+.3f}]",
        }
        for key, label in BENCHMARKS.items():
            if f"delta[{key}]" in some:
                row[label] = _mean(some[f"delta[{key}]"], "+.3f")
        row["overlap@10 moved"] = _mean(some.get("overlap@10[moved]"), ".2f")
        row["unmoved"] = _mean(some.get("overlap@10[unmoved]"), ".2f")
        row["disagree"] = _mean(some["disagreement"], ".2f")
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(values, form):
    if values is None or values.isna().all():
        return ""
    return format(values.mean(), form)


def correlations(cells):
    """Rank correlation of each measure with what was lost, over all tuned cells."""
    tuned = cells[cells["moved"].fillna(0) > 0]
    losses = {label: f"delta[{key}]" for key, label in BENCHMARKS.items()}
    losses["disagreement"] = "disagreement"
    rows = []
    for measure in MEASURES:
        row = {"measure": measure}
        for label, column in losses.items():
            known = tuned[[measure, column]].dropna() if column in tuned else tuned.head(0)
            if len(known) > FEWEST and (known.nunique() > 1).all():
                row[label] = f"{known.corr(method='spearman').iloc[0, 1]:+.2f}"
        rows.append(row)
    return pd.DataFrame(rows), len(tuned)


def retained(cells):
    """Mean change over the benchmarks: what was kept of general knowledge."""
    columns = [f"delta[{key}]" for key in BENCHMARKS if f"delta[{key}]" in cells]
    return cells[columns].mean(axis=1)


def pareto(points):
    """Names no other beats on both coordinates, from the left to the right."""
    return [
        name
        for name, (x, y) in sorted(points.items(), key=lambda item: item[1])
        if not any(a >= x and b >= y and (a, b) != (x, y) for a, b in points.values())
    ]


def plot_front(cells, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "driftkit"
    import matplotlib.pyplot as plt

    groups = list(cells.groupby(["task", "model", "fraction"]))
    figure, axes = plt.subplots(
        1, len(groups), figsize=(6.4 * len(groups), 4.6), squeeze=False, layout="constrained"
    )
    for axis, (setting, some) in zip(axes[0], groups, strict=True):
        some = some.assign(kept=retained(some)).dropna(subset=["kept"])
        points = {
            name: (float(each["kept"].mean()), float(each["test"].mean()))
            for name, each in some.groupby("recipe")
        }
        for name, (x, y) in points.items():
            axis.scatter(x, y, s=24, color="#24559c")
            axis.annotate(RECIPES[name].label, (x, y), (4, 3), textcoords="offset points", size=8)
        front = pareto(points)
        axis.plot(*zip(*(points[name] for name in front), strict=True), color="#b4b4b4", zorder=0)
        axis.set(
            title="{}, {}, {:.0%} of the training sentences".format(*setting),
            xlabel="mean change of the benchmarks (0: nothing lost)",
            ylabel="test accuracy",
        )
        axis.margins(x=0.25)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def plot_measures(cells, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "driftkit"
    import matplotlib.pyplot as plt

    tuned = cells[cells["moved"].fillna(0) > 0]
    shown = ("overlap@10[moved]", "overlap@10[unmoved]", "self_cosine[moved]", "cka[all]")
    losses = [
        (f"delta[{key}]", label) for key, label in BENCHMARKS.items() if f"delta[{key}]" in tuned
    ] + [("disagreement", "disagreement with frozen")]
    figure, axes = plt.subplots(
        len(losses), len(shown), figsize=(2.6 * len(shown), 2.1 * len(losses)),
        sharex="col", sharey="row", layout="constrained", squeeze=False,
    )  # fmt: skip
    for row, (column, label) in enumerate(losses):
        for place, measure in enumerate(shown):
            axes[row, place].scatter(tuned[measure], tuned[column], s=9, color="#24559c")
            if row == len(losses) - 1:
                axes[row, place].set_xlabel(measure, size=8)
        axes[row, 0].set_ylabel(label, size=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def to_markdown(frame):
    rows = [frame.columns, ["---"] * len(frame.columns), *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def write_report(folder, *, fast):
    """Write what the finished cells say; the docs only from the full grid."""
    if not any(folder.glob("*.json")):
        raise SystemExit(f"no cell is finished in {folder}; run the study first.")
    cells = read_cells(folder)
    here = folder if fast else HERE
    plots = folder if fast else PAGE.parent / "forgetting"
    plots.mkdir(exist_ok=True)
    flat = cells.drop(columns=["predicted", "gold", "epochs_log"]).round(5)
    with replacing(here / "results.csv") as partial:
        flat.sort_values([*SETTING, "recipe", "seed"]).to_csv(partial, index=False)
    parts = []
    for setting, some in cells.groupby(SETTING):
        named = dict(zip(SETTING, setting, strict=True))
        parts += [
            "### {task}, {model}, {fraction:.0%} of the training sentences, {epochs} epochs".format(
                **named
            ),
            to_markdown(table(some)),
        ]
    measures, n = correlations(cells)
    parts.append("### Which measure tells what was lost")
    if n > FEWEST:
        parts += [f"Rank correlation over {n} tuned tables.", to_markdown(measures)]
    else:
        parts.append(f"Only {n} tuned tables so far: too few for a rank correlation.")
    for name, plot in (("front", plot_front), ("measures", plot_measures)):
        with replacing(plots / f"{name}.svg") as partial:
            plot(cells, partial)
    if not fast:
        parts += [
            "![Test accuracy against the mean change of the benchmarks](forgetting/front.svg)",
            "![Measures against losses, a point a tuned table](forgetting/measures.svg)",
        ]
    text = "\n\n".join(parts)
    if fast:
        (folder / "report.md").write_text(text + "\n", encoding="utf-8")
        print(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    with replacing(PAGE) as partial:
        partial.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
