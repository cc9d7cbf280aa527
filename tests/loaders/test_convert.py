import json
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from driftkit import Embeddings
from driftkit.atomic import locked
from driftkit.errors import OptionError, OutputError, SourceError
from driftkit.loaders import load
from driftkit.loaders.convert import BY_ENDING, FORMATS, format_of, write

WORDS = ["good", "bad", "caf\u00e9", "\u0085", '"', "nan", "#", "a\u00a0b"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(len(WORDS), 5)) * 10.0 ** rng.integers(-30, 30, (len(WORDS), 5))
    matrix[0] = [0.0, -0.0, 1e-45, 3.4e38, 1 / 3]
    return Embeddings(WORDS, matrix.astype(np.float32))


@pytest.mark.parametrize("ending", BY_ENDING)
def test_every_bit_comes_back(table, tmp_path, ending):
    path = tmp_path / f"table{ending}"
    calls = []
    write(table, path, progress=lambda done, total: calls.append((done, total)))
    back = load(path)
    assert (back.words, back.source.format) == (
        table.words,
        BY_ENDING[ending].replace("npy", "npy"),
    )
    assert np.array_equal(back.matrix.view(np.int32), table.matrix.view(np.int32))
    assert back.problems == ()
    assert calls[-1] == (len(WORDS), len(WORDS))
    assert not [left for left in tmp_path.iterdir() if "partial" in left.name]


def test_others_read_it_too(table, tmp_path):
    write(table, tmp_path / "t.bin")
    write(table, tmp_path / "t.vec")
    for name, binary in (("t.bin", True), ("t.vec", False)):
        theirs = KeyedVectors.load_word2vec_format(tmp_path / name, binary=binary)
        assert theirs.index_to_key == WORDS
        assert np.array_equal(theirs.vectors, table.matrix)
    write(table, tmp_path / "t.safetensors")
    theirs = load_file(tmp_path / "t.safetensors")
    assert np.array_equal(theirs["vectors"], table.matrix)
    assert json.loads(bytes(theirs["_extra_state"]))["words"] == WORDS
    write(table, tmp_path / "t.npy")
    assert np.array_equal(np.load(tmp_path / "t.npy"), table.matrix)
    assert (tmp_path / "t.vocab.txt").read_text("utf-8").split("\n")[:-1] == WORDS


@pytest.mark.parametrize(
    "words",
    [
        ["good 0", "bad 1"],
        ["- a", "- b"],
        ["a\t1", "b\t2"],
        ['"a"', '"b"'],
        ["BZh", "a"],
        ['["a"]'],
    ],
)
def test_words_that_a_list_would_be_read_otherwise_of(tmp_path, words):
    made = Embeddings(words, np.eye(len(words), 2))
    with pytest.raises(SourceError, match="would be read otherwise from a list of one word per l"):
        write(made, tmp_path / "t.npy")
    assert not list(tmp_path.iterdir())
    write(made, tmp_path / "t.safetensors")
    assert list(load(tmp_path / "t.safetensors").words) == words


def test_converted_tables_are_mapped(table, tmp_path):
    for name in ("t.safetensors", "t.npy", "t"):
        write(table, tmp_path / name)
        base = load(tmp_path / name).matrix
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap), name


@pytest.mark.parametrize(
    ("word", "refused"),
    [
        ("a b", {"word2vec-binary"}),
        ("a\nb", {"word2vec-binary", "word2vec-text", "glove-text", "npy"}),
        ("a\r", {"npy"}),
        ("a\0b", {"npy"}),
        ("half a pair \ud83d", {"word2vec-binary"}),
    ],
)
def test_words_a_format_cannot_hold(tmp_path, word, refused):
    made = Embeddings([word, "x"], np.eye(2))
    for kind in FORMATS:
        path = tmp_path / "t"
        if kind in refused:
            with pytest.raises(SourceError, match=r"cannot (be written|hold)"):
                write(made, path, kind)
            assert not path.exists()
        else:
            write(made, tmp_path / kind, kind)
            if kind in ("safetensors", "driftkit"):
                assert load(tmp_path / kind).words == made.words


