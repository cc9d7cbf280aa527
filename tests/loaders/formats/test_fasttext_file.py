import struct

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
    assert np.array_equal(ours.matrix, theirs.vectors)
    assert load(MODEL, limit=7).words == ours.words[:7]


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
    assert "its header promises 291 words and 2,147,483,647 n-grams of 5 numbers" in sentence()
    data = bytearray(whole[:9000])
    assert sentence().endswith("should be 391 x 5, and 391 x 5 in 3,038 bytes were found.")
    data = bytearray(whole)
    data[92:] = b"x" * (len(whole) - 92)  # a word without end, on which gensim never returns
    assert sentence() == (
        f"{path}: is a damaged or truncated fastText model: word 1 of its 291 has no end."
    )
    data = bytearray(whole)
    data[92:3000] = bytes(3000 - 92)
    assert "is a damaged, truncated or quantized (.ftz) fastText model: its matrix" in sentence()
