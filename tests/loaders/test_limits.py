"""Memory is asked for before it is taken: a process that may have little gets a sentence, not less.

Each case runs where ``ulimit -v`` (RLIMIT_AS) leaves 300 MB.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import json, pathlib, resource, sys
import driftkit as dk
import driftkit.loaders, polars, torch
from driftkit.errors import DriftkitError

used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000,) * 2)
path, settings = sys.argv[1], json.loads(sys.argv[2])
try:
    print(dk.load(path, **settings))
except DriftkitError as error:
    print(type(error).__name__, str(error).replace(path, "FILE"))
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="Linux alone tells how much a process has"
)


def opened(path, **settings):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(path), json.dumps(settings)],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def holes(path, size, begins):
    with path.open("wb") as file:
        file.write(begins)
        file.truncate(size)
    return path


def half(path):
    np.lib.format.open_memmap(path, "w+", np.float16, (3, 2 * 10**7))  # holes; twice as float32
    return path


def mapped(path):
    np.lib.format.open_memmap(path, "w+", np.float32, (3, 10**8))
    return path


def compressed(path):
    np.savez_compressed(path, a=np.zeros((3, 10**7), np.float64))
    return path


def test_what_fits_is_read(tmp_path):
    np.save(tmp_path / "t.npy", np.ones((3, 2), np.float32))
    assert "3 words" in opened(tmp_path / "t.npy", vocab=["a", "b", "c"])


@pytest.mark.parametrize(
    ("name", "make", "vocab"),
    [
        ("t.npy", half, ["a", "b", "c"]),
        ("t.npy", mapped, ["a", "b", "c"]),
        ("t.npz", compressed, ["a", "b", "c"]),
        ("t.txt", lambda path: holes(path, 10**9, b"good 1.5 2.5\n" * 10**5), None),
        ("t.tsv", lambda path: holes(path, 10**9, b"1\t2\n" * 20_000), ["a"]),
    ],
)
def test_a_table_that_needs_more_is_one_sentence(tmp_path, name, make, vocab):
    said = opened(make(tmp_path / name), **({} if vocab is None else {"vocab": vocab}))
    assert said.startswith(
        ("SourceError FILE: needs ", "SourceError FILE: its array a.npy unpacks")
    )
    assert "damaged" not in said
    assert "\n" not in said


def test_so_is_a_vocabulary(tmp_path):
    np.save(tmp_path / "t.npy", np.ones((3, 2), np.float32))
    words = holes(tmp_path / "v.txt", 10**8, b"good\nbad\n" * 1000)
    said = opened(tmp_path / "t.npy", vocab=str(words))
    assert "needs 1.0 GB of memory and" in said
    assert said.endswith("give a vocabulary of the table's words alone.")
