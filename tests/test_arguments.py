"""Natural mistakes get one sentence that shows the call that works."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import driftkit as dk
from driftkit.arguments import LARGEST, number, whole, whole_number
from driftkit.datasets import SimilarityBenchmark
from driftkit.errors import InputError, OptionError
from driftkit.measures import Measure

LOADED = 'dk.align(dk.load("original.npy"), dk.load("tuned.npy"))'
WORDS = ["a", "b", "c"]
TABLE = dk.Embeddings(["a", "b", "c"], np.eye(3))
PAIR = dk.align(TABLE, TABLE)
AUDIT = dk.audit(PAIR, [], k=1)


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


WHOLE = "it must be a whole number, {} or more."


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: dk.audit(PAIR, k="10"), "k='10' was given; " + WHOLE.format(1)),
        (lambda: dk.audit(PAIR, k=2.5), "k=2.5 was given; " + WHOLE.format(1)),
        (lambda: dk.audit(PAIR, k=True), "k=True was given; " + WHOLE.format(1)),
        (lambda: dk.audit(PAIR, candidates=None), "candidates=None was given; " + WHOLE.format(1)),
        (lambda: dk.audit(PAIR, [], seed=-1), "seed=-1 was given; " + WHOLE.format(0)),
        (lambda: dk.audit(PAIR, [], resamples=9), "resamples=9 was given; " + WHOLE.format(100)),
        (lambda: dk.compare_scores(PAIR, seed="x"), "seed='x' was given; " + WHOLE.format(0)),
        (lambda: dk.compare_scores(PAIR, seed=1.5), "seed=1.5 was given; " + WHOLE.format(0)),
        (
            lambda: dk.compare_scores(PAIR, resamples="200"),
            "resamples='200' was given; " + WHOLE.format(100),
        ),
        (lambda: dk.neighbor_shifts(PAIR, k=2.0), "k=2.0 was given; " + WHOLE.format(1)),
        (
            lambda: dk.neighbor_shifts(PAIR, candidates=2.5),
            "candidates=2.5 was given; " + WHOLE.format(1),
        ),
        (lambda: dk.load("a.npy", limit=True), "limit=True was given; " + WHOLE.format(1)),
        (lambda: AUDIT.explain(top="x"), "top='x' was given; " + WHOLE.format(0)),
        (lambda: AUDIT.to_dict(top=-1), "n=-1 was given; " + WHOLE.format(0)),
        (lambda: AUDIT.shifts.most_shifted("x"), "n='x' was given; " + WHOLE.format(0)),
        (lambda: dk.check(AUDIT, [3]), "rules holds 3; give a list of rules, all strings."),
        (lambda: dk.check(AUDIT, 3), "rules holds 3; give a list of rules, all strings."),
        (
            lambda: dk.audit(PAIR, [], measures="jaccard"),
            "measures='jaccard' is one string; give a list of measures: ['jaccard'].",
        ),
        (
            lambda: dk.neighbor_shifts(PAIR, 3),
            "words holds 3; give a list of words, all strings.",
        ),
        (
            lambda: AUDIT.shifts[0:1],
            "[slice(0, 1, None)] was asked for; give one word by name or by position.",
        ),
        (
            lambda: AUDIT.words[9],
            "[9] was asked for; there are 3, the first is 0.",
        ),
        (
            lambda: AUDIT.scores[0:1],
            "[slice(0, 1, None)] was asked for; give one benchmark by name or by position.",
        ),
        (
            lambda: TABLE[["a", "b"]],
            "table[['a', 'b']] was asked for; for several, table.rows(words).",
        ),
        (
            lambda: dk.Embeddings(WORDS),
            "dk.Embeddings takes words and a matrix with a row for each of them; call "
            "dk.Embeddings(words, matrix), or dk.load(path) for a file.",
        ),
        (
            lambda: dk.Embeddings({"a": [1.0]}),
            "dk.Embeddings takes words and a matrix with a row for each of them; call "
            "dk.Embeddings(list(vectors), list(vectors.values())), or dk.load(path) for a file.",
        ),
        (
            lambda: dk.Embeddings.from_gensim(WORDS),
            "dk.Embeddings.from_gensim takes gensim's KeyedVectors, and a list was given; call "
            "dk.Embeddings(words, matrix).",
        ),
        (
            lambda: Measure("m", "word", "a", 1, True, "", ""),
            "measure m: its range, k and margin must be numbers.",
        ),
    ],
)
def test_an_argument_of_another_type_is_told_in_one_sentence(call, sentence):
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == sentence


def test_a_vocabulary_that_is_no_list_of_words_is_told(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(InputError, match="holds 3, which is not a string"):
        dk.load(tmp_path / "a.npy", vocab=3)


def test_results_are_reached_by_name_and_by_position():
    toy = SimilarityBenchmark("toy", [("a", "b"), ("a", "c"), ("b", "c")], [3, 2, 1])
    scores = dk.score(TABLE, [toy])
    assert scores["toy"] is scores[0]
    assert scores["toy"].measure == "spearman"
    with pytest.raises(InputError, match="unknown benchmark 'toi': did you mean 'toy'"):
        scores["toi"]
    with pytest.raises(OptionError, match="2 tables have scores of 'toy'"):
        (scores + dk.Scores(other_table(scores)))["toy"]
    assert AUDIT.shifts[0].word == AUDIT.shifts["a"].word == "a"
    assert AUDIT.words[-1] == AUDIT.words["c"]


def other_table(scores):
    return tuple(replace(score, source="other") for score in scores)


@pytest.mark.parametrize(
    "vectors",
    [
        torch.eye(3, requires_grad=True),
        torch.eye(3, dtype=torch.bfloat16),
        torch.nn.Embedding.from_pretrained(torch.eye(3), freeze=False),
    ],
    ids=["requires_grad", "bfloat16", "layer"],
)
def test_a_tensor_or_a_layer_makes_a_table_that_training_does_not_change(vectors):
    table = dk.Embeddings(WORDS, vectors)
    with torch.no_grad():
        getattr(vectors, "weight", vectors).zero_()
    assert table.matrix.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0), ("-0.25", -0.25), ("+3", 3.0), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
        ("1E-3", 0.001), ("007", 7.0), ("1e-400", 0.0),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "inf", "-Infinity", "nan", "NaN", "1e400", "1_0", "0x10", "1,5", "--3", "1e", "٣",
     "３", "1 0", "0b1", "true", "1j", "9" * 6000, "1\n"],
)  # fmt: skip
def test_what_python_alone_takes_for_a_number_is_none(text):
    assert number(text) is None
    assert whole_number(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_is_read_back(value):
    assert number(repr(value)) == value


@given(st.integers(-LARGEST, LARGEST))
def test_whole_numbers_are_read_back_up_to_the_largest(value):
    assert whole_number(str(value)) == value
    assert whole_number(str(LARGEST + 1 + abs(value))) is None


@pytest.mark.parametrize(
    "given_", [True, 1.0, "1", None, 0, 2**63, 10**6000], ids=lambda each: type(each).__name__
)
def test_what_is_no_count_is_refused_in_few_words(given_):
    with pytest.raises(OptionError, match="it must be a whole number, 1 or more") as caught:
        whole(1, k=given_)
    assert len(str(caught.value)) < 120


def test_lists_of_neighbors_and_resamples_have_a_largest_number():
    for options, said in (
        ({"k": 10**9}, "100,000 or less"),
        ({"resamples": 10**9}, "1,000,000 or less"),
    ):
        with pytest.raises(OptionError, match=f"it must be a whole number, {said}"):
            dk.audit(PAIR, [], **options)
    with pytest.raises(OptionError, match="100,000 or less"):
        dk.neighbor_shifts(PAIR, k=10**9)
