"""The files a check leaves, and what it tells whom; `test_screens.py` has what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from driftkit.gate.policy import PROFILES
from driftkit.report.document import check_schema

QUICK = ("-b", "ws353", "--resamples", "200")
SAME, TUNED = "same.pt::embedding.weight", "tuned.pt::embedding.weight"


@pytest.fixture
def tables(saved, monkeypatch, tmp_path):
    """Work in a folder of its own, with the saved tables under their names."""
    for file in saved.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def check(run, tables):
    def call(*args, **settings):
        return run("check", *args, *QUICK, **settings)

    return call


def test_several_tables_give_a_matrix_and_one_exit_code(check):
    result = check("original.npy", TUNED, SAME, "-r", "moved >= 1", "--json", "c.json")
    assert result.exit_code == 1
    assert "All tables" in result.stdout
    document = json.loads(Path("c.json").read_text())
    assert [each["state"] for each in document["checks"]] == ["pass", "fail"]
    assert check("original.npy", SAME, SAME, "-r", "moved = 0").exit_code == 0


def test_files(check):
    result = check(
        "original.npy", SAME, TUNED, "--junit", "j.xml", "--markdown", "c.md", "--json", "-"
    )
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(check_schema()).validate(document)
    assert document["exit_code"] == result.exit_code == 1
    suites = ElementTree.parse("j.xml").getroot()
    assert [suite.get("name") for suite in suites] == [
        f"{name} against original.npy" for name in (SAME, TUNED)
    ]
    assert Path("c.md").read_text("utf-8").startswith("### driftkit check")


def test_github_is_told_by_itself(check, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("from another command\n")
    result = check("original.npy", SAME)
    lines = [line for line in result.stdout.splitlines() if line.startswith("::")]
    assert lines[0].startswith("::error title=driftkit check::Failed: 3 of 17 checks")
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary.startswith("from another command\n### ❌")
    assert "::" not in check("original.npy", SAME, "--no-github").stdout.replace("::embedding", "")
    quiet = check("original.npy", SAME, "--json", "-")
    json.loads(quiet.stdout)
    assert quiet.stderr.startswith("::error")


def test_nothing_is_said_to_github_elsewhere(check, monkeypatch):
    assert "::error" not in check("original.npy", SAME).output
    assert "::error" in check("original.npy", SAME, "--github").output


@pytest.mark.parametrize("profile", PROFILES)
def test_rules_in_force_are_printed(run, profile):
    result = run("check", "--show-rules", "--profile", profile)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"# profile: {profile}", f"# {PROFILES[profile].summary}"]
    assert lines[2:-1] == PROFILES[profile].rules
    assert lines[-1] == f"# inconclusive: {PROFILES[profile].inconclusive}; not measured: fail"
    with_baseline = run("check", "--show-rules", "--profile", profile, "--baseline", "b.json")
    assert set(PROFILES[profile].baseline_rules) <= set(with_baseline.stdout.splitlines())


def test_settings_from_a_file(check, tables):
    Path("driftkit.toml").write_text('rules = ["moved <= 1%"]\n[check]\nmarkdown = "c.md"\n')
    assert check("original.npy", TUNED).exit_code == 1
    assert Path("c.md").exists()
    assert check("original.npy", TUNED, "-r", "moved <= 10%").exit_code == 0


@pytest.mark.slow
def test_the_same_bytes_in_two_processes_with_one_and_two_threads(tables):
    def document(threads):
        done = subprocess.run(
            [str(Path(sys.executable).with_name("driftkit")), "check", "original.npy", TUNED,
             "--json", "-", "-b", "ws353", "-b", "simlex999", "-b", "google", "-q"],
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
                 "NUMBA_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        return done.stdout

    one = document("1")
    assert one == document("2")
    values = [each["value"] for each in json.loads(one)["checks"][0]["results"]]
    assert any(isinstance(value, float) and np.isfinite(value) for value in values)


def test_two_recipes_are_compared_by_their_runs(run, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, before = (saved / "original.vocab.txt").read_bytes(), np.load(saved / "original.npy")
    rows = before[:500]
    for name, size in (("original", 0.0), ("old", 0.02), ("new", 0.5)):
        for seed in range(1, 4):
            moved = rows.copy()
            noise = np.random.default_rng(seed).normal(0, size, (100, 50))
            moved[:100] += noise.astype(np.float32)
            path = Path("original" if name == "original" else f"{name}/seed-{seed}")
            path.parent.mkdir(exist_ok=True)
            np.save(f"{path}.npy", moved)
            Path(f"{path}.vocab.txt").write_bytes(b"\n".join(words.split(b"\n")[:500]) + b"\n")
    new, old = ([f"{name}/seed-{seed}.npy" for seed in (1, 2, 3)] for name in ("new", "old"))
    rules = ("-r", "overlap mean[moved] >= baseline - 0.1", "-b", "none", "--json", "out.json")
    found = run("check", "original.npy", "--runs", *new, "--against", *reversed(old), *rules)
    assert found.exit_code == 0, found.output
    said = " ".join(found.stdout.split())
    assert "paired by name: new/seed-1.npy with old/seed-1.npy, new/seed-2.npy with old/" in said
    assert "a sign-flip test of 3 pairs of runs has no p-value below 0.25" in said
    (both,) = json.loads(Path("out.json").read_text("utf-8"))["checks"]
    assert (both["state"], both["runs"]) == ("warn", 3)
    spelled = [f"--runs={new[0]}", "--runs", new[1], *rules[:4], "--against", *old[:2]]
    assert run("check", "original.npy", *spelled).exit_code == 0
    for wrong in (
        ["--runs", *new],
        ["--against", *old],
        ["--runs", *new, "--against", *old, "--previous", old[0]],
        ["--runs", "--against", *old],
        ["--runs", *new, "--against"],
        ["--runs", new[0], "--against", *old],
    ):
        assert run("check", "original.npy", *wrong).exit_code == 2
