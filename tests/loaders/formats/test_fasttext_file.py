import struct
from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_vectors
from gensim.test.utils import datapath

from driftkit.errors import SourceError
from driftkit.loaders import load
from driftkit.loaders.formats import fasttext_file

MODEL = datapath("crime-and-punishment.bin")


def test_gensim_reads_the_same():
    theirs, ours = load_facebook_vectors(MODEL), load(MODEL)
    assert (list(ours.words), ours.source.format) == (theirs.index_to_key, "fasttext")
    usual = [row for row, word in enumerate(ours.words) if word != "</s>"]
    assert np.array_equal(ours.matrix[usual], theirs.vectors[usual])
    assert load(MODEL, limit=7).words == ours.words[:7]


@pytest.mark.parametrize("words", [None, ["</s>"]])
def test_the_end_of_a_line_has_no_ngrams_as_in_fasttext(words):
    theirs = load_facebook_vectors(MODEL)
    row = theirs.key_to_index["</s>"]
    ours = load(MODEL, words=words)["</s>"]
    assert np.array_equal(ours, theirs.vectors_vocab[row])
    assert not np.array_equal(ours, theirs.vectors[row])


def test_words_outside_the_vocabulary_on_request():
    theirs = load_facebook_vectors(MODEL)
    known = theirs.index_to_key[3]
    ours = load(MODEL, words=["zebrafinch", known])
    assert np.array_equal(ours["zebrafinch"], theirs["zebrafinch"])
    assert np.array_equal(ours[known], theirs[known])
    assert [(p.kind, p.detail) for p in ours.problems] == [
        ("out of vocabulary", "'zebrafinch': its vector is the mean of its n-grams")
    ]


def test_damage_is_told_before_memory_is_taken(tmp_path):
    with open(MODEL, "rb") as file:  # noqa: PTH123 - a path of gensim's
        data = bytearray(file.read())
    path = tmp_path / "m.bin"

    def sentence():
        path.write_bytes(data)
        with pytest.raises(SourceError) as caught:
            load(path)
        return str(caught.value)

    whole = bytes(data)
    data = bytearray(whole[:50])
    assert sentence() == f"{path}: is a truncated fastText model: it ends inside its header."
    data = bytearray(whole)
    struct.pack_into("<i", data, fasttext_file._BUCKET, 2**31 - 1)
    assert "its matrix should be 2,147,483,938 x 5, and 391 x 5 in 13,657 bytes" in sentence()
    data = bytearray(whole[:9000])
    assert sentence().endswith("should be 391 x 5, and 391 x 5 in 3,038 bytes were found.")
    data = bytearray(whole)
    data[92:] = b"x" * (len(whole) - 92)  # a word without end, on which gensim never returns
    assert sentence() == (
        f"{path}: is a damaged or truncated fastText model: word 1 of its 291 has no end."
    )
    data = bytearray(whole)
    data[92:3000] = bytes(3000 - 92)
    assert "is a damaged or truncated fastText model: its matrix should be" in sentence()


def test_labels_and_quantized_matrices_are_named_and_never_read(tmp_path):
    data = bytearray(Path(MODEL).read_bytes())
    path = tmp_path / "lid.bin"
    struct.pack_into("<i", data, 64 + 8, 2)  # labels, as fasttext supervised writes them
    path.write_bytes(data)
    with pytest.raises(SourceError, match="is a fastText model with 2 labels, which gensim does"):
        load(path)
    struct.pack_into("<i", data, 64 + 8, 0)
    data[data.index(struct.pack("<2q", 391, 5)) - 1] = 1  # whether the matrix is quantized
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: is a quantized fastText model (.ftz), which gensim does not read; write its "
        "vectors as text with the library fasttext: each word of model.words and the numbers of "
        "model.get_word_vector(word) on a line."
    )
