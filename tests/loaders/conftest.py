import pytest

from driftkit.loaders.formats import registry


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The formats a test registers, which are gone after it."""
    monkeypatch.setattr(registry, "_REGISTERED", [])
    return registry._REGISTERED


class _Payload:
    """Unpickling one of these makes a file: a harmless stand-in for code that is not."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return exec, (f"import pathlib; pathlib.Path({self.target!r}).touch()",)


@pytest.fixture
def ran(tmp_path):
    """The file that exists once the payload has run."""
    return tmp_path / "ran"


@pytest.fixture
def payload(ran):
    return _Payload(str(ran))
