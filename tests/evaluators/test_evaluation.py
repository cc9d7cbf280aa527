from __future__ import annotations

import json
import math

import numpy as np
import pytest

from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.errors import UnknownNameError
from driftkit.evaluators import Analogy, Similarity

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
