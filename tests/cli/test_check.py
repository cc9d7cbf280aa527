"""Every exit code, every way a baseline can be wrong, and the files a check leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import torch

from driftkit.gate.profiles import PROFILES
from driftkit.report.serialize import check_schema

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


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("original.npy", TUNED, "-r", "moved <= 10%"), 0, "Passed: 1 check."),
        (("original.npy", TUNED, "-r", "warn moved <= 1%"), 0, "Passed with 1 warning in 1 checks"),
        (("original.npy", TUNED, "-r", "moved <= 1%"), 1, "moved is 150, the rule is <= 30"),
        (("original.npy", SAME), 1, "Failed: 3 of 9 checks"),
        (("original.npy", SAME, "-r", "cka[moved] >= 0"), 1, "cka[moved] not measured"),
        (("original.npy", SAME, "-r", "cka[moved] >= 0", "--not-measured", "pass"), 0, "Passed"),
        (("original.npy", TUNED, "-r", "change[*] >= -margin"), 0, "inconclusive"),
        (("original.npy", TUNED, "-r", "change[*] >= -margin", "--inconclusive", "fail"), 1,
         "inconclusive"),
        (("original.npy", TUNED, "-r", "jaccard@50 mean[moved] >= 0.99"), 1,
         "jaccard@50 mean[moved] is"),
        (("original.npy", TUNED, "-r", "word[good] mutual_change >= -1"), 0, "Passed: 1 check."),
        (("original.npy", TUNED, "-r", "hubness_skewness tuned <= original + 50%"), 0, "Passed"),
        (("original.npy", TUNED, "-r", "overlap mean >= 0", "-r", "overlap@20 mean >= 0"), 0,
         "Passed: all 2 checks."),
        (("original.npy", TUNED, "-r", "overlap mean[rank 1-1000] >= 0.99"), 1,
         "overlap@10 mean[rank 1-1000] is"),
        (("original.npy", TUNED, "-r", "displacement(center=1,anchors=500) p95 <= 2"), 0, "Passed"),
        (("original.npy", TUNED, "--profile", "lenient"), 0, "Passed"),
        (("original.npy", TUNED, "--profile", "strict"), 1, "Failed"),
    ],
)  # fmt: skip
def test_verdicts(check, args, code, said):
    result = check(*args)
    assert result.exit_code == code, result.output
    assert said in " ".join(result.stdout.split())
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "give the original table and one or more tuned ones"),
        (("original.npy",), "give the original table and one or more tuned ones"),
        (("original.npy", "missing.pt"), "missing.pt"),
        (("missing.npy", TUNED), "missing.npy"),
        (("original.npy", TUNED, "-r", "movd <= 3"), "did you mean 'moved'?"),
        (("original.npy", TUNED, "-r", "moved"), "write SUBJECT"),
        (("original.npy", TUNED, "-r", "spearman[simlx999] >= 0"), "did you mean 'simlex999'?"),
        (("original.npy", TUNED, "-r", "overlap mean[rank 5-7] >= 0"), "unknown figure of this"),
        (("original.npy", TUNED, "-r", "jacard mean >= 0"), "did you mean 'jaccard'?"),
        (("original.npy", TUNED, "-m", "jacard"), "did you mean 'jaccard'?"),
        (("original.npy", TUNED, "-r", "word[goood] overlap > 0"), "unknown protected word"),
        (("original.npy", TUNED, "--profile", "strickt"), "did you mean 'strict'?"),
        (("original.npy", TUNED, "--inconclusive", "ignore"), "Invalid value"),
        (("original.npy", TUNED, "-r", "moved <= baseline"), "compares with a baseline and none"),
        (("original.npy", TUNED, "--baseline", "no.json"), "there is no such baseline"),
        (("original.npy", TUNED, "--baseline", "b", "--previous", "c"), "not both"),
        (("original.npy", TUNED, "--junit", "no/j.xml"), "the folder no does not exist"),
        (("original.npy", TUNED, "--nonsense"), "No such option"),
    ],
)
def test_whatever_else_goes_wrong_is_2_with_one_sentence(check, args, said):
    result = check(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_crash_is_no_regression_and_no_pass(check, monkeypatch):
    import driftkit.gate

    def broken(*_, **__):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(driftkit.gate, "check", broken)
    result = check("original.npy", TUNED)
    assert result.exit_code == 2
    assert "ZeroDivisionError: on purpose" in result.stderr


def test_an_interruption_is_130(check, monkeypatch):
    import driftkit.gate

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(driftkit.gate, "check", interrupted)
    assert check("original.npy", TUNED).exit_code == 130


def test_a_table_that_overflowed_is_2(check, nudged, tables):
    half = torch.from_numpy(nudged.before * 2.0**15).to(torch.float16)
    torch.save({"w": half}, "overflow.pt")
    Path("overflow.vocab.txt").write_text("\n".join(nudged.words))
    result = check("original.npy", "overflow.pt::w")
    assert result.exit_code == 2
    assert "hold NaN or infinity" in result.stderr


def _write(run, *args):
    result = run("baseline", "write", "original.npy", TUNED, *QUICK, *args)
    assert result.exit_code == 0, result.output


def _edit(path, **changes):
    document = json.loads(Path(path).read_text())
    for name, value in changes.items():
        document[name] = {**document[name], **value} if isinstance(value, dict) else value
    Path(path).write_text(json.dumps(document))


def test_a_baseline_of_the_same_table_passes(run, check):
    _write(run)
    result = check("original.npy", TUNED, "--baseline", "driftkit-baseline.json", "-r",
                   "change[*] = baseline", "-r", "overlap mean[moved] = baseline")  # fmt: skip
    assert result.exit_code == 0
    assert "Passed: all 2 checks." in result.stdout


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda: Path("b.json").unlink(), "there is no such baseline"),
        (lambda: Path("b.json").write_text("{"), "is not a readable baseline"),
        (lambda: Path("b.json").write_text("{}"), "is not a baseline this driftkit reads"),
        (lambda: _edit("b.json", schema="driftkit.baseline/9"), "driftkit.baseline/9"),
        (lambda: _edit("b.json", figures=None), "is damaged"),
        (lambda: _edit("b.json", driftkit="99.0.0"), "is outdated: driftkit 99.0.0 wrote it"),
        (lambda: _edit("b.json", original={"sha256": "0" * 64}), "is foreign"),
        (lambda: _edit("b.json", settings={"seed": 5}), "was made with seed 5"),
        (lambda: _edit("b.json", settings={"k": 5}), "was made with k 5"),
        (lambda: _edit("b.json", benchmarks={"spearman[ws353]": {
            "n_total": 1, "n_used": 1, "items_sha256": ""}}),
         "spearman[ws353] is measured on other items now"),
        (lambda: _drop("b.json", "spearman[ws353]"),
         "it has no spearman[ws353]"),
    ],
)  # fmt: skip
def test_a_wrong_baseline_is_2_and_never_a_pass(run, check, harm, said):
    _write(run, "-o", "b.json")
    harm()
    result = check("original.npy", TUNED, "--baseline", "b.json")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def _drop(path, figure):
    document = json.loads(Path(path).read_text())
    del document["figures"][figure]
    Path(path).write_text(json.dumps(document))


def test_the_previous_release(check):
    rule = ("-r", "overlap mean[moved] >= baseline - 0.1", "-r", "moved <= baseline")
    assert check("original.npy", TUNED, "--previous", TUNED, *rule).exit_code == 0
    result = check("original.npy", TUNED, "--previous", SAME, *rule)
    assert result.exit_code == 1
    assert f"against original.npy and {SAME}" in result.stdout


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
    assert lines[0].startswith("::error title=driftkit check::Failed: 3 of 9 checks")
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
    assert lines[0] == f"# profile: {profile}"
    assert lines[1:-1] == list(PROFILES[profile].rules)
    assert lines[-1] == f"# inconclusive: {PROFILES[profile].inconclusive}; not measured: fail"
    with_baseline = run("check", "--show-rules", "--profile", profile, "--baseline", "b.json")
    assert set(PROFILES[profile].baseline_rules) <= set(with_baseline.stdout.splitlines())


def test_a_benchmark_that_only_a_rule_names_is_measured(run, tables):
    result = run("check", "original.npy", TUNED, "-b", "ws353", "--resamples", "100", "-r",
                 "spearman[simlex999] >= -1")  # fmt: skip
    assert result.exit_code == 0
    assert "spearman[simlex999]" in result.stdout


def test_settings_from_a_file(check, tables):
    Path("driftkit.toml").write_text('rules = ["moved <= 1%"]\n[check]\nmarkdown = "c.md"\n')
    assert check("original.npy", TUNED).exit_code == 1
    assert Path("c.md").exists()
    assert check("original.npy", TUNED, "-r", "moved <= 10%").exit_code == 0
    Path("driftkit.toml").write_text('rule = ["moved <= 1%"]\n')
    result = check("original.npy", TUNED)
    assert result.exit_code == 2
    assert "did you mean 'rules'?" in result.stderr


@pytest.mark.slow
def test_the_same_bytes_twice_and_with_one_or_two_threads(tables):
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
    assert one == document("1") == document("2")
    assert np.isfinite(json.loads(one)["checks"][0]["results"][0]["value"])
