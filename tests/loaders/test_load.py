import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from gensim.models import KeyedVectors

from driftkit import Embeddings, align
from driftkit.errors import OptionError, SourceError, VocabularyError
from driftkit.loaders import inspect, load
from driftkit.loaders.formats.registry import formats
from driftkit.loaders.request import parse

WRITTEN = "a table of vectors in a format that `driftkit inspect --help` lists"


def sentence(call, error=SourceError):
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_missing_files(tmp_path):
    (tmp_path / "best.pt").touch()
    path = tmp_path / "bset.pt"
    assert sentence(lambda: load(path)) == (
        f"{path}: no such file; did you mean '{tmp_path / 'best.pt'}'?"
    )
    path = tmp_path / "zzzzzzzz"
    assert sentence(lambda: load(path)) == f"{path}: no such file; give {WRITTEN}."
    path = tmp_path / "runs" / "x.pt"
    assert sentence(lambda: load(path)) == (
        f"{path}: no such file, and no folder '{tmp_path / 'runs'}'; give {WRITTEN}."
    )
    assert "no such file" in sentence(lambda: load(f"{path}::emb.weight"))


def test_empty_files_and_folders(tmp_path):
    path = tmp_path / "best.pt"
    path.touch()
    assert sentence(lambda: load(path)) == (f"{path}: is empty (0 bytes); give {WRITTEN}.")
    assert sentence(lambda: load(tmp_path)) == (
        f"{tmp_path}: is a folder of no kind that is read (it holds best.pt); give {WRITTEN}."
    )
    (tmp_path / "none").mkdir()
    assert "(it is empty)" in sentence(lambda: load(tmp_path / "none"))


def test_files_that_cannot_be_opened():
    assert "no such file" in sentence(lambda: load("a\0b"))
    assert "cannot be opened (File name too long)" in sentence(lambda: load("x" * 5000))


@pytest.mark.parametrize(
    "content",
    [
        b"one\ntwo\n",
        b"\n\n\n",
        bytes(range(256)),
    ],
)
def test_unknown_content_is_told_where_the_formats_are_listed(tmp_path, content):
    path = tmp_path / "thing.xyz"
    path.write_bytes(content)
    assert sentence(lambda: load(path)) == (
        f"{path}: its content is of no format that is read; give {WRITTEN}."
    )
    path = path.rename(tmp_path / "thing.npy")
    assert sentence(lambda: load(path)) == (
        f"{path}: is named like NumPy .npy with a vocabulary but does not hold it; it may be "
        f"damaged or of another format. Give {WRITTEN}."
    )


def test_content_goes_before_the_name(tmp_path):
    path = tmp_path / "vectors.pt"
    path.write_text("good 1.0 0.5\nbad 1.0 0.5\n")
    assert load(path).source.format == "glove-text"
    np.save(tmp_path / "m.npy", np.eye(2))
    path = (tmp_path / "m.npy").rename(tmp_path / "m.txt")
    assert load(path, vocab=["a", "b"]).source.format == "npy"


def test_paths_that_look_like_something_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"emb::x": torch.eye(2)}, "odd::name.pt")
    assert parse("odd::name.pt").key is None
    for typed, key in (
        ("odd::name.pt", None),
        ("odd::name.pt::emb::x", None),
        ("odd::name.pt", "emb::x"),
    ):
        assert load(typed, key=key, vocab=["a", "b"]).source.key == "emb::x"
    (tmp_path / "package:mine").write_text("a 1 2\n")
    assert load("package:mine").words == ("a",)
    request = parse(r"C:\runs\best.pt::emb.weight")
    assert (request.target, request.key, request.scheme) == (r"C:\runs\best.pt", "emb.weight", None)
    assert parse("x.pt::").key is None
    assert sentence(lambda: parse("x.pt::a", key="b"), OptionError) == (
        "x.pt::a: names the tensor 'a' while key='b' names another; give one."
    )
    assert parse("x.pt::a", key="a").key == "a"


