"""The first line of a delimited table: a row or a header, never one taken for the other."""

import csv
import io
import re
from datetime import timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from driftkit.errors import SourceError
from driftkit.loaders import load

WORDS = ("good", "bad", "film", "plot", "word")
NUMBERS = {
    "decimal": [[0.5, 1.25, -2.5], [1.5, 2.25, 0.75], [2.5, -1.25, 0.5], [3.5, 0.5, 4.25]],
    "whole": [[1, 2, 3], [4, 0, 7], [5, 9, 2], [8, 3, 3]],
    "first row whole": [[1, 2, 3], [1.5, 2.25, 0.75], [2.5, -1.25, 0.5], [3.5, 0.5, 4.25]],
    "first row zero": [[0, 0, 0], [1.5, 2.25, 0.75], [2.5, -1.25, 0.5], [3.5, 0.5, 4.25]],
}
LISTS = {
    "JSON": lambda row: f"[{', '.join(map(str, row))}]",
    "pgvector": lambda row: f"[{','.join(map(str, row))}]",
    "PostgreSQL": lambda row: "{" + ",".join(map(str, row)) + "}",
    "spaces": lambda row: " ".join(f"{number:.3f}" for number in row),
}
IDS = ("none", "first", "second", "last", "constant")


def written(rows, separator):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue()


def with_id(ids, word, cells, number):
    return {
        "none": [word, *cells],
        "first": [number, word, *cells],
        "second": [word, number, *cells],
        "last": [word, *cells, number],
        "constant": [1, word, *cells],
    }[ids]


def outcomes(path, numbers=None, **options):
    """The table of a file, or those that the keys of its refusal choose, which must all work."""
    try:
        table = load(path, **options)
        assert numbers is None or table.matrix.tolist() == numbers
        return [table]
    except SourceError as error:
        keys = re.findall(re.escape(f"{path}::") + r"(\S+?)(?=[.,;]?(?:\s|$))", str(error))
        return [load(f"{path}::{key}", **options) for key in keys]


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(
    ids=st.sampled_from(IDS),
    start=st.integers(0, 5),
    kind=st.sampled_from([*NUMBERS, *LISTS]),
    separator=st.sampled_from(",;\t"),
    words=st.permutations(WORDS).map(lambda words: words[:4]),
    n=st.integers(2, 4),
)
def test_no_row_is_taken_for_a_header(tmp_path_factory, ids, start, kind, separator, words, n):
    # Nothing tells the row (word, 1, 2, 3) above decimals from a header.
    assume(words[0] != "word" or kind != "first row whole" or ids in ("first", "constant"))
    rows = []
    for number, (word, row) in enumerate(zip(words[:n], NUMBERS["decimal"], strict=False)):
        cells = [LISTS[kind](row)] if kind in LISTS else NUMBERS[kind][number]
        rows.append(with_id(ids, word, cells, start + number))
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    path.write_text(written(rows, separator))
    expected = NUMBERS.get(kind, NUMBERS["decimal"])[:n]
    # An id beside nothing but whole numbers cannot be told from one of them.
    for table in outcomes(path, expected if kind != "whole" or ids == "none" else None):
        assert table.words == tuple(words[:n])


HEADERS = [["word", "1990", "1991", "1992"], ["token", "300", "301", "302"], ["", "3", "7", "9"],
           ["id", "0", "1", "2"], ["term", "7", "8", "9"], ["mot", "1990", "1991", "1992"],
           ["0", "1", "2", "3"], ["lemma", "0", "1", "2"]]  # fmt: skip


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("kind", ["decimal", "whole", "first row whole", "one column whole"])
@pytest.mark.parametrize("header", HEADERS, ids=" ".join)
def test_no_header_of_whole_numbers_is_taken_for_a_word(header, kind, separator, tmp_path):
    numbers = NUMBERS.get(kind) or [[*row[:2], n] for n, row in enumerate(NUMBERS["decimal"])]
    rows = [[word, *row] for word, row in zip(WORDS, numbers, strict=False)]
    path = tmp_path / "t.csv"
    path.write_text(written([header, *rows], separator))
    for table in outcomes(path):
        assert table.words == WORDS[:4]
        assert table.matrix.tolist() == numbers


