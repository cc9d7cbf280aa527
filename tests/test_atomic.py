"""What is written is whole, where it was meant, and leaves nothing beside."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from driftkit import atomic
from driftkit.atomic import locked, place, replacing
from driftkit.errors import OptionError, OutputError

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and file locks")


def save(path, text):
    with replacing(path) as partial:
        partial.write_text(text)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_a_block_that_raises_leaves_what_was_there(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out.json"]


def test_the_temporary_file_keeps_the_ending(tmp_path):
    with replacing(tmp_path / "m.npy") as partial:
        assert partial.suffix == ".npy"
        partial.write_bytes(b"")
    assert (tmp_path / "m.npy").exists()


def test_a_folder_or_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OptionError, match="it is a folder; name a file"):
        save(tmp_path, "")
    with pytest.raises(OptionError, match="no does not exist"):
        save(tmp_path / "no" / "out.json", "")
    with pytest.raises(OutputError, match="no name holds a NUL"):
        save(tmp_path / "a\0b", "")


# Links, devices, pipes and open files.


@posix
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path, is_there):
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data" / "real.txt", tmp_path / "link.txt"
    link.symlink_to("hop")
    (tmp_path / "hop").symlink_to(target)
    if is_there:
        target.write_text("old")
    save(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert names(tmp_path / "data") == ["real.txt"]


@posix
def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("none/x")
    with pytest.raises(OutputError, match=r"a: Too many levels of symbolic links"):
        save(tmp_path / "a", "")
    with pytest.raises(OutputError, match="none does not exist"):
        save(tmp_path / "c", "")


@posix
def test_devices_are_written_to_and_stay(tmp_path):
    save("/dev/null", "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    (tmp_path / "void").symlink_to("/dev/null")
    save(tmp_path / "void", "gone")
    assert (tmp_path / "void").is_symlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_told():
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        save("/dev/full", "x" * 100_000)


@posix
def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    save(pipe, "through")
    assert reader.communicate()[0] == b"through"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs /dev/stdout")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_standard_output_goes_on_where_it_is(tmp_path, name):
    """Redirected to a file that has something in it already, which is the shell's."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    program = (
        "from driftkit.atomic import replacing; print('second')\n"
        f"with replacing({name!r}) as partial: partial.write_text('third\\n')\n"
        "print('fourth')"
    )
    out = tmp_path / "out.txt"
    out.write_text("first\n")
    before = out.stat().st_ino
    with out.open("a") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, cwd=tmp_path, check=True)
    assert out.read_text() == "first\nsecond\nthird\nfourth\n"
    assert out.stat().st_ino == before


# Permissions.