def test_formats_by_name_and_ending():
    assert format_of("x.TXT") == "glove-text"
    with pytest.raises(OptionError, match=r"the ending '.xyz' does not name a format; use one of"):
        format_of("t.xyz")
    with pytest.raises(OptionError, match="format 'csv' cannot be written; these can: safetensors"):
        format_of("t.txt", "csv")


def test_nothing_half_written(table, tmp_path, monkeypatch):
    path = tmp_path / "t.bin"
    path.write_bytes(b"older")
    monkeypatch.setattr("driftkit.arrays.BLOCK_ROWS", 2)

    def stop(done, total):
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(table, path, progress=stop)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1),
        min_size=1, unique=True,
    ),
    st.integers(1, 3),
)  # fmt: skip
def test_text_holds_any_word_on_one_line(tmp_path_factory, words, d):
    folder = tmp_path_factory.mktemp("any")
    matrix = np.arange(len(words) * d, dtype=np.float32).reshape(-1, d) + 0.5
    made = Embeddings(words, matrix)
    write(made, folder / "t")
    assert json.loads((folder / "t" / "words.json").read_text("utf-8")) == words
    assert load(folder / "t").words == tuple(words)
    if not any(" " in word or word.startswith("\ufeff") for word in words):
        write(made, folder / "t.vec")
        back = load(folder / "t.vec")
        assert back.words == tuple(words)
        assert np.array_equal(back.matrix, matrix)


def test_a_folder_is_replaced_by_one_rename(table, tmp_path, monkeypatch):
    """The manifest names its files, so until it is replaced the older table is there."""
    other = Embeddings(["x", "y"], np.eye(2))
    write(other, tmp_path / "t")
    seen = []
    replace = Path.replace

    def watched(partial, target):
        if target.name == "driftkit.json":
            seen.append(load(tmp_path / "t").words)
        return replace(partial, target)

    monkeypatch.setattr(Path, "replace", watched)
    for made in (table, other, table):
        write(made, tmp_path / "t")
        assert load(tmp_path / "t").words == made.words
        assert len(list((tmp_path / "t").iterdir())) == 3
    assert seen == [other.words, table.words, other.words]
    assert [each.name for each in tmp_path.iterdir()] == ["t"]


def test_a_folder_that_cannot_be_replaced_is_left_as_it_was(table, tmp_path, monkeypatch):
    write(Embeddings(["x", "y"], np.eye(2)), tmp_path / "t")
    monkeypatch.setattr(
        "driftkit.store.write_rows", lambda *_: (_ for _ in ()).throw(OSError(28, ""))
    )
    with pytest.raises(OutputError, match=f"{tmp_path / 't'}: No space left on device"):
        write(table, tmp_path / "t")
    with pytest.raises(OutputError, match=f"{tmp_path / 'new'}: No space left on device"):
        write(table, tmp_path / "new")
    assert load(tmp_path / "t").words == ("x", "y")
    assert len(list(tmp_path.rglob("*"))) == 4


def test_a_folder_of_other_things_is_left(table, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, what in (("t", "a folder of other things"), ("file", "a file")):
        with pytest.raises(OutputError, match=f"it is {what}; name a new folder"):
            write(table, tmp_path / name, "driftkit")
    with pytest.raises(OutputError, match="it is a file; name a new folder"):
        write(table, "/dev/null", "driftkit")
    assert (tmp_path / "t" / "mine.txt").exists()


@pytest.mark.parametrize("name", ["t", "t.npy"])
def test_two_runs_into_one_place(table, tmp_path, name):
    with (
        locked(tmp_path / name),
        pytest.raises(OutputError, match="another run .pid .* is writing"),
    ):
        write(table, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_written_over_the_one_it_is_mapped_from(table, tmp_path):
    for name in ("t", "t.npy", "t.safetensors"):
        write(table, tmp_path / name)
        mapped = load(tmp_path / name)
        write(mapped, tmp_path / name)
        assert np.array_equal(load(tmp_path / name).matrix, table.matrix)
