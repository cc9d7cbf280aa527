import pytest

from driftkit.errors import SourceError
from driftkit.loaders.request import parse
from driftkit.loaders.text.header import is_number, is_row, read_opening


def opening(head):
    return read_opening(parse("t.txt"), head)


def test_header_dimensions_and_spaces():
    found = opening(b"\xef\xbb\xbf2 3\r\na 1 2 3 \r\nb 1 2 3 \r\n")
    assert (found.dimensions, found.declared, found.trailing_spaces) == (3, (2, 3), True)
    assert found.skip == 8
    found = opening(b"a 1 2\nb 1 2\n")
    assert (found.dimensions, found.declared, found.skip, found.trailing_spaces) == (
        2, None, 0, False,
    )  # fmt: skip
    assert found.line_bytes == 6


def test_most_lines_decide():
    assert opening(b"broken\na b 1 2\nc 1 2\nd 3 4\n").dimensions == 2
    assert opening(b"x\ny\nc 1 2\n").dimensions == 2
    with pytest.raises(SourceError, match="holds no line of a word followed by numbers"):
        opening(b"x\ny\n")


def test_numbers_and_rows():
    assert is_number(b"1e-3")
    assert is_number(b"nan")
    assert not is_number(b"1_0")
    assert not is_number(b"")
    assert not is_row(b"12")
