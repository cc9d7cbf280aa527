"""JSON and JSON lines, as pandas, polars and the module json write them."""

import gzip
import json
from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

WORDS = ("good", "b,d", 'o"d', "nan", "7", "é", "two\nlines")
MATRIX = np.random.default_rng(0).standard_normal((len(WORDS), 6)).round(5).astype(np.float32)
ROWS = [[float(f"{value:.5f}") for value in row] for row in MATRIX]
RECORDS = [{"word": word, "vector": row} for word, row in zip(WORDS, ROWS, strict=True)]
FRAME = pd.DataFrame(ROWS).add_prefix("V").assign(word=WORDS)

WRITERS = {
    "lines": lambda: "".join(json.dumps(record) + "\n" for record in RECORDS),
    "lines without a last end": lambda: "\n".join(map(json.dumps, RECORDS)),
    "records": lambda: json.dumps(RECORDS),
    "records on several lines": lambda: json.dumps(RECORDS, indent=2),
    "a map": lambda: json.dumps(dict(zip(WORDS, ROWS, strict=True))),
    "a map on several lines": lambda: json.dumps(dict(zip(WORDS, ROWS, strict=True)), indent=1),
    "pairs": lambda: json.dumps(list(zip(WORDS, ROWS, strict=True))),
    "pandas": lambda: pd.DataFrame(RECORDS).to_json(orient="records"),
    "pandas lines": lambda: pd.DataFrame(RECORDS).to_json(orient="records", lines=True),
    "pandas with a column for each number": lambda: FRAME.to_json(orient="records", lines=True),
    "polars": lambda: pl.DataFrame(RECORDS).write_json(),
    "polars lines": lambda: pl.DataFrame(RECORDS).write_ndjson(),
    "a mark of byte order": lambda: "\ufeff" + json.dumps(RECORDS),
    "vectors as text": lambda: json.dumps([r | {"vector": str(r["vector"])} for r in RECORDS]),
}


@pytest.fixture
def read(tmp_path):
    def read(content, key="", **options):
        path = tmp_path / "t.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(f"{path}{key}", **options)

    return read


def refused(read, content, key="", error=SourceError, **options):
    with pytest.raises(error) as caught:
        read(content, key, **options)
    return str(caught.value).partition("t.json: ")[2] or str(caught.value)


@pytest.mark.parametrize("writer", WRITERS)
def test_what_writers_make(writer, tmp_path):
    path = tmp_path / "t.json"
    path.write_bytes(WRITERS[writer]().encode())
    table = load(path)
    assert (table.words, table.source.format, table.problems) == (WORDS, "json", ())
    assert np.array_equal(table.matrix, MATRIX)
    if "polars" not in writer and "pandas" not in writer:
        assert table.source.rounding.absolute == 5e-6
    assert load(path, limit=2).words == WORDS[:2]
    assert load(path, words=["é"]).matrix.tolist() == MATRIX[5:6].tolist()
    found = inspect(path)
    assert (found.words, found.tables[0].shape) == (len(WORDS), MATRIX.shape)
    packed = tmp_path / "t.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(load(packed).matrix, MATRIX)
    assert inspect(packed).words == len(WORDS)


def test_rows_past_the_first_thousand_are_counted(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"id": i, "v": [i, 0.5]}) + "\n" for i in range(2500)))
    assert inspect(path).words == 2500
    table = load(path)
    assert table.words[2499] == "2499"
    assert [str(problem) for problem in table.problems] == [
        "integer ids: the numbers of 'id' became text"
    ]
    path.write_text(json.dumps({str(i): [i, 0.5] for i in range(2500)}))
    assert inspect(path).words == 2500


def test_numbers_alone_take_a_vocabulary(read):
    assert read(json.dumps(ROWS), vocab=WORDS).matrix.tolist() == MATRIX.tolist()
    assert "no words were found" in refused(read, json.dumps(ROWS), error=VocabularyError)
    for writer in ("lines", "a map"):
        said = refused(read, WRITERS[writer](), error=VocabularyError, vocab=WORDS)
        assert "has words of its own" in said


def test_a_column_is_chosen_by_its_key(read):
    two = "".join(json.dumps(r | {"vector_v2": r["vector"][:2]}) + "\n" for r in RECORDS)
    assert "2 vectors for each word, vector and vector_v2" in refused(read, two)
    assert read(two, "::vector_v2").dimensions == 2
    pieces = (
        '{"word": "a", "ids": [1, 2], "vector": [0.5, 1]}\n'
        '{"word": "b", "ids": [3], "vector": [1, 2]}'
    )
    assert read(pieces).matrix.tolist() == [[0.5, 1], [1, 2]]
    assert "no column of vectors" in refused(
        read, pieces.replace("vector", "v").replace("0.5", "5")
    )
    assert read(pieces.replace("0.5", "5")).matrix.tolist() == [[5, 1], [1, 2]]


