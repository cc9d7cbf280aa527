"""From finished cells to results.csv, the results page and its plots."""

from __future__ import annotations

from pathlib import Path

from benchmarks.forgetting.plots import plot_front, plot_measures
from benchmarks.forgetting.results import SETTING, read_cells
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

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "explanation"
PREFACE = """\
# Results of the forgetting study

Written by `make study`; what it says is put into words in [](should-one-fine-tune.md).

A gain is the accuracy over the frozen model of the same seed; its 95 % interval resamples test
sentences and seeds. Columns of benchmarks are changes of the table that holds the most frequent
words of GloVe and those of the task: *similarity* is the mean over 13 sets, *analogies* over Google
and MSR, *categories* over AP, BLESS and ESSLLI, *outliers* over 8-8-8 and WikiSem500. *Moved* and
*unmoved* are means of overlap@10; *disagreement* is the share of test sentences that the frozen
model of the same seed labels differently. Figures are those of the last epoch: no epoch was picked
by its score.
"""


def write_report(folder, *, fast):
    """Write what the finished cells say; the docs only from the full grid."""
    if not any(folder.glob("*.json")):
        raise SystemExit(f"no cell is finished in {folder}; run the study first.")
    cells = read_cells(folder)
    here, pages = (folder, folder) if fast else (HERE, DOCS)
    plots = pages / "forgetting"
    plots.mkdir(exist_ok=True)
    bands = [column for column in cells if "[rank " in column]  # of the space; no table shows them
    flat = cells.drop(columns=["predicted", "gold", "epochs_log", *bands]).round(4)
    with replacing(here / "results.csv") as partial:
        flat.sort_values([*SETTING, "recipe", "seed"]).to_csv(partial, index=False)
    most = cells["fraction"].max()
    text = "\n\n".join([PREFACE.rstrip(), *_whole(cells, most), *_scarce(cells), *_settings(cells)])
    with replacing(pages / "forgetting-results.md") as partial:
        partial.write_text(text + "\n", encoding="utf-8")
    with replacing(plots / "front.svg") as partial:
        plot_front(cells[cells["fraction"] == most], partial)
    with replacing(plots / "scarce.svg") as partial:
        plot_front(cells[cells["model"] == "mlp"], partial, rows="fraction")
    with replacing(plots / "measures.svg") as partial:
        plot_measures(cells, partial)
    print(f"wrote {pages / 'forgetting-results.md'}")


def _whole(cells, most):
    """All settings together."""
    full = cells[cells["fraction"] == most]
    yield f"## All settings with {most:.0%} of the training sentences"
    yield (
        f"{len(full)} runs. *Worst* is the largest mean fall of a family in any one run. *On the "
        "front* counts the settings in which no other recipe is at least as good both in accuracy "
        "and in what was kept (the mean of similarity and analogies), and random starts are left "
        "out."
    )
    yield to_markdown(answer_table(full))
    yield "![Test accuracy against the mean change of benchmarks](forgetting/front.svg)"
    yield "### Gain by model"
    yield to_markdown(gains_by(full, "model"))
    yield "### Gain by task"
    yield to_markdown(gains_by(full, "task"))
    measures, n = correlations(cells)
    yield "## Which measure tells what was lost"
    if n > FEWEST:
        yield f"Rank correlation over {n} tuned tables."
        yield to_markdown(measures)
    else:
        yield f"Only {n} tuned tables so far: too few for a rank correlation."
    yield "![Measures against losses, a point a tuned table](forgetting/measures.svg)"


def _scarce(cells):
    """The model that was also trained on less."""
    some = cells[cells["model"] == "mlp"]
    if some["fraction"].nunique() < 2:
        return
    yield "## With less data, the MLP"
    yield "Gain over frozen by share of the training sentences, over the three tasks."
    yield to_markdown(gains_by(some, "fraction"))
    yield "Mean change of similarity and analogies."
    yield to_markdown(kept_by(some, "fraction"))
    yield "![The same fronts by share of the training sentences](forgetting/scarce.svg)"


def _settings(cells):
    yield "## Every setting"
    for setting, some in cells.groupby(SETTING):
        task, model, fraction, epochs, _ = setting
        yield f"### {task}, {model}, {fraction:.0%} of the sentences, {epochs} epochs"
        yield to_markdown(setting_table(some))
