import numpy as np
import pytest

from driftkit.errors import SourceError
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import parse
from driftkit.loaders.text.slow import read_irregular

REQUEST = parse("t.txt")


def test_words_rows_lines_and_problems():
    problems = Problems()
    block = b"a 1 2\n\n. . 3 4\ncaf\xe9 5 6\n 7 8\n"
    words, matrix, lines = read_irregular(REQUEST, block, 11, 2, problems)
    assert words == ["a", ". .", "caf\\xe9", ""]
    assert matrix.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert lines.tolist() == [11, 13, 14, 15]
    assert [(p.kind, p.where) for p in problems.all()] == [
        ("blank line", 12), ("space in word", 13), ("invalid UTF-8", 14), ("empty word", 15),
    ]  # fmt: skip


def test_only_blank_lines():
    words, matrix, _ = read_irregular(REQUEST, b"\n\n", 1, 2, Problems())
    assert (words, matrix.shape) == ([], (0, 2))


def test_numbers_polars_does_not_know_are_read_by_python():
    # Python takes a number with blanks of other scripts around it; so does gensim.
    _, matrix, _ = read_irregular(REQUEST, b"a 1\t 2\nb c 3 1e99\n", 1, 2, Problems())
    assert matrix.tolist() == [[1, 2], [3, np.inf]]


def test_long_rubbish_is_cut_in_the_sentence():
    with pytest.raises(SourceError) as caught:
        read_irregular(REQUEST, b"a 1 " + b"y" * 1000 + b"\n", 3, 2, Problems())
    assert str(caught.value) == (f"t.txt: line 3 holds {'y' * 60!r}... where a number should be.")