LINES = "".join(json.dumps({"word": f"w{i}", "vector": [i, 0.5]}) + "\n" for i in range(500))
MAP = '{"good": [0.5, 1.5],\n "bad": '


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LINES + '{"word": "x", "vector": [1, 2', "line 501 is not valid JSON"),
        (LINES + '{"word": "x", "vector": [1]}', "line 501 has a vector of length 1 where"),
        (LINES + '{"word": "x", "vector": [1, null]}', "line 501 holds null where a number"),
        (LINES + '{"word": "x", "vector": [1, "2"]}', 'line 501 holds "2" where a number'),
        (LINES + '{"word": "x", "vector": [1, [2]]}', "line 501 holds a list where a number"),
        (LINES + '{"word": "x", "vector": null}', "line 501 has no 'vector'"),
        (LINES + '{"word": null, "vector": [1, 2]}', "line 501 has no 'word'"),
        (LINES + '{"word": 1.5, "vector": [1, 2]}', "line 501 holds 1.5 as its 'word'"),
        (LINES + '{"word": "x", "word": "y", "vector": [1, 2]}', "line 501 names 'word' twice"),
        (LINES + '{"word": "x", "vector": [1, 2]} x', "line 501 goes on after its record ends"),
        (LINES + "[1, 2]", "line 501 holds a list where a record should be"),
        (LINES + '{"word": "x", "vector": [1, NaN]}', "1 of 501 rows hold NaN or infinity ('x')"),
        (LINES + '{"word": "x", "vector": [1, ' + "9" * 6000 + "]}", "hold NaN or infinity ('x')"),
        (MAP + "[1, 2]", "line 2 is not valid JSON (it ends too early)"),
        (MAP + "[1, 2] 3", "line 2 is not valid JSON (',' or '}' is missing)"),
        (MAP + "[1, 2]}\n{}", "line 3 goes on after the document ends"),
        (MAP + '"x"}', 'line 2 holds "x" where a vector should be'),
        (MAP + "[" * 100_000, "line 2 nests lists or objects too deeply"),
        (MAP + "[]}", "line 2 has a vector of length 0"),
        ('{"good": []}', "is JSON of an object of 'good'"),
        ('{"0": {"good": 0.5}, "1": {"good": 1}}', "is JSON of an object of '0', '1'"),
        ("{}", "is an empty list or object"),
        ('[1, "good", [0.5, 1]]\n[2, "bad", [1, 2]]\n', "is JSON of a list on each line"),
        ('["good", [0.5, 1]]\n["bad", [1, 2]]\n', "is JSON of a list on each line"),
        ('[1, "good", [0.5, 1]]', "is JSON of a list of something else"),
        (b'{"caf\xe9": [1, 2]}', "line 1 is not UTF-8"),
    ],
)  # fmt: skip
def test_lines_are_named(read, content, said):
    assert said in refused(read, content)


def test_a_word_that_comes_twice_in_a_map_is_noticed(read):
    table = read(MAP + '[1, 2], "good": [3, 4]}')
    assert table["good"].tolist() == [0.5, 1.5]
    assert [problem.kind for problem in table.problems] == ["duplicate"]


def test_half_a_surrogate_pair_is_kept_escaped(read):
    table = read('{"a\\ud800": [1, 2], "\\ud83d\\ude00": [3, 4]}')
    assert table.words == ("a\\ud800", "\U0001f600")
    assert [problem.kind for problem in table.problems] == ["invalid Unicode"]


def test_text_that_begins_with_a_bracket_stays_text(tmp_path):
    path = tmp_path / "t.txt"
    for first in ("[", "{", '{"', "[[", '["'):
        path.write_text(f"{first} 0.5 1.5\ngood 1 2\n")
        assert load(path).words == (first, "good")


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=100, deadline=timedelta(seconds=5))
@given(
    rows=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.tuples(numbers, numbers),
        min_size=1,
        max_size=6,
    ),
    form=st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}]),
)
def test_any_words_and_numbers(tmp_path_factory, rows, form):
    path = tmp_path_factory.mktemp("json") / "t.json"
    path.write_text(json.dumps(rows, **form), "utf-8", newline="")
    table = load(path)
    assert table.words == tuple(rows)
    assert np.array_equal(table.matrix, np.array(list(rows.values()), np.float32))
