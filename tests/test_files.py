"""What is read whole: told from pipes, devices and folders, and measured, before it is opened."""

import os
import socket
from pathlib import Path

import pytest

from driftkit.errors import OptionError
from driftkit.files import read_text, read_whole, strange_kind


def wrong(why):
    return OptionError(f"it {why}")


def test_text_is_read_without_its_mark_and_with_plain_line_ends(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\r\nb\rc\n".encode())
    assert read_text(path, wrong) == "a\nb\nc\n"
    assert read_whole(path, wrong).endswith(b"c\n")
    path.write_bytes(b"ab\xff")
    with pytest.raises(OptionError, match=r"it is not UTF-8 text \(byte 2\)\."):
        read_text(path, wrong)


def test_what_is_too_large_is_refused_by_its_size(tmp_path):
    path = tmp_path / "holes"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 40 * 10**9)
    with pytest.raises(OptionError, match="it has more than 64 MB"):
        read_whole(path, wrong)
    path.write_bytes(bytes(10**6))
    assert len(read_whole(path, wrong, 10**6)) == 10**6
    path.write_bytes(bytes((10**6) + 1))
    with pytest.raises(OptionError, match="it has more than 1 MB"):
        read_whole(path, wrong, 10**6)


def test_pipes_and_sockets_are_refused_unopened(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer
    with pytest.raises(OptionError, match="it is a pipe, which can be read only once; save"):
        read_whole(tmp_path / "pipe", wrong)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        assert strange_kind(tmp_path / "socket") == "is a socket, not a file"
    assert strange_kind(tmp_path) is None
    assert strange_kind(tmp_path / "missing") is None
    assert strange_kind("a\0b") is None


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random"])
def test_devices_are_refused(device):
    with pytest.raises(OptionError, match="it is a device, not a file"):
        read_whole(Path(device), wrong)


def test_folders_missing_files_and_impossible_names(tmp_path):
    for path, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none", r"cannot be read \(No such file or directory\)"),
        (Path("x" * 300), r"cannot be read \(File name too long\)"),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(OptionError, match=said):
            read_whole(path, wrong)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux tells of memory so")
def test_files_that_tell_no_size_are_read_as_far_as_they_may_be():
    assert b"VmRSS" in read_whole(Path("/proc/self/status"), wrong)
    with pytest.raises(OptionError, match=r"cannot be read \(Input/output error\)"):
        read_whole(Path("/proc/self/mem"), wrong)
