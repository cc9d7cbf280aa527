import json

import numpy as np

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.explain.explanation import explain

WORDS = ["a", "b", "c", "d"]
BEFORE = [[1, 0], [1, 0.1], [0, 1], [0.1, 1]]


def told(after, word="a"):
    pair = align(Embeddings(WORDS, BEFORE), Embeddings(WORDS, after))
    return explain(pair, neighbor_shifts(pair, [word], k=1))[0]


def test_whose_rows_moved_is_the_cause():
    assert told([[0, 1], *BEFORE[1:]]).cause == "the word moved"
    assert told([BEFORE[0], [0, 1], [1, 0.05], BEFORE[3]]).cause == "its neighbors moved"
    assert told([[0.05, 1], [-1, 0], *BEFORE[2:]]).cause == "both moved"


def test_who_moved_among_the_same_neighbors():
    assert told(BEFORE).cause == "nothing changed"
    assert told([[1, 0.01], *BEFORE[1:]]).cause == "the word moved"
    assert told([BEFORE[0], [1, 0.09], *BEFORE[2:]]).cause == "its neighbors moved"
    assert told([[1, 0.01], [1, 0.09], *BEFORE[2:]]).cause == "both moved"
    assert told([*BEFORE[:2], [0.01, 1], BEFORE[3]]).cause == "nothing changed"
    line = str(told([[1, 0.2], *BEFORE[1:]]))
    assert line.startswith("a: kept its neighbors; moved itself 0.02")
    assert line.endswith("(the word moved)")


def test_an_added_word_that_took_all_the_places_is_the_cause():
    before = Embeddings(WORDS, BEFORE)
    added = Embeddings(["new", *WORDS], [[1, 0.01], *BEFORE])
    pair = align(before, added)
    (found,) = explain(pair, neighbor_shifts(pair, ["a"], k=1))
    assert (found.lost, found.gained, found.cause) == (("b",), ("new",), "a new word came")
    assert str(found).endswith("its old neighbors moved 0.00 (a new word came)")
    (found,) = explain(pair, neighbor_shifts(pair, ["a"], k=4))
    assert (found.lost, found.gained, found.cause) == ((), ("new",), "a new word came")
    moved = align(before, Embeddings(["new", *WORDS], [[1, 0.01], [0, 1], *BEFORE[1:]]))
    (found,) = explain(moved, neighbor_shifts(moved, ["a"], k=1))
    assert (found.gained, found.cause) == (("c",), "the word moved")


def test_one_line():
    line = str(told([[0, 1], *BEFORE[1:]]))
    assert line == (
        "a: lost b; gained c; moved itself 1.00, its old neighbors moved 0.00 (the word moved)"
    )
    assert "kept its neighbors" in str(told(BEFORE))


def test_zero_rows_are_not_measured():
    explanation = told([[0, 0], *BEFORE[1:]])
    assert np.isnan(explanation.own)
    assert "(not measured)" in str(explanation)
    assert json.dumps(explanation.to_dict(), allow_nan=False)
