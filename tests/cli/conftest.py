import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_tables import write_tables

from driftkit.cli import main

ACCEPTED = "accepted.json"


@pytest.fixture
def run():
    """Run driftkit with arguments, in this process, and return click's result."""

    def invoke(*args, **settings):
        return CliRunner().invoke(main, [str(arg) for arg in args], **settings)

    return invoke


@pytest.fixture(scope="session")
def small_tables(glove, tmp_path_factory):
    """A folder with small real tables, see `small_tables.py`, and the baseline of gentle.npy."""
    folder = tmp_path_factory.mktemp("tables")
    write_tables(glove, folder)
    with pytest.MonkeyPatch.context() as patch:
        _enter(patch, folder)
        command = f"baseline write original.npy gentle.npy -o {ACCEPTED}"
        assert CliRunner().invoke(main, shlex.split(command)).exit_code == 0
    return folder


@pytest.fixture
def in_tables(small_tables, tmp_path, monkeypatch):
    """Work in a folder of its own that holds the small tables, and let nothing in from outside."""
    for file in small_tables.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / ACCEPTED).unlink()
    shutil.copy(small_tables / ACCEPTED, tmp_path)
    _enter(monkeypatch, tmp_path)
    return tmp_path


def _enter(patch, folder: Path):
    patch.chdir(folder)
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    patch.setenv("COLUMNS", "80")
    for command in ("CHECK", "BASELINE_WRITE", "BASELINE_UPDATE"):
        patch.setenv(f"DRIFTKIT_{command}_BENCHMARKS", "ws353")
        patch.setenv(f"DRIFTKIT_{command}_RESAMPLES", "200")
