"""The plots of the study: the front of accuracy against knowledge, and measures against losses."""

from __future__ import annotations

from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.results import pareto, points_of
from benchmarks.forgetting.tables import BENCHMARKS

INK, PALE, LEAD = "#24559c", "#b4b4b4", "#b3541e"
SHOWN = ("overlap@10[moved]", "overlap@10[unmoved]", "self_cosine[moved]", "cka[all]", "cka[moved]")
MARKS = {name: str(place) for place, name in enumerate(RECIPES, 1)}


def _pyplot():
    import matplotlib

    matplotlib.use("svg")
    # Text as text, and no random names: the same results give the same file.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "driftkit"}
    import matplotlib.pyplot

    return matplotlib.pyplot


def plot_front(cells, path, columns="task", rows="model"):
    """Draw a panel for each setting. Recipes are numbered; their names would hide each other."""
    plt = _pyplot()
    across, down = sorted(cells[columns].unique()), sorted(cells[rows].unique())
    figure, axes = plt.subplots(
        len(down), len(across), figsize=(3.4 * len(across) + 2.6, 2.9 * len(down)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for i, row in enumerate(down):
        for j, column in enumerate(across):
            axis = axes[i, j]
            points = points_of(cells[(cells[rows] == row) & (cells[columns] == column)])
            front = pareto(points)
            if front:
                axis.plot(*zip(*map(points.get, front), strict=True), color=PALE, zorder=0)
            for name, (x, y) in points.items():
                color = LEAD if name in front else INK
                axis.scatter(x, y, s=14, color=color)
                axis.annotate(
                    MARKS[name], (x, y), (3, 2), textcoords="offset points", size=8, color=color
                )
            axis.set_title(f"{column}, {row:.0%}" if rows == "fraction" else f"{column}, {row}")
            axis.tick_params(labelsize=7)
            axis.margins(0.12)
    figure.supxlabel("mean change of similarity and analogies (0: nothing lost)", size=9)
    figure.supylabel("test accuracy", size=9)
    legend = "\n".join(
        f"{MARKS[name]:>2}  {recipe.label}" for name, recipe in RECIPES.items() if not recipe.random
    )
    figure.text(1.0, 0.5, legend, size=8, va="center", ha="left")
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def plot_measures(cells, path):
    """Draw each measure against the loss of each benchmark and disagreement with frozen."""
    plt = _pyplot()
    tuned = cells[cells["moved"].fillna(0) > 0]
    shown = [measure for measure in SHOWN if measure in tuned]
    losses = [
        (f"delta[{key}]", label) for key, label in BENCHMARKS.items() if f"delta[{key}]" in tuned
    ] + [("disagreement", "disagreement with frozen")]
    figure, axes = plt.subplots(
        len(losses), len(shown), figsize=(2.3 * len(shown), 1.9 * len(losses)),
        sharex="col", sharey="row", layout="constrained", squeeze=False,
    )  # fmt: skip
    for row, (column, label) in enumerate(losses):
        for place, measure in enumerate(shown):
            # Thousands of points are smaller as a picture than as shapes.
            axes[row, place].scatter(
                tuned[measure], tuned[column], s=5, color=INK, alpha=0.6, rasterized=True
            )
            axes[row, place].tick_params(labelsize=7)
            if row == len(losses) - 1:
                axes[row, place].set_xlabel(measure, size=8)
        axes[row, 0].set_ylabel(label, size=8)
    figure.savefig(path, metadata={"Date": None}, dpi=144)
    plt.close(figure)
