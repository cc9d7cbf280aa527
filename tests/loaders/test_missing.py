import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders.missing import require_file


def sentence(path, error=SourceError):
    with pytest.raises(error) as caught:
        require_file(path, path.name, error, "a file of words")
    return str(caught.value)


def test_a_file_with_something_in_it_passes(tmp_path):
    (tmp_path / "vocab.txt").write_text("a")
    require_file(tmp_path / "vocab.txt", "vocab.txt", SourceError, "a file")


def test_each_way_a_file_can_be_missing_is_one_sentence(tmp_path):
    (tmp_path / "vocab.txt").touch()
    assert sentence(tmp_path / "vocab.txt") == (
        "vocab.txt: is empty (0 bytes); give a file of words."
    )
    assert sentence(tmp_path).endswith("is a folder; give a file of words.")
    near = sentence(tmp_path / "vocb.txt")
    assert near == f"vocb.txt: no such file; did you mean {str(tmp_path / 'vocab.txt')!r}?"
    assert sentence(tmp_path / "q.bin") == "q.bin: no such file; give a file of words."
    assert "and no folder" in sentence(tmp_path / "none" / "q.bin")


def test_the_error_is_of_the_kind_asked_for(tmp_path):
    sentence(tmp_path / "vocab.txt", VocabularyError)
