"""Files that are not read are named, each with what to do."""

import io
import sqlite3
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from driftkit.errors import SourceError
from driftkit.loaders import inspect, load
from driftkit.loaders.formats.unread import KINDS, by_content


def archive(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


def database():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table magnitude (key text)")
        return connection.serialize()


CONTENT = {
    "vectors.txt": (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>", "a web page"),
    "page.bin": (b"\n <HTML lang='en'><body></body>", "a web page"),
    "model.safetensors": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 7\n",
        "a pointer of Git LFS and not the file itself; run `git lfs pull`",
    ),
    "answer.txt": (b'{"error": "Repository not found"}', "an error message of a server"),
    "openai.json": (
        b'{"object": "list", "data": [{"object": "embedding", "embedding": [0.1]}]}',
        "an answer of an embeddings service",
    ),
    "cohere.json": (b'{"id": "1", "embeddings": [[0.1, 0.2]]}', "an answer of an embeddings serv"),
    "model.q4": (b"GGUF" + struct.pack("<IQQ", 3, 1, 1), "a GGUF model"),
    "model.onnx": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0", "an ONNX model"),
    "other.onnx": (b"\x08\x08\xff", "an ONNX model"),
    "model.lite": (b"\x1c\0\0\0TFL3" + bytes(9), "a TensorFlow Lite model"),
    "model.ckpt.index": (bytes(99), "a TensorFlow checkpoint"),
    "model.ckpt.data-00000-of-00001": (bytes(99), "a TensorFlow checkpoint"),
    "frozen.pb": (bytes(99), "a model saved by TensorFlow"),
    "flax_model.msgpack": (b"\x81\xa6params\x80", "a Flax checkpoint"),
    "pq.index": (
        b"IxPq" + struct.pack("<i3q", 64, 9, 1 << 20, 1 << 20),
        "a faiss index that does not keep",
    ),
    "binary.index": (b"IBxF" + struct.pack("<iq", 64, 9), "a faiss index that does not keep"),
    "tree.ann": (bytes(99), "an Annoy index"),
    "glove.magnitude": (database(), "an SQLite database"),
    "v.fifu": (b"FiFu\0\0\0\0", "a finalfusion table"),
    "v.mat": (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    "v.rds": (b"RDX3\nX\n", "an R data file"),
    "v.xlsx": (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel, Word or Power"),
    "v.ods": (archive("mimetype").replace(b"x", b"application/vnd.oasis", 1), None),
    "v.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel, Word or PowerPoint file"),
    "v.pdf": (b"%PDF-1.7\n", "a PDF"),
    "v.jpg": (b"\xff\xd8\xff\xe0", "a picture"),
    "v.rar": (b"Rar!\x1a\x07\x01\0", "a .rar archive"),
    "v.7z": (b"7z\xbc\xaf\x27\x1c\0", "a .7z archive"),
    "v.txt.zst": (b"\x28\xb5\x2f\xfd\0", "compressed with zstd"),
    "v.tar": (b"a.txt".ljust(257, b"\0") + b"ustar\0", "a .tar archive"),
    "train.py": (b"import torch\n", "Python source"),
}


@pytest.mark.parametrize("name", [name for name in CONTENT if CONTENT[name][1]])
def test_file(tmp_path, name):
    content, said = CONTENT[name]
    (tmp_path / name).write_bytes(content)
    for call in (load, inspect):
        with pytest.raises(SourceError, match=f"is {said}"):
            call(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("saved_model.pb", "a model saved by TensorFlow"),
        ("model.ckpt-7.data-00000-of-00001", "a TensorFlow checkpoint"),
        ("flax_model.msgpack", "a Flax checkpoint"),
    ],
)
def test_folder(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=f"is {said}"):
        load(tmp_path)


def test_a_clone_without_its_weights(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 7\n"
    (tmp_path / "model.safetensors").write_bytes(pointer)
    (tmp_path / "vocab.txt").write_text("a\nb\nc\n")
    with pytest.raises(SourceError, match="holds weights that are pointers of Git LFS; run `git"):
        load(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(pointer)
    save_file({"emb": np.eye(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    assert load(tmp_path).words == ("a", "b", "c")


@pytest.mark.parametrize(
    "row",
    [
        '{"id": "a", "embedding": [0.1, 0.2]}',
        '{"id": "a", "embeddings": [0.1, 0.2]}',
        '{"message": "a", "vector": [0.1, 0.2]}',
        '{"error": "a", "vector": [ -0.1, 0.2]}',
        '{"object": "a", "embedding": [0.1, 0.2]}',
    ],
)
def test_rows_of_columns_are_no_answer_of_a_server(row):
    assert by_content(f"{row}\n{row}\n".encode()) is None
    assert by_content(f"{row}\n".encode()) is None


def test_words_that_begin_like_a_mark_are_words(tmp_path):
    words = ["GGUF", "ggml", "FiFu", "IxF2", "Iw", "<html>", "{", "MATLAB", "version"]
    path = tmp_path / "v.txt"
    for first in words:
        path.write_text(f"{first} 0.5 1.5\ngood 1.0 0.25\n")
        assert load(path).words == (first, "good")


def test_each_kind_is_one_short_sentence():
    for kind in KINDS:
        assert kind.tells or kind.names
        assert kind.sentence.startswith("is ")
        assert kind.sentence.count(". ") == 0
        assert len(kind.sentence) < 220
    assert by_content(np.random.default_rng(0).bytes(4096)) is None
