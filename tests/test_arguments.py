"""Natural mistakes get one sentence that shows the call that works."""

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import OptionError

LOADED = 'dk.align(dk.load("original.npy"), dk.load("tuned.npy"))'
TABLE = dk.Embeddings(["a", "b", "c"], np.eye(3))
PAIR = dk.align(TABLE, TABLE)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: dk.audit(TABLE, TABLE),
            "dk.audit takes a pair, and a table was given; "
            "call dk.audit(dk.align(original, tuned)).",
        ),
        (
            lambda: dk.audit("a.npy", "b.npy"),
            f"dk.audit takes a pair, and a path was given; call dk.audit({LOADED}).",
        ),
        (
            lambda: dk.neighbor_shifts(TABLE, TABLE),
            "dk.neighbor_shifts takes a pair, and a table was given; "
            "call dk.neighbor_shifts(dk.align(original, tuned)).",
        ),
        (
            lambda: dk.compare_scores(TABLE, TABLE),
            "dk.compare_scores takes a pair, and a table was given; "
            "call dk.compare_scores(dk.align(original, tuned)).",
        ),
        (
            lambda: dk.score(PAIR),
            "dk.score takes a table, and a pair was given; "
            "call dk.score(pair.tuned), or dk.compare_scores(pair) for both tables.",
        ),
        (
            lambda: dk.check(PAIR),
            "dk.check takes an audit, and a pair was given; call dk.check(dk.audit(pair)).",
        ),
        (
            lambda: dk.check("audit.json"),
            f"dk.check takes an audit, and a path was given; call dk.check(dk.audit({LOADED})).",
        ),
        (
            lambda: dk.audit(3),
            "dk.audit takes a pair, and an object of type int was given; "
            "call dk.audit(dk.align(original, tuned)).",
        ),
    ],
    ids=lambda value: value.split(";")[0] if isinstance(value, str) else "",
)
def test_the_call_that_works_is_shown(call, sentence):
    with pytest.raises(OptionError) as caught:
        call()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "call",
    [
        lambda told: dk.audit(PAIR, [], progress=told),
        lambda told: dk.neighbor_shifts(PAIR, k=1, progress=told),
        lambda told: dk.score(TABLE, ["ws353"], progress=told),
        lambda told: dk.compare_scores(PAIR, ["ws353"], progress=told),
    ],
    ids=["audit", "neighbor_shifts", "score", "compare_scores"],
)
def test_a_bar_is_drawn_when_asked_for_and_nothing_is_printed_otherwise(call, capsys):
    call(None)
    assert capsys.readouterr() == ("", "")
    call(True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100 %" in err
    with pytest.raises(OptionError, match="progress="):
        call("yes")
