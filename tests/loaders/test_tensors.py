import numpy as np
import pytest

from driftkit.errors import SourceError, UnknownNameError, VocabularyError
from driftkit.loaders.source import parse
from driftkit.loaders.tensors import Tensor, TensorFile, read_table


def tensor(key, rows, d=3, dtype="float32"):
    matrix = np.arange(rows * d, dtype=np.float32).reshape(rows, d) + 1
    return Tensor(key, (rows, d), dtype, lambda step: matrix[::step])


def read(tensors, words=None, key=None):
    return read_table(parse("m.pt", key=key, vocab=words), "torch", TensorFile(tuple(tensors)))


def test_the_one_table_that_fits_the_words_is_taken():
    table = read([tensor("emb", 4), tensor("out", 9)], words=list("abcd"))
    assert (table.source.key, len(table)) == ("emb", 4)
    assert read([tensor("emb", 4), tensor("out", 4)], list("abcd"), "out").source.key == "out"


def test_two_that_fit_are_named():
    with pytest.raises(SourceError, match=r"2 tables fit the 4 words.*Name one as m.pt::emb"):
        read([tensor("emb", 4), tensor("lm_head", 4)], words=list("abcd"))


def test_padding_rows_are_told_with_both_lengths():
    with pytest.raises(VocabularyError, match=r"emb has 6 rows.*has 4 words; the 2 more.*padding"):
        read([tensor("emb", 6)], words=list("abcd"))


def test_no_words_and_no_such_key():
    with pytest.raises(VocabularyError, match="no words were found for its rows"):
        read([tensor("emb", 6)])
    with pytest.raises(UnknownNameError, match="did you mean 'emb'"):
        read([tensor("emb", 6), tensor("out", 6)], list("abcdef"), key="emv")


@pytest.mark.parametrize("key", ["optim.state.0.exp_avg", "optimizer.momentum_buffer"])
def test_the_state_of_an_optimizer_is_no_table(key):
    assert not tensor(key, 4).is_table
    assert tensor("model.embedding.weight", 4).is_table


def test_rounding_follows_the_type_stored():
    table = read([tensor("emb", 2, dtype="float16")], words=["a", "b"])
    assert table.source.rounding.relative == 2.0**-11


def test_zero_rows_are_counted():
    matrix = np.zeros((10, 2), np.float32)
    matrix[:7] = 1
    assert Tensor("t", (10, 2), "float32", lambda step: matrix[::step]).zero_share == pytest.approx(
        0.3
    )
