"""spaCy's vectors against spaCy itself, and folders made by hand where it is not installed."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

msgpack = pytest.importorskip("msgpack", reason="the extra spacy is not installed")

from driftkit.errors import SourceError  # noqa: E402
from driftkit.loaders import load  # noqa: E402
from driftkit.loaders.formats.spacy_keys import SYMBOLS, keys_of  # noqa: E402

ROWS = np.arange(8, dtype=np.float32).reshape(4, 2) + 1
WORDS = ["zeta", "alpha", "caf\u00e9", "NOUN", "number", "a b", "x" * 20, "\u4e2d\u6587"]


@pytest.fixture
def spacy():
    if find_spec("spacy") is None:
        pytest.skip("spaCy is not installed")
    import spacy

    return spacy


@pytest.fixture
def write(tmp_path):
    """Write the four files of a table: words to rows, in this order."""

    def write(rows, matrix=ROWS, settings=None, words=None, **files):
        number = {word: key for key, word in keys_of(map(str, rows)).items()}
        keys = {k if isinstance(k, int) else number[k]: row for k, row in rows.items()}
        with (tmp_path / "vectors").open("wb") as file:
            np.save(file, matrix)
        (tmp_path / "key2row").write_bytes(msgpack.packb(keys))
        (tmp_path / "strings.json").write_text(json.dumps(words or sorted(rows)), "utf-8")
        (tmp_path / "vectors.cfg").write_text(json.dumps(settings or {"mode": "default"}))
        for name, data in files.items():
            (tmp_path / name.replace("_json", ".json")).write_bytes(data)
        return tmp_path

    return write


def test_the_numbers_of_words_are_spacys(spacy):
    rng = np.random.default_rng(0)
    letters = [97, 233, 0x4E2D, 0x1F600, 10, 0]
    words = ["".join(map(chr, rng.choice(letters, n))) for n in range(1, 70)]
    keys = keys_of(words)
    assert all(keys[spacy.strings.hash_string(word)] == word for word in words)
    assert all(spacy.symbols.IDS[word] == number for word, number in SYMBOLS.items())


def test_rows_are_spacys(spacy, tmp_path):
    """The order of ``strings.json`` is another one, and holds words without a vector."""
    nlp = spacy.blank("en")
    rng = np.random.default_rng(0)
    for word in WORDS:
        nlp.vocab.set_vector(word, rng.normal(size=5).astype(np.float32))
    nlp.to_disk(tmp_path / "pipeline")
    nlp.vocab.vectors.to_disk(tmp_path / "vectors")
    package = tmp_path / "package"
    package.mkdir()
    nlp.to_disk(package / "en_mine-1.0.0")
    (package / "__init__.py").touch()
    for folder in ("pipeline", "pipeline/vocab", "vectors", "package"):
        table = load(tmp_path / folder)
        assert (list(table.words), table.source.format, table.problems) == (WORDS, "spacy", ())
        for word in WORDS:
            assert np.array_equal(table[word], nlp.vocab[word].vector)


def test_pruned_vectors_share_rows(spacy, tmp_path):
    nlp = spacy.blank("en")
    for number, word in enumerate(WORDS):
        nlp.vocab.set_vector(word, np.array([1, number / 10], np.float32))
    nlp.vocab.prune_vectors(3)
    nlp.to_disk(tmp_path)
    table = load(tmp_path)
    assert set(table.words) == set(WORDS)
    assert len(np.unique(table.matrix, axis=0)) == 3
    for word in WORDS:
        assert np.array_equal(table[word], nlp.vocab[word].vector)


def test_floret_vectors_are_refused(spacy, tmp_path):
    vectors = spacy.vectors.Vectors(
        mode="floret", data=np.ones((10, 4), np.float32), minn=2, maxn=3, hash_count=2
    )
    vectors.to_disk(tmp_path)
    with pytest.raises(SourceError, match="its vectors are in floret mode: rows of hashed pieces"):
        load(tmp_path)


def test_a_pipeline_without_vectors(spacy, tmp_path):
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(SourceError, match=r"its vectors are empty; small spaCy pipelines \(_sm\)"):
        load(tmp_path)


def test_rows_go_by_key_and_some_rows_only_are_read(write):
    folder = write({"b": 2, "a": 0, "c": 2, "none": -1})
    table = load(folder)
    assert (table.words, table.matrix.tolist()) == (("a", "b", "c"), [[1, 2], [5, 6], [5, 6]])
    assert load(folder, words=["c"]).matrix.tolist() == [[5, 6]]
    assert load(folder, limit=2).words == ("a", "b")


def test_keys_without_a_word_are_noted(write):
    table = load(write({"a": 0, 123456789: 1}, words=["a", "b"]))
    assert table.words == ("a",)
    assert [str(problem) for problem in table.problems] == [
        "row without a word: 1 of 2 keys are no word of strings.json; left out"
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": {"a": 9}}, "its key2row names rows past the 4 of its matrix"),
        ({"words": ["other"]}, "none of its 1 keys is the number of a word in strings.json"),
        ({"matrix": np.ones(4)}, r"its vectors have shape \(4,\) and type float64"),
        ({"key2row": b"\xc1"}, r"is a damaged or truncated spaCy pipeline \("),
        ({"key2row": b"\x90"}, "its key2row is no map from key to row"),
        ({"strings_json": b"{"}, r"its strings\.json cannot be read"),
        ({"strings_json": b"{}"}, r"its strings\.json is not a list of words"),
        ({"vectors": b"\x93NUMPY"}, r"is a damaged or truncated spaCy pipeline \("),
    ],
)
def test_damage(write, changes, said):
    with pytest.raises(SourceError, match=said):
        load(write(**{"rows": {"a": 0}} | changes))
