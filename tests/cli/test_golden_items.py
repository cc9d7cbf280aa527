"""`driftkit lock` and `driftkit verify`: what is written and said, exit codes and refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

import driftkit as dk

NAMES = [f"item {i}" for i in range(30)]


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """Work in a folder with a table of thirty items, changed ones, and their texts."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(30, 8)).astype(np.float32)
    Path("vocab.txt").write_text("\n".join(NAMES))
    for name, rows in {
        "table": matrix,
        "half": matrix.astype(np.float16),
        "scaled": 2 * matrix,
        "reversed": matrix[:, ::-1],
        "slight": matrix + 0.05 * rng.normal(size=matrix.shape),
        "wide": np.hstack([matrix, matrix]),
    }.items():
        np.save(f"{name}.npy", rows)
    np.save("few.npy", matrix[:28])
    Path("few.vocab.txt").write_text("\n".join(NAMES[:28]))
    Path("items.csv").write_text(
        "id,text\n" + "".join(f"{name},Text of {name}\n" for name in NAMES)
    )
    return tmp_path


@pytest.fixture
def lock(tables, run):
    result = run("lock", "table.npy", "--items", "items.csv", "-o", "embed.lock")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "embed.lock: 30 items of 8 numbers.\n"
    return "embed.lock"


def test_a_lock_holds_what_the_library_locks(lock):
    assert dk.read_lock(lock).items[3].characters == len("Text of item 3")
    assert dk.read_lock(lock).settings["name"] == "table.npy"


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("table.npy", 0, "Same model within rounding: of 30 items the farthest, item "),
        ("half.npy", 0, "Same model: 30 items are as they were locked, in every number."),
        ("scaled.npy", 1, "Scaled: every vector is 2 times as long as it was."),
        ("reversed.npy", 1, "Rotated: one orthogonal map explains all 30 items."),
        ("slight.npy", 1, "Changed: 29 of 30 items are farther off than rounding takes them;"),
        ("wide.npy", 1, "Another width: 8 numbers in a vector then, 16 now."),
        ("few.npy", 1, "Items missing: 2 of 30 items: item 28, item 29."),
    ],
)
def test_each_answer_has_its_exit_code(source, code, said, lock, run):
    result = run("verify", source, lock, "--items", "items.csv")
    assert result.exit_code == code
    assert result.stdout.startswith(said)
    document = json.loads(run("verify", source, lock, "--items", "items.csv", "--json", "-").stdout)
    assert document["exit_code"] == code
    assert document["sentence"].startswith(said.removesuffix("item "))


def test_edited_texts_are_no_changed_model(lock, run):
    edited = Path("items.csv").read_text().replace("Text of item 7\n", "Another text\n")
    Path("items.csv").write_text(edited)
    result = run("verify", "table.npy", lock, "--items", "items.csv")
    assert result.exit_code == 1
    assert result.stdout.startswith("Texts differ: those of 1 of 30 items are not the ones that ")
    assert run("verify", "table.npy", lock).stdout == result.stdout  # the list is beside the lock
    Path("items.csv").unlink()
    result = run("verify", "table.npy", lock)
    assert result.exit_code == 0
    assert "texts were not compared, since none were given" in result.stdout


def test_rules_and_a_tolerance_decide(lock, run):
    kept = ("-r", "self_cosine min >= 0.98", "-r", "cka >= 0.5")
    assert run("verify", "slight.npy", lock, *kept).exit_code == 0
    broken = run("verify", "slight.npy", lock, "-r", "self_cosine min >= 0.9999")
    assert broken.exit_code == 1
    assert "Failed: 1 of 1 check: self_cosine min" in broken.stdout
    assert run("verify", "slight.npy", lock, "--tolerance", "0.3").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("lock table.npy", "Missing option '-o' / '--output'."),
        ("lock table.npy -o -", "- is standard output, which this is not written to."),
        ("lock table.npy -o table.npy", "is read by this command, and would be lost"),
        ("lock nowhere.npy -o new.lock", "nowhere.npy: no such file"),
        ("lock few.npy --items items.csv -o new.lock", "unknown word 'item 28'"),
        ("lock table.npy --items nowhere.csv -o new.lock", "nowhere.csv: "),
        ("verify table.npy", "Missing argument 'LOCK'."),
        ("verify table.npy nowhere.lock", "nowhere.lock: cannot be read"),
        ("verify table.npy items.csv", "items.csv: is not a lock of driftkit, or is damaged"),
        ("verify table.npy embed.lock --tolerance 2", "it is between 0 and 1."),
        ("verify table.npy embed.lock -r moved", "write SUBJECT, then one of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(arguments, said, lock, run):
    result = run(*arguments.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in " ".join(result.stderr.split())


def test_a_lock_of_the_first_numbers_and_rows(lock, run):
    assert run("lock", "table.npy", "-o", "cut.lock", "--dimensions", "4", "--limit", "20").stderr
    cut = dk.read_lock("cut.lock")
    assert cut.vectors.shape == (20, 4)
    assert run("verify", "table.npy", "cut.lock", "--dimensions", "4").exit_code == 0
    assert "Another width: 4" in run("verify", "table.npy", "cut.lock").stdout
