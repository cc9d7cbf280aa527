"""Tables of a word and its numbers in cells, as the tools that people use write them."""

import csv
import gzip
import io
from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import SourceError, UnknownNameError, VocabularyError
from driftkit.loaders import inspect, load
from driftkit.loaders.formats import delimited_file

WORDS = (
    "good",
    "b,d",
    'o"d',
    "two words",
    "nan",
    "NA",
    "null",
    "None",
    "true",
    "#",
    "7",
    "é",
    "a;b",
)
MATRIX = np.random.default_rng(0).standard_normal((len(WORDS), 6)).round(5).astype(np.float32)
DIGITS = [[f"{value:.5f}" for value in row] for row in MATRIX]
FRAME = pd.DataFrame(MATRIX.astype(np.float64).round(5), index=list(WORDS))


@pytest.fixture
def text(tmp_path):
    """The same table as plain text, which is how every other must be read."""
    path = tmp_path / "t.txt"
    path.write_text("".join(f"{w} {' '.join(r)}\n" for w, r in zip(WORDS, DIGITS, strict=True)))
    return load(path)


def written_by_csv(**form):
    out = io.StringIO()
    csv.writer(out, **form).writerows([w, *r] for w, r in zip(WORDS, DIGITS, strict=True))
    return out.getvalue()


def with_names(prefix, first=0):
    return FRAME.set_axis([f"{prefix}{first + i}" for i in range(FRAME.shape[1])], axis=1)


def as_r(sep):
    """As R's ``write.table`` writes a matrix with row names: the corner is left out."""
    lines = [sep.join(f'"V{i + 1}"' for i in range(6))]
    for word, row in zip(WORDS, DIGITS, strict=True):
        lines.append(sep.join(['"' + word.replace('"', '""') + '"', *row]))
    return "\n".join(lines) + "\n"


