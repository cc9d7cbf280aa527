"""What holds for every format: a vocabulary or a key that would go unused is refused."""

import numpy as np
import pytest

from driftkit import Embeddings
from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import load, register_format
from driftkit.loaders.convert import write
from driftkit.loaders.formats.format import OwnWordsError


@pytest.fixture(params=["t.txt", "t.vec", "t.bin", "folder"])
def path(tmp_path, request):
    rows = np.random.default_rng(0).normal(size=(30, 9))
    table = Embeddings([f"w{i}" for i in range(30)], rows.astype("f4"))
    if request.param == "folder":
        table.save(tmp_path / "folder")
    else:
        write(table, tmp_path / request.param)
    return tmp_path / request.param


def test_a_vocabulary_for_a_table_with_words_of_its_own(path):
    with pytest.raises(OwnWordsError) as caught:
        load(path, vocab=["a", "b"])
    assert isinstance(caught.value, VocabularyError)
    said = str(caught.value).replace(", such as 'w0'", "")
    assert said == (
        f"{path}: has words of its own, so no vocabulary is needed; leave --vocab (vocab=) out. "
        "It is for files of numbers alone."
    )


def test_a_key_of_a_file_that_holds_one_table(path):
    with pytest.raises(SourceError) as caught:
        load(path, key="emb.weight")
    assert str(caught.value) == (
        f"{path}: holds one table and no named tensors, so there is no 'emb.weight'; leave the "
        "key out."
    )


def test_formats_of_strangers_may_use_both(tmp_path):
    def read(request):
        return Embeddings([f"{word}/{request.key}" for word in request.vocab], np.eye(2))

    register_format("mine", "mine", lambda head: head.startswith(b"MINE"), read)
    (path := tmp_path / "t.mine").write_bytes(b"MINE")
    assert load(path, vocab=["a", "b"], key="k").words == ("a/k", "b/k")
