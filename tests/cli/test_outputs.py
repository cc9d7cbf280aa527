"""Where commands write: never over an input, nor twice into one file; ``-`` only where it fits."""

import json
import os

import pytest

import driftkit

QUICK = ("-b", "ws353", "--resamples", "100")
AUDIT = ("audit", "original.npy", "tuned.pt::embedding.weight", *QUICK)
CHECK = ("check", *AUDIT[1:], "-r", "moved >= 0")


@pytest.fixture
def folder(saved, tmp_path, monkeypatch):
    for file in saved.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "there").mkdir()
    (tmp_path / "again.json").symlink_to("out.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


REFUSED = {
    "an input": ((*AUDIT, "--json", "original.npy"), "--json original.npy is read by this command"),
    "an input by its key": ((*AUDIT, "--json", "tuned.pt"), "tuned.pt is read by this command"),
    "an input by a link": ((*AUDIT, "--json", "link"), "--json link is read by this command"),
    "a vocabulary": ((*AUDIT, "--vocab", "tuned.vocab.txt", "--json", "tuned.vocab.txt"), "is"),
    "itself": (("convert", "tuned.pt", "./tuned.pt", "--to", "npy"), "DEST ./tuned.pt is read by"),
    "a baseline": ((*CHECK, "--baseline", "b.json", "--json", "b.json"), "--json b.json is read"),
    "one file twice": ((*CHECK, "--json", "out", "--junit", "./out"), "--json and --junit both go"),
    "one file by a link": (
        (*CHECK, "--json", "out.json", "--markdown", "again.json"), "--json and --markdown both go",
    ),
    "standard output twice": ((*CHECK, "--json", "-", "--junit", "-"), "both go to -; give each"),
    "two ways to show": (
        ("shifts", *AUDIT[1:3], "--all", "-o", "s.jsonl", "--json", "-"), "give one of them",
    ),
    "a folder": ((*AUDIT, "--json", "there"), "cannot write there: it is a folder; name a file."),
    "a folder for shifts": (("shifts", *AUDIT[1:3], "--all", "-o", "there"), "it is a folder"),
    "no folder": ((*AUDIT, "--json", "no/x.json"), "the folder no does not exist."),
    "a folder that is a file": ((*AUDIT, "--json", "same.pt/x"), "same.pt/x: Not a directory"),
    "no folder to convert into": (("convert", "same.pt", "no/x.npy"), "the folder no does not"),
    "a table as -": (("convert", "same.pt", "-"), "- is standard output, which this is not"),
    "shifts as -": (("shifts", *AUDIT[1:3], "--all", "-o", "-"), "- is standard output, which"),
    "a baseline as -": (("baseline", "write", *AUDIT[1:], "-o", "-"), "- is standard output"),
    "an empty name": ((*AUDIT, "--html", ""), "'--html': the name is empty; name a file."),
    "an empty name of a folder": (("convert", "same.pt", ""), "'DEST': the name is empty"),
    "an empty name to read": ((*CHECK, "--baseline", ""), "'--baseline': the name is empty"),
    "the demo as -": (("demo", "-o", "-"), "- is standard output, which this is not written to."),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_read(run, folder, case, monkeypatch):
    (folder / "link").symlink_to("original.npy")
    (folder / "b.json").write_text("{}")
    monkeypatch.setattr(driftkit, "load", None)
    before = {path: path.lstat().st_mtime_ns for path in folder.iterdir()}
    arguments, sentence = REFUSED[case]
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert {path: path.lstat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(("option", "begins"), [("--junit", "<?xml"), ("--markdown", "### ")])
def test_reports_go_to_standard_output_alone(run, folder, option, begins):
    result = run(*CHECK, option, "-")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(begins)
    assert "\x1b" not in result.stdout
    assert not (folder / "-").exists()


@pytest.mark.skipif(os.name == "nt", reason="needs links and devices")
def test_outputs_through_a_link_and_into_a_device(run, folder):
    assert run(*CHECK, "--json", "again.json", "--junit", "/dev/null").exit_code == 0
    assert (folder / "again.json").is_symlink()
    assert json.loads((folder / "out.json").read_text())["schema"] == "driftkit.check/1"
    assert not os.path.isfile("/dev/null")  # noqa: PTH113


def test_the_words_of_an_npy_are_never_mixed(run, folder):
    assert run("convert", "tuned.pt::embedding.weight", "t.npy").exit_code == 0
    words, rows = (folder / name for name in ("t.vocab.txt", "t.npy"))
    before = words.read_bytes(), rows.read_bytes()
    other = run("convert", "original.npy", "t.npy")
    assert other.exit_code == 2
    assert "t.npy belongs to t.vocab.txt, which holds other words" in other.stderr
    assert (words.read_bytes(), rows.read_bytes()) == before
    assert run("convert", "tuned.pt::embedding.weight", "t.npy").exit_code == 0  # the same words
    words.unlink()
    assert "t.npy is there without t.vocab.txt" in run("convert", "same.pt", "t.npy").stderr
    rows.unlink()
    assert run("convert", "original.npy", "t.npy").exit_code == 0


def test_words_of_an_npy_need_a_file(run, folder):
    result = run("convert", "original.npy", "/dev/null", "--to", "npy")
    assert "no words can stand beside it" in result.stderr


def test_a_baseline_of_a_table_not_to_ship_needs_force(run, folder):
    """Every row is noise, so what the original knew is lost."""
    import numpy as np

    noise = np.random.default_rng(0).normal(size=np.load("original.npy").shape)
    np.save("noise.npy", noise.astype(np.float32))
    (folder / "noise.vocab.txt").symlink_to("original.vocab.txt")
    write = ("baseline", "write", "original.npy", "noise.npy", *QUICK)
    refused = run(*write)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: Do not ship: lost ws353")
    assert "give --force to `driftkit baseline write`, `add` or `update`." in refused.stderr
    assert not (folder / "driftkit-baseline.json").exists()
    forced = run(*write, "--force")
    assert forced.exit_code == 0
    assert "--force" not in forced.stdout
    before = (folder / "driftkit-baseline.json").read_bytes()
    update = ("baseline", "update", *write[2:])
    assert run(*update).exit_code == 2
    assert (folder / "driftkit-baseline.json").read_bytes() == before
    assert run(*update, "--force").exit_code == 0