WRITERS = {
    "csv": lambda: written_by_csv(),
    "csv with line feeds": lambda: written_by_csv(lineterminator="\n"),
    "csv with all quoted": lambda: written_by_csv(quoting=csv.QUOTE_ALL),
    "csv with tabs": lambda: written_by_csv(dialect="excel-tab"),
    "csv with semicolons": lambda: written_by_csv(delimiter=";"),
    "csv as on Unix": lambda: written_by_csv(dialect="unix"),
    "pandas": lambda: FRAME.to_csv(float_format="%.5f"),
    "pandas with names": lambda: with_names("V", 1).to_csv(float_format="%.5f"),
    "pandas with a named index": lambda: FRAME.to_csv(index_label="word", float_format="%.5f"),
    "pandas without a header": lambda: FRAME.to_csv(header=False, float_format="%.5f"),
    "pandas with a column of words": lambda: FRAME.reset_index(names="word").to_csv(
        float_format="%.5f"
    ),
    "pandas with only row numbers": lambda: FRAME.reset_index(names="word").to_csv(
        float_format="%.5f", header=False
    ),
    "pandas without an index": lambda: (
        with_names("dim_").reset_index(names="token").to_csv(index=False, float_format="%.5f")
    ),
    "pandas with tabs": lambda: with_names("emb_").to_csv(sep="\t", float_format="%.5f"),
    "pandas for Europe": lambda: FRAME.to_csv(sep=";", decimal=",", float_format="%.5f"),
    "pandas with commas in quotes": lambda: FRAME.to_csv(decimal=",", float_format="%.5f"),
    "polars": lambda: pl.from_pandas(with_names("d"), include_index=True).write_csv(
        float_precision=5
    ),
    "R with commas": lambda: as_r(","),
    "R with tabs": lambda: as_r("\t"),
    "R with spaces": lambda: as_r(" "),
    "a JSON list in a cell": lambda: pd.DataFrame(
        {"word": WORDS, "vector": [f"[{', '.join(row)}]" for row in DIGITS]}
    ).to_csv(index=False),
    "an array in a cell": lambda: pd.DataFrame(
        {
            "word": WORDS,
            "vector": [f"[{' '.join(row[:3])}\n {' '.join(row[3:])}]" for row in DIGITS],
        }
    ).to_csv(index=False),
    "pgvector in a cell": lambda: pd.DataFrame(
        {"word": WORDS, "embedding": [f"[{','.join(row)}]" for row in DIGITS]}
    ).to_csv(index=False, sep="\t"),
    "numbers with spaces in a cell": lambda: "".join(
        f"{word}\t{' '.join(row)}\n" for word, row in zip(WORDS, DIGITS, strict=True)
    ),
    "a mark of byte order": lambda: "\ufeff" + written_by_csv(),
    "a header n d": lambda: f"{len(WORDS)} 6\n" + written_by_csv(),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_writers_make_is_read_as_the_same_text(writer, text, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(WRITERS[writer]().encode())
    table = load(path)
    assert (table.words, table.source.format) == (text.words, "delimited")
    assert np.array_equal(table.matrix, text.matrix)
    assert table.source.rounding == text.source.rounding
    found = inspect(path)
    assert (found.words, found.tables[0].shape) == (len(WORDS), MATRIX.shape)
    if table.source.key is not None:
        assert load(f"{path}::{table.source.key}").words == text.words
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(load(packed).matrix, text.matrix)
    assert inspect(packed).words == len(WORDS)


def test_quotes_that_nobody_doubled(tmp_path):
    """StarSpace and others write tokens as they are: a quote is a token too."""
    path = tmp_path / "t.tsv"
    tokens = ["the", '"', "of", '""', "'", '"good', *(f"w{i}" for i in range(40))]
    path.write_text("".join(f"{token}\t{i}.5\t0.25\n" for i, token in enumerate(tokens)))
    assert load(path).words == tuple(tokens)
    assert inspect(path).words == len(tokens)
    late = ["w", *(f"x{i}" for i in range(80_000)), '"', "y", '"', "z"]  # past the rows looked at
    path.write_text("".join(f"{token}\t{i}.5\t0.25\n" for i, token in enumerate(late)))
    assert load(path).matrix[-1].tolist() == [80_004.5, 0.25]
    assert inspect(path).words == len(late)


def test_words_in_quotes_beside_broken_quotes_are_refused(read):
    for broken in (r'"b\"c"', '"b"c', '"b'):
        assert "quotes of others do not pair" in refused(
            read, '"a",1.5,2.5\n' * 9 + broken + ",1.5,2.5\n"
        )
        rows = "".join(f"w{i},1.5,2.5\n" for i in range(99))
        said = refused(read, rows + '"say ""no""",1,2\n' + broken + ",1,2\n")
        assert "quotes of others do not pair" in said


@pytest.fixture
def read(tmp_path):
    def read(content, key="", **options):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(f"{path}{key}", **options)

    return read


def refused(read, content, key="", error=SourceError, **options):
    with pytest.raises(error) as caught:
        read(content, key, **options)
    return str(caught.value).partition("t.csv: ")[2] or str(caught.value)


def test_a_count_beside_the_vector_is_never_part_of_it_in_silence(read):
    named = "word,count,V1,V2\ngood,9,0.5,1.5\nbad,8,0.5,1\n"
    table = read(named)
    assert table.matrix.tolist() == [[0.5, 1.5], [0.5, 1]]
    assert [str(problem) for problem in table.problems] == [
        "column left out: count beside the vector V1..V2"
    ]
    for content, left, whole in (
        (named.replace("V1,V2", "x,y"), "x..y", "count..y"),
        ("good,9,0.5,1.5\nbad,8,0.5,1.25\n", "3..4", "2..4"),
    ):
        said = refused(read, content)
        assert f"::{left} or " in said
        assert f"::{whole}." in said
        assert read(content, f"::{left}").dimensions == 2
        assert read(content, f"::{whole}").matrix[0].tolist() == [9, 0.5, 1.5]
    assert "may hold counts" in refused(read, "good,9000\nbad,800\n")
    assert read("good,9000\nbad,800\n", "::2").matrix.tolist() == [[9000], [800]]


def test_a_dimension_of_zeros_is_no_count(read):
    assert read("good,0,0.5,1.5\nbad,0,0.25,1\n").matrix.tolist() == [[0, 0.5, 1.5], [0, 0.25, 1]]


def test_columns_with_other_names_are_the_vector_if_all_of_them_are(read):
    assert read("word,valence,arousal\ngood,0.5,1.5\nbad,0.25,1\n").dimensions == 2
    assert "do not stand together" in refused(read, "a,word,b\n0.5,good,1.5\n0.5,bad,1.5\n")


def test_numbered_columns_are_read_in_the_order_of_their_numbers(read):
    names = [f"d{i}" for i in (10, 1, 2, 3, 4, 5, 6, 7, 8, 9)]
    content = ",".join(["word", *names]) + "\n" + ",".join(["good", *(n[1:] for n in names)]) + "\n"
    table = read(content)
    assert table.matrix.tolist() == [list(range(1, 11))]
    assert read(content, f"::{table.source.key}").matrix.tolist() == table.matrix.tolist()
    assert read(content, "::d2..d4").matrix.tolist() == [[2, 3, 4]]
    assert "d1 to d10 lack number 4" in refused(read, content.replace("d4", "e"))
    assert "lack number 0" in refused(read, "word,d3,d4\ngood,0.5,1\n")
    assert "have the same number" in refused(read, "word,d1,d01\ngood,0.5,1\n")


def test_two_vectors_or_two_names(read):
    two = "word,a_0,a_1,b_0,b_1\ngood,1,2,3,4\nbad,5,6,7,8\n"
    assert "2 vectors for each word, a_0..a_1 and b_0..b_1" in refused(read, two)
    assert read(two, "::b_").matrix.tolist() == [[3, 4], [7, 8]]
    said = refused(read, two, "::c_", UnknownNameError)
    assert "Known: word, a_0, a_1, b_0, b_1" in said
    names = "id,title,V1,V2\n1,A,0.5,1\n2,B,0.5,1\n"
    assert "'id' and 'title' may each be the names" in refused(read, names)
    assert read(names, "::title:V1..V2").words == ("A", "B")
    assert read(names, "::id:").words == ("1", "2")
    assert read(names.replace("title", "word")).words == ("A", "B")
    assert read(names.replace("title", "lang").replace("B", "A")).words == ("1", "2")
    same = "category,V1,V2\na,0.5,1\na,0.5,2\n"
    assert "has another value in each row ('category' (text))" in refused(read, same)
    assert len(read(same, "::category:V1..V2")) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("word,0,1\ngood,5,1\nbad,0,3\n", "may be a header or a row"),
        (",0,1,2\ngood,5,1,2\nbad,0,3,2\n", "may be a header or a row"),
        ("good;1,234;1,555\nbad;2,500;1,250\n", "may be a decimal comma or separate thousands"),
        ("w,0,5,1,5\nb,-0,25,1,25\n", "may be halves of numbers with a decimal comma"),
        ("'good',0.5,1\n'bad',0.5,2\n", "stand in single quotes"),
        (
            "a;1 0.5 1.25\nb;2 1.5 -3\n",
            "may be the word 'a' and 3 numbers, or the word 'a;1' and 2",
        ),
        ("1995,0.5,1.5\n1996,1.25,2.5\n", "may hold the words, which are numbers then"),
    ],
)
def test_a_table_that_could_be_read_in_two_ways_is_not_read(read, content, said):
    assert said in refused(read, content)


