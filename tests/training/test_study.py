"""The forgetting study: its data, its grid and its report, on a task of a few sentences."""

import json
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
    return study


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
    options = ["--fast", "--threads", str(torch.get_num_threads())]
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
    assert len(pd.read_csv(folder / "results.csv")) == len(RECIPES)

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


def test_the_interval_of_a_gain(study):
    from benchmarks.forgetting.results import SETTING, gain_interval, pareto

    gold = "01" * 200
    setting = dict.fromkeys(SETTING, "mr")
    frozen = pd.DataFrame({"seed": [0, 1], "predicted": [gold] * 2, "gold": [gold] * 2}).assign(
        **setting
    )
    worse = frozen.assign(predicted=["00" * 200, gold])
    mean, low, high = gain_interval(worse, frozen)
    assert mean == -0.25
    assert low < -0.45
    assert high == 0
    assert gain_interval(frozen, frozen) == (0, 0, 0)
    # Two settings count the same each: one that lost a quarter, one that lost nothing.
    both = [pd.concat([some, some.assign(model="cnn")]) for some in (worse, frozen)]
    both[0].loc[both[0]["model"] == "cnn", "predicted"] = gold
    assert gain_interval(*both)[0] == -0.125
    points = {"a": (0.0, 1.0), "b": (1.0, 0.0), "c": (0.5, 0.5), "d": (0.4, 0.4)}
    assert pareto(points) == ["a", "c", "b"]


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