def test_reordered_and_padded_checkpoints_show_no_drift(tmp_path):
    words = [f"w{i}" for i in range(50)]
    rows = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    np.save(tmp_path / "original.npy", rows)
    (tmp_path / "original.vocab.txt").write_text("\n".join(words))
    order = np.random.default_rng(1).permutation(50)
    table = np.concatenate([np.zeros((1, 8)), np.ones((1, 8)), rows[order]]).astype(np.float32)
    torch.save({"emb.weight": torch.from_numpy(table)}, tmp_path / "tuned.pt")
    vocab = ["<pad>", "<unk>", *(words[i] for i in order)]
    pair = align(load(tmp_path / "original.npy"), load(tmp_path / "tuned.pt", vocab=vocab))
    assert (len(pair), pair.added, pair.removed) == (50, ("<pad>", "<unk>"), ())
    assert not pair.moved.any()
    assert np.array_equal(pair.before, pair.after)
    without = sentence(lambda: load(tmp_path / "tuned.pt", vocab=vocab[2:]), VocabularyError)
    assert (
        "has 52 rows and the vocabulary given has 50 words; the 2 extra rows are usually padding"
        in without
    )


def test_every_format_has_a_name_of_its_own():
    names = [known.name for known in formats()]
    assert len(set(names)) == len(names)


def test_importing_the_room_imports_nothing_heavy():
    code = (
        "import sys, driftkit.loaders; "
        "print([m for m in ('torch', 'gensim', 'pandas', 'polars', 'pyarrow', 'scipy') if m in sys.modules])"  # noqa: E501
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("empty", ["", "::key", "package:"])
@pytest.mark.parametrize("call", [load, inspect])
def test_an_empty_path_is_no_folder(call, empty):
    said = f"{call.__name__}: takes a path or the name of a source, not {empty!r}."
    assert sentence(lambda: call(empty)) == said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.eye(2), "an array; make a table of it: Embeddings(words, matrix)."),
        (torch.eye(2), "a tensor; make a table of it: Embeddings(words, tensor)."),
        (torch.nn.Embedding(2, 2), "a model; make a table of its embedding layer: Embeddings(word"),
        (Embeddings(["a"], [[1.0]]), "a table that is loaded already; use it as it is."),
        (["a.npy", "b.npy"], "a list; load one source at a time: [load(source) for source in"),
        ({"good": [1.0]}, "a dict; if it maps words to vectors, make a table of it: Embeddings("),
        (pd.DataFrame([[1.0]]), "a frame; make a table of it: Embeddings(list(frame.index),"),
        (KeyedVectors(2), "gensim vectors; make a table of them: Embeddings.from_gensim(vectors)."),
        (b"t.npy", "an object of type bytes; give a path, PATH::KEY or SCHEME:NAME."),
        (None, "an object of type NoneType; give a path, PATH::KEY or SCHEME:NAME."),
    ],
)  # fmt: skip
def test_what_is_no_source_is_told_the_call_that_works(given, said):
    for call in (load, inspect):
        message = sentence(lambda call=call: call(given))
        assert message.startswith(
            f"{call.__name__}: takes a path or the name of a source, and was given {said}"
        )


def test_the_calls_that_are_suggested_work():
    frame = pd.DataFrame([[1.0, 2.0]], index=["a"])
    assert Embeddings(list(frame.index), frame)["a"].tolist() == [1.0, 2.0]
    layer = torch.nn.Embedding(1, 2)
    assert len(Embeddings(["a"], layer.weight.detach().cpu().numpy())) == 1


@pytest.mark.parametrize("limit", [0, -1, "10", 1.5])
def test_a_limit_is_a_number_of_rows(limit):
    said = sentence(lambda: load("t", limit=limit), OptionError)
    assert said == f"limit={limit!r} was given; it must be a whole number, 1 or more."


def test_a_map_from_word_to_row_may_stand_in_any_order(tmp_path):
    np.save(tmp_path / "m.npy", np.eye(2))
    table = load(tmp_path / "m.npy", vocab={"second": 1, "first": 0})
    assert table.words == ("first", "second")


def test_progress_true_shows_a_bar_and_nothing_is_said_otherwise(tmp_path, capsys):
    path = tmp_path / "t.txt"
    path.write_text("a 1 2\nb 3 4\n")
    load(path)
    assert capsys.readouterr() == ("", "")
    load(path, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("\rreading ")  # a long path is cut
    assert err.endswith("100 %\n")
    assert f"{path.name} " in err
