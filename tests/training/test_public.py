"""The names `driftkit.training` offers."""

import subprocess
import sys

import pytest

import driftkit
from driftkit import training


def test_every_name_is_there_and_described():
    for name in training.__all__:
        assert getattr(training, name).__doc__
        assert not isinstance(getattr(training, name), type(training)), f"{name} is a module"
    homes = training._HOMES.values()
    assert sorted(name for names in homes for name in names) == sorted(training.__all__)
    with pytest.raises(AttributeError):
        training.nothing  # noqa: B018


def test_it_is_reached_from_driftkit_and_loads_nothing_until_asked():
    assert driftkit.training is training
    code = "import sys, driftkit; driftkit.training; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
