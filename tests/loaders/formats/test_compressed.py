import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from driftkit.errors import SourceError
from driftkit.loaders import inspect, load
from driftkit.loaders.convert import write
from driftkit.loaders.formats import word2vec_binary as binary_module

TEXT = b"good 1.5 -0.25\nbad -1.0 0.5\n"


def test_text_of_every_compression(tmp_path):
    for name, data in (("t.gz", gzip.compress(TEXT, mtime=0)), ("t.xz", lzma.compress(TEXT))):
        path = tmp_path / name
        path.write_bytes(data)
        table = load(path)
        assert (table.words, table.source.format) == (("good", "bad"), "glove-text")
        assert table.matrix.tolist() == [[1.5, -0.25], [-1.0, 0.5]]
        assert inspect(path).tables[0].shape == (2, 2)


def test_one_file_of_an_archive_by_its_name(tmp_path):
    path = tmp_path / "glove.6B.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.50d.txt", TEXT)
        archive.writestr("glove.3d.txt", b"good 1 2 3\nbad 4 5 6\n")
    assert load(f"{path}::glove.3d.txt").dimensions == 3
    assert load(path, key="glove.50d.txt").dimensions == 2


def test_an_archive_of_several_files_proposes_none_of_them(tmp_path):
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.txt", b"How this was made\n")
        archive.writestr("glove.txt", TEXT)
    with pytest.raises(SourceError, match=r"'README.txt', 'glove.txt'\); name .*t\.zip::NAME\.$"):
        load(path)


def test_word2vec_binary_in_pieces(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    from driftkit import Embeddings

    made = Embeddings([f"w{i}" for i in range(300)], rng.normal(size=(300, 9)).astype("f4"))
    write(made, tmp_path / "v.bin")
    path = tmp_path / "v.bin.gz"
    path.write_bytes(gzip.compress((tmp_path / "v.bin").read_bytes()))
    for size in (64, 1000, 1 << 24):
        monkeypatch.setattr(binary_module, "CHUNK_BYTES", size)
        table = load(path)
        assert table.words == made.words
        assert np.array_equal(table.matrix, made.matrix)
        assert load(path, words=["w299", "w0"]).words == ("w0", "w299")
    found = inspect(path)
    assert (found.tables[0].shape, found.format) == ((300, 9), "word2vec-binary")
    path.write_bytes(gzip.compress((tmp_path / "v.bin").read_bytes()[:-5]))
    with pytest.raises(SourceError, match="ends inside vector 300 of the 300"):
        load(path)
    path.write_bytes(gzip.compress((tmp_path / "v.bin").read_bytes() + b"more"))
    assert load(path).problems[0].detail.startswith("at least")


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        (b"<html></html>", "something else"),
        (b"", "nothing"),
        (gzip.compress(TEXT, mtime=0), "another compressed file"),
    ],
)
def test_other_things_inside(tmp_path, inside, what):
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(inside, mtime=0))
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: is compressed and holds {what}, and only text and word2vec .bin are read "
        "compressed; unpack it and give the file inside."
    )


def test_a_tar_archive_inside(tmp_path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("v.txt")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    path = tmp_path / "t.tar.gz"
    path.write_bytes(out.getvalue())
    with pytest.raises(SourceError, match=r"holds a \.tar archive, and only"):
        load(path)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"), (b"7z\xbc\xaf\x27\x1c", "a .7z archive"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"), (b"Rar!\x1a\x07", "a .rar archive"),
        (b"\x1f\x9d", "packed with compress"), (b"LZIP\x01", "compressed with lzip"),
        (b"]\0\0", "compressed with lzma"), (b"a".ljust(257, b"\0") + b"ustar", "a .tar archive"),
    ],
)  # fmt: skip
def test_packed_in_a_way_that_is_not_read(tmp_path, head, named):
    (path := tmp_path / "v.packed").write_bytes(head + bytes(300))
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: is {named}, which is not read; unpack it and give the file inside."
    )


def test_vocabularies_and_keys_that_would_go_unused(tmp_path):
    (path := tmp_path / "t.gz").write_bytes(gzip.compress(TEXT))
    with pytest.raises(SourceError, match="has words of its own"):
        load(path, vocab=["a", "b"])
    with pytest.raises(SourceError, match="so there is no 'emb'; leave the key out"):
        load(path, key="emb")
