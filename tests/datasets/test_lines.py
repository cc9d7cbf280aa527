from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftkit.datasets.lines import read_lines, text_lines
from driftkit.errors import BenchmarkError
from driftkit.files import LARGEST


def lines_of(folder: Path, content: bytes) -> list[tuple[int, tuple[str, ...]]]:
    path = folder / "mine.txt"
    path.write_bytes(content)
    return [(line.number, line.fields) for line in read_lines(path)]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"a\tb\tc\nd\t e f \tg\n", [("a", "b", "c"), ("d", "e f", "g")]),
        (b'a,b\n"c,d",e', [("a", "b"), ("c,d", "e")]),
        (b"a;b\nc;d", [("a", "b"), ("c", "d")]),
        (b"a  b\nc\x0bd e", [("a", "b"), ("c", "d", "e")]),
        (b"a,b c\nd e\n", [("a,b", "c"), ("d", "e")]),  # not every line has a comma
        (b"a,b\rc,d", [("a", "b"), ("c", "d")]),
        (b"\xef\xbb\xbfa\tb\r\n", [("a", "b")]),
    ],
)
def test_how_lines_are_cut(tmp_path: Path, content: bytes, fields: list[tuple[str, ...]]) -> None:
    assert [cut for _, cut in lines_of(tmp_path, content)] == fields


def test_comments_and_blank_lines_are_skipped_but_counted(tmp_path: Path) -> None:
    assert lines_of(tmp_path, b"# one\n\na b\n  \nc d") == [(3, ("a", "b")), (5, ("c", "d"))]


def test_sections_do_not_decide_where_lines_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(": family, close\nNew York\tUS\tNew Delhi\tIndia\n")
    section, item = read_lines(path)
    assert section.is_section
    assert not item.is_section
    assert item.fields == ("New York", "US", "New Delhi", "India")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no benchmark item"),
        (b"# only this\n", "holds no benchmark item"),
        (b"a\xff\tb\n", r"not UTF-8 text \(byte 1\)"),
        ("café\tthé\t3\n".encode("latin-1"), r"not UTF-8 text \(byte 3\)"),
        (b"a," + b"x" * 200_000 + b"\n", "line 1: 'a,xxx"),
    ],
)
def test_what_cannot_be_cut_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said) as caught:
        lines_of(tmp_path, content)
    assert len(str(caught.value)) < 700  # a long line is not repeated whole


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="is a folder"):
        read_lines(tmp_path)
    with pytest.raises(BenchmarkError, match=r"cannot be read \(No such file"):
        read_lines(tmp_path / "absent.txt")


def test_a_table_of_vectors_by_mistake_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    with path.open("wb") as file:
        os.truncate(file.fileno(), LARGEST + 1)
    with pytest.raises(BenchmarkError, match="has more than 64 MB"):
        read_lines(path)


def test_lines_keep_their_numbers(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeff# head\r\n one \r\n\r\ntwo\u2028three".encode())
    assert text_lines(path, "") == [(2, "one"), (4, "two\u2028three")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read \\(No such file"),
        (b"\xff\xfe", "not UTF-8"),
        (b"# only\n", "no benchmark item"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, message):
    path = tmp_path / "x.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message) as caught:
        text_lines(path, "Such a file holds things.")
    assert str(caught.value).endswith("Such a file holds things.")
