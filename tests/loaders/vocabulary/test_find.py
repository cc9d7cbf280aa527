import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftkit.errors import VocabularyError
from driftkit.loaders import load
from driftkit.loaders.choose_tensor import Tensor, words_inside
from driftkit.loaders.vocabulary.find import ENDINGS, FALLBACKS, read_vocabulary
from driftkit.loaders.vocabulary.words import words_by_row


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"good\nbad\n", ("good", "bad")),
        (b"good\r\nbad\r\n", ("good", "bad")),
        (b"\xef\xbb\xbfgood\nbad", ("good", "bad")),
        (b"a\xc2\x85b\n\xc2\xa0\n \n\nx", ("a\u0085b", "\u00a0", " ", "", "x")),
        (b"[PAD]\n[UNK]\n", ("[PAD]", "[UNK]")),
        (b"{\n}\nx", ("{", "}", "x")),
        (b'["good", "bad"]', ("good", "bad")),
        (b'{"bad": 1, "good": 0}', ("good", "bad")),
        (b"caf\xe9\n", ("caf\\xe9",)),
    ],
)
def test_forms(tmp_path, content, words):
    path = tmp_path / "v.txt"
    path.write_bytes(content)
    assert read_vocabulary(path).words == words
    assert read_vocabulary(str(path)).where == "v.txt"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"a": 0, "b": 2, "c": 4},
            "its 3 words take rows 0 to 4, not 0 to 2; row 1 has no word. If the numbers are "
            "counts, list the words in row order.",
        ),
        (
            {"a": 3, "b": 4},
            "its 2 words take rows 3 to 4, not 0 to 1; row 0 has no word. If the numbers are "
            "counts, list the words in row order.",
        ),
        ({"a": 0, "b": 0}, "maps both 'a' and 'b' to row 0; a row has one word."),
        ({"a": "zero"}, "maps 'a' to 'zero', which is not a row number."),
        ({"a": True}, "maps 'a' to True, which is not a row number."),
        (
            ["a", 1.5],
            "must be a list of words, and holds 1.5; give one string for each row, or a map from "
            "word to row.",
        ),
        ([], "must be a list of words, or a map from word to row, with at least one word."),
        ({}, "must be a list of words, or a map from word to row, with at least one word."),
    ],
)
def test_json_that_does_not_fit(tmp_path, content, sentence):
    path = tmp_path / "v.json"
    path.write_text(json.dumps(content))
    with pytest.raises(VocabularyError) as caught:
        read_vocabulary(path)
    assert str(caught.value) == f"v.json: {sentence}"


def test_files_that_hold_no_words(tmp_path):
    path = tmp_path / "v.json"
    path.write_text("[1,")
    with pytest.raises(VocabularyError, match=r"v\.json: is not valid JSON \(Expecting value"):
        read_vocabulary(path)
    path.write_text("\n\n")
    path = path.rename(tmp_path / "v.txt")
    for given_, sentence in (
        (path, f"{path}: is empty; a vocabulary holds one word per line, or JSON."),
        (
            tmp_path / "w.txt",
            f"{tmp_path / 'w.txt'}: no such file; did you mean '{tmp_path / 'v.txt'}'?",
        ),
        (tmp_path, f"{tmp_path}: is a folder; give a file of one word per line, or JSON."),
        ("", "'': is no path; give a file of one word per line, or JSON."),
        ([], "vocabulary: is empty; give one string for each row."),
        (
            ["a", 3],
            "vocabulary: holds 3, which is not a string; give one string for each row.",
        ),
    ):
        with pytest.raises(VocabularyError) as caught:
            read_vocabulary(given_)
        assert str(caught.value) == sentence


@given(st.permutations(range(6)))
def test_a_map_in_any_order_gives_row_order(rows):
    assert words_by_row({f"w{row}": row for row in rows}, "x") == tuple(f"w{i}" for i in range(6))


def test_files_beside_a_matrix_in_order(tmp_path):
    np.save(tmp_path / "m.npy", np.eye(2))
    names = [f"m{ending}" for ending in ENDINGS] + list(FALLBACKS)
    for name in reversed(names):  # each one made wins over those made before
        words = [name, "other"]
        content = json.dumps(words) if name.endswith("json") else "\n".join(words)
        (tmp_path / name).write_text(content)
        assert load(tmp_path / "m.npy").words == (name, "other")


def test_words_in_the_state_of_a_layer():
    def inside(data=b'{"words": ["a", "b"]}', key="emb._extra_state", dtype="uint8"):
        return words_inside(Tensor(key, (len(data),), dtype, np.frombuffer(data, "u1").__getitem__))

    assert inside().words == ("a", "b")
    assert inside(key="emb.weight") is None
    assert inside(key=None) is None
    assert inside(dtype="float32") is None
    assert inside(b"\x00 no JSON") is None
    assert inside(b"[1]") is None
