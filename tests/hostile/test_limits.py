"""A full disk, a limit on files or memory, a disk that is read-only: one sentence, and no orphan."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from driftkit import Embeddings
from driftkit.loaders.convert import write

pytestmark = pytest.mark.slow

LIMITED = """
import json, os, sys
arguments, limits = json.loads(sys.argv[1])
import driftkit.cli
for name, limit in limits.items():
    import resource
    resource.setrlimit(getattr(resource, name), (limit, limit))
from click.testing import CliRunner
for each in arguments:
    result = CliRunner().invoke(driftkit.cli.main, each)
    print(json.dumps([result.exit_code, result.stderr]), flush=True)
"""
QUICK = ["-b", "pairs.tsv", "--resamples", "100"]
PAIR = ["original.bin", "tuned.bin"]
COMMANDS = {
    "convert to text": ["convert", "-q", "tuned.bin", "{}/out.vec"],
    "convert to word2vec": ["convert", "-q", "tuned.bin", "{}/out.bin"],
    "convert to safetensors": ["convert", "-q", "tuned.bin", "{}/out.safetensors"],
    "convert to npy": ["convert", "-q", "tuned.bin", "{}/out.npy"],
    "convert to a folder": ["convert", "-q", "tuned.bin", "{}/out"],
    "audit --json": ["audit", *PAIR, *QUICK, "--json", "{}/out.json"],
    "score --json": ["score", "tuned.bin", "-b", "pairs.tsv", "--json", "{}/out.json"],
    "check --junit": ["check", *PAIR, *QUICK, "-r", "moved >= 0", "--junit", "{}/out.xml"],
    "check --markdown": ["check", *PAIR, *QUICK, "-r", "moved >= 0", "--markdown", "{}/out.md"],
    "shifts": ["shifts", *PAIR, "--all", "-o", "{}/out.jsonl"],
    "shifts to parquet": ["shifts", *PAIR, "--all", "-o", "{}/out.parquet"],
    "baseline write": ["baseline", "write", *PAIR, *QUICK, "--force", "-o", "{}/out.json"],
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    matrix = np.random.default_rng(0).normal(size=(2_000, 20)).astype(np.float32)
    words = [f"w{i}" for i in range(len(matrix))]
    write(Embeddings(words, matrix), folder / "original.bin")
    matrix[::3] += 0.1
    write(Embeddings(words, matrix), folder / "tuned.bin")
    pairs = "".join(f"w{i}\tw{i + 1}\t{i % 7}.5\n" for i in range(60))
    (folder / "pairs.tsv").write_text(pairs)
    return folder


def outcomes(tables, place, **limits):
    """What each command says, by name, when it writes into `place`."""
    commands = [[part.format(place) for part in command] for command in COMMANDS.values()]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps([commands, limits])],
        cwd=tables, capture_output=True, text=True, check=False,
        env={**os.environ, "CI": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(COMMANDS, map(json.loads, done.stdout.splitlines()), strict=True))


@contextmanager
def disk(place, size):
    """Mount a small disk, where this process may."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs mount")
    if done.returncode:
        pytest.skip("needs root and mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(tables, tmp_path):
    place = tmp_path / "small"
    with disk(place, "8m"):
        with pytest.raises(OSError, match="No space left"), (place / "fill").open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        for name, (code, said) in outcomes(tables, place).items():
            assert code == 2, name
            assert said.count("\n") == 1, (name, said)
            assert "No space left on device; nothing there was changed. Free some space" in said
            assert [each.name for each in place.iterdir()] == ["fill"], name


def test_a_disk_that_is_read_only(tables, tmp_path):
    place = tmp_path / "kept"
    with disk(place, "8m"):
        (place / "out.json").write_text("old")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        for name, (code, said) in outcomes(tables, place).items():
            assert code == 2, name
            if name != "baseline write":  # which says that it replaces none
                assert "read-only; name a place that can be written to." in said


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits")
def test_a_limit_on_the_size_of_files(tables, tmp_path):
    for name, (code, said) in outcomes(tables, tmp_path, RLIMIT_FSIZE=100).items():
        assert code == 2, name
        assert said.count("\n") == 1, (name, said)
        assert "File too large; nothing there was changed. Raise the limit" in said
        assert list(tmp_path.iterdir()) == [], name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="limits that hold on Linux")
@pytest.mark.parametrize("megabytes", [200, 500, 1_000])
def test_a_limit_on_memory(tables, tmp_path, megabytes):
    """Libraries may end the process where memory is refused them: then there is no file at all."""
    program = (
        "import resource, sys; from driftkit.cli import main\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20},) * 2); main()"
    )
    out = tmp_path / "out.safetensors"
    done = subprocess.run(
        [sys.executable, "-c", program, "convert", "-q", "tuned.bin", str(out)],
        cwd=tables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.exists() is (done.returncode == 0)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("length", [255, 256])
def test_a_name_of_255_characters(tables, tmp_path, length, monkeypatch):
    monkeypatch.chdir(tables)
    for ending in (".vec", ".bin", ".safetensors", ".npy", ".jsonl", ".json"):
        name = tmp_path / ("n" * (length - len(ending)) + ending)
        command = ["convert", "-q", "tuned.bin"]
        if ending == ".jsonl":
            command = ["shifts", *PAIR, "w1", "-o"]
        elif ending == ".json":
            command = ["score", "tuned.bin", "-b", "pairs.tsv", "--json"]
        code, said = one([*command, str(name)])
        fits = length == 255 and ending != ".npy"  # whose words would go into n...n.vocab.txt
        assert (code, name.is_file() if fits else False) == ((0, True) if fits else (2, False))
        if not fits:
            assert "File name too long; nothing there was changed. Give it a shorter name." in said
    assert len(list(tmp_path.iterdir())) == (5 if length == 255 else 0)


def one(command):
    from click.testing import CliRunner

    from driftkit.cli import main

    result = CliRunner().invoke(main, command)
    return result.exit_code, result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--json", "-"], []])
def test_standard_output_that_is_full(tables, arguments):
    command = ["score", "tuned.bin", "-b", "pairs.tsv", *arguments]
    program = "from driftkit.cli import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *command],
            cwd=tables, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == ("Error: cannot write to standard output: No space left on device.\n")
