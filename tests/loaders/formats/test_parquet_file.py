"""Parquet and Arrow files, as pandas, polars and pyarrow write them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

pa = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")

WORDS = ("good", "b,d", "nan", "7", "é", "")
MATRIX = np.random.default_rng(0).standard_normal((len(WORDS), 4)).astype(np.float32)
TYPES = ("float16", "float32", "float64")


def vectors(dtype="float32", fixed=False):
    values = MATRIX.astype(dtype)
    if fixed:
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), MATRIX.shape[1])
    return pa.array(list(values), pa.list_(pa.from_numpy_dtype(dtype)))


def stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as file:
        file.write_table(table)


def columns():
    return {f"emb_{i}": MATRIX[:, i] for i in range(MATRIX.shape[1])}


WRITERS = {
    "pyarrow": lambda path: parquet.write_table(
        pa.table({"word": WORDS, "vector": vectors()}), path
    ),
    "pyarrow, fixed size": lambda path: parquet.write_table(
        pa.table({"word": WORDS, "vector": vectors(fixed=True)}), path, compression="zstd"
    ),
    "pyarrow, several row groups": lambda path: parquet.write_table(
        pa.table({"word": pa.array(WORDS).dictionary_encode(), "vector": vectors()}),
        path,
        row_group_size=2,
    ),
    "pyarrow, large strings": lambda path: parquet.write_table(
        pa.table(
            {
                "word": pa.array(WORDS, pa.large_string()),
                "vector": vectors().cast(pa.large_list(pa.float32())),
            }
        ),
        path,
    ),
    "pyarrow, a column for each number": lambda path: parquet.write_table(
        pa.table({"word": WORDS, "count": range(6), **columns()}), path
    ),
    "pandas": lambda path: pd.DataFrame({"vector": list(MATRIX)}, index=list(WORDS)).to_parquet(
        path
    ),
    "pandas, a column for each number": lambda path: pd.DataFrame(
        columns(), index=pd.Index(WORDS, name="token")
    ).to_parquet(path),
    "polars": lambda path: pl.DataFrame({"word": WORDS, "vector": MATRIX}).write_parquet(path),
    "polars, lists": lambda path: pl.DataFrame(
        {"word": WORDS, "vector": MATRIX.tolist()}, schema_overrides={"vector": pl.List(pl.Float32)}
    ).write_parquet(path),
    "feather": lambda path: feather.write_feather(
        pa.table({"word": WORDS, "vector": vectors()}), path
    ),
    "an Arrow stream": lambda path: stream(pa.table({"word": WORDS, "vector": vectors()}), path),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_writers_make(writer, tmp_path):
    path = tmp_path / "t.parquet"
    WRITERS[writer](str(path))
    table = load(path)
    assert (table.words, table.source.format) == (WORDS, "parquet")
    assert np.array_equal(table.matrix, MATRIX)
    assert table.source.rounding.is_exact
    assert load(path, limit=2).matrix.tolist() == MATRIX[:2].tolist()
    assert load(path, words=["é", "zoo"]).matrix.tolist() == MATRIX[4:5].tolist()
    found = inspect(path)
    assert (found.words, found.tables[0].shape) == (len(WORDS), MATRIX.shape)
    assert found.tables[0].key == table.source.key
    assert np.array_equal(load(f"{path}::{table.source.key}").matrix, MATRIX)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("fixed", [False, True])
def test_types_are_told(dtype, fixed, tmp_path):
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"word": WORDS, "vector": vectors(dtype, fixed)}), path)
    table = load(path)
    assert table.source.dtype == dtype
    assert table.source.rounding.is_exact == (dtype != "float16")
    assert np.array_equal(table.matrix, MATRIX.astype(dtype).astype(np.float32))


@pytest.fixture
def read(tmp_path):
    def read(key="", options=None, **data):
        path = tmp_path / "t.parquet"
        pl.DataFrame(data).write_parquet(path)
        return load(f"{path}{key}", **(options or {}))

    return read


PAIRS = [[0.5, 1.5], [1.0, 2.0]]


def test_what_may_be_meant_is_asked_for(read):
    two = {"word": ["a", "b"], "embedding": PAIRS, "embedding_v2": [[3.5], [4.5]]}
    with pytest.raises(SourceError, match="2 vectors for each word, embedding and embedding_v2"):
        read(**two)
    assert read("::embedding_v2", **two).matrix.tolist() == [[3.5], [4.5]]
    names = {"id": [1, 2], "title": ["a", "b"], "embedding": PAIRS}
    with pytest.raises(SourceError, match="'id' and 'title' may each be the names"):
        read(**names)
    assert read("::title:embedding", **names).words == ("a", "b")
    assert read("::title:", **names).words == ("a", "b")
    only_ids = names | {"title": ["a", "a"], "pieces": [[1, 2], [3, 4]]}
    table = read(**only_ids)
    assert table.words == ("1", "2")
    assert [problem.kind for problem in table.problems] == ["integer ids"]
    for ids, kind in (([1.0, 2.0], "float64"), ([True, False], "boolean")):
        with pytest.raises(SourceError, match=rf"'id' \({kind}\) holds neither text nor whole"):
            read(id=ids, embedding=PAIRS)
    with pytest.raises(SourceError, match=r"no column of vectors.*'pieces' \(list of int64\)"):
        read(word=["a", "b"], pieces=[[1, 2], [3, 4]])
    assert read("::pieces", word=["a", "b"], pieces=[[1, 2], [3, 4]]).matrix[1].tolist() == [3, 4]


def test_words_kept_as_bytes_are_text(read):
    """As writers leave them that do not say that their bytes are UTF-8."""
    words = ["good", "é"]
    table = read(word=[word.encode() for word in words], vector=PAIRS)
    assert (table.words, table.matrix.tolist()) == (tuple(words), PAIRS)
    with pytest.raises(SourceError, match=r"row 1 .* has bytes that are no UTF-8 in column 'word'"):
        read(word=[b"good", b"\xe9"], vector=PAIRS)
    with pytest.raises(SourceError, match="no column of vectors"):
        read(word=words, vector=[b"\0\0\0\x3f\0\0\xc0\x3f"] * 2)


def test_numbers_alone_take_a_vocabulary(read):
    table = read(options={"vocab": ["a", "b"]}, V1=[0.5, 1.0], V2=[1.5, 2.0])
    assert (table.words, table.matrix.tolist()) == (("a", "b"), PAIRS)
    with pytest.raises(VocabularyError, match="no words were found"):
        read(V1=[0.5, 1.0], V2=[1.5, 2.0])
    with pytest.raises(VocabularyError, match="has words of its own, in column 'word'"):
        read(options={"vocab": ["a", "b"]}, word=["a", "b"], vector=PAIRS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"word": ["a", None], "vector": PAIRS}, r"row 1 \(from 0\) has no word in column 'word'"),
        ({"word": ["a", "b"], "vector": [[0.5], None]}, r"row 1 \(from 0\) is empty in column 'v"),
        ({"word": ["a", "b"], "vector": [[0.5], [None]]}, r"row 1 .* an empty place \(null\)"),
        ({"word": ["a", "b"], "vector": [[0.5], [1.0, 2.0]]}, "row 1 .* of length 2 where"),
        ({"word": ["a", "b"], "vector": [[0.5], []]}, "row 1 .* a vector of length 0 where"),
        ({"word": ["a", "b"], "vector": [None, [0.5]]}, "row 0 has a vector of length 0"),
        ({"word": ["a", "b"], "vector": [[0.5], [float("nan")]]}, r"NaN or infinity \('b'\)"),
        ({"word": ["a", "b"], "vector": [[0.5], [1e39]]}, r"NaN or infinity \('b'\)"),
        ({"word": ["a", "b"], "V1": [0.5, None], "V2": [1.0, 2.0]}, "row 1 .* is empty in column"),
        ({"word": ["a", "b"], "nested": [{"x": 0.5}] * 2}, "holds no column of vectors"),
        ({"word": ["a", "b"], "vector": [[[0.5]], [[1.5]]]}, "holds no column of vectors"),
        ({"kind": ["a", "a"], "vector": PAIRS}, "no column beside the vector 'vector' has"),
    ],
)  # fmt: skip
def test_rows_are_named(read, data, said):
    with pytest.raises(SourceError, match=said):
        read(**data)


def test_vectors_as_text(read):
    table = read(word=["a", "b"], embedding=["[0.5,1.25]", "[1,2]"])
    assert table.matrix.tolist() == [[0.5, 1.25], [1, 2]]
    assert table.source.rounding.absolute == 0.005
    with pytest.raises(SourceError, match="row 1 has a vector of length 1"):
        read(word=["a", "b"], embedding=["[0.5,1.25]", "[1]"])


def test_shards(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    for part in range(3):
        rows = slice(2 * part, 2 * part + 2)
        frame = pl.DataFrame({"word": WORDS[rows], "vector": MATRIX[rows]})
        frame.write_parquet(folder / f"train-{part:05}-of-00003.parquet")
    table = load(folder)
    assert table.words == WORDS
    assert np.array_equal(table.matrix, MATRIX)
    assert inspect(folder).words == 6
    (folder / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(SourceError, match="holds 2 of the 3 parts"):
        load(folder)
    frame.write_parquet(folder / "test-00000-of-00003.parquet")
    with pytest.raises(SourceError, match="not named as the parts of one table"):
        load(folder)


def test_shards_are_read_in_the_order_of_their_numbers(tmp_path):
    for part in (10, 9, 1):
        pl.DataFrame({"word": [f"w{part}"], "vector": [[part + 0.5]]}).write_parquet(
            tmp_path / f"part-{part}.parquet"
        )
    assert load(tmp_path).words == ("w1", "w9", "w10")


def test_damage(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"word": WORDS, "vector": MATRIX}).write_parquet(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"PAR1" + bytes(100), b"ARROW1\0\0" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="is a damaged or truncated Parquet or Arrow file"):
            load(path)


def test_memory_is_asked_for_before_it_is_taken(read, monkeypatch):
    monkeypatch.setattr("driftkit.loaders.preconditions.available_memory", lambda: 20)
    with pytest.raises(SourceError, match="needs 48 bytes of memory and 20 bytes are free"):
        read(word=["a", "b"], vector=PAIRS)
