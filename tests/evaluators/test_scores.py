from __future__ import annotations

import json
import math

import numpy as np
import pytest

from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.errors import UnknownNameError
from driftkit.evaluators import Analogy, Similarity
from driftkit.evaluators.scores import Score, Scores

ONE = Score("table", "toy", "spearman", 0.5, 10, 8, oov=("x",))
NONE = Score("table", "toy", "3cosadd@1", math.nan, 10, 0, category="s", reason="all are OOV")


def test_what_could_not_be_measured_is_null() -> None:
    document = json.loads(json.dumps(Scores((ONE, NONE)).to_dict(), allow_nan=False))
    assert [entry["value"] for entry in document["results"]] == [0.5, None]
    assert document["results"][1]["reason"] == "all are OOV"


def test_results_add_up_and_are_tidy() -> None:
    both = Scores((ONE,)) + Scores((NONE,))
    assert len(both) == len(list(both)) == 2
    frame = both.to_frame()
    assert frame.oov.tolist() == [1, 0]
    assert math.isnan(frame.value[1])
    assert "all are OOV" in repr(both)
    assert "<table" in both._repr_html_()


TABLE = (["a", "b", "c", "d"], [[1, 0.1], [1, 0.3], [0, 1], [0.5, 1]])
TOY = SimilarityBenchmark("toy", (("a", "b"), ("a", "c"), ("b", "d"), ("a", "x")), np.arange(4.0))


def test_every_exit() -> None:
    found = Similarity(TOY).score(TABLE)
    assert found.value == found.scores[0].value == found["spearman"].value
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "driftkit.scores/1"
    assert document["settings"]["oov"] == "skip"
    assert found.to_frame().measure.tolist() == ["spearman", "pearson", "kendall"]
    items = found.item_frame()
    assert items.word2.tolist() == ["b", "c", "d", "x"]
    plot = found.plot_frame()
    assert plot.columns.tolist() == ["x", "y", "label"]
    assert plot.label.tolist() == ["a / b", "a / c", "b / d"]
    assert "case: exact-then-folded" in repr(found)
    assert "<table" in found._repr_html_()
    with pytest.raises(UnknownNameError, match="did you mean 'pearson'"):
        found["pearsn"]


def test_the_macro_average_is_the_mean_over_sections() -> None:
    quadruples = (("a", "b", "c", "d"),) * 3 + (("a", "b", "c", "a"),) + (("a", "b", "c", "x"),)
    toy = AnalogyBenchmark("toy", quadruples, ("one", "one", "one", "two", "three"))
    found = Analogy(toy).score(TABLE)
    assert found.value == 0.75
    assert found.macro == 0.5  # 3/3 and 0/1; the third section could not be asked
    assert math.isnan(Similarity(TOY).score(TABLE).macro)
