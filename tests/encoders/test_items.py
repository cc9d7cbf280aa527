"""Lists of items: ids and texts from files that people keep."""

import json
from datetime import datetime

import pytest

from driftkit.encoders import as_items, encode, read_items
from driftkit.errors import OptionError, SourceError, UnknownNameError

IDS, TEXTS = ("a", "b"), ("green tea, hot", 'the "best" coffee')


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return written


def as_csv(name):
    return f'{name},text\na,"green tea, hot"\nb,"the ""best"" coffee"\n'


@pytest.mark.parametrize("column", ["id", "_id", "docid", "ID"])
def test_csv(write, column):
    found = read_items(write("items.csv", as_csv(column)))
    assert (found.ids, found.texts, found.problems) == (IDS, TEXTS, ())


def test_tsv_keeps_quotation_marks(write):
    lines = "".join(f"{one}\t{text}\n" for one, text in zip(IDS, TEXTS, strict=True))
    assert read_items(write("items.tsv", f"id\tsentence\n{lines}")).texts == TEXTS


def test_json_lines_as_of_beir(write):
    rows = [{"_id": i, "title": "t", "text": x} for i, x in zip(IDS, TEXTS, strict=True)]
    found = read_items(write("corpus.jsonl", "\n".join(map(json.dumps, rows))))
    assert (found.ids, found.texts) == (IDS, TEXTS)
    assert [str(each) for each in found.problems] == ["column left out: title: not encoded"]


def test_json_lines_of_strings(write):
    found = read_items(write("items.jsonl", "\n".join(map(json.dumps, TEXTS))))
    assert found.ids == found.texts == TEXTS


def test_parquet_with_numbers_for_ids(tmp_path):
    import polars as pl

    path = tmp_path / "items.parquet"
    pl.DataFrame({"id": [7, 8], "content": TEXTS, "score": [0.1, 0.2]}).write_parquet(path)
    found = read_items(path)
    assert (found.ids, found.texts) == (("7", "8"), TEXTS)
    assert [str(each) for each in found.problems] == ["column left out: score: not encoded"]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([7.0, 8.0], "Float64"),
        ([7, None], "Float64"),  # as pandas writes whole numbers of which one is missing
        ([True, False], "Boolean"),
        ([b"a", b"b"], "Binary"),
        ([datetime(2024, 1, 1), datetime(2024, 1, 2)], "Datetime"),
        ([["a"], ["b"]], "List"),
    ],
)
@pytest.mark.parametrize("columns", ["", "::id:text"])
def test_parquet_with_ids_of_another_type_is_refused(tmp_path, values, what, columns):
    import polars as pl

    path = tmp_path / "items.parquet"
    kind = pl.Float64 if None in values else None
    pl.DataFrame({"id": pl.Series(values, dtype=kind), "text": TEXTS}).write_parquet(path)
    with pytest.raises(SourceError, match=f"has {what}.* in column 'id' of row 1; ids and texts"):
        read_items(f"{path}{columns}")


def test_plain_text_is_an_item_on_each_line(write):
    found = read_items(write("items.txt", "\ufeffgreen tea, hot\r\n\r\n  coffee \n \n"))
    assert found.ids == found.texts == ("green tea, hot", "  coffee ")
    assert [each.kind for each in found.problems] == ["item without a text"]  # the line of a blank


def test_json_is_a_list_of_strings_or_objects(write):
    assert read_items(write("items.json", json.dumps(TEXTS))).texts == TEXTS
    rows = [{"id": i, "text": x} for i, x in zip(IDS, TEXTS, strict=True)]
    found = read_items(write("items.json", json.dumps(rows, indent=1)))
    assert (found.ids, found.texts) == (IDS, TEXTS)


def test_one_column_needs_no_name(write):
    assert read_items(write("items.csv", "utterance\ntea\n")).ids == ("tea",)


def test_columns_by_name(write):
    path = write("items.csv", "n,pair_ID,sentence_A,sentence_B\n1,x,tea,coffee\n")
    with pytest.raises(
        SourceError, match=r"which holds the texts is not sure; name it as .*::TEXT"
    ):
        read_items(path)
    assert read_items(f"{path}::sentence_B").ids == ("coffee",)
    named = read_items(f"{path}::pair_ID:sentence_A")
    assert (named.ids, named.texts) == (("x",), ("tea",))
    with pytest.raises(UnknownNameError, match="did you mean 'sentence_B'"):
        read_items(f"{path}::sentence_a")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "two.csv",
            "id,text,sentence\na,b,c\n",
            r"which holds the texts is not sure.*two.csv::text",
        ),
        (
            "ids.csv",
            "id,docid,text\na,b,c\n",
            r"several columns that could hold the ids.*::id:text",
        ),
        ("same.csv", "id,text,text\na,b,c\n", "several columns named 'text'"),
        ("row.csv", "id,text\na\n", "row 1 has 1 fields, not 2"),
        ("quote.csv", 'id,text\na,"b\n', "is no CSV"),
        ("empty.csv", "", "holds no item"),
        ("header.csv", "id,text\n", "holds no item"),
        ("id.csv", "id,text\n,tea\n", "has no id in column 'id' of row 1, for 'tea'"),
        ("blank.txt", "\n\n", "holds no item"),
        ("bad.jsonl", "{", "line 1 is no JSON"),
        ("twice.jsonl", '{"id": 1, "id": 2, "text": "a"}', "line 1 .*the key 'id' is there twice"),
        (
            "float.jsonl",
            '{"id": 1, "text": "a"}\n{"id": 1.0, "text": "b"}',
            "1.0 in column 'id' of row 2",
        ),
        ("bool.jsonl", '{"id": true, "text": "b"}', "true or false in column 'id' of row 1"),
        ("bad.json", "[", "is not JSON from line 1"),
        ("twice.json", '[{"text": "a", "text": "b"}]', "the key 'text' is there twice"),
        ("object.json", '{"a": "green tea"}', "is JSON that is no list; write a list of strings"),
        ("numbers.json", '["tea", 1]', "item 2 holds neither an object nor a string"),
        ("nothing.json", "[]", "holds no item"),
        ("list.jsonl", "[1]", "neither an object nor a string"),
        ("items.parquet", "tea", "damaged or truncated Parquet"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(write, name, text, why):
    with pytest.raises(SourceError, match=why):
        read_items(write(name, text))


def test_a_file_that_is_not_there_and_columns_of_plain_text(write, tmp_path):
    with pytest.raises(SourceError, match="is not there"):
        read_items(tmp_path / "absent.txt")
    with pytest.raises(SourceError, match="plain text, which has no columns"):
        read_items(f"{write('items.txt', 'tea')}::text")


def test_what_is_left_out_is_told(write):
    found = read_items(write("items.csv", "id,text\na,tea\na,tea\na,coffee\nb,\n"))
    assert found.ids == ("a",)
    assert [str(each) for each in found.problems] == [
        "duplicate at 1: 'a' again; the first is used",
        "duplicate at 2: 'a' again, with another text; the first is used",
        "item without a text at 3: b is left out",
    ]
    table = encode(lambda texts: [[1.0]] * len(texts), found)
    assert table.problems == found.problems


def test_items_in_memory():
    assert as_items(["tea", "coffee"]).ids == ("tea", "coffee")
    assert as_items({"a": "tea"}).texts == ("tea",)
    assert len(as_items(as_items(["tea"]))) == 1
    with pytest.raises(OptionError, match="give a list of texts"):
        as_items([1])
