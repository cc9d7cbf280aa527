import pytest

from driftkit.datasets import WORD_SETS, WordSets, read_word_sets
from driftkit.errors import BenchmarkError, UnknownNameError


def test_the_ten_tests_of_the_paper():
    """Sizes as in tables 1 to 10 of the supplement of Caliskan et al. 2017."""
    sizes = {
        name: tuple(len(words) for words in (sets.x, sets.y, sets.a, sets.b))
        for name, sets in WORD_SETS.items()
    }
    assert sizes["weat1"] == sizes["weat2"] == (25, 25, 25, 25)
    assert sizes["weat4"] == (18, 18, 25, 25)
    assert sizes["weat5"] == (18, 18, 8, 8)
    assert sizes["weat6"] == sizes["weat7"] == sizes["weat8"] == sizes["weat10"] == (8, 8, 8, 8)
    assert sizes["weat9"] == (6, 6, 7, 7)
    assert list(sizes) == [f"weat{i}" for i in range(1, 11)]
    assert WORD_SETS["weat6"].labels == ("male names", "female names", "career", "family")


def test_an_unknown_test_gets_the_nearest_name():
    assert "weat11" not in WORD_SETS
    with pytest.raises(UnknownNameError, match="did you mean 'weat1"):
        WORD_SETS["weat11"]


def test_the_user_s_own(tmp_path):
    path = tmp_path / "mine.txt"
    text = "# mine\nX: a, b, a\nY: c, d\nA: e, f\nB: g, h\n"
    path.write_text(text)
    assert read_word_sets(path) == {
        "mine": WordSets(
            "mine", ("X", "Y", "A", "B"), ("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")
        )
    }
    path.write_text(": one\n" + text + ": two\n" + text)
    assert list(read_word_sets(path)) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("X: a, b\n", "has 1 sets"), ("X: a\n", "line 1: 'X: a'"), ("words\n", "line 1: 'words'")],
)
def test_files_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        read_word_sets(path)
