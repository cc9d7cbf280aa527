from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer, serve

from driftkit.datasets import source


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, not there yet, downloads allowed."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(folder))
    monkeypatch.delenv(source.OFFLINE_VARIABLE, raising=False)
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server in the place of the host of the pinned files."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as files:
        monkeypatch.setattr(source, "HOST", files.url)
        yield files
