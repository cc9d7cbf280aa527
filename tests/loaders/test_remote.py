import io
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from driftkit import inspect, load
from driftkit.errors import MissingExtraError, SourceError

fsspec = pytest.importorskip("fsspec", reason="needs fsspec (extra dask)")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Storage that is no file system: fsspec's own in memory."""
    monkeypatch.setenv("DRIFTKIT_DATA_DIR", str(tmp_path / "data"))
    storage = fsspec.filesystem("memory")
    storage.pipe("/b/words.txt", b"good\nbad\n")
    put(storage, np.eye(2))
    yield storage
    storage.rm("/b", recursive=True)


def put(storage, matrix):
    file = io.BytesIO()
    np.save(file, matrix.astype(np.float32))
    storage.pipe("/b/tuned.npy", file.getvalue())


def test_a_url_is_read_as_the_file_it_names(bucket, tmp_path):
    for _ in range(2):
        table = load("memory://b/tuned.npy", vocab="memory://b/words.txt")
        assert table.words == ("good", "bad")
        assert table.matrix.tolist() == [[1, 0], [0, 1]]
        assert table.source.name == "memory://b/tuned.npy"
    copies = [each.name for each in (tmp_path / "data" / "remote").rglob("*.*")]
    assert sorted(copies) == ["tuned.npy", "words.txt"]


def test_a_url_is_inspected_as_it_is_read(bucket, tmp_path):
    found = inspect("memory://b/tuned.npy", vocab=["good", "bad"])
    assert (found.source, found.words) == ("memory://b/tuned.npy", 2)
    assert found.command().startswith("driftkit audit ORIGINAL memory://b/tuned.npy")
    with pytest.raises(SourceError, match="is not there, or cannot be reached"):
        inspect("memory://b/none.npy")


def test_the_command_for_a_tensor_at_a_url_names_the_url(bucket):
    bucket.pipe("/b/two.safetensors", save({"a": np.eye(2), "b": np.eye(2) * 2}))
    for url in ("memory://b/two.safetensors", "memory://b/two.safetensors::a"):
        command = inspect(url, vocab=["good", "bad"]).command()
        assert command.startswith("driftkit audit ORIGINAL memory://b/two.safetensors::a")


def test_what_was_replaced_there_is_copied_anew(bucket):
    load("memory://b/tuned.npy", vocab=["good", "bad"])
    put(bucket, np.eye(2) * 3)
    assert load("memory://b/tuned.npy", vocab=["good", "bad"])["good"].tolist() == [3, 0]


def test_a_local_file_by_its_url(tmp_path, bucket):
    (tmp_path / "t.txt").write_text("good 1 0\nbad 0 1\n")
    assert load(f"file://{tmp_path}/t.txt").words == ("good", "bad")


def test_urls_may_be_chained(tmp_path, bucket):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.txt", "good 1 0\nbad 0 1\n")
    for url in (f"zip://t.txt::file://{tmp_path}/t.zip", f"file://{tmp_path}/t.zip::t.txt"):
        assert load(url).words == ("good", "bad")
    with pytest.raises(SourceError, match="is not there"):
        load(f"simplecache::file://{tmp_path}/none.txt")


def test_what_cannot_be_read_there_is_one_sentence(bucket, monkeypatch):
    for url, said in (
        ("memory://b/none.npy", "memory://b/none.npy: is not there, or cannot be reached."),
        ("memory://b", "is a folder; only single files are read from there"),
        ("nothing://b/x.npy", "x.npy: cannot be read (Protocol not known"),
        ("memory://b/tuned.npy", "vocab"),
    ):
        with pytest.raises(SourceError) as error:
            load(url)
        assert said in str(error.value)
    monkeypatch.setenv("DRIFTKIT_OFFLINE", "1")
    with pytest.raises(SourceError, match="DRIFTKIT_OFFLINE is set; unset it"):
        load("memory://b/tuned.npy")
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[dask\]"):
        load("memory://b/tuned.npy")
