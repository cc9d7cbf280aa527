import numpy as np
import pytest

from driftkit.errors import SourceError, UnknownNameError, VocabularyError
from driftkit.loaders.choose_tensor import Tensor, TensorFile, fits, read_table, tied_to
from driftkit.loaders.request import parse
from driftkit.loaders.vocabulary.words import Vocabulary


def tensor(key, rows, d=3, dtype="float32"):
    matrix = np.arange(rows * d, dtype=np.float32).reshape(rows, d) + 1
    return Tensor(key, (rows, d), dtype, lambda rows: matrix[rows], matrix.ctypes.data)


def read(tensors, words=None, key=None):
    return read_table(parse("m.pt", key=key, vocab=words), "torch", TensorFile(tuple(tensors)))


def test_the_one_table_that_fits_the_words_is_taken():
    table = read([tensor("emb", 4), tensor("out", 9)], words=list("abcd"))
    assert (table.source.key, len(table)) == ("emb", 4)
    assert read([tensor("emb", 4), tensor("out", 4)], list("abcd"), "out").source.key == "out"


def test_two_that_fit_are_named():
    with pytest.raises(SourceError, match=r"2 tables fit the 4 words.*Name one as m.pt::a"):
        read([tensor("a", 4), tensor("b", 4)], words=list("abcd"))


def test_of_two_that_fit_the_one_named_like_input_embeddings_is_meant():
    keys = ["module.lm_head.weight", "module.embed_tokens.weight", "position_embeddings.weight"]
    assert read([tensor(key, 4) for key in keys], list("abcd")).source.key == keys[1]


def test_tied_tables_are_one():
    first = tensor("a", 4)
    second = Tensor("b", first.shape, first.dtype, first.read, first.storage)
    assert read([first, second], list("abcd")).source.key == "a"
    assert tied_to(second, [first, second]) is first
    assert tied_to(tensor("c", 4), [first, second]) is None


def test_the_end_of_a_name_is_enough():
    wrapped = [tensor("_orig_mod.module.emb.weight", 4), tensor("_orig_mod.module.out.weight", 4)]
    assert read(wrapped, list("abcd"), "emb.weight").source.key == "_orig_mod.module.emb.weight"
    with pytest.raises(UnknownNameError):
        read(wrapped, list("abcd"), "weight")


def test_rows_past_the_words_are_left_out_if_they_cannot_be_anyones():
    padded = np.vstack([np.ones((4, 3)), np.zeros((2, 3))]).astype(np.float32)
    zero = Tensor("emb", (6, 3), "float32", lambda rows: padded[rows])
    table = read([zero], list("abcd"))
    assert table.words == tuple("abcd")
    assert [(p.kind, p.where, p.detail) for p in table.problems] == [
        ("padding rows", 4, "2 rows of zeros past the last word left out")
    ]
    tokenizer = Vocabulary(tuple("abcde"), "tokenizer.json", is_tokenizer=True)
    table = read_table(parse("m"), "torch", TensorFile((tensor("emb", 6),), tokenizer))
    assert [p.detail for p in table.problems] == ["1 row without a token left out"]
    assert not fits(tensor("emb", 2000), tokenizer)


def test_limit_and_words():
    request = parse("m", vocab=list("abcd"), limit=3, words=["c", "d", "a"])
    table = read_table(request, "torch", TensorFile((tensor("emb", 4),)))
    assert table.words == ("a", "c")
    assert table.matrix.tolist() == [[1, 2, 3], [7, 8, 9]]
    assert [p.detail for p in table.problems] == ["'d' was asked for and is not in it"]


def test_padding_rows_are_told_with_both_lengths():
    with pytest.raises(
        VocabularyError, match=r"emb has 6 rows.*has 4 words; the 2 extra rows are usually padding"
    ):
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


def test_a_sample_is_spread_and_small():
    matrix = np.zeros((200_000, 2), np.float32)
    matrix[100_000:] = 1
    sample = Tensor("t", matrix.shape, "float32", lambda rows: matrix[rows]).sample()
    assert 4_000 < len(sample) <= 4_096
    assert sample.any(axis=1).mean() == pytest.approx(0.5, abs=1e-3)


EMPTY = Tensor("model.embed_tokens.weight", (0,), "float32", lambda rows: np.empty(0))


def test_an_empty_input_embedding_stands_in_the_way_of_every_other_table():
    with pytest.raises(
        SourceError,
        match=r"its input embedding model.embed_tokens.weight \(0, float32\) is empty, as a shard "
        r"of DeepSpeed ZeRO-3 .*gather the weights.*such as m.pt::lm_head.weight",
    ):
        read([EMPTY, tensor("lm_head.weight", 4)], list("abcd"))
    assert read([EMPTY, tensor("lm_head.weight", 4)], list("abcd"), "lm_head.weight")
    with pytest.raises(SourceError, match="is empty"):
        read([EMPTY, tensor("lm_head.weight", 4)])


@pytest.mark.parametrize("shape", [(12,), (2, 3, 2), (0, 3)])
def test_a_shard_in_the_place_of_the_input_embedding(shape):
    shard = Tensor("wte.weight", shape, "float32", lambda rows: np.ones(shape)[rows])
    with pytest.raises(SourceError, match="its input embedding wte.weight"):
        read([shard, tensor("other.weight", 4)], list("abcd"))


@pytest.mark.parametrize(
    "key", ["lm_head.weight", "model.wpe.weight", "bert.embeddings.position_embeddings.weight"]
)
def test_another_table_of_a_model_is_taken_only_if_it_is_named(key):
    with pytest.raises(SourceError, match=f"it is not the input embedding.*m.pt::{key}"):
        read([tensor(key, 4)], list("abcd"))
    assert read([tensor(key, 4)], list("abcd"), key).source.key == key


@pytest.mark.parametrize(
    "keys",
    [
        ["model.decoder.embed_tokens.weight", "lm_head.weight"],
        ["gpt_neox.embed_in.weight", "embed_out.weight"],
        ["transformer.wte.weight", "lm_head.weight", "transformer.wpe.weight"],
        ["text.embeddings.token_embedding.weight", "char_emb.weight"],
    ],
)
def test_the_surest_name_of_an_input_embedding_is_meant(keys):
    assert read([tensor(key, 4) for key in keys], list("abcd")).source.key == keys[0]


@pytest.mark.parametrize("key", ["w", "table", "emb", "decoder.emb.weight", "out", "in_proj.bias2"])
def test_a_table_of_any_name_is_taken_where_it_is_the_only_one(key):
    strangers = [
        tensor("bias", 4, 1), tensor("emb_scale", 4, 1), tensor("q.lora_A.weight", 4),
        tensor("ids", 4, dtype="int64"), tensor("num_embeddings", 4, dtype="int64"),
    ]  # fmt: skip
    assert read([*strangers[:4], tensor(key, 4)], list("abcd")).source.key == key


@pytest.mark.parametrize(
    "key",
    ["emb.weight_scale", "emb.scales", "emb.zero_point", "emb.bias", "emb.lora_A.default.weight",
     "emb.lora_embedding_B", "emb.base_layer.weight", "emb.original_module.weight"],
)  # fmt: skip
def test_parts_of_a_table_are_never_the_table(key):
    assert not tensor(key, 4).is_table
    with pytest.raises(SourceError, match="holds no two-dimensional tensor"):
        read([tensor(key, 4)], list("abcd"))
