"""Benchmarks are not run with the tests, but what they import has to be there."""

import importlib
import pkgutil

import pytest

import benchmarks

MODULES = sorted(
    found.name
    for room in ("speed", "validity", "forgetting", "links", "predict")
    for found in pkgutil.iter_modules(
        [f"{benchmarks.__path__[0]}/{room}"], prefix=f"benchmarks.{room}."
    )
)


def test_there_are_some():
    assert len(MODULES) > 15


@pytest.mark.parametrize("name", MODULES)
def test_it_can_be_imported(name):
    importlib.import_module(name)
