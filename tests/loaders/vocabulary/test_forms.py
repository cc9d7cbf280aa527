"""Lists and maps as JSON, YAML and libraries have them."""

import base64
import json
import pickle
import sys

import numpy as np
import pytest

from driftkit.errors import MissingExtraError, UnsafePickleError, VocabularyError
from driftkit.loaders import load
from driftkit.loaders.vocabulary.find import read_vocabulary

WORDS = ("good", "bad", "fine")
ROWS = {"bad": 1, "good": 0, "fine": 2}
KERAS = {"good": 1, "bad": 2, "fine": 3}
INDEX_WORD = {"1": "good", "2": "bad", "3": "fine"}


@pytest.fixture
def read(tmp_path):
    def read(value, name="v.json"):
        text = value if isinstance(value, str) else json.dumps(value)
        (path := tmp_path / name).write_text(text, encoding="utf-8")
        return read_vocabulary(path)

    return read


@pytest.mark.parametrize(
    "value",
    [
        list(WORDS),
        ROWS,
        {"itos": WORDS},
        {"stoi": ROWS},
        {"itos": WORDS, "stoi": ROWS, "unk_index": 0},
        {"index_to_key": WORDS},
        {"token_to_idx": ROWS},
        {"vocab": {"token_to_id": ROWS}},
        {"0": "good", "1": "bad", "2": "fine"},
        {"id2word": {"0": "good", "1": "bad", "2": "fine"}},
        [["good", 900], ["bad", 800], ["fine", 3]],
        [["good", 0], ["fine", 2], ["bad", 1]],
        [[1, "bad"], [0, "good"], [2, "fine"]],
        [{"id": 0, "word": "good"}, {"id": 2, "word": "fine"}, {"id": 1, "word": "bad"}],
        [{"Token": word, "count": 9, "kind": "x"} for word in WORDS],
        [{"surface_form": word} for word in WORDS],
        {"bad": "1", "good": "0", "fine": "2"},
        [["good", -1.5], ["bad", -2.5], ["fine", -2.5]],
        {"config": {"vocabulary": WORDS}, "class_name": "TextVectorization"},
    ],
)
def test_json_and_what_libraries_wrap_it_in(read, value):
    assert read(value).words == WORDS
    assert read(value, "v.txt").words == WORDS


@pytest.mark.parametrize(
    "value",
    [
        KERAS,
        INDEX_WORD,
        {"word_index": KERAS},
        {"index_word": INDEX_WORD},
        {
            "class_name": "Tokenizer",
            "config": {
                "num_words": None,
                "word_counts": json.dumps({"good": 9}),
                "index_word": json.dumps(INDEX_WORD),
                "word_index": json.dumps(KERAS),
            },
        },
    ],
)
def test_rows_from_1_leave_row_0_to_padding(read, value):
    for written in (value, json.dumps(json.dumps(value))):  # to_json() may be dumped once more
        found = read(written)
        assert found.words == ("<row 0>", *WORDS)
        assert [(p.kind, p.where) for p in found.problems] == [("row without a word", 0)]


