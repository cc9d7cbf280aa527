from __future__ import annotations

import numpy as np
import pytest

from driftkit.errors import UnknownNameError
from driftkit.evaluators import Similarity
from driftkit.evaluators.lookup import find_items, lookup

INDEX = {"Turkey": 0, "turkey": 1, "paris": 2, "void": 3}
IS_ZERO = np.array([False, False, False, True])


def test_the_word_as_written_comes_before_its_lower_case() -> None:
    items = find_items([("Turkey", "turkey"), ("Paris", "TURKEY")], INDEX, IS_ZERO)
    assert items.rows.tolist() == [[0, 1], [2, 1]]
    assert items.usable.all()
    assert items.reason is None


def test_upper_case_is_never_guessed() -> None:
    assert find_items([("rome", "paris")], {"Rome": 0, "paris": 1}, np.zeros(2, bool)).oov == (
        "rome",
    )


def test_missing_and_zero_words_are_counted_once_and_named() -> None:
    asked = [("paris", "oslo"), ("oslo", "void"), ("Void", "paris"), ("paris", "turkey")]
    items = find_items(asked, INDEX, IS_ZERO)
    assert items.usable.tolist() == [False, False, False, True]
    assert (items.n_total, items.n_used) == (4, 1)
    assert items.oov == ("oslo",)
    assert items.zero == ("void", "Void")


def test_the_reason_why_nothing_can_be_answered() -> None:
    items = find_items([("oslo", "void")], INDEX, IS_ZERO)
    assert items.reason == (
        "no item can be answered: 1 word is out of vocabulary and 1 has a zero row"
    )
    lost = find_items([("oslo", "bergen")], INDEX, IS_ZERO).reason
    assert lost == "no item can be answered: 2 words are out of vocabulary"


def test_case_policies() -> None:
    index = {"TEA": 2, "Tea": 1, "coffee": 0}  # in any order
    assert [lookup(index, "exact")(word) for word in ("tea", "Tea", "Coffee")] == [-1, 1, -1]
    assert [lookup(index)(word) for word in ("tea", "Tea", "Coffee")] == [-1, 1, 0]
    assert [lookup(index, "fold")(word) for word in ("tea", "TEA", "Coffee", "x")] == [1, 1, 0, -1]
    with pytest.raises(UnknownNameError, match="did you mean 'fold'"):
        Similarity("ws353", case="folded")
