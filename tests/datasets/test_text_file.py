import pytest

from driftkit.datasets.text_file import text_lines
from driftkit.errors import BenchmarkError


def test_lines_keep_their_numbers(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeff# head\r\n one \r\n\r\ntwo\u2028three".encode())
    assert text_lines(path, "") == [(2, "one"), (4, "two\u2028three")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file"), (b"\xff\xfe", "not UTF-8"), (b"# only\n", "no item")],
)
def test_what_cannot_be_read(tmp_path, content, message):
    path = tmp_path / "x.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message) as caught:
        text_lines(path, "Such a file holds things.")
    assert str(caught.value).endswith("Such a file holds things.")
