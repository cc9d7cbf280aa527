import json
from pathlib import Path

import numpy as np
import pytest

from driftkit.cli import baseline as commands

QUICK = ("-b", "ws353", "--resamples", "200")
SAME, TUNED = "same.pt::embedding.weight", "gentle.pt::embedding.weight"
FILE = "driftkit-baseline.json"


@pytest.fixture
def baseline(run, saved, tmp_path, monkeypatch):
    for file in saved.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)

    def call(verb, *args):
        return run("baseline", verb, *args)

    return call


def test_write_then_show(baseline):
    written = baseline("write", "original.npy", TUNED, *QUICK, "-r", "word[good] overlap >= 0")
    assert written.exit_code == 0, written.output
    document = json.loads(Path(FILE).read_text("utf-8"))
    (only,) = document["runs"]
    assert only["figures"]["moved"] == 150
    assert "word[good] overlap@10" in only["figures"]
    shown = baseline("show")
    assert shown.stdout.splitlines()[0] == f"{TUNED} against original.npy"
    assert json.loads(baseline("show", "--json", "-").stdout) == document


def test_writing_twice_gives_the_same_bytes_and_never_replaces(baseline):
    assert baseline("write", "original.npy", TUNED, *QUICK, "-o", "a.json").exit_code == 0
    assert baseline("write", "original.npy", TUNED, *QUICK, "-o", "b.json").exit_code == 0
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    again = baseline("write", "original.npy", SAME, *QUICK, "-o", "a.json")
    assert again.exit_code == 2
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_update_says_what_changed(baseline):
    baseline("write", "original.npy", TUNED, *QUICK)
    same = baseline("update", "original.npy", TUNED, *QUICK)
    assert same.exit_code == 0
    changed = baseline("update", "original.npy", SAME, *QUICK)
    assert "  moved: 150 -> 0\n" in changed.stdout
    assert json.loads(Path(FILE).read_text())["runs"][0]["figures"]["moved"] == 0


def test_update_refuses_in_ci_unless_forced(baseline, monkeypatch):
    baseline("write", "original.npy", TUNED, *QUICK)
    before = Path(FILE).read_bytes()
    monkeypatch.setenv("CI", "true")
    refused = baseline("update", "original.npy", SAME, *QUICK)
    assert refused.exit_code == 2
    assert Path(FILE).read_bytes() == before
    assert baseline("update", "original.npy", SAME, *QUICK, "--force").exit_code == 0
    assert Path(FILE).read_bytes() != before


def test_update_needs_one_and_replaces_a_broken_one(baseline):
    missing = baseline("update", "original.npy", TUNED, *QUICK)
    assert missing.exit_code == 2
    assert not Path(FILE).exists()
    Path(FILE).write_text("{")
    assert baseline("update", "original.npy", TUNED, *QUICK).exit_code == 0
    assert baseline("show").exit_code == 0


def test_a_rule_that_cannot_be_read_is_told_before_the_work(baseline):
    result = baseline("write", "original.npy", TUNED, "-r", "movd <= 1")
    assert result.exit_code == 2
    assert not Path(FILE).exists()


def test_the_printed_command_runs_and_needs_what_was_typed(baseline):
    options = ("-r", "moved <= 500", "-m", "jaccard@5", "--resamples", "200", "-b", "ws353")
    written = baseline("write", "./original.npy", TUNED, *options, "-o", "-my base.json")
    assert written.stdout.splitlines()[1] == (
        "  driftkit check ./original.npy TUNED --baseline './-my base.json' "
        "-r 'moved <= 500' -b ws353 -m jaccard@5 --resamples 200"
    )


def test_a_name_that_only_a_plugin_knows_is_not_called_damage(baseline):
    baseline("write", "original.npy", TUNED, *QUICK)
    text = Path(FILE).read_text("utf-8").replace('"overlap@10 mean"', '"halves@10 mean"')
    Path(FILE).write_text(text, "utf-8")
    shown = baseline("show")
    assert shown.exit_code == 2
    assert shown.stderr == (
        f"Error: baseline {FILE} holds 'halves@10 mean', and measure, count or question 'halves' "
        "is not known here; give the options that it was written with, such as --plugin and -b, or "
        "restore the file as it was committed.\n"
    )


