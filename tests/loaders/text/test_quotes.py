"""Quotes around every word, which R writes, are no part of the words."""

import pytest

from driftkit.errors import SourceError
from driftkit.loaders import inspect, load


@pytest.mark.parametrize("header", ["", "3 2\n"])
def test_quotes_around_every_word_are_left_out(write, header):
    path = write(header + '"good" 0.5 1.5\n"new york" 0.25 2.5\n"route 66" 0.75 3.5\n')
    table = load(path)
    assert table.words == ("good", "new york", "route 66")
    assert "quotes" in {problem.kind for problem in table.problems}
    assert load(path, words=["new york"]).matrix.tolist() == [[0.25, 2.5]]
    assert inspect(path).last_word == "route 66"


@pytest.mark.parametrize("word", ["bad", '"a""b"', '"a\\"b"', '"a\\"', '"'])
def test_quotes_that_may_belong_to_a_word_are_refused(write, word):
    rows = "".join(f'"w{i}x" 0.5 {i}.5\n' for i in range(500))
    with pytest.raises(SourceError, match="line 501 has the word .*quote = FALSE"):
        load(write(f"{rows}{word} 0.5 1.5\n"))


def test_quotes_of_some_words_belong_to_them(write):
    content = '"good" 0.5 1.5\n" 0.25 2.5\n\'bad\' 0.75 3.5\n'
    assert load(write(content)).words == ('"good"', '"', "'bad'")
