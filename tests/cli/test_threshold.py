"""`driftkit threshold`: the library's answer on a screen and in JSON, and its refusals."""

import json

import pytest

import driftkit as dk
from driftkit.thresholds import threshold_document


def test_the_command_says_what_the_library_says(in_tables, run):
    result = run("threshold", "original.npy", "tuned.npy", "0.5", "0.8", "--seed", "3")
    assert result.exit_code == 0
    pair = dk.align(dk.load("original.npy"), dk.load("tuned.npy"))
    found = [dk.translate_threshold(pair, each, seed=3) for each in (0.5, 0.8)]
    words = " ".join(result.stdout.split())
    for each in found:
        assert " ".join(repr(each).split()) in words
    result = run(
        "threshold", "original.npy", "tuned.npy", "0.5", "0.8", "--seed", "3", "--json", "-"
    )
    assert json.loads(result.stdout) == threshold_document("original.npy", "tuned.npy", found)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("original.npy tuned.npy", "Missing argument 'THRESHOLD...'"),
        ("original.npy tuned.npy near", "'near' is not a valid float."),
        ("original.npy tuned.npy 82", "threshold=82.0 was given; a cosine is from -1 to 1."),
        ("original.npy tuned.npy 0.9999", "at least 10 must lie on either side"),
        ("original.npy tuned.npy 0.5 --pairs each", "'each' is not one of 'all', 'nearest'."),
        ("original.npy tuned.npy 0.5 --candidates 3", "candidates=3 was given; it must be"),
        ("nowhere.npy tuned.npy 0.5", "nowhere.npy: no such file"),
    ],
)
def test_the_command_refuses_in_one_sentence(arguments, said, in_tables, run):
    result = run("threshold", *arguments.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in " ".join(result.stderr.split())