@pytest.mark.parametrize("numbers", [["1", "2", "3"], ["0", "1", "2"], ["4", "5", "6"]])
def test_a_first_line_that_counts_may_be_either(numbers, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(written([["good", *numbers], ["bad", 0.5, 1.5, 2.5]], ","))
    with pytest.raises(SourceError, match="may be a header or a row"):
        load(path)


def test_a_long_count_is_a_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(written([["mot", *range(20)], ["bon", *(n + 0.5 for n in range(20))]], ","))
    assert load(path).words == ("bon",)


def test_numbers_that_do_not_count_are_a_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("good,7,3,9\nbad,0.5,1.5,2.5\n")
    assert load(path).words == ("good", "bad")


@pytest.mark.parametrize("missing", ["", "NULL", r"\N", "nan", "broken"])
def test_a_first_row_without_its_vector_is_no_header(missing, tmp_path):
    path = tmp_path / "t.csv"
    for rows in ('2,bad,"[0.5,1.5]"\n', '2,bad,"[0.5,1.5]"\n3,film,"[1.5,2.5]"\n'):
        path.write_text(f"1,good,{missing}\n{rows}")
        with pytest.raises(SourceError) as caught:
            load(path)
        assert "::" not in str(caught.value)


@pytest.mark.parametrize("form", ["%d", "%.1f", "%.18e"])
@pytest.mark.parametrize("ids", [[0, 1, 2, 3], [1, 2, 3, 4], [5, 9, 12, 40]], ids=str)
def test_ids_before_numbers_are_no_dimension_in_silence(form, ids, tmp_path):
    """``np.savetxt(np.c_[ids, M], delimiter=",")``."""
    path = tmp_path / "t.csv"
    rows = NUMBERS["decimal"]
    path.write_text(written([[form % i, *row] for i, row in zip(ids, rows, strict=True)], ","))
    vocab = list(WORDS[:4])
    if ids[0] < 2:
        table = load(path, vocab=vocab)
        assert table.matrix.tolist() == rows
        assert [problem.kind for problem in table.problems] == ["column left out"]
        return
    with pytest.raises(
        SourceError, match=r"1 may hold ids beside the vector.*::2\.\.4 or .*::1\.\.4"
    ):
        load(path, vocab=vocab)
    assert [table.dimensions for table in outcomes(path, vocab=vocab)] == [3, 4]


@pytest.mark.parametrize(
    "content",
    ["good [0.1, 0.2, 0.3]\nbad [0.4, 0.5, 0.6]\n", '[1,"good",[0.1, 0.2]]\n[2,"bad",[0.3, 0.4]]\n',
     "good,[0.1,0.2,0.3,0.4]\nbad,[0.1,0.5,0.2,0.3]\n", '["good",[0.1, 0.2]]\n["bad",[0.1, 0.3]]\n',
     "good (0.1;0.2;0.3)\nbad (0.4;0.5;0.6)\n", "good [0.1, 0.2, 0.3] x\nbad [0.4, 0.5, 0.6] y\n"],
)  # fmt: skip
def test_a_separator_inside_lists_separates_nothing(content, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text(content)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert "::" not in str(caught.value)


def test_ids_that_stand_apart_leave_a_key_that_works(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("2,good,0.5,1.25\n3,bad,1.5,2.25\n")
    with pytest.raises(SourceError, match=r"do not stand together.*::3\.\.4\."):
        load(path)
    (table,) = outcomes(path)
    assert (table.words, table.matrix.tolist()) == (("good", "bad"), [[0.5, 1.25], [1.5, 2.25]])
