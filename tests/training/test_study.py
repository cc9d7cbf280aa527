"""The forgetting study: its data, its grid and its report, on a task of a few sentences."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from driftkit import Embeddings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.forgetting import proxy, study

    folder = tmp_path / "data" / "text"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for number in range(80):
        label = number % 2
        tokens = rng.choice(["film", "the", "plot", "of", "zzzunknown", "caf\xe9"], 4).tolist()
        lines.append(f"{label} {' '.join(tokens)} {['bad', 'good'][label]} \x85 .")
    (folder / "rt-polarity.all").write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    monkeypatch.setenv("DRIFTKIT_SHARED_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(study, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(proxy, "EXAMPLES", 20)
    for name in study.kernels.PINNED:
        monkeypatch.setenv(name, "")  # the study pins them: what it sets is undone
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", torch.backends.mkldnn.enabled)
    threads = torch.get_num_threads()
    yield study
    torch.set_num_threads(threads)


def test_tasks(study):
    from benchmarks.forgetting.tasks import read_task

    task = read_task("mr", 1.0, 0)
    assert [len(part) for part in (task.train, task.dev, task.test)] == [64, 8, 8]
    assert task.classes == 2
    assert "caf\xe9" in task.vocabulary
    small, other = read_task("mr", 0.1, 0), read_task("mr", 0.1, 1)
    assert len(small.train) == 6
    assert small.test.sentences == other.test.sentences == task.test.sentences
    assert small.train.sentences != other.train.sentences
    with pytest.raises(SystemExit, match="DRIFTKIT_SHARED_DATA"):
        read_task("sst2", 1.0, 0)


@pytest.mark.slow
def test_every_recipe_runs_and_a_finished_cell_is_not_run_again(study, glove, monkeypatch, capsys):
    from benchmarks.forgetting.cell import Cell
    from benchmarks.forgetting.recipes import RECIPES

    small = Embeddings(glove.words[:3000], glove.matrix[:3000])
    monkeypatch.setattr(study.dk, "load", lambda _: small)
    monkeypatch.setattr(
        study, "grid", lambda _: (Cell("mr", "mlp", name, 0, 1.0, 3, 2000) for name in RECIPES)
    )
    options = ["--fast", "--processes", "1"]
    with torch.random.fork_rng():
        study.main(options)
    folder = study.RUNS / "fast"
    records = {record["recipe"]: record for record in map(json.loads, _texts(folder))}
    assert records.keys() == RECIPES.keys()
    for name, record in records.items():
        if name == "frozen":
            assert record["moved"] == 0
            assert record["delta[ws353]"] == 0
        elif name in ("mask", "staged") or not name.startswith("random"):
            assert 0 < record["moved"] <= 8, name
    assert records["mask"]["moved"] <= records["tuned-1e-2"]["moved"]
    assert {path.name for path in (folder / "forgetting").iterdir()} == {
        "front.svg", "measures.svg", "scarce.svg"
    }  # fmt: skip
    page = (folder / "forgetting-results.md").read_text()
    assert "### mr, mlp, 100% of the sentences, 3 epochs" in page
    assert "too few for a rank correlation" not in page
    table = pd.read_csv(folder / "results.csv").set_index("recipe")
    assert len(table) == len(RECIPES)
    for name, record in records.items():  # as many digits as ranks need
        assert table.loc[name, "first_loss"] == pytest.approx(record["first_loss"], rel=1e-11)

    times = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    capsys.readouterr()
    study.main(options)
    assert times == {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert "test 0." not in capsys.readouterr().out


def _texts(folder):
    return [path.read_text() for path in folder.glob("*.json")]


def test_the_full_grid_is_the_one_the_page_describes(study):
    cells = list(study.grid(fast=False))
    assert len({cell.key for cell in cells}) == len(cells) == 14 * 3 * (3 * 3 + 3 * 2)
    some = [cell for cell in cells if study.wanted(cell, ["mr", "mlp", "frozen", "0.1"])]
    assert [(cell.seed, cell.fraction) for cell in some] == [(0, 0.1), (1, 0.1), (2, 0.1)]


def results_of(predicted, gold, model="mlp"):
    """Return the lines of results of a tuned and a frozen model that predicted labels, by seed."""
    lines = []
    for seed, (tuned, frozen) in enumerate(predicted):
        shared = {"task": "mr", "model": model, "fraction": 1.0, "epochs": 1, "rows": 1}
        shared |= {"seed": seed, "n_test": len(gold)}
        for recipe, labels in (("tuned", tuned), ("frozen", frozen)):
            test, apart = (labels == gold).mean(), (labels != frozen).mean()
            lines.append({**shared, "recipe": recipe, "test": test, "disagreement": apart})
    table = pd.DataFrame(lines)
    return table[table["recipe"] == "tuned"], table[table["recipe"] == "frozen"]


def test_the_interval_of_a_gain(study):
    from benchmarks.forgetting.results import gain_interval, scatter_over_settings

    gold = np.tile([0, 1], 200)
    wrong = np.where(np.arange(400) < 40, 1 - gold, gold)
    # Two seeds alike, so the sentences alone: 40 of 400 are lost and none is gained.
    alike = results_of([(wrong, gold), (wrong, gold)], gold)
    error = 1.96 * np.sqrt((0.1 - 0.1**2) / 400)
    assert gain_interval(*alike) == pytest.approx((-0.1, -0.1 - error, -0.1 + error), rel=1e-3)
    assert gain_interval(alike[1], alike[1]) == (0, 0, 0)
    # Seeds that differ make it wider; three of them have few degrees of freedom.
    mean, low, high = gain_interval(*results_of([(wrong, gold), (gold, gold)], gold))
    assert mean == pytest.approx(-0.05)
    assert high - low > 2 * 2 * error
    # Two settings count the same each.
    kept = results_of([(gold, gold)] * 2, gold, model="cnn")
    both = [pd.concat(parts) for parts in zip(alike, kept, strict=True)]
    assert gain_interval(*both)[0] == pytest.approx(-0.05)
    assert scatter_over_settings(*both) == pytest.approx(12.706 * 0.05, rel=1e-3)
    assert np.isnan(scatter_over_settings(*alike))


def test_the_interval_is_no_narrower_than_resampling_the_sentences(study):
    from benchmarks.forgetting.results import gain_interval

    rng = np.random.default_rng(0)
    gold = rng.integers(0, 6, 500)

    def answers(accuracy):
        return np.where(rng.random(500) < accuracy, gold, rng.integers(0, 6, 500))

    found = [(answers(0.7), answers(0.6)) for _ in range(3)]
    gained = np.mean(
        [(mine == gold) * 1.0 - (theirs == gold) for mine, theirs in found], axis=0
    )  # (sentences,)
    means = gained @ rng.multinomial(500, np.full(500, 1 / 500), 2000).T / 500
    low, high = np.quantile(means, [0.025, 0.975])
    mean, ours_low, ours_high = gain_interval(*results_of(found, gold))
    assert mean == pytest.approx(gained.mean())
    assert ours_low < low
    assert high < ours_high


def test_the_front(study):
    from benchmarks.forgetting.results import pareto

    points = {"a": (0.0, 1.0), "b": (1.0, 0.0), "c": (0.5, 0.5), "d": (0.4, 0.4)}
    assert pareto(points) == ["a", "c", "b"]


def test_the_pages_say_what_the_results_in_the_repository_say(study):
    """To a unit of the last digit, since another processor may round the other way."""
    from benchmarks.forgetting.report import DOCS, RESULTS, page_of

    cells = pd.read_csv(RESULTS)
    pattern = re.compile(r"[-+]?\d+\.\d+")
    written, computed = (DOCS / "forgetting-results.md").read_text(), page_of(cells)
    assert pattern.sub("#", written) == pattern.sub("#", computed)
    for mine, theirs in zip(pattern.findall(written), pattern.findall(computed), strict=True):
        assert abs(float(mine) - float(theirs)) < 1.01 * 10.0 ** -len(mine.split(".")[1])

    full = cells[(cells["fraction"] == 1) & (cells["recipe"] == "tuned-1e-3")]
    mlp = full[full["model"] == "mlp"]
    assert len(mlp) == 9
    assert mlp["analogies"].max() < -0.025  # the mean over all models, -0.013, hides it
    assert (mlp[["status[google]", "status[msr]"]] == "lost").all(axis=None)


def test_the_scatter_over_kernels_is_that_of_the_page(study):
    from benchmarks.forgetting.scatter import WAYS, finished, spread

    runs = finished()
    assert set(runs["way"]) == set(WAYS)
    table = spread(runs).set_index(["model", "recipe"])
    assert set(table.loc["mlp", "different"]) == {"1 of 10"}
    page = (ROOT / "docs" / "explanation" / "should-one-fine-tune.md").read_text()
    for model in ("cnn", "lstm"):
        accuracy = runs[(runs["model"] == model) & (runs["recipe"] == "frozen")]["test"]
        assert f"({accuracy.min():.3f} to {accuracy.max():.3f})" in page


@pytest.mark.slow
def test_pinned_kernels_compute_the_same_bits_with_any_threads_and_instruction_set():
    code = """
