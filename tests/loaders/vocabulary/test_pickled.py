import pickle

import pytest
import torch

from driftkit.errors import UnsafePickleError, VocabularyError
from driftkit.loaders.vocabulary.find import read_vocabulary
from driftkit.loaders.vocabulary.pickled import words_held


class Vocab:
    def __init__(self, words):
        self.words = words

    def get_itos(self):
        return self.words


class Old:
    itos = ("a", "b")


@pytest.fixture
def kept(tmp_path):
    def keep(value, name="vocab.pkl"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(value))
        return path

    return keep


def test_only_with_the_flag(kept, payload, ran):
    path = kept(payload)
    with pytest.raises(UnsafePickleError, match="--unsafe-pickle"):
        read_vocabulary(path)
    assert not ran.exists()


@pytest.mark.parametrize("value", [["a", "b"], {"b": 1, "a": 0}, {0: "a", 1: "b"}, ("a", "b")])
def test_lists_and_maps(kept, value):
    assert read_vocabulary(kept(value), unsafe_pickle=True).words == ("a", "b")


def test_objects_as_torchtext_makes_them():
    assert words_held(Vocab(["a", "b"])) == ["a", "b"]
    assert words_held(Old()) == ("a", "b")


def test_saved_by_torch(tmp_path):
    torch.save(["a", "b"], tmp_path / "vocab.pt")
    with pytest.raises(UnsafePickleError):
        read_vocabulary(tmp_path / "vocab.pt")
    assert read_vocabulary(tmp_path / "vocab.pt", unsafe_pickle=True).words == ("a", "b")


def test_what_holds_no_words(kept):
    with pytest.raises(VocabularyError, match="holds an object of type int without words"):
        read_vocabulary(kept(7), unsafe_pickle=True)
    path = kept(["a"])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(VocabularyError, match="could not be unpickled"):
        read_vocabulary(path, unsafe_pickle=True)