def test_numbers_only_take_their_words_from_a_vocabulary(read, tmp_path):
    out = io.StringIO()
    np.savetxt(out, MATRIX, fmt="%.5f", delimiter=",")
    assert "no words were found for its 13 rows" in refused(
        read, out.getvalue(), error=VocabularyError
    )
    table = read(out.getvalue(), vocab=WORDS)
    assert (table.words, table.matrix.tolist()) == (WORDS, MATRIX.tolist())
    assert table.source.rounding.absolute == 5e-6
    with_rows = pd.DataFrame(MATRIX).to_csv(float_format="%.5f")
    table = read(with_rows, vocab=WORDS)
    assert table.matrix.tolist() == MATRIX.tolist()
    assert [problem.kind for problem in table.problems] == ["column left out"]
    said = refused(read, "good,0.5,1.5\n", error=VocabularyError, vocab=["a"])
    assert "has words of its own" in said
    (tmp_path / "t.vocab.txt").write_text("\n".join(WORDS))
    assert read(out.getvalue()).words == WORDS


def test_lines_are_named(read):
    rows = "".join(f"w{i},{i}.5,1.5\n" for i in range(500))
    assert "line 501 has 2 cells" in refused(read, rows + "odd,1\n")
    assert "line 501 has 4 cells" in refused(read, rows + "odd,1,2,3\n")
    assert "line 501 holds 'x' where a number" in refused(read, rows + "odd,1,x\n")
    assert "line 501 holds '' where a number" in refused(read, rows + "odd,1,\n")
    assert "line 502 holds 'NA' where a number" in refused(
        read, "word,V1,V2\n" + rows + "odd,1,NA\n"
    )
    assert "('odd')" in refused(read, rows + "odd,1,nan\n")
    printed = 'word,v\na,"[0.5 ... 1.5]"\nb,"[1 2 3]"\n'
    assert "line 2 holds '...' where a number should be: NumPy cut" in refused(read, printed)
    table = read(rows + '\n"a\nb",1,2\n,1,2\nw3,0,0\n')
    assert [(problem.kind, problem.where) for problem in table.problems] == [
        ("blank line", 501), ("empty word", 504), ("duplicate", 505),
    ]  # fmt: skip