def test_rows_from_1_fit_a_table_with_one_row_more_alone(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((4, 2), "f4"))
    (tmp_path / "m.vocab.json").write_text(json.dumps(KERAS))
    assert load(tmp_path / "m.npy").words == ("<row 0>", *WORDS)
    np.save(tmp_path / "m.npy", np.ones((3, 2), "f4"))
    with pytest.raises(VocabularyError, match="4 words; that vocabulary numbers its rows from 1"):
        load(tmp_path / "m.npy")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"itos": WORDS, "stoi": KERAS}, "lists other words under 'itos' and 'stoi'"),
        ('{"a": 0, "a": 1}', "names 'a' twice; a word has one row."),
        ({"a": {"index": 0}}, "maps 'a' to a dict, which is not a row number."),
        ([{"word": "a"}, 1], "must be a list of words, and holds a dict"),
        ([{"a": "x", "b": "y"}], "holds records ('a', 'b') in which the word, or its row, cannot"),
        ([{"word": "a", "id": 0, "rank": 3}], "the word, or its row, cannot be told"),
        (["a", 1], "must be a list of words, and holds 1"),
        ({"0": "a", "2": "b"}, "its 2 words take rows 0 to 2, not 0 to 1; row 1 has no word."),
        ({"a" * 500: 0, "b": 0}, f"maps both '{'a' * 60}'... and 'b' to row 0"),
        ({"a": 10**30, "b": 0}, "take rows 0 to a number of more than 20 digits"),
        ('{"a": ' + "1" * 6000 + "}", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ('"just a text"', "must be a list of words"),
    ],
)
def test_what_is_refused_and_why(read, value, sentence):
    with pytest.raises(VocabularyError) as caught:
        read(value)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 400


def test_json_in_each_line_is_no_list_of_words(read):
    with pytest.raises(VocabularyError, match="holds JSON in each line"):
        read('{"word": "a"}\n{"word": "b"}\n', "v.txt")
    assert read("[PAD]\n[UNK]\n", "v.txt").words == ("[PAD]", "[UNK]")
    assert read("{\n}\nx\n", "v.txt").words == ("{", "}", "x")


def test_a_list_of_whole_numbers_is_words_and_noted(read):
    found = read([1999, 2000])
    assert found.words == ("1999", "2000")
    assert [p.kind for p in found.problems] == ["words that look like numbers"]


@pytest.mark.parametrize(
    "line", ["- {0}", "* {0}", "{1}: {0}", "{1}. {0}", "{1}) {0}", "{0}: {1}", "'{0}': {1}"]
)
def test_marks_of_lists_are_no_parts_of_words(read, line):
    text = "".join(line.format(word, row) + "\n" for row, word in enumerate(WORDS))
    with pytest.raises(VocabularyError, match=r"look like those of a list .* ends in \.yaml"):
        read(text, "v.txt")
    assert len(read(text + "more\n", "v.txt")) == 4


def test_bytes_that_are_no_text_are_listed(tmp_path):
    (path := tmp_path / "v.txt").write_bytes(b"good\ncaf\xe9\n")
    found = read_vocabulary(path)
    assert found.words == ("good", "caf\\xe9")
    assert list(map(str, found.problems)) == ["invalid UTF-8: line 2 kept as 'caf\\\\xe9'"]
    np.save(tmp_path / "v.npy", np.array([b"good", b"caf\xe9"]))
    found = read_vocabulary(tmp_path / "v.npy")
    assert [(p.kind, p.where) for p in found.problems] == [("invalid UTF-8", 1)]


def test_half_characters_are_escaped(read):
    for found in (read('["a", "\\ud800"]'), read_vocabulary(["a", "\ud800"])):
        assert found.words == ("a", "\\ud800")
        assert [(p.kind, p.where) for p in found.problems] == [("invalid UTF-8", 1)]


def test_words_that_come_twice_are_noticed(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((3, 2), "f4"))
    table = load(tmp_path / "m.npy", vocab=["a", "b", "a"])
    assert table.words == ("a", "b")
    assert [(p.kind, p.where) for p in table.problems] == [("duplicate", 2)]


