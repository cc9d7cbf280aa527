"""Keras files against Keras itself: what is read equals ``get_weights()``."""

import json
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from driftkit.errors import MissingExtraError, SourceError, UnknownNameError
from driftkit.loaders import inspect, load
from driftkit.loaders.formats.keras_weights import vocabulary_of

WORDS = list("abcdef")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    if find_spec("keras") is None:
        pytest.skip("keras is not installed")
    folder = tmp_path_factory.mktemp("keras")
    script = Path(__file__).with_name("keras_models.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize(
    "file",
    [
        *(f"plain{ending}" for ending in (".keras", ".h5", ".weights.h5")),
        *(f"nested{ending}" for ending in (".keras", ".h5", ".weights.h5")),
        "subclass.keras", "subclass.weights.h5", "half.keras", "lora.keras",
    ],
)  # fmt: skip
def test_the_embeddings_are_those_of_get_weights(models, file):
    name = file.partition(".")[0]
    with np.load(models / f"{name}.npz") as expected:
        for key in expected:
            words = [f"w{row}" for row in range(len(expected[key]))]
            table = load(f"{models / file}::{key}", vocab=words)
            assert np.array_equal(table.matrix, expected[key])
            assert table.source.format == ("keras" if file.endswith(".keras") else "hdf5")
    found = load(models / file, vocab=WORDS)  # only one has six rows, or is an embedding
    assert found.source.key.endswith("/embeddings")


@pytest.mark.parametrize(
    ("file", "keys"),
    [
        ("plain.keras", ["words", "/layers/embedding/vars/0"]),
        ("plain.h5", ["words", "model_weights/words/plain/words/embeddings", "embeddings"]),
        ("nested.keras", ["inner/embedding/embeddings"]),
    ],
)  # fmt: skip
def test_a_layer_may_be_named_as_its_model_or_its_file_names_it(models, file, keys):
    whole = load(models / file, vocab=WORDS).matrix
    for key in keys:
        assert np.array_equal(load(f"{models / file}::{key}", vocab=WORDS).matrix, whole)
    with pytest.raises(UnknownNameError, match="lists them"):
        load(f"{models / file}::nothing", vocab=WORDS)


def test_what_a_file_holds_is_named_as_keras_names_it(models):
    found = inspect(models / "plain.keras", vocab=WORDS)
    assert (found.format, found.tables[0].key) == ("keras", "words/embeddings")
    assert {"dense/kernel", "lstm_cell/0"} <= {table.key for table in found.tables}
    assert not any("optimizer" in str(table.key) for table in found.tables)


def test_numbers_that_the_model_does_not_use_are_refused(models):
    with pytest.raises(
        SourceError, match="words is quantized .int8., and its scales would have to"
    ):
        load(models / "int8.keras", vocab=WORDS)
    with pytest.raises(
        SourceError, match="words has a LoRA adapter that is not merged into the ta"
    ):
        load(models / "lora.h5", vocab=WORDS)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("StringLookup", {}, ("[UNK]", "a", "b")),
        ("StringLookup", {"num_oov_indices": 0}, ("a", "b")),
        ("StringLookup", {"mask_token": "", "oov_token": "?"}, ("", "?", "a", "b")),
        ("TextVectorization", {}, ("", "[UNK]", "a", "b")),
        ("TextVectorization", {"vocabulary": ["", "[UNK]", "a"]}, ("", "[UNK]", "a")),
        ("StringLookup", {"invert": True}, None),
        ("StringLookup", {"vocabulary": None}, None),
        ("StringLookup", {"vocabulary": [1, 2]}, None),
        ("StringLookup", {"num_oov_indices": 10**9}, None),
        ("IntegerLookup", {}, None),
    ],
)
def test_rows_for_padding_and_for_unknown_words_come_first(kind, settings, words):
    """As `keras.layers.IndexLookup.get_vocabulary` orders them; it needs TensorFlow to run."""
    assert vocabulary_of(kind, {"vocabulary": ["a", "b"]} | settings) == words


@pytest.mark.parametrize("place", ["assets", "config", "both", "two"])
def test_the_words_of_a_lookup_layer_inside_the_file(models, tmp_path, place):
    words = ["", "[UNK]", "a", "b", "c", "d"]
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(models / "plain.keras") as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "config.json" and place != "assets":
                config = json.loads(data)
                settings = {"name": "text", "vocabulary": words[2:]}
                layer = {"class_name": "TextVectorization", "config": settings}
                config["config"]["layers"].append(layer)
                data = json.dumps(config).encode()
            new.writestr(info, data)
        if place != "config":
            other = words if place != "two" else [*words[:5], "e"]
            new.writestr("assets/layers/text_vectorization/vocabulary.txt", "\n".join(other))
    if place == "two":
        with pytest.raises(SourceError, match="no words were found"):
            load(path)
    else:
        assert list(load(path).words) == words
        assert "inside the file" in inspect(path).vocabulary
    assert load(path, vocab=WORDS).words == tuple(WORDS)


def test_damage_and_other_archives(models, tmp_path):
    path = tmp_path / "m.keras"
    whole = (models / "plain.keras").read_bytes()
    flipped = bytearray(whole)
    with np.load(models / "plain.npz") as expected:
        flipped[whole.find(expected["words/embeddings"].tobytes())] ^= 1
    for data in (whole[:-100], bytes(flipped)):
        path.write_bytes(data)
        with pytest.raises(SourceError, match="is a damaged or truncated Keras archive"):
            load(path, vocab=WORDS)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.json", "{}")
    with pytest.raises(
        SourceError, match=r"is a Keras archive without model\.weights\.h5; weights"
    ):
        load(path, vocab=WORDS)


def test_weights_as_keras_2_kept_them(tmp_path):
    rows = np.arange(24, dtype=np.float32).reshape(6, 4)
    for name, prefix in (("whole.h5", "model_weights/"), ("weights.h5", "")):
        with h5py.File(tmp_path / name, "w") as file:
            file[f"{prefix}embedding/embedding/embeddings:0"] = rows
            file[f"{prefix}embedding_1/embedding_1/embeddings:0"] = rows[:3]
            file[f"{prefix}dense/dense/kernel:0"] = rows.T
        for key in ("", "::embedding", "::embedding/embeddings", "::embedding/embeddings:0"):
            table = load(f"{tmp_path / name}{key}", vocab=WORDS)
            assert np.array_equal(table.matrix, rows)


def test_h5py_is_asked_for_where_it_is_missing(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"needs h5py.*pip install 'driftkit\[keras\]'"):
        load(models / "plain.keras", vocab=WORDS)
