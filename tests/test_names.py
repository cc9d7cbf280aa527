"""Names in tables: short enough for 80 columns, and told apart."""

from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import driftkit as dk
from driftkit.display import to_text
from driftkit.errors import UnknownNameError
from driftkit.escaping import printable
from driftkit.names import LONG, SHORT, Names, shortened, told_apart
from driftkit.report.page.strings import Strings
from driftkit.report.terminal import audit_view
from driftkit.report.words import neighbors_view

SENTENCE = "Where the river bends {} times, an old mill stood until the flood of the year {}"


@given(st.lists(st.text(min_size=1, max_size=60), max_size=12), st.integers(10, 40))
def test_names_fit_and_names_that_differ_look_different(names, width):
    shown = told_apart(names, width)
    assert list(shown) == list(dict.fromkeys(names))
    assert all(cell_len(each) <= width for each in shown.values())
    if all(name.isprintable() for name in names):
        assert len(set(shown.values())) == len(shown)


def test_what_fits_stays_whole():
    assert told_apart(["good", "a" * SHORT], SHORT) == {"good": "good", "a" * SHORT: "a" * SHORT}


def test_the_middle_is_left_out_and_wide_letters_count_twice():
    assert shortened("championships of the world", 15) == "champio…e world"
    assert cell_len(shortened("日本語の文章がここにある", 15)) <= 15


def test_look_alikes_are_numbered_in_the_order_they_come():
    names = [f"{'x' * 90}{middle}{'y' * 90}" for middle in "abc"]
    assert [each[-2:] for each in told_apart(names, 20).values()] == ["yy", "~2", "~3"]


def test_a_name_that_is_written_as_another_is_shortened_is_told_apart():
    long = "a" * 40
    short = shortened(long, SHORT)
    shown = told_apart([long, short], SHORT)
    assert shown[short] == short
    assert shown[long] != short


def test_what_cannot_be_seen_is_shown_before_it_is_measured():
    assert printable("\x1b" * 30)[:4] == shortened("\x1b" * 30, SHORT)[:4]
    assert cell_len(shortened("\x1b" * 30, SHORT)) <= SHORT


def test_lists_are_narrow_for_words_and_wide_for_sentences():
    sentences = [SENTENCE.format(number, 1900 + number) for number in range(5)]
    assert Names(["good", "bad", "championships everywhere"]).width == SHORT
    assert Names(sentences).width == LONG
    assert (
        Names(["good", "fine", "word", "a" * 60 + "1" + "b" * 60, "a" * 60 + "2" + "b" * 60]).width
        == LONG
    )


@pytest.fixture(scope="module")
def ids_of_200_characters():
    rng = np.random.default_rng(0)
    names = [f"{'shop-' * 20}{number:04}{'-item' * 20}" for number in range(300)]
    before = rng.normal(size=(300, 12))
    after = before.copy()
    after[:60] += rng.normal(size=(60, 12))
    return dk.align(dk.Embeddings(names, before), dk.Embeddings(names[:-2], after[:-2]))


def test_no_view_of_long_ids_overflows_80_columns(ids_of_200_characters):
    pair = ids_of_200_characters
    found = dk.audit(pair)
    views = [
        audit_view(found, 3, bands=True, explain=True),
        audit_view(found, 3, pair.words[:2]),
        neighbors_view(dk.neighbor_shifts(pair, pair.words[:3])),
        dk.neighbor_shifts(pair, pair.words[:3]),
        found.words,
        dk.check(found, ["moved <= 1"]),
    ]
    for view in views:
        lines = to_text(view, 80).splitlines()
        assert max(map(cell_len, lines)) <= 80
        assert not any("shop-" * 12 in line for line in lines)


def test_neighbors_with_long_ids_look_different(ids_of_200_characters):
    shift = dk.neighbor_shifts(ids_of_200_characters, k=10)[0]
    names = Names(shift.names)
    assert len({names[name] for name in shift.names}) == len(set(shift.names))


@pytest.fixture(scope="module")
def numbered():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(200, 12))
    after = before.copy()
    after[:30] += rng.normal(size=(30, 12))
    return dk.align(dk.Embeddings(range(200), before), dk.Embeddings(range(200), after))


class TestTexts:
    def test_texts_stand_beside_ids(self, numbered):
        texts = {number: f"sentence\nof number {number}" for number in range(200)}
        found = dk.audit(numbered, texts=texts)
        assert found.texts["17"] == "sentence\nof number 17"
        worst = found.most_shifted(1, moved=True)[0]
        shown = to_text(audit_view(found, 1), 80)
        for name in worst.names:
            assert f"{name} sentence of number {name}" in shown
        assert max(map(cell_len, shown.splitlines())) <= 80

    def test_ids_without_a_text_and_texts_without_an_id_are_no_matter(self, numbered):
        found = dk.audit(numbered, texts={"17": "the seventeenth", "nobody": "no row"})
        assert found.texts == {"17": "the seventeenth"}

    @pytest.mark.parametrize(
        ("texts", "said"),
        [
            (["a", "b"], r"texts=\['a', 'b'\] was given; give a mapping from id to text"),
            ({"17": 3}, "texts holds '17': 3; give texts by ids, both strings"),
            ({True: "yes"}, "texts holds True: 'yes'"),
            ({"x1": "a"}, "texts has 1 id, such as 'x1', and none is a name of the tables, such "
                          "as '0'"),
        ],
    )  # fmt: skip
    def test_texts_that_cannot_be_meant_are_one_sentence(self, numbered, texts, said):
        with pytest.raises(dk.errors.OptionError, match=said):
            dk.audit(numbered, texts=texts)


COMPOSED, MARKED, JAMO = "caf\u00e9", "cafe\u0301", "\u1112\u1161\u11ab"


def test_letters_that_are_composed_in_another_way_are_spelled_out():
    shown = told_apart([MARKED, COMPOSED, "word"], SHORT)
    assert shown == {MARKED: r"cafe\u0301", COMPOSED: COMPOSED, "word": "word"}
    assert told_apart([MARKED, "word"], SHORT)[MARKED] == MARKED
    assert told_apart(["\ud55c", JAMO], LONG)[JAMO] == r"\u1112\u1161\u11ab"
    assert len(set(told_apart([MARKED, COMPOSED, r"cafe\u0301"], SHORT).values())) == 3
    strings = Strings()
    strings.places([COMPOSED, MARKED])
    assert strings.shown == [COMPOSED, r"cafe\u0301"]


SPELLINGS = ["e\u0301", "\u00e9", "e", "\u212b", "\u00c5", "A\u030a"]


@given(st.lists(st.sampled_from(SPELLINGS), max_size=6))
def test_no_two_names_look_alike_whatever_composes_their_letters(letters):
    names = ["".join(letters[at:]) for at in range(len(letters))]
    shown = told_apart(names, LONG)
    assert len({normalize("NFC", each) for each in shown.values()}) == len(shown)


def test_an_unknown_name_that_looks_like_a_known_one_says_how_both_are_written():
    table = dk.Embeddings([MARKED, "word"], np.eye(2))
    with pytest.raises(UnknownNameError) as caught:
        table.rows([COMPOSED])
    assert caught.value.nearest == MARKED
    assert r"written 'café', and what is known is written 'cafe\u0301'." in str(caught.value)
