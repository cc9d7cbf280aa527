"""``driftkit link``."""

import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.maps import load_map


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(5).normal(size=(400, 6)) + 0.3
    for name, each in (("original", rows), ("tuned", rows[:, ::-1]), ("noise", rows[::-1])):
        dk.Embeddings([f"w{row}" for row in range(400)], each).save(name)
    (tmp_path / "reader.py").write_text(
        "def side(rows):\n    return (rows @ [1, 2, 3, 4, 5, 6] > 5).astype(int)\n"
    )
    (tmp_path / "inputs.txt").write_text("w0 w1\nw3\nw4 W5 w6\nnone\n")
    (tmp_path / "labels.txt").write_text("1\n0\n1\n0\n")
    return tmp_path


def test_the_command_writes_the_map_that_it_shows(files, run):
    result = run("link", "original", "tuned", "--consumer", "reader.py:side", "--map", "back.st")
    assert result.exit_code == 0, result.output
    assert "The link is broken: the consumer decides" in result.stdout
    mapped = load_map("back.st").apply(dk.load("tuned"))
    assert mapped.matrix == pytest.approx(dk.load("original").matrix, abs=1e-4)


def test_inputs_and_labels_come_from_files(files, run):
    asked = ("--consumer", "reader.py:side", "--inputs", "inputs.txt", "--labels", "labels.txt")
    result = run("link", "original", "tuned", *asked, "--json", "-")
    document = json.loads(result.stdout)
    assert document["flips"]["n"] == 3
    assert 0 <= document["flips"]["accuracy"][0] <= 1


def test_what_of_the_inputs_was_not_read_is_said(files, run):
    asked = ("link", "original", "tuned", "--consumer", "reader.py:side", "--inputs", "inputs.txt")
    result = run(*asked, "--json", "-")
    inputs = json.loads(result.stdout)["inputs"]
    assert (inputs["n"], inputs["left_out"], inputs["unknown"]) == (3, 1, 2)
    said = " ".join(run(*asked).stdout.split())
    assert "1 holds no word of the original table, of 4 inputs, and is left out" in said
    assert "2 of 7 words of the inputs are in neither table (such as W5, none)" in said
    assert "1 of them only for their capitals" in said


def test_lines_end_as_they_do_anywhere(files, run):
    texts = {name: (files / name).read_text() for name in ("inputs.txt", "labels.txt")}
    asked = ("--consumer", "reader.py:side", "--inputs", "inputs.txt", "--labels", "labels.txt")
    said = []
    for end in ("\n", "\r\n", "\r"):
        for name, text in texts.items():
            (files / name).write_bytes(text.replace("\n", end).encode())
        document = json.loads(run("link", "original", "tuned", *asked, "--json", "-").stdout)
        said.append((document["inputs"], document["flips"]))
    assert said[0] == said[1] == said[2]


def test_no_map_is_written_where_none_helps(files, run):
    result = run("link", "original", "noise", "--map", "back.st")
    assert result.exit_code == 0
    assert "back.st is not written, since no map helps" in result.stderr
    assert not (files / "back.st").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--inputs", "inputs.txt"], "--inputs and --labels are for a consumer"),
        (["--consumer", "reader.py"], "give a function as package.module:name or file.py:name"),
        (["--consumer", "reader.py:other"], "it has no 'other'"),
        (["--consumer", "no.py:side"], "there is no such file"),
    ],
)
def test_a_command_that_cannot_be_is_refused_in_one_sentence(asked, said, files, run):
    result = run("link", "original", "tuned", *asked)
    assert result.exit_code == 2
    assert said in result.stderr
