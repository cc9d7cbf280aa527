import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders.columns.choose import Column, choose
from driftkit.loaders.request import Request

KINDS = {"t": "text", "w": "whole numbers", "n": "numbers", "v": "vectors", "r": "row numbers"}


def columns(described):
    """Columns written as ``name:t`` for text, and so on."""
    return [Column(name, KINDS[kind]) for name, kind in (c.split(":") for c in described.split())]


def chosen(described, key=None, repeated=()):
    request = Request("table", "table")
    return choose(request, columns(described), lambda name: name not in repeated, key=key).key


@pytest.mark.parametrize(
    ("described", "key"),
    [
        ("word:t V1:n V2:n", "word:V1..V2"),
        ("word:t vector:v", "word:vector"),
        ("id:w word:t vector:v", "word:vector"),
        ("id:w text:t vector:v", "id:vector"),
        ("text:t vector:v", "text:vector"),
        ("product_id:w vector:v price:n", "product_id:vector"),
        ("word:t 0:n 1:n 10:n 2:n 3:n 4:n 5:n 6:n 7:n 8:n 9:n", "word:0..10"),
        ("0:t 1:n 2:n", "0:1..2"),
        ("word:t count:w V1:n V2:n", "word:V1..V2"),
        ("word:t x:n y:n", "word:x..y"),
        ("year:w vector:v", "year:vector"),
        ("V1:n V2:n", "V1..V2"),
        ("index:r V1:n V2:n", "V1..V2"),
    ],
)
def test_the_only_choice_is_taken_and_its_key_makes_it_again(described, key):
    assert chosen(described) == key
    assert chosen(described, key) == key


@pytest.mark.parametrize(
    "described",
    ["id:t title:t v:v", "word:t token:t v:v", "a:t b:t v:v", "word:t a:v b:v",
     "word:t n:w x:n y:n", "word:t x:n y:n other:t z:n", "word:t a0:n a1:n b0:n b1:n",
     "word:t d0:n d2:n", "word:t"],
)  # fmt: skip
def test_more_than_one_choice_is_none(described):
    with pytest.raises(SourceError, match=r"table: (its|holds)"):
        chosen(described)


def test_names_come_once():
    assert chosen("lang:t url:t v:v", repeated=["lang"]) == "url:v"
    with pytest.raises(SourceError, match="has another value in each row"):
        chosen("lang:t v:v", repeated=["lang"])
    assert chosen("lang:t v:v", "lang:v", repeated=["lang"]) == "lang:v"
    assert chosen("word:t v:v", repeated=["word"]) == "word:v"  # the first row of each is used


KEYS = re.compile(r"table::(\S+?)(?=[.,;]?(?:\s|$))")


@settings(max_examples=200, deadline=None)
@given(
    kinds=st.lists(
        st.tuples(
            st.sampled_from(["id", "word", "title", "x", "y", "d0", "d1", "d2", "d3", "count",
                             "7", "8", "11", "v"]),
            st.sampled_from([*KINDS.values(), "other"]),
        ), min_size=1, max_size=6, unique_by=lambda column: column[0],
    ),
    has_header=st.booleans(), vocab=st.sampled_from([None, ["a"]]),
)  # fmt: skip
def test_keys_that_a_refusal_proposes_are_obeyed_or_lead_on(kinds, has_header, vocab):
    """A proposed key is never one that names what is not there, or what cannot be read."""
    if not has_header:
        kinds = [(str(place + 1), kind) for place, (_, kind) in enumerate(kinds)]
    table = [Column(name, kind) for name, kind in kinds]
    request = Request("table", "table", vocab=vocab)

    def said(key):
        try:
            choose(request, table, lambda _: True, key=key, has_header=has_header)
        except VocabularyError:
            return ""
        except SourceError as error:
            return str(error)
        return ""

    def proposed(key):
        return [each for each in KEYS.findall(said(key)) if each != "FIRST..LAST"]

    keys = proposed(None)
    for _ in range(3):
        assert all(proposed(key) for key in keys if said(key))
        keys = [more for key in keys for more in proposed(key)]
    assert not keys
