import bz2
import gzip
import lzma
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from gensim.models import KeyedVectors, Word2Vec

from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders import load


@pytest.fixture
def vectors():
    kv = KeyedVectors(4)
    kv.add_vectors(["good", "bad"], np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32))
    return kv


def test_only_with_the_flag(tmp_path, vectors):
    path = tmp_path / "v.kv"
    vectors.save(str(path))
    with pytest.raises(UnsafePickleError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: is a Python pickle, as gensim's .kv and .model are, and opening one runs any "
        "code it carries. Pass --unsafe-pickle (unsafe_pickle=True) if you trust where it comes "
        "from, or save it as kv.save_word2vec_format(path, binary=True)."
    )
    table = load(path, unsafe_pickle=True)
    assert np.array_equal(table.matrix, vectors.vectors)
    assert (table.words, table.source.format) == (("good", "bad"), "gensim")


def test_a_whole_model(tmp_path):
    path = tmp_path / "w.model"
    model = Word2Vec([["good", "bad"]] * 5, vector_size=4, min_count=1, workers=1, seed=1)
    model.save(str(path))
    assert np.array_equal(load(path, unsafe_pickle=True).matrix, model.wv.vectors)


def test_nothing_is_opened_without_the_flag(tmp_path, ran, payload):
    path = tmp_path / "x.kv"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for data in (pickle.dumps(payload, protocol), pickle.dumps([payload], protocol)):
            for written in (data, gzip.compress(data), bz2.compress(data), lzma.compress(data)):
                path.write_bytes(written)
                with pytest.raises(UnsafePickleError):
                    load(path)
    assert not ran.exists()


ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) + 0.5
WORDS = ["good", "bad", "caf\u00e9"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        dict(zip(WORDS, ROWS, strict=True)),
        dict(zip(WORDS, ROWS.tolist(), strict=True)),
        {word: torch.tensor(row) for word, row in zip(WORDS, ROWS, strict=True)},
        (WORDS, ROWS),
        [tuple(WORDS), ROWS.tolist()],
        (ROWS, {"bad": 1, "caf\u00e9": 2, "good": 0}),
        (WORDS, {word: row for row, word in enumerate(WORDS)}, torch.tensor(ROWS), 2),
        {"words": WORDS, "vectors": ROWS, "dim": 2},
        (np.array(WORDS, object), ROWS),
        pd.DataFrame(ROWS, index=WORDS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_words_with_their_vectors(tmp_path, value, protocol):
    path = tmp_path / "v.pkl"
    for pack in (bytes, gzip.compress):
        path.write_bytes(pack(pickle.dumps(value, protocol)))
        table = load(path, unsafe_pickle=True)
        assert (list(table.words), table.source.format) == (WORDS, "pickle")
        assert np.array_equal(table.matrix, ROWS)


def test_words_of_python_2_are_utf_8_and_its_arrays_are_read(tmp_path):
    path = tmp_path / "polyglot.pkl"
    path.write_bytes(b"\x80\x02}q\x00U\x05caf\xc3\xa9q\x01]q\x02(G?\xf0" + bytes(6) + b"K\x02es.")
    table = load(path, unsafe_pickle=True)
    assert (table.words, table.matrix.tolist()) == (("caf\u00e9",), [[1, 2]])
    old = pickle.dumps((WORDS, ROWS), 2)
    path.write_bytes(old.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray"))
    assert np.array_equal(load(path, unsafe_pickle=True).matrix, ROWS)


def test_a_matrix_alone_and_named_ones_take_a_vocabulary(tmp_path):
    path = tmp_path / "v.pkl"
    path.write_bytes(pickle.dumps(ROWS))
    assert np.array_equal(load(path, unsafe_pickle=True, vocab=WORDS).matrix, ROWS)
    path.write_bytes(pickle.dumps({"a": ROWS, "b": ROWS + 1}))
    table = load(f"{path}::b", unsafe_pickle=True, vocab=WORDS)
    assert (table.source.key, table.matrix[0, 0]) == ("b", 1.5)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": 1}, "holds a dict of 1 entry, the first of int; a map from word to vector, words"),
        ([], "holds a list of 0 entries; a map from word to vector"),
        (None, "holds an object of type NoneType; a map from word to vector"),
        (
            {"a": [1.0], "b": [1.0, 2.0]},
            r"maps 'b' to a vector of shape \(2,\), and the first",
        ),
        ((WORDS, ["x", "y", "z"], ROWS), "holds 2 lists that may be the words of its rows"),
        ((WORDS[:2], ROWS), "has 3 rows and the list inside the file has 2 words"),
        (
            pd.DataFrame(ROWS),
            r"is a data frame with no words as its index; make the words",
        ),
        (pd.DataFrame({"word": WORDS}), r"columns that are no numbers \(word\)"),
        ({"words": WORDS, "a": ROWS, "b": ROWS + 1}, "2 tables fit the 3 words"),
    ],
)
def test_other_objects_are_told_apart(tmp_path, value, said):
    path = tmp_path / "v.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(SourceError, match=said):
        load(path, unsafe_pickle=True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"\x80\x04\x8c\x05nopkg\x8c\x03Foo\x93)R.",
            "needs the package nopkg, which is not",
        ),
        (
            b"\x80\x04\x8c\x04json\x8c\x03Foo\x93)R.",
            "needs Foo of the module json, which",
        ),
        (b"\x80\x04\x8c\x03sys\x8c\x04exit\x93)R.", "tried to end the program"),
        (pickle.dumps({"a": [1.0]})[:-4], r"is a damaged or truncated pickle \("),
        (b"\x80\x04rubbish", r"is a damaged or truncated pickle \("),
    ],
)
def test_what_a_pickle_lacks_is_named(tmp_path, data, said):
    path = tmp_path / "v.pkl"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=said):
        load(path, unsafe_pickle=True)


def test_dumps_of_joblib_are_named(tmp_path):
    path = tmp_path / "v.joblib"
    for compress in (0, 3):
        joblib.dump({"good": ROWS[0]}, path, compress=compress)
        with pytest.raises(SourceError, match="joblib.*load it where you trust it and save the"):
            load(path, unsafe_pickle=True)


def test_a_missing_side_file_of_gensim_is_named(tmp_path, vectors):
    path = tmp_path / "v.kv"
    vectors.save(str(path), separately=["vectors"])
    assert np.array_equal(load(path, unsafe_pickle=True).matrix, vectors.vectors)
    (tmp_path / "v.kv.vectors.npy").unlink()
    with pytest.raises(SourceError, match=r"its file v\.kv\.vectors\.npy is missing: gensim keeps"):
        load(path, unsafe_pickle=True)


def test_gensim_vectors_pickled_by_hand(tmp_path, vectors):
    for name, pack in (("v.pkl", bytes), ("v.pkl.gz", gzip.compress)):
        (tmp_path / name).write_bytes(pack(pickle.dumps(vectors)))
        table = load(tmp_path / name, unsafe_pickle=True)
        assert (table.words, table.source.format) == (("good", "bad"), "gensim")


def test_a_gensim_object_without_words(tmp_path):
    from gensim.corpora import Dictionary

    path = tmp_path / "d.model"
    Dictionary([["a"]]).save(str(path))
    with pytest.raises(SourceError, match="holds an object of type Dictionary, not gensim vectors"):
        load(path, unsafe_pickle=True)
