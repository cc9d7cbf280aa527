"""A short run of the fuzzer, the same every time: no parser does worse than a sentence."""

import warnings

import pytest
from hostile.fuzz import Run
from hostile.fuzz_targets import TARGETS

from driftkit.loaders.formats.registry import formats


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_files_give_what_they_hold_or_a_sentence(name, tmp_path):
    with warnings.catch_warnings(action="error"):
        run = Run(TARGETS[name], 0, tmp_path / "0")
        run.go(20)
    assert not run.found, next(iter(run.found.values()))


def test_every_format_is_fuzzed():
    """A format that is not told in any seed needs a line in ``fuzz_targets.py``."""
    seeds = [files for target in TARGETS.values() for files in target.seeds()]
    heads = [data for files in seeds for data in files.values()]
    fuzzed = {each.name for each in formats() if not each.is_folder and any(map(each.tells, heads))}
    folders = {each.name for each in formats() if each.is_folder}
    assert fuzzed == {each.name for each in formats()} - folders - {"raw"}  # told by the key alone


def test_the_same_seed_spoils_the_same_way(tmp_path):
    runs = [Run(TARGETS["rule"], seed, tmp_path / str(seed)) for seed in (3, 3, 4)]
    spoiled = [[run._spoiled() for _ in range(20)] for run in runs]
    assert spoiled[0] == spoiled[1] != spoiled[2]
