import pickle

import numpy as np
import pytest
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


def test_other_pickles(tmp_path, ran, payload):
    path = tmp_path / "x.kv"
    path.write_bytes(pickle.dumps(payload))
    with pytest.raises(UnsafePickleError):
        load(path)
    assert not ran.exists()
    path.write_bytes(pickle.dumps({"good": [1.0]}))
    with pytest.raises(SourceError, match=r"gensim could not open it \(AttributeError"):
        load(path, unsafe_pickle=True)
    path.write_bytes(pickle.dumps(np.random.default_rng(0)))
    with pytest.raises(SourceError):
        load(path, unsafe_pickle=True)
    path.write_bytes(pickle.dumps({"a": 1})[:-4])
    with pytest.raises(SourceError, match="gensim could not open it"):
        load(path, unsafe_pickle=True)


def test_a_gensim_object_without_words(tmp_path):
    from gensim.corpora import Dictionary

    path = tmp_path / "d.model"
    Dictionary([["a"]]).save(str(path))
    with pytest.raises(SourceError, match="holds an object of type Dictionary, not gensim vectors"):
        load(path, unsafe_pickle=True)
