"""The results page and its plots, from results.csv alone.

python -m benchmarks.forgetting.report    the docs, from the results in the repository
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.forgetting.plots import plot_front, plot_measures
from benchmarks.forgetting.results import SETTING
from benchmarks.forgetting.tables import (
    FEWEST,
    answer_table,
    correlations,
    gains_by,
    kept_by,
    setting_table,
    to_markdown,
)
from driftkit.atomic import replacing

RESULTS = Path(__file__).parent / "results.csv"
DOCS = Path(__file__).parents[2] / "docs" / "explanation"
PREFACE = """\
# Results of the forgetting study

Written by `python -m benchmarks.forgetting.report` from `benchmarks/forgetting/results.csv`;
[](should-one-fine-tune.md) says in words what follows from it.

A gain is the accuracy over the frozen model of the same seed. Its 95 % interval takes in the
scatter of seeds and of test sentences. `results.csv` does not hold the answers to single sentences,
so the latter is the most that the disagreement between the two models allows (the formula is in
`benchmarks/forgetting/results.py`, `gain_interval`). The interval speaks of these settings only;
*over settings* is half the 95 % interval of the mean gain if the settings are taken for a sample of
those one might meet. Columns of benchmarks are changes of the table that holds the most frequent
words of GloVe and those of the task: *similarity* is the mean over 13 sets, *analogies* over Google
and MSR, *categories* over AP, BLESS and ESSLLI, *outliers* over 8-8-8 and WikiSem500. *Moved* and
*unmoved* are means of overlap@10; *disagreement* is the share of test sentences that the frozen
model of the same seed labels differently. All values are those of the last epoch: no epoch was
picked by its score.
"""


def write_report(results, pages):
    """Write the page and its plots from a file of results."""
    cells = pd.read_csv(results)
    plots = pages / "forgetting"
    plots.mkdir(exist_ok=True)
    with replacing(pages / "forgetting-results.md") as partial:
        partial.write_text(page_of(cells), encoding="utf-8")
    with replacing(plots / "front.svg") as partial:
        plot_front(cells[cells["fraction"] == cells["fraction"].max()], partial)
    with replacing(plots / "scarce.svg") as partial:
        plot_front(cells[cells["model"] == "mlp"], partial, rows="fraction")
    with replacing(plots / "measures.svg") as partial:
        plot_measures(cells, partial)
    print(f"wrote {pages / 'forgetting-results.md'}")


def page_of(cells):
    """Return the text of the results page."""
    return (
        "\n\n".join([PREFACE.rstrip(), *_whole(cells), *_scarce(cells), *_settings(cells)]) + "\n"
    )


def _whole(cells):
    """All settings together."""
    most = cells["fraction"].max()
    full = cells[cells["fraction"] == most]
    yield f"## All settings with {most:.0%} of the training sentences"
    yield (
        f"{len(full)} runs. *Worst* is the largest fall of a family's mean in any one run. *On the "
        "front* counts the settings in which no other recipe is at least as good both in accuracy "
        "and in what was kept (the mean of similarity and analogies); random starts are left out."
    )
    yield to_markdown(answer_table(full))
    yield "![Test accuracy against the mean change of benchmarks](forgetting/front.svg)"
    yield "### Gain by model"
    yield to_markdown(gains_by(full, "model"))
    yield "### Change of analogies by model"
    yield "The mean change, and in how many runs the audit found Google's or MSR's to be lost."
    yield to_markdown(kept_by(full, "model", "analogies", count_lost=True))
    yield "### Gain by task"
    yield to_markdown(gains_by(full, "task"))
    measures, n = correlations(cells)
    yield "## Which measure tells what was lost"
    if n > FEWEST:
        yield f"Rank correlation over {n} tuned tables."
        yield to_markdown(measures)
    else:
        yield f"Only {n} tuned tables so far: too few for a rank correlation."
    yield "![Measures against losses, a point for each tuned table](forgetting/measures.svg)"


def _scarce(cells):
    """The model that was also trained on less."""
    some = cells[cells["model"] == "mlp"]
    if some["fraction"].nunique() < 2:
        return
    yield "## With less data, the MLP"
    yield "Gain over frozen by share of the training sentences, over the three tasks."
    yield to_markdown(gains_by(some, "fraction"))
    yield "Mean change of similarity and analogies."
    yield to_markdown(kept_by(some, "fraction", "kept"))
    yield "![The same fronts by share of the training sentences](forgetting/scarce.svg)"


def _settings(cells):
    yield "## Every setting"
    for setting, some in cells.groupby(SETTING):
        task, model, fraction, epochs, _ = setting
        yield f"### {task}, {model}, {fraction:.0%} of the sentences, {epochs} epochs"
        yield to_markdown(setting_table(some))


if __name__ == "__main__":
    write_report(RESULTS, DOCS)