import sys
import torch
from benchmarks.forgetting import kernels
from benchmarks.forgetting.models import MODELS

kernels.pin()
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
vectors = torch.randn(50, 20, 50, requires_grad=True)
for make in MODELS.values():
    model = make(50, 6)
    loss = model(vectors, torch.ones(50, 20)).square().sum()
    loss.backward()
    bits = [parameter.grad.view(torch.int32).sum().item() for parameter in model.parameters()]
    print(kernels.name(), loss.item(), vectors.grad.view(torch.int32).sum().item(), bits)
"""

    def printed(threads, **variables):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        command = [sys.executable, "-c", code, threads]
        done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
        return done.stdout

    one = printed("1")
    assert one.count("pinned") == 3
    assert printed("2", ONEDNN_MAX_CPU_ISA="SSE41") == one


def test_batches_hold_each_sentence_once_and_pad_little(study):
    from benchmarks.forgetting.cell import BATCH, batches

    lengths = torch.randint(1, 60, (2030,), generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = batches(lengths)
    assert sorted(torch.cat(found).tolist()) == list(range(len(lengths)))
    assert max(map(len, found)) == BATCH
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in found)
    assert padded < 1.1 * lengths.sum()


def test_knowledge_is_every_file_that_is_there(study, tmp_path):
    from benchmarks.forgetting.knowledge import FILES, benchmarks_of

    assert benchmarks_of(False) == ["ws353", "simlex999", "google"]
    (tmp_path / "data" / "similarity").mkdir()
    (tmp_path / "data" / FILES["men"]).write_text("sun moon 40\ncar tree 10\nred blue 20\n")
    assert [getattr(each, "name", each) for each in benchmarks_of(True)] == [
        "ws353", "simlex999", "men"
    ]  # fmt: skip
