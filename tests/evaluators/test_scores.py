from __future__ import annotations

import json
import math

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
