"""Whole screens of `check` and `baseline`, as a person has read them, with their exit codes."""

import json
import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftkit.cli import main
from driftkit.report.document import ENGINES

SCREENS = {
    # Profiles, without and with something to compare with.
    "default": ("check original.npy gentle.npy", 0),
    "default-fails": ("check original.npy hot.npy", 1),
    "strict-fails": ("check original.npy tuned.npy --profile strict", 1),
    "lenient-warns": ("check original.npy tuned.npy --profile lenient", 0),
    "default-against-a-baseline": (
        "check original.npy gentle.npy --profile default --baseline accepted.json", 0),
    "strict-against-a-baseline": (
        "check original.npy gentle.npy --profile strict --baseline accepted.json", 0),
    "hot-against-a-baseline": ("check original.npy hot.npy --baseline accepted.json", 1),
    "previous-release": ("check original.npy hot.npy --previous gentle.npy", 1),
    # What goes wrong with tables.
    "base-table-exported-unnoticed": ("check original.npy same.npy", 1),
    "clipped-numbers": ("check original.npy clipped.npy", 1),
    "repaired-rows": ("check original.npy repaired.txt -r 'moved >= 0'", 0),
    # Protected words, undecided rules, several tables.
    "words": ("check original.npy hot.npy -r 'words[good,bank] self_cosine >= 0.9'", 1),
    "undecided": ("check original.npy tuned.npy -r 'change[*] >= -margin'", 0),
    "several-tables": ("check original.npy gentle.npy hot.npy tuned.npy -r 'lost == 0'", 1),
    # Reports for machines.
    "json": ("check original.npy tuned.npy -r 'moved <= 5%' --json -", 1),
    "markdown-and-junit": (
        "check original.npy hot.npy -r 'moved <= 5%' -r 'warn displaced = 0' "
        "--markdown check.md --junit check.xml", 1),
    "github": ("check original.npy hot.npy -r 'moved <= 5%' --github", 1),
    # Rules in force.
    "show-rules": ("check --show-rules", 0),
    "show-rules-strict": ("check --show-rules --profile strict --baseline accepted.json", 0),
    "show-rules-own": ("check --show-rules -r 'moved<=10%' --inconclusive fail", 0),
    # Baselines.
    "baseline-write": ("baseline write original.npy gentle.npy -o new.json", 0),
    "baseline-show": ("baseline show -o accepted.json", 0),
    "baseline-update": ("baseline update original.npy tuned.npy -o accepted.json", 0),
}  # fmt: skip
WRITTEN = ("check.md", "check.xml", "summary.md")


@pytest.mark.parametrize("name", SCREENS)
def test_screen(name, in_tables, monkeypatch, golden):
    command, code = SCREENS[name]
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    result = see(command)
    assert result.exit_code == code, result.output
    parts = [f"$ driftkit {command}", result.stdout]
    if result.stderr:
        parts += ["--- standard error", result.stderr]
    for file in WRITTEN:
        if Path(file).exists():
            parts += [f"--- {file}", Path(file).read_text("utf-8")]
    parts.append(f"--- exit code {code}")
    text = "\n".join(part.rstrip("\n") for part in parts if part)
    for package in ("driftkit", *ENGINES):
        text = re.sub(rf"(?<![\d.]){re.escape(version(package))}(?![\d.]*\d)", f"<{package}>", text)
    golden("\n".join(line.rstrip() for line in text.splitlines()) + "\n", f"{name}.txt")


def test_every_screen_has_a_file_and_no_file_is_left_over():
    here = {path.stem for path in (Path(__file__).parent / "golden").iterdir()}
    assert here == set(SCREENS)


def test_other_versions_than_those_of_the_baseline_are_noted(in_tables):
    document = json.loads(Path("accepted.json").read_text("utf-8"))
    document["runs"][0]["engines"]["numpy"] = "1.26.4"
    Path("older.json").write_text(json.dumps(document))
    result = see("check original.npy gentle.npy --baseline older.json -r 'moved = baseline'")
    assert result.exit_code == 0
    assert (
        "Note: older.json was made with numpy 1.26.4, and this check with "
        f"{version('numpy')}; last digits may differ."
    ) in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("spearman[ws353]", "change[*] >= baseline - margin"),
        ("overlap@10 mean[moved]", "overlap mean[moved] >= baseline"),
    ],
)
def test_what_the_baseline_could_not_measure_is_no_pass(name, rule, in_tables):
    document = json.loads(Path("accepted.json").read_text("utf-8"))
    figures = document["runs"][0]["figures"]
    entry = figures[name]
    figures[name] = [None] * 3 if isinstance(entry, list) else None
    Path("gaps.json").write_text(json.dumps(document))
    result = see(f"check original.npy gentle.npy --baseline gaps.json -r '{rule}'")
    assert result.exit_code == 1
    assert "the baseline could not measure it" in " ".join(result.stdout.split())


def test_an_update_tells_when_nothing_changed_or_nothing_could_be_compared(in_tables):
    update = "baseline update original.npy gentle.npy -o accepted.json"
    lines = see(update).stdout.splitlines()
    assert (lines[0], lines[2:]) == ("Updated accepted.json.", ["  no value changed"])
    assert lines[1].startswith("  accepted gentle.npy: Safe to ship: ")
    Path("accepted.json").unlink()
    Path("accepted.json").write_text("{")
    result = see(update)
    assert (result.exit_code, result.stdout.splitlines()) == (0, lines[:2])
    assert result.stderr.startswith("The old baseline cannot be read, so nothing is compared: ")


def test_an_update_goes_through_where_ci_is_set_and_forced(in_tables, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = see("baseline update original.npy tuned.npy -o accepted.json --force")
    assert result.exit_code == 0
    assert "  displaced: 0 -> 29\n" in result.stdout


def see(command):
    return CliRunner().invoke(main, shlex.split(command))