@pytest.fixture
def seeds(baseline):
    """Names of four runs of one recipe beside the other tables."""
    words = Path("original.vocab.txt").read_bytes()
    before = np.load("original.npy")
    for seed in range(4):
        rows = before.copy()
        rows[:150] += np.random.default_rng(seed).normal(0, 0.02, (150, 50)).astype(np.float32)
        np.save(f"seed-{seed}.npy", rows)
        Path(f"seed-{seed}.vocab.txt").write_bytes(words)
    return [f"seed-{seed}.npy" for seed in range(4)]


def runs_in(file=FILE):
    return [run["tuned"]["name"] for run in json.loads(Path(file).read_text("utf-8"))["runs"]]


def test_a_window_of_runs_rolls(baseline, seeds):
    written = baseline("write", "original.npy", *seeds[:2], *QUICK)
    assert written.exit_code == 0, written.output
    accepted = [line.split(": ") for line in written.stdout.splitlines()[2:]]
    assert [who for who, *_ in accepted] == [f"  accepted {name}" for name in seeds[:2]]
    assert all("150 of 3,000 words moved" in sentence[-1] for _, *sentence in accepted)
    first = baseline("add", "original.npy", seeds[2], *QUICK, "--keep", "3")
    assert f"Added to {FILE}, which holds 3 runs." in first.stdout
    second = baseline("add", "original.npy", seeds[3], *QUICK, "--keep", "3")
    assert f"  {seeds[0]} left\n" in second.stdout
    assert runs_in() == seeds[1:]
    shown = baseline("show").stdout.splitlines()
    assert shown[0] == "3 runs against original.npy"
    assert "least to most" in "\n".join(shown)
    replaced = baseline("update", "original.npy", *seeds[:3], *QUICK)
    assert "means [least, most] of 3 runs -> 3 runs" in replaced.stdout
    assert runs_in() == seeds[:3]


def test_a_check_says_against_how_many_runs(baseline, seeds, run):
    check = ("check", "original.npy", seeds[3], "--baseline", FILE, *QUICK, "--no-github")
    baseline("write", "original.npy", seeds[0], *QUICK)
    one = " ".join(run(*check).stdout.split())
    assert f"{FILE} holds 1 run, which does not show how far runs of one recipe lie apart; 3" in one
    baseline("add", "original.npy", *seeds[1:3], *QUICK)
    files = ("--json", "a.json", "--markdown", "a.md", "--junit", "a.xml")
    several = run(*check, *files)
    assert several.exit_code == 0, several.output
    assert f"original.npy and {FILE} (3 runs)" in several.stdout
    assert "holds" not in several.stdout
    assert f"{FILE} (3 runs)" in Path("a.md").read_text("utf-8")
    assert f'<property name="baseline" value="{FILE} (3 runs)"' in Path("a.xml").read_text("utf-8")
    (found,) = json.loads(Path("a.json").read_text("utf-8"))["checks"]
    assert found["runs"] == 3
    by_runs = {each["subject"]: each for each in found["results"] if each["runs"]}
    assert all(each["decided_by"] == "interval" for each in by_runs.values())
    assert "in the mean of 3 runs" in by_runs["spearman[ws353] - baseline"]["detail"]
    own = run("check", "original.npy", seeds[1], "--baseline", FILE, *QUICK).stdout
    said = f"{seeds[1]} is one of the 3 runs of {FILE}, and was compared with itself"
    assert said in " ".join(own.split())


def test_a_run_that_was_added_meanwhile_is_not_lost(baseline, seeds, monkeypatch):
    """Another run of driftkit ends while this one measures."""
    first, second, third = seeds[:3]
    baseline("write", "original.npy", first, *QUICK)
    measure = commands._measure

    def while_another_adds(*given):
        monkeypatch.setattr(commands, "_measure", measure)
        assert baseline("add", "original.npy", second, *QUICK).exit_code == 0
        return measure(*given)

    monkeypatch.setattr(commands, "_measure", while_another_adds)
    assert baseline("add", "original.npy", third, *QUICK).exit_code == 0
    assert runs_in() == [first, second, third]

    Path(FILE).unlink()

    def while_another_writes(*given):
        Path(FILE).write_text("theirs")
        return measure(*given)

    monkeypatch.setattr(commands, "_measure", while_another_writes)
    assert baseline("write", "original.npy", first, *QUICK).exit_code == 2
    assert Path(FILE).read_text() == "theirs"
