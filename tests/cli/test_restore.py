"""``driftkit restore`` and ``driftkit patch``."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import driftkit as dk

WORDS = [f"w{row}" for row in range(200)]
BUDGET = ["--budget", "relative_l2 mean[moved] <= 0.2"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """An original, a checkpoint whose first half moved, and its words."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(200, 6)).astype("f4")
    dk.Embeddings(WORDS, rows).save("original")
    rows[:100] += rng.normal(size=(100, 6)) * 0.5
    torch.save({"emb.weight": torch.from_numpy(rows), "epoch": 2}, "tuned.pt")
    Path("vocab.txt").write_text("\n".join(WORDS))
    return tmp_path


def test_a_budget_writes_the_table_and_the_patch_that_it_shows(files, run):
    asked = ["restore", "original", "tuned.pt", *BUDGET]
    result = run(*asked, "-o", "restored.npy", "--patch", "back", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert "Restored: interpolate at 0." in result.stdout
    document = json.loads(Path("out.json").read_text())
    strength = document["curve"][document["chosen"]]["strength"]
    pair = dk.align(dk.load("original"), dk.load("tuned.pt"))
    expected = dk.restore(pair, strength=strength)
    assert dk.load("restored.npy").sha256 == expected.table.sha256
    assert dk.read_patch("back").hashes == expected.patch.hashes
    assert "back: 100 of 200 rows change" in result.stderr


def test_a_patch_goes_into_the_checkpoint_and_out_again(files, run):
    before = Path("tuned.pt").read_bytes()
    run("restore", "original", "tuned.pt", "--interpolate", "0", "--patch", "back")
    assert Path("tuned.pt").read_bytes() == before
    result = run("patch", "apply", "tuned.pt", "back")
    assert result.exit_code == 0, result.output
    assert "tuned.pt::emb.weight: 100 rows written, every other byte as it was" in result.stderr
    assert dk.load("tuned.pt").sha256 == dk.load("original").sha256
    assert torch.load("tuned.pt")["epoch"] == 2
    assert run("patch", "undo", "tuned.pt::emb.weight", "back").exit_code == 0
    assert Path("tuned.pt").read_bytes() == before
    result = run("patch", "undo", "tuned.pt", "back")
    assert (result.exit_code, Path("tuned.pt").read_bytes()) == (2, before)
    assert "has no patch to undo" in result.stderr


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("tied", "is tied"),
        ("old", "before 1.6"),
        ("columns", "does not lie row by row"),
        ("npy", "tensors are replaced in .safetensors and .pt alone"),
        ("limit", "It was read with --limit; leave that out."),
        ("fine", "finer than float32"),
    ],
)
def test_a_patch_that_no_file_takes_is_told_when_it_is_written(files, run, kind, said):
    rows = torch.load("tuned.pt")["emb.weight"]
    more, tuned, limit = {}, "tuned.pt", ()
    if kind == "tied":
        more = {"lm_head.weight": rows}
    if kind == "columns":
        rows = rows.T.contiguous().T
    if kind == "fine":
        rows = rows.double() / 3
    if kind == "limit":
        limit = ("--limit", "150")
    if kind == "npy":
        tuned = "vocab.npy"
        np.save(tuned, rows.numpy())
    torch.save(
        {"emb.weight": rows, **more}, "tuned.pt", _use_new_zipfile_serialization=kind != "old"
    )
    asked = ("--interpolate", "0.5", "--patch", "back", "--vocab", "vocab.txt", *limit)
    result = run("restore", "original", tuned, *asked)
    assert result.exit_code == 0, result.output
    told = " ".join(result.stderr.split())
    assert "back: `driftkit patch apply` would refuse it: " in told
    assert said in told
    assert run("patch", "apply", tuned, "back", "--vocab", "vocab.txt").exit_code == 2


def test_a_patch_that_its_file_takes_is_written_without_a_word(files, run):
    result = run("restore", "original", "tuned.pt", "--interpolate", "0.5", "--patch", "back")
    assert "refuse" not in result.stderr


def test_a_budget_out_of_reach_writes_nothing_and_exits_with_1(files, run):
    asked = ["--method", "norm", "-o", "restored.npy", "--patch", "back"]
    result = run("restore", "original", "tuned.pt", "--budget", "moved <= 1", *asked)
    assert result.exit_code == 1
    assert "Not restored: no strength is surely inside the budget" in result.stdout
    assert not Path("restored.npy").exists()
    assert not Path("back").exists()


def test_counts_come_from_a_file(files, run):
    Path("counts.tsv").write_text("".join(f"w{row}\t{row}\n" for row in range(100)))
    asked = ["--method", "rare", "--counts", "counts.tsv", "--strength", "50", "-o", "out"]
    assert run("restore", "original", "tuned.pt", *asked).exit_code == 0
    pair = dk.align(dk.load("original"), dk.load("out"))
    assert np.flatnonzero(pair.moved).tolist() == list(range(50, 100))


def test_a_task_is_run(files, run):
    script = """
import sys, zipfile
import numpy as np

with zipfile.ZipFile(sys.argv[1]) as file:  # torch would take a second each time
    stored = next(name for name in file.namelist() if name.endswith("/data/0"))
    print(-abs(np.frombuffer(file.read(stored), np.float32)).sum())
"""
    Path("task.py").write_text(script)
    command = f"{sys.executable} task.py {{table}}"
    result = run("restore", "original", "tuned.pt", "--task", command, "--json", "-")
    values = [point["task"] for point in json.loads(result.stdout)["curve"]]
    assert len(values) == 11
    assert json.loads(result.stdout)["chosen"] == int(np.argmax(values))


def test_no_settings_file_runs_a_task(files, run):
    Path("driftkit.toml").write_text('[restore]\ntask = "evil {table}"\n')
    result = run("restore", "original", "tuned.pt", *BUDGET)
    assert result.exit_code == 2
    assert "would run code" in result.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "nothing says how far to restore"),
        ([*BUDGET, "-o", "out.pt"], "write --patch FILE"),
        ([*BUDGET, "-o", "out.xyz"], "does not name a format"),
        (["--interpolate", "0.5", "--method", "ball"], "give it alone"),
        (["--interpolate", "2"], "strength=2.0 was given"),
        (["--budget", "moved"], "write SUBJECT"),
        (["--method", "rare", "--strength", "2"], "--counts FILE"),
        (["--method", "rare", "--strength", "2", "--counts", "vocab.txt"], "line 1: 'w0' is not a"),
        ([*BUDGET, "--task", "true"], "does not say where the table goes"),
    ],
)
def test_a_command_that_cannot_be_is_refused_in_one_sentence(asked, said, files, run):
    result = run("restore", "original", "tuned.pt", *asked)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_methods_are_those_of_the_library():
    from driftkit.cli.restore import METHODS as SHOWN
    from driftkit.restoring import METHODS

    assert tuple(SHOWN.choices) == tuple(METHODS)
