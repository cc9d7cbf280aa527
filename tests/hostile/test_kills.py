"""Commands killed while they write, and several that write into one file at once.

A few moments by default; ``DRIFTKIT_KILLS=40`` tries as many of every command (minutes).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("DRIFTKIT_KILLS", "0"))
FEW = [
    "convert to safetensors",
    "convert to npy",
    "convert to a folder",
    "shifts",
    "datasets fetch",
]


def kills(*arguments):
    program = [sys.executable, str(Path(__file__).with_name("kills.py")), "--timed", "0"]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks"),
    pytest.mark.filterwarnings("default"),
]


def test_the_old_output_is_whole_and_the_next_run_leaves_nothing():
    count = ["--kills", str(KILLS)] if KILLS else ["--kills", "2", *FEW]
    done = kills(*count, "--runs")
    assert done.returncode == 0, done.stdout + done.stderr


def test_runs_at_once_into_one_file_never_mix():
    done = kills("--kills", "0", "--runs", *(["2", "4"] if KILLS else ["3"]))
    assert done.returncode == 0, done.stdout + done.stderr
