import pytest

from driftkit.errors import SourceError
from driftkit.loaders import preconditions as memory


def test_more_than_there_is_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * 10**9)
    memory.require_memory(10**9, "t.txt")
    with pytest.raises(SourceError) as caught:
        memory.require_memory(3 * 10**9, "t.txt")
    assert str(caught.value).startswith("t.txt: needs 3.0 GB of memory and 2.0 GB are free;")


def test_a_system_that_does_not_say_stops_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.require_memory(10**18, "t.txt")


def test_the_smaller_of_machine_and_container_counts(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 10 kB\nMemAvailable:  4096 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.available_memory() == 4096 << 10
    for name, text in (
        ("memory.max", "max\n"),
        ("memory.current", "1000\n"),
        ("memory.stat", "anon 5\ninactive_file 300\n"),
    ):
        (tmp_path / name).write_text(text)
    assert memory.available_memory() == 4096 << 10
    (tmp_path / "memory.max").write_text("2000\n")
    assert memory.available_memory() == 1300
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "none")
    assert memory.available_memory() > 0
