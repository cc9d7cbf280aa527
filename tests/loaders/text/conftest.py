"""A file of text, for every test of how text is read."""

import pytest


@pytest.fixture
def write(tmp_path):
    def write(content, name="t.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
