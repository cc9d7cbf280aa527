"""Judgments: TREC's and BEIR's forms told apart, and what could be read in two ways refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftkit.errors import BenchmarkError
from driftkit.retrieval import Qrels, read_qrels
from driftkit.retrieval.qrels import as_qrels


@pytest.fixture
def write(tmp_path):
    def written(text, name="qrels"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return written


JUDGED = {"q1": {"d7": 2, "d3": 0}, "q2": {"d1": -2}}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("q1 0 d7 2\nq1 0 d3 0\nq2 Q0 d1 -2\n", "TREC"),
        ("q1\t0\td7\t2\r\n\r\nq1\t0\td3\t0\r\nq2\t0\td1\t-2", "TREC"),
        ("  q1  0 d7  2\nq1 0 d3 0\nq2 0 d1 -2.0\n", "TREC"),
        ("query-id\tcorpus-id\tscore\nq1\td7\t2\nq1\td3\t0\nq2\td1\t-2\n", "BEIR"),
        ("\ufeffquery-id\tcorpus-id\tscore\r\nq1\td7\t2\r\nq1\td3\t0\r\nq2\td1\t-2", "BEIR"),
        ('"query-id"\t"corpus-id"\t"score"\n"q1"\t"d7"\t2\n"q1"\t"d3"\t"0"\nq2\td1\t-2', "BEIR"),
    ],
)
def test_both_forms_are_told_by_content(write, text, form):
    found = read_qrels(write(text, "qrels.whatever"))
    assert (found.judgments, found.form, len(found), found.problems) == (JUDGED, form, 3, ())
    assert "3 judgments of 2 queries" in repr(found)


def test_names_may_hold_spaces_between_tabs(write):
    assert read_qrels(write("a query\t0\ta document\t1\n")).judgments == {
        "a query": {"a document": 1}
    }
    beir = "query-id\tcorpus-id\tscore\na query\ta document\t1\n"
    assert read_qrels(write(beir)).judgments == {"a query": {"a document": 1}}


def test_a_quote_that_is_none_of_csv_is_part_of_a_name(write):
    beir = 'query-id\tcorpus-id\tscore\n5" disk\t"a" b\t1\n'
    assert read_qrels(write(beir)).judgments == {'5" disk': {'"a" b': 1}}


def test_the_same_judgment_twice_counts_once_and_is_told(write):
    found = read_qrels(write("q1 0 d7 2\nq1 0 d7 2\n"))
    assert found.judgments == {"q1": {"d7": 2}}
    (problem,) = found.problems
    assert (problem.kind, problem.where) == ("duplicate", 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("q1\td7\t1\n", "line 1: 'q1\\td7\\t1' has three fields and no header says which"),
        ("q1 d7 1\n", "three fields and no header"),
        ("q1 Q0 d7 1 0.9 run\n", "is a line of a run, which is no judgment"),
        ("q1 0 d7 2\nq1 0 d7 1\n", "line 2: document 'd7' is judged 1 for query 'q1', and 2 bef"),
        ("q1 0 d7 2\nq1 0 d7\n", "line 2: 'q1 0 d7' has three fields"),
        ("q1 0\n", "has 2 fields, not four"),
        ("query iter doc rel\n", "line 1: 'rel' is no relevance, a whole number"),
        ("q1 0 d7 0.5\n", "'0.5' is no relevance"),
        ("q1 0 d7 nan\n", "'nan' is no relevance"),
        ("q1 0 d7 2147483648\n", "'2147483648' is no relevance"),
        ("query-id\tcorpus-id\tscore\nq1\td7\n", "line 2: 'q1\\td7' has 2 fields, not three"),
        ("\n \n", "holds no judgment"),
    ],
)
def test_what_is_no_judgment_or_may_be_two_is_refused_in_a_sentence(write, text, why):
    with pytest.raises(BenchmarkError) as refused:
        read_qrels(write(text))
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path, write):
    with pytest.raises(BenchmarkError, match="no-such-file cannot be read"):
        read_qrels(tmp_path / "no-such-file")
    (tmp_path / "bytes").write_bytes(b"q1 0 \xff 1\n")
    with pytest.raises(BenchmarkError, match="is not UTF-8"):
        read_qrels(tmp_path / "bytes")


names = st.text(st.characters(categories=("L", "N"), codec="utf-8"), min_size=1, max_size=5)


@given(
    st.dictionaries(
        names,
        st.dictionaries(names, st.integers(-3, 3), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_in_either_form_is_read_again(tmp_path_factory, judgments):
    rows = [(q, d, grade) for q, judged in judgments.items() for d, grade in judged.items()]
    path = tmp_path_factory.mktemp("qrels") / "file"
    path.write_text("".join(f"{q} 0 {d} {grade}\n" for q, d, grade in rows), "utf-8")
    assert read_qrels(path).judgments == judgments
    beir = "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{g}\n" for q, d, g in rows)
    path.write_text(beir, "utf-8")
    assert read_qrels(path).judgments == judgments


def test_judgments_from_memory(write):
    assert as_qrels(JUDGED) == Qrels(JUDGED)
    assert as_qrels(Qrels(JUDGED)) == Qrels(JUDGED)
    assert as_qrels(str(write("q1 0 d7 2\n"))).judgments == {"q1": {"d7": 2}}


@pytest.mark.parametrize(
    "given", [3, ["q1"], {"q1": ["d7"]}, {"q1": {"d7": 0.5}}, {"q1": {7: 1}}, {"q1": {"d": True}}]
)
def test_what_is_no_judgment_in_memory_is_refused(given):
    with pytest.raises(BenchmarkError, match="qrels"):
        as_qrels(given)
