import pytest

from driftkit.atomic import replacing
from driftkit.errors import OptionError


def test_a_block_that_raises_leaves_what_was_there(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_keeps_the_ending(tmp_path):
    with replacing(tmp_path / "m.npy") as partial:
        assert partial.suffix == ".npy"
        partial.write_bytes(b"")
    assert (tmp_path / "m.npy").exists()


def test_a_folder_or_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OptionError, match="it is a folder; name a file"), replacing(tmp_path):
        pass
    target = tmp_path / "no" / "out.json"
    with pytest.raises(OptionError, match="does not exist"), replacing(target):
        pass
