"""The tables of the study."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.results import (
    FAMILIES,
    SETTING,
    gain_interval,
    pareto,
    points_of,
    scatter_over_settings,
)

BENCHMARKS = {"ws353": "WS-353", "simlex999": "SimLex", "men": "MEN", "google": "Google"}
LOSSES = {
    **{f"delta[{name}]": label for name, label in BENCHMARKS.items()},
    "similarity": "similarity", "analogies": "analogies", "categories": "categories",
    "outliers": "outliers", "disagreement": "disagreement",
}  # fmt: skip
MEASURES = (
    "overlap@10[all]", "overlap@10[moved]", "overlap@10[unmoved]", "rbo(p=0.9)@10[moved]",
    "self_cosine[moved]", "l2[moved]", "norm_ratio[moved]", "cka[all]", "cka[moved]",
    "procrustes[all]", "rsa[all]", "eigenspace_instability[all]", "pip_loss[all]", "displaced",
)  # fmt: skip
FEWEST = 5  # tables from which a rank correlation is not shown yet


def setting_table(cells):
    """Return what is known of a setting, with a row for each recipe."""
    rows = []
    for _, recipe, some, frozen in _by_recipe(cells):
        row = {
            "recipe": recipe.label,
            "seeds": some["seed"].nunique(),
            "test": f"{some['test'].mean():.3f}",
            "gain over frozen": _interval(some, frozen),
        }
        for column, label in LOSSES.items():
            if column != "disagreement" and column in some:
                row[label] = _mean(some[column], "+.3f")
        row |= _overlaps(some)
        row["disagreement"] = _mean(some["disagreement"], ".2f")
        rows.append(row)
    return pd.DataFrame(rows)


def answer_table(cells):
    """Return what each recipe gains and costs over all settings, and how often it leads."""
    fronts = Counter(name for _, some in cells.groupby(SETTING) for name in pareto(points_of(some)))
    settings = cells.groupby(SETTING).ngroups
    rows = []
    for name, recipe, some, frozen in _by_recipe(cells):
        row = {
            "recipe": recipe.label,
            "runs": len(some),
            "gain over frozen": _interval(some, frozen),
            "over settings": _over_settings(some, frozen),
        }
        for family in ("similarity", "analogies"):
            row[family] = _mean(some[family], "+.3f")
            row[f"worst {family}"] = (
                "" if some[family].isna().all() else f"{some[family].min():+.3f}"
            )
        row |= _overlaps(some)
        row["on the front"] = "" if recipe.random else f"{fronts[name]} of {settings}"
        rows.append(row)
    return pd.DataFrame(rows)


def gains_by(cells, column):
    """Return the gain over frozen of each recipe by task, model or fraction."""
    rows = []
    for name, recipe, some, frozen in _by_recipe(cells):
        if name != "frozen":
            parts = some.groupby(column, sort=True)
            rows.append(
                {"recipe": recipe.label}
                | {_name(value): _interval(part, frozen) for value, part in parts}
            )
    return pd.DataFrame(rows)


def kept_by(cells, column, family, *, count_lost=False):
    """Return the mean change of a family by the same, and in how many runs a benchmark was lost."""
    rows = []
    for name, recipe in RECIPES.items():
        some = cells[cells["recipe"] == name].dropna(subset=[family])
        if name != "frozen" and not some.empty:
            row = {"recipe": recipe.label}
            for value, part in some.groupby(column, sort=True):
                row[_name(value)] = f"{part[family].mean():+.3f}"
                if count_lost:
                    statuses = part.filter([f"status[{each}]" for each in FAMILIES[family]])
                    lost = statuses.eq("lost").any(axis=1).sum()
                    row[_name(value)] += f" ({lost} of {len(part)})"
            rows.append(row)
    return pd.DataFrame(rows)


def correlations(cells):
    """Return the rank correlation of each measure with what was lost, and the number of tables."""
    tuned = cells[cells["moved"].fillna(0) > 0]
    rows = []
    for measure in MEASURES:
        row = {"measure": measure}
        for column, label in LOSSES.items():
            known = (
                tuned[[measure, column]].dropna()
                if {measure, column} <= set(tuned)
                else tuned.iloc[:0, :2]
            )
            if len(known) > FEWEST and (known.nunique() > 1).all():
                row[label] = f"{known.corr(method='spearman').iloc[0, 1]:+.2f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna(""), len(tuned)


def to_markdown(frame):
    rows = [frame.columns, ["---"] * len(frame.columns), *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def _by_recipe(cells):
    """Yield each recipe that was run: its name, itself, its cells and the frozen ones."""
    frozen = cells[cells["recipe"] == "frozen"]
    for name, recipe in RECIPES.items():
        some = cells[cells["recipe"] == name]
        if not (some.empty or frozen.empty):
            yield name, recipe, some, frozen


def _overlaps(cells):
    return {
        "overlap@10 moved": _mean(cells.get("overlap@10[moved]"), ".2f"),
        "unmoved": _mean(cells.get("overlap@10[unmoved]"), ".2f"),
    }


def _interval(cells, frozen):
    gain, low, high = gain_interval(cells, frozen)
    return f"{gain:+.3f} [{low:+.3f}, {high:+.3f}]"


def _over_settings(cells, frozen):
    half = scatter_over_settings(cells, frozen)
    return "" if pd.isna(half) else f"\u00b1{half:.3f}"


def _name(value):
    return f"{value:.0%}" if isinstance(value, float) else str(value)


def _mean(values, form):
    if values is None or values.isna().all():
        return ""
    return format(values.mean(), form)
