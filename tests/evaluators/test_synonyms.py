from __future__ import annotations

import math

import numpy as np
import pytest

from driftkit import compare_scores, score
from driftkit.datasets import ChoiceBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import UnknownNameError
from driftkit.evaluators import SynonymChoice
from driftkit.pair import align

WORDS = ["big", "large", "wet", "huge", "dry"]
TABLE = Embeddings(WORDS, [[1, 0], [0.9, 0.2], [0, 1], [0.9, 0.2], [0, 0]])


def test_the_nearest_option_is_chosen() -> None:
    toy = ChoiceBenchmark("toy", ("BIG", "wet"), (("wet", "large"), ("large", "big")), (1, 1))
    found = SynonymChoice(toy).score(TABLE)
    assert found.item_frame().chosen.tolist() == ["large", "large"]
    assert found.value == 0.5
    assert found.scores[0].n_correct == 1


def test_ties_are_shared() -> None:
    toy = ChoiceBenchmark("toy", ("big",), (("large", "wet", "huge"),), (2,))
    assert SynonymChoice(toy).score(TABLE).value == 0.5


def test_a_question_with_a_missing_word_is_not_asked() -> None:
    options = (("large", "nowhere"), ("large", "dry"), ("large", "wet"))
    toy = ChoiceBenchmark("toy", ("big", "big", "big"), options, (0, 0, 0))
    found = SynonymChoice(toy).score(TABLE)
    assert found.item_frame().used.tolist() == [False, False, True]
    assert found.oov == ("nowhere",)
    assert found.scores[0].zero == ("dry",)
    nothing = SynonymChoice(toy).score((["x"], [[1.0]]))
    assert math.isnan(nothing.value)
    assert "no item" in str(nothing.scores[0].reason)


def test_a_file_is_scored_and_compared(tmp_path, rng: np.random.Generator) -> None:
    words = [f"w{i}" for i in range(200)]
    rows = rng.normal(size=(200, 8))
    rows[100:] = rows[:100] + 0.05 * rng.normal(size=(100, 8))  # a synonym for each of the first
    lines = [f"w{i} | w{i + 100} | w{(i + 7) % 100} | w{(i + 13) % 100}" for i in range(100)]
    path = tmp_path / "mine.txt"
    path.write_text("\n".join(lines))
    table = Embeddings(words, rows)
    (found,) = score(table, path)
    assert (found.measure, found.value, found.n_used) == ("synonym_choice", 1, 100)
    tuned = rows.copy()
    tuned[100:150] = rng.normal(size=(50, 8))
    change = compare_scores(align(table, Embeddings(words, tuned)), path)["mine"]
    assert change.status == "lost"
    assert change.split[0].delta == 0
    broken = change.items.broken(5)
    assert len(broken) == 5
    assert all(int(item["words"][1][1:]) < 150 for item in broken)


def test_an_unknown_case_policy() -> None:
    with pytest.raises(UnknownNameError):
        SynonymChoice(ChoiceBenchmark("toy", ("a",), (("b", "c"),), (0,)), case="up")
