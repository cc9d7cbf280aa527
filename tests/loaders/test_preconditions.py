import subprocess
import sys

import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import preconditions
from driftkit.loaders.preconditions import available_memory, require_file, require_memory


def test_more_than_there_is_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(preconditions, "available_memory", lambda: 2 * 10**9)
    require_memory(10**9, "t.txt")
    with pytest.raises(SourceError) as caught:
        require_memory(3 * 10**9, "t.txt")
    assert str(caught.value).startswith("t.txt: needs 3.0 GB of memory and 2.0 GB are free;")


def test_a_system_that_does_not_say_stops_nothing(monkeypatch):
    monkeypatch.setattr(preconditions, "available_memory", lambda: None)
    require_memory(10**18, "t.txt")


def test_the_smaller_of_machine_and_container_counts(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 10 kB\nMemAvailable:  4096 kB\n")
    monkeypatch.setattr(preconditions, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(preconditions, "_CGROUP", tmp_path)
    assert available_memory() == 4096 << 10
    for name, text in (
        ("memory.max", "max\n"),
        ("memory.current", "1000\n"),
        ("memory.stat", "anon 5\ninactive_file 300\n"),
    ):
        (tmp_path / name).write_text(text)
    assert available_memory() == 4096 << 10
    (tmp_path / "memory.max").write_text("2000\n")
    assert available_memory() == 1300
    monkeypatch.setattr(preconditions, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(preconditions, "_CGROUP", tmp_path / "none")
    assert available_memory() > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_process_counts(limit):
    code = (
        "import resource; from driftkit.loaders.preconditions import available_memory; "
        f"resource.setrlimit(resource.{limit}, (2_000_000_000, resource.RLIM_INFINITY)); "
        "print(available_memory())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 <= int(told.stdout) < 2_000_000_000


def sentence(path, error=SourceError):
    with pytest.raises(error) as caught:
        require_file(path, path.name, error, "a file of words")
    return str(caught.value)


def test_a_file_with_something_in_it_passes(tmp_path):
    (tmp_path / "vocab.txt").write_text("a")
    require_file(tmp_path / "vocab.txt", "vocab.txt", SourceError, "a file")


def test_each_way_a_file_can_be_missing_is_one_sentence(tmp_path):
    (tmp_path / "vocab.txt").touch()
    assert sentence(tmp_path / "vocab.txt") == (
        "vocab.txt: is empty (0 bytes); give a file of words."
    )
    assert sentence(tmp_path).endswith("is a folder; give a file of words.")
    near = sentence(tmp_path / "vocb.txt")
    assert near == f"vocb.txt: no such file; did you mean {str(tmp_path / 'vocab.txt')!r}?"
    assert sentence(tmp_path / "q.bin") == "q.bin: no such file; give a file of words."
    assert "and no folder" in sentence(tmp_path / "none" / "q.bin")


def test_the_error_is_of_the_kind_asked_for(tmp_path):
    sentence(tmp_path / "vocab.txt", VocabularyError)
