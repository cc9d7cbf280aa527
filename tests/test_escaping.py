import json
import re
from itertools import combinations
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangers import HONEST, SEEN_BY_NOBODY, WORDS, require_harmless

import driftkit
from driftkit.errors import SourceError
from driftkit.escaping import harmless, printable, to_json

INVISIBLE = [
    *"\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u034f\u115f\u3164\uffa0\ufe0e\ufe0f\u2800"
]
INVISIBLE += [
    *"\u061c\u180e\u202a\u202e\u2066\U000e0001\U000e0020\U000e0100\x00\x07\x7f\x85\xa0\u3000"
]


@pytest.mark.parametrize("word", WORDS)
def test_words_of_strangers_are_shown(word):
    assert not SEEN_BY_NOBODY.search(printable(word))
    require_harmless(harmless(printable(word)))
    assert len(printable(word)) < 6_000
    assert printable(printable(word)) == printable(word)


@pytest.mark.parametrize("word", HONEST)
def test_words_of_every_script_are_left_as_they_are(word):
    assert printable(word) == word


@pytest.mark.parametrize("hidden", INVISIBLE)
@pytest.mark.parametrize("word", ["good", "café", "漢字", "сло́во", "🙂", "دار", "גם"])
def test_words_that_differ_by_what_cannot_be_seen_are_told_apart(word, hidden):
    for at in range(len(word) + 1):
        other = printable(word[:at] + hidden + word[at:])
        assert other.replace(hidden.encode("unicode_escape").decode(), "") == word


def test_marks_are_heaped_on_a_letter_up_to_a_number():
    assert printable("e" + "\u0301" * 8) == "e" + "\u0301" * 8
    assert printable("e" + "\u0301" * 10) == "e" + "\u0301" * 8 + r"\u0301\u0301"


def test_an_accent_written_in_two_ways_is_left():
    assert printable(normalize("NFD", "é")) == normalize("NFD", "é")


@given(st.text(st.characters(categories=None), max_size=300))
def test_whatever_is_printed_has_one_line_and_can_be_encoded(text):
    shown = printable(text)
    assert "\n" not in shown
    shown.encode("utf-8")
    assert printable(shown) == shown or len(shown) > 200


@given(st.lists(st.sampled_from([*"::##[]vso \n\\a", "\x1b[1m"]), max_size=30).map("".join))
def test_no_line_is_obeyed_wherever_it_was_broken(text):
    shown = harmless(text)
    require_harmless(shown)
    assert harmless(shown) == shown
    assert shown.replace("\\", "") == text.replace("\\", "")


@given(st.recursive(st.text(st.characters(categories=None)) | st.sampled_from(WORDS), st.lists))
def test_json_means_the_same_and_can_be_printed(document):
    for ascii_only in (False, True):
        text = to_json(document, ascii_only=ascii_only, indent=2)
        assert json.loads(text) == document or re.search("[\ud800-\udfff]", str(document))
        assert ascii_only <= text.isascii()
        require_harmless(text)


def test_json_tells_words_apart():
    words = [word for word in WORDS if not re.search("[\ud800-\udfff]", word)]
    assert json.loads(to_json(WORDS)) == WORDS
    assert all(to_json(a) != to_json(b) for a, b in combinations(words, 2))


@pytest.mark.parametrize("word", WORDS)
def test_an_error_can_be_shown_anywhere(word):
    require_harmless(str(SourceError(f"file {word}", f"holds {word}.")))


def test_texts_and_consoles_are_made_in_one_place():
    """The classes of rich print control characters, or leave them out."""
    package = Path(driftkit.__file__).parent
    makers = re.compile(r"from rich\.(text|console) import .*\b(Text|Console)\b|from rich import")
    found = {file.name for file in package.rglob("*.py") if makers.search(file.read_text("utf-8"))}
    assert found == {"display.py"}