@posix
def test_the_mode_of_a_file_is_kept_and_new_ones_follow_the_umask(tmp_path):
    path = tmp_path / "out.json"
    before = os.umask(0o027)
    try:
        save(path, "new")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        save(path, "again")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_of_a_file_is_kept(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    os.chown(path, 12345, 12345)
    save(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)


def test_what_is_read_only_is_not_replaced(tmp_path, monkeypatch):
    """Told by `os.access`, which root passes everywhere but on a disk that is read-only."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / "kept.txt")
    (tmp_path / "kept.txt").write_text("old")
    with pytest.raises(OutputError, match="it is read-only; name a place that can be written"):
        save(tmp_path / "kept.txt", "new")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(OutputError, match=f"the folder {tmp_path} is read-only"):
        save(tmp_path / "new.txt", "new")


# Names.


def test_names_as_long_as_the_system_allows(tmp_path):
    for name in ("n" * 251 + ".txt", "é" * 125 + ".json", "n." + "t" * 253, "." * 3 + "n" * 252):
        save(tmp_path / name, "whole")
        assert (tmp_path / name).read_text() == "whole"
        with locked(tmp_path / name):
            pass
    assert len(names(tmp_path)) == 4
    with pytest.raises(OutputError, match=r"File name too long; .* Give it a shorter name\."):
        save(tmp_path / ("n" * 252 + ".txt"), "")


def test_two_names_that_begin_alike_have_other_temporary_names(tmp_path):
    long = [tmp_path / ("n" * 200 + end) for end in ("a", "b")]
    assert atomic.beside(long[0], ".lock") != atomic.beside(long[1], ".lock")


# Two runs, and what a dead one left.


def left_by(folder, host=None, days=0):
    """A temporary file for out.json as a process that died would leave it."""
    partial = folder / f".out.{host or atomic.HOST}-123-0123abcd.partial.json"
    partial.write_text("half")
    os.utime(partial, (partial.stat().st_atime, partial.stat().st_mtime - days * 86_400))
    return partial


@posix
def test_what_a_dead_process_left_is_removed_by_the_next(tmp_path):
    left_by(tmp_path)
    others = [tmp_path / name for name in (".out.json.bak", ".out.notes.partial.json")]
    for other in others:
        other.write_text("mine")
    save(tmp_path / "out.json", "whole")
    assert names(tmp_path) == sorted(["out.json", *(other.name for other in others)])


@posix
def test_what_a_live_process_writes_is_left(tmp_path):
    with replacing(tmp_path / "out.json") as first:
        first.write_text("first")
        with replacing(tmp_path / "out.json") as second:
            second.write_text("second")
            assert first != second
        assert first.exists()
        assert (tmp_path / "out.json").read_text() == "second"
    assert (tmp_path / "out.json").read_text() == "first"
    assert names(tmp_path) == ["out.json"]


@pytest.mark.parametrize(("days", "stays"), [(0, True), (2, False)])
def test_another_host_s_is_left_for_a_day(tmp_path, days, stays):
    """Its lock may be known there alone, when a shared folder is another machine's too."""
    left = left_by(tmp_path, "another", days)
    save(tmp_path / "out.json", "whole")
    assert left.exists() is stays


@pytest.mark.parametrize("days", [0, 2])
def test_without_locks_files_are_written_all_the_same(tmp_path, monkeypatch, days):
    """As on Windows, where a file that is open is not renamed either."""
    monkeypatch.setattr(atomic, "fcntl", None)
    left = left_by(tmp_path, days=days)
    with locked(tmp_path / "out.json"):
        save(tmp_path / "out.json", "whole")
    assert (tmp_path / "out.json").read_text() == "whole"
    assert left.exists() is (days == 0)


@posix
def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(atomic.fcntl, "flock", no_locks)
    left = left_by(tmp_path)
    with locked(tmp_path / "out.json"):
        save(tmp_path / "out.json", "whole")
    assert left.exists()  # its writer may be alive
    assert (tmp_path / "out.json").read_text() == "whole"


@posix
def test_a_second_run_is_refused_while_the_first_lasts(tmp_path):
    path = tmp_path / "out.json"
    said = f"another run (pid {os.getpid()} on {atomic.HOST}) is writing it"
    with locked(path), pytest.raises(OutputError) as caught, locked(path):
        pass
    assert str(caught.value).startswith(f"cannot write {path}: {said}")
    with locked(path):
        pass
    assert names(tmp_path) == []


@posix
def test_the_lock_of_a_dead_process_holds_nobody_up(tmp_path):
    path = tmp_path / "out.json"
    program = (
        "import os, signal, sys; from driftkit.atomic import locked\n"
        "with locked(sys.argv[1]): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert names(tmp_path) == [".out.json.lock"]
    with locked(path):
        pass
    assert names(tmp_path) == []


# What the system says.


@posix
def test_a_connection_that_breaks_is_no_matter_of_the_file(tmp_path):
    with pytest.raises(ConnectionError), replacing(tmp_path / "out.json"):
        raise ConnectionResetError(104, "Connection reset by peer")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "out.json"):
        Path("/no/such/input").read_text()


def test_the_bytes_are_on_the_disk_before_the_name(tmp_path, monkeypatch):
    order, sync, rename = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: order.append("sync") or sync(fd))
    monkeypatch.setattr(Path, "replace", lambda *args: order.append("rename") or rename(*args))
    save(tmp_path / "out.json", "whole")
    assert order == ["sync", "rename", "sync"]


@posix
def test_a_socket_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(OutputError, match="cannot write s: No such device"):
            save("s", "x")


def test_a_place_is_known_before_anything_is_written(tmp_path):
    assert place(tmp_path / "new.txt") == (tmp_path / "new.txt").resolve()
    assert place("/dev/null") is None
    assert names(tmp_path) == []
