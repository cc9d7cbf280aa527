"""Queries and their texts: BEIR's lines of JSON, or two columns."""

import pytest

from driftkit.errors import BenchmarkError
from driftkit.retrieval import QueryTexts, read_queries
from driftkit.retrieval.queries import as_texts


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "queries"
        path.write_text(text, "utf-8")
        return path

    return written


@pytest.mark.parametrize(
    "text",
    [
        '{"_id": "1", "text": "what is drift", "metadata": {"a": [1]}}\n{"_id": 2, "text": "né"}\n',
        "1\twhat is drift\n\n2\tné\n",
    ],
)
def test_both_forms_are_told_by_content(write, text):
    found = read_queries(write(text))
    assert found.texts == {"1": "what is drift", "2": "né"}
    assert "2 queries" in repr(found)


def test_the_same_line_twice_counts_once_and_is_told(write):
    found = read_queries(write("1\tdrift\n1\tdrift\n"))
    assert len(found) == 1
    assert [problem.where for problem in found.problems] == [2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1\tdrift\n1\tanother\n", "line 2: query '1' has another text before, 'drift'"),
        ("query-id\ttext\n1\tdrift\n", "may be a header or a query"),
        ("what is drift\n", "has 0 tabs, not one"),
        ("1\ta\tb\n", "has 2 tabs, not one"),
        ('{"_id": "1"}\n', "lacks the strings '_id' and 'text'"),
        ('{"_id": true, "text": "a"}\n', "lacks the strings"),
        ('{"_id": "1", "text": "a"}\n{"_id"\n', "line 2: "),
        ('{"_id": "1", "_id": "2", "text": "a"}\n', "the key '_id' is there twice"),
        ('[{"_id": "1", "text": "a"}]\n', "lacks the strings"),
        ("", "holds no query"),
    ],
)
def test_what_is_no_query_or_may_be_two_is_refused_in_a_sentence(write, text, why):
    with pytest.raises(BenchmarkError) as refused:
        read_queries(write(text))
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_texts_from_memory(write):
    assert as_texts({"1": "a"}) == as_texts(QueryTexts({"1": "a"})) == as_texts(write("1\ta\n"))
    for given in (3, ["a"], {"1": 2}):
        with pytest.raises(BenchmarkError, match="texts="):
            as_texts(given)