class TestYaml:
    def test_as_pyyaml_writes_it(self, read):
        yaml = pytest.importorskip("yaml")
        words = ["</s>", "the", "yes", "no", "null", "~", "1.0", "1999", ":", "- a", "é", "0x1f"]
        rows = {word: row for row, word in enumerate(words)}
        for value in (rows, words):
            text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
            assert read(text, "vocab.yml").words == tuple(words)

    def test_as_marian_writes_it(self, read):
        assert read('"</s>": 0\n"<unk>": 1\nno: 2\n",": 3\n', "vocab.yml").words == (
            "</s>", "<unk>", "no", ",",
        )  # fmt: skip

    def test_what_is_refused(self, read):
        with pytest.raises(VocabularyError, match=r"is not valid YAML"):
            read("a: [", "v.yaml")
        with pytest.raises(VocabularyError, match="maps 'a' to a dict"):
            read("a: {b: 1}\n", "v.yaml")

    def test_without_pyyaml(self, read, monkeypatch):
        monkeypatch.setitem(sys.modules, "yaml", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'driftkit\[yaml\]'"):
            read("a: 0\n", "v.yml")


class TestArrays:
    @pytest.mark.parametrize("array", [np.array(WORDS), np.array([w.encode() for w in WORDS])])
    def test_strings(self, tmp_path, array):
        np.save(tmp_path / "v.npy", array)
        assert read_vocabulary(tmp_path / "v.npy").words == WORDS

    def test_what_is_refused(self, tmp_path):
        path = tmp_path / "v.npy"
        np.save(path, np.array(WORDS, dtype=object))
        with pytest.raises(UnsafePickleError, match="is an array of Python objects"):
            read_vocabulary(path)
        for array in (np.arange(3), np.array([WORDS])):
            np.save(path, array)
            with pytest.raises(VocabularyError, match="a vocabulary is a list of strings"):
                read_vocabulary(path)
        path.write_bytes(path.read_bytes()[:40])
        with pytest.raises(VocabularyError, match=r"damaged or truncated \.npy file"):
            read_vocabulary(path)


class TestTiktoken:
    def write(self, tmp_path, tokens):
        lines = [base64.b64encode(t) + b" %d\n" % i for i, t in enumerate(tokens)]
        (path := tmp_path / "o200k.tiktoken").write_bytes(b"".join(lines))
        return path

    def test_tokens_in_base64(self, tmp_path):
        path = self.write(tmp_path, [b"!", b"\xff", b" the", "é".encode()])
        found = read_vocabulary(path)
        assert found.words == ("!", "\\xff", " the", "é")
        assert found.is_tokenizer

    @pytest.mark.parametrize("first", [b" the", b"th", b"the"])
    def test_without_single_bytes(self, tmp_path, first):
        path = self.write(tmp_path, [first, b"abc"])
        assert read_vocabulary(path).words == (first.decode(), "abc")
        named = path.rename(tmp_path / "vocab.txt")  # told by the = at an end, where there is one
        assert (read_vocabulary(named).words[1] == "abc") == (len(first) % 3 > 0)

    def test_a_broken_line(self, tmp_path):
        path = self.write(tmp_path, [b"!"])
        path.write_bytes(path.read_bytes() + b"??? 1\n")
        with pytest.raises(VocabularyError, match=r"line 2 is no token in base64"):
            read_vocabulary(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x1f\x8b\x08" + bytes(20), "is packed (gz); unpack it"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "is packed (zstd); unpack it"),
        ("good\nbad\n".encode("utf-16"), "is UTF-16 or UTF-32 text; save it as UTF-8."),
        (b"PAR1" + bytes(20), "is no text (it holds NUL bytes)"),
        (b"good\rbad\r", "ends its lines with carriage returns alone"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, sentence):
    (path := tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(VocabularyError) as caught:
        read_vocabulary(path)
    assert sentence in str(caught.value)


def test_pickled_maps_are_read_as_json_is(tmp_path):
    (path := tmp_path / "v.pkl").write_bytes(pickle.dumps({"word_index": KERAS}))
    assert read_vocabulary(path, unsafe_pickle=True).words == ("<row 0>", *WORDS)


def test_a_table_with_four_rows_more_is_told_of_fairseq(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((24, 2), "f4"))
    (path := tmp_path / "dict.txt").write_text("".join(f"w{i}x {99 - i}\n" for i in range(20)))
    with pytest.raises(VocabularyError, match=r"fairseq's dict.txt leaves out <s>, <pad>, </s>"):
        load(tmp_path / "m.npy", vocab=path)
