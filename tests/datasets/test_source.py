from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pooch
import pytest
from file_server import Answer, FileServer
from shared_data import SHARED, needs_shared

from driftkit.atomic import HOST
from driftkit.datasets import look_up, source
from driftkit.errors import BenchmarkError

REAL = b"sun\tsunlight\t50\nriver\twater\t49\n" * 500
REAL_SHA = hashlib.sha256(REAL).hexdigest()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def ask(server: FileServer, folder: Path) -> Path:
    return source.fetch("mine", folder / "mine.txt", f"{server.url}/mine.txt", REAL_SHA)


def test_the_right_bytes_are_kept_and_asked_for_once(empty_cache: Path, server: FileServer) -> None:
    server.answers["/mine.txt"] = Answer(REAL)
    path = ask(server, empty_cache)
    assert path.read_bytes() == REAL
    assert ask(server, empty_cache) == path
    assert server.asked == ["/mine.txt"]
    assert files_in(empty_cache) == [path]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(REAL.replace(b"50", b"05", 1)), "is wrong: "),
        (Answer(REAL[:9_000]), "is wrong: "),
        (Answer(REAL[:9_000], announced=len(REAL)), "is wrong, since it broke off: "),
        (Answer(REAL + b"\n"), "is wrong: "),
        (Answer(b"<html>sign in first</html>"), "is wrong: "),
    ],
    ids=["changed", "cut short", "broken off", "one byte more", "a page instead"],
)
def test_wrong_bytes_are_named_and_never_kept(
    empty_cache: Path, server: FileServer, answer: Answer, said: str
) -> None:
    server.answers["/mine.txt"] = answer
    with pytest.raises(BenchmarkError) as caught:
        ask(server, empty_cache)
    message = str(caught.value)
    for part in (
        said,
        str(empty_cache / "mine.txt"),
        f"{server.url}/mine.txt",
        f"instead of {REAL_SHA}",
    ):
        assert part in message
    if answer.announced is None:
        assert hashlib.sha256(answer.body).hexdigest() in message
    else:  # how much of it arrived is up to the connection
        assert len(set(re.findall(r"\b[0-9a-f]{64}\b", message))) == 2
    assert files_in(empty_cache) == []
    server.answers["/mine.txt"] = Answer(REAL)
    assert ask(server, empty_cache).read_bytes() == REAL  # nothing is in the way of a second try


def test_a_server_without_the_file(empty_cache: Path, server: FileServer) -> None:
    with pytest.raises(BenchmarkError, match="the server answered 404") as caught:
        ask(server, empty_cache)
    assert str(empty_cache / "mine.txt") in str(caught.value)
    assert files_in(empty_cache) == []


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a port that no server listens on: bound, so that nobody else takes it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_no_network_says_what_to_do(
    empty_cache: Path, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "HOST", nobody)
    men = look_up("men")
    with pytest.raises(BenchmarkError) as caught:
        men.fetch()
    message = str(caught.value)
    assert "could not be downloaded (no connection)" in message
    assert men.origin.url in message
    assert f"as {empty_cache / 'similarity' / 'EN-MEN-TR-3k.txt'}" in message
    assert "`driftkit datasets fetch men`" in message
    assert "`driftkit datasets path men`" in message
    assert files_in(empty_cache) == []


def test_a_server_that_says_nothing(
    empty_cache: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/mine.txt"
        monkeypatch.setattr(source, "SECONDS", 0.2)
        with pytest.raises(BenchmarkError, match=r"the server did not answer in 0\.2 seconds"):
            source.fetch("mine", empty_cache / "mine.txt", url, REAL_SHA)


def test_offline_asks_nobody(
    empty_cache: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/mine.txt"] = Answer(REAL)
    monkeypatch.setenv(source.OFFLINE_VARIABLE, "1")
    with pytest.raises(BenchmarkError, match="downloads are off") as caught:
        ask(server, empty_cache)
    assert f"{server.url}/mine.txt as {empty_cache / 'mine.txt'}" in str(caught.value)
    assert server.asked == []
    empty_cache.mkdir()
    (empty_cache / "mine.txt").write_bytes(REAL)
    assert ask(server, empty_cache).read_bytes() == REAL


@pytest.mark.parametrize(
    ("value", "offline"),
    [(None, False), ("", False), ("0", False), ("False", False), ("no", False), ("1", True)],
)
def test_what_means_offline(
    value: str | None, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(source.OFFLINE_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(source.OFFLINE_VARIABLE, value)
    assert source.is_offline() is offline


def test_a_wrong_file_placed_by_hand_is_named_and_left(empty_cache: Path) -> None:
    path = look_up("mc30").path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"car\tautomobile\t3.92\r\n")
    with pytest.raises(BenchmarkError) as caught:
        look_up("mc30").read()
    message = str(caught.value)
    for part in (
        str(path),
        look_up("mc30").origin.url,
        look_up("mc30").origin.sha256,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        "a file of your own",
    ):
        assert part in message
    assert path.is_file()


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FileServer
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(BenchmarkError, match="set DRIFTKIT_DATA_DIR to a folder"):
        ask(server, tmp_path / "cache" / "similarity")


def test_a_full_disk_keeps_nothing(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, server: FileServer
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    server.answers["/mine.txt"] = Answer(REAL)
    monkeypatch.setattr("driftkit.atomic.os.fsync", full)
    with pytest.raises(
        BenchmarkError, match="cannot be stored as .*: No space left on device; set"
    ):
        ask(server, empty_cache)
    assert files_in(empty_cache) == []


def test_what_a_killed_download_left_goes_with_the_next(
    empty_cache: Path, server: FileServer
) -> None:
    server.answers["/mine.txt"] = Answer(REAL)
    empty_cache.mkdir()
    (empty_cache / f".mine.{HOST}-123-0123abcd.partial.txt").write_bytes(REAL[:100])
    assert ask(server, empty_cache).read_bytes() == REAL
    assert len(files_in(empty_cache)) == 1


def test_a_cached_file_that_was_damaged_is_named_at_each_use(
    empty_cache: Path, server: FileServer
) -> None:
    server.answers["/mine.txt"] = Answer(REAL)
    path = ask(server, empty_cache)
    path.write_bytes(REAL.replace(b"50", b"05", 1))
    with pytest.raises(BenchmarkError, match="is not the benchmark 'mine': its sha256 is"):
        ask(server, empty_cache)


def test_a_cache_that_is_read_only_is_read(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, server: FileServer
) -> None:
    server.answers["/mine.txt"] = Answer(REAL)
    path = ask(server, empty_cache)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert ask(server, empty_cache) == path
    with pytest.raises(BenchmarkError, match="is read-only; set DRIFTKIT_DATA_DIR to a folder"):
        source.fetch("other", empty_cache / "o.txt", f"{server.url}/mine.txt", REAL_SHA)


def test_the_folder_is_the_users_cache_unless_one_is_named(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert source.folder() == empty_cache
    monkeypatch.setenv(source.FOLDER_VARIABLE, "~/sets")
    assert source.folder() == Path.home() / "sets"
    monkeypatch.delenv(source.FOLDER_VARIABLE)
    assert source.folder() == Path(pooch.os_cache("driftkit"))


@needs_shared
def test_the_real_bytes_of_men_through_a_server(empty_cache: Path, server: FileServer) -> None:
    men = look_up("men")
    real = (SHARED / "similarity" / "EN-MEN-TR-3k.txt").read_bytes()
    server.answers[men.origin.url.removeprefix(server.url)] = Answer(real)
    assert len(men.read()) == 3000
    assert men.path.read_bytes() == real
    assert len(server.asked) == 1
