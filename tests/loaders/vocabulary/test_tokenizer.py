import json

import pytest

from driftkit.errors import VocabularyError
from driftkit.loaders.vocabulary.find import read_vocabulary
from driftkit.loaders.vocabulary.tokenizer import looks_like_sentencepiece, read_sentencepiece


def tokenizer(tmp_path, vocab, added=()):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": vocab}, "added_tokens": list(added)}))
    return path


def test_numbers_decide_the_order_and_added_tokens_count(tmp_path):
    path = tokenizer(tmp_path, {"b": 1, "a": 0}, [{"id": 2, "content": "<mask>"}])
    read = read_vocabulary(path)
    assert (read.words, read.is_tokenizer, read.problems) == (("a", "b", "<mask>"), True, ())
    path = tokenizer(tmp_path, [["<s>", 0.0], ["\u2581the", -1.5]])
    assert read_vocabulary(path).words == ("<s>", "\u2581the")


def test_rows_without_a_token_get_a_name_and_are_listed(tmp_path):
    read = read_vocabulary(tokenizer(tmp_path, {"a": 0, "b": 3}))
    assert read.words == ("a", "<row 1>", "<row 2>", "b")
    assert [(p.kind, p.where) for p in read.problems] == [("row without a word", 1)]


@pytest.mark.parametrize(
    ("vocab", "sentence"),
    [
        ({}, "holds no token"),
        ({"a": 0, "b": 0}, "gives 'a' and 'b' the same number 0"),
        ({"a": "x"}, "gives 'a' the number 'x', which is not a row"),
        ({"a": -1}, "gives 'a' the number -1"),
        ({"a": 10**12}, "the number 1000000000000, which is not a row"),
        ({"a": 10**7}, "numbers its 1 tokens up to 10,000,000"),
        (7, "has no model.vocab"),
    ],
)
def test_broken_ones(tmp_path, vocab, sentence):
    with pytest.raises(VocabularyError, match=sentence):
        read_vocabulary(tokenizer(tmp_path, vocab))


def test_a_sentencepiece_model(tmp_path):
    spm = pytest.importorskip("sentencepiece")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the cat sat on the mat and the dog ate the hat\n" * 40)
    spm.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(tmp_path / "spiece"), vocab_size=16, minloglevel=9
    )
    path = tmp_path / "spiece.model"
    assert looks_like_sentencepiece(path.read_bytes()[:64])
    read = read_vocabulary(path)
    model = spm.SentencePieceProcessor(model_file=str(path))
    assert list(read.words) == [model.id_to_piece(i) for i in range(model.vocab_size())]
    assert (read.words[0], read.is_tokenizer) == ("<unk>", True)
    assert not looks_like_sentencepiece(b"good\nbad\n")
    path.write_bytes(path.read_bytes()[:70])
    with pytest.raises(VocabularyError, match="is a damaged sentencepiece model"):
        read_sentencepiece(path)