def test_only_some_rows(read, monkeypatch):
    monkeypatch.setattr(delimited_file, "SAMPLE_BYTES", 1 << 10)
    monkeypatch.setattr(delimited_file, "BLOCK_BYTES", 1 << 10)
    content = "word,V1,V2\n" + "".join(f'"w\n{i}",{i}.5,1.5\n' for i in range(500))
    table = read(content)
    assert (len(table), table.matrix[499].tolist()) == (500, [499.5, 1.5])
    assert read(content, limit=3).words == ("w\n0", "w\n1", "w\n2")
    table = read(content, words=["w\n7", "w\n400", "zoo"])
    assert table.matrix[:, 0].tolist() == [7.5, 400.5]
    assert [problem.kind for problem in table.problems] == ["word not found"]
    assert "holds none of the 2 words" in refused(read, content, words=["zoo", "x"], limit=9)


def test_bytes_that_are_not_utf8_are_kept_escaped(read):
    table = read(b"caf\xe9,0.5,1.5\ncaf\xe8,1,3\n")
    assert table.words == (r"caf\xe9", r"caf\xe8")
    assert [(problem.kind, problem.where) for problem in table.problems] == [("invalid UTF-8", 1)]


def test_words_with_commas_stay_text(tmp_path):
    """Text separated by spaces is never taken for a delimited table."""
    path = tmp_path / "t.txt"
    for words in (["a,b", "c,d", "e,f"], [",", ";", "x"], ["1,000", "2,000", "x"]):
        path.write_text("".join(f"{word} 0.5 1.25 -3\n" for word in words))
        table = load(path)
        assert (table.words, table.source.format) == (tuple(words), "glove-text")


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
words = st.text(
    st.one_of(st.sampled_from("\"',;\t\n\r #"), st.characters(exclude_categories=["Cs"]))
)


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(
    rows=st.lists(
        st.tuples(words, numbers, numbers), min_size=1, max_size=8, unique_by=lambda r: r[0]
    ),
    separator=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_module_csv_writes_is_read_back_or_refused(
    tmp_path_factory, rows, separator, quoting, end
):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
        writer.writerow(["word", "V1", "V2"])
        writer.writerows(rows)
    try:
        table = load(path)
    except SourceError:
        return
    assert table.words == tuple(word for word, *_ in rows)
    assert np.array_equal(table.matrix, np.array([row for _, *row in rows], np.float32))
