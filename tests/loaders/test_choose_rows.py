import pytest

from driftkit.errors import OptionError, SourceError
from driftkit.loaders import load
from driftkit.loaders.choose_rows import select
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import parse


def test_rows_in_the_tables_order():
    problems = Problems()
    rows, words = select(parse("t", words=["d", "b", "x"], limit=3), tuple("abcd"), problems)
    assert (rows.tolist(), words) == ([1], ("b",))
    assert [p.detail for p in problems.all()] == [
        "'d' was asked for and is not in it", "'x' was asked for and is not in it",
    ]  # fmt: skip
    assert select(parse("t", limit=2), tuple("abcd"), problems) == (slice(2), ("a", "b"))


def test_none_of_them():
    with pytest.raises(SourceError) as caught:
        select(parse("t", words=list("vwxyz")), tuple("abcd"), Problems())
    assert str(caught.value) == "t: holds none of the 5 words asked for ('v', 'w', 'x', ...)."


@pytest.mark.parametrize("settings", [{"limit": 0}, {"words": []}, {"words": "good"}])
def test_what_cannot_be_asked_for(settings):
    with pytest.raises(OptionError):
        load("t", **settings)
