"""What is said where a table could answer more."""

from __future__ import annotations

import json
import unicodedata
from itertools import pairwise

import numpy as np
import pytest

import driftkit as dk
from driftkit import align, audit, compare_scores, score
from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.datasets.languages import known_languages
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators import WEAT, Analogy, Similarity
from driftkit.evaluators.lookup import lookup
from driftkit.evaluators.registry import evaluators

RNG = np.random.default_rng(0)


def table(words) -> dk.Embeddings:
    words = list(dict.fromkeys(words))
    return dk.Embeddings(words, RNG.normal(size=(len(words), 8)).astype(np.float32))


def pairs(words, name="mine") -> SimilarityBenchmark:
    items = tuple(pairwise(words))
    return SimilarityBenchmark(name, items, np.arange(len(items), dtype=float))


PLACES = ["paris", "new_york", "café", "zürich", "rome", "oslo", "málaga", "são_paulo"]


@pytest.mark.parametrize(
    ("spell", "option", "argument"),
    [
        (str.title, "--case fold", {"case": "fold"}),
        (lambda w: unicodedata.normalize("NFD", w), "--normalize NFC", {"normalize": "NFC"}),
        (lambda w: w.replace("_", " "), "--phrase-separator ' '", {"phrase_separator": " "}),
        (lambda w: w.replace("_", "-"), "--phrase-separator -", {"phrase_separator": "-"}),
        (
            lambda w: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c != "_" else c for c in w),
            "--normalize NFKC",
            {"normalize": "NFKC"},
        ),
    ],
)
def test_the_switch_that_is_suggested_answers_what_it_promises(spell, option, argument):
    words, asked = table(map(spell, PLACES)), pairs(PLACES)
    found = score(words, [asked])
    (note,) = found.notes
    assert f": {option} would answer " in note
    promised = int(note.split(" would answer ")[1].split()[0])
    switched = score(words, [Similarity(asked, **argument)])
    assert switched["mine"].n_used == found["mine"].n_used + promised
    assert switched["mine"].n_used == len(PLACES) - 1
    assert switched.notes == ()


def test_every_kind_of_evaluator_takes_the_switches():
    analogy = AnalogyBenchmark("asked", (("new york", "Café", "paris", "rome"),), ("",))
    words = table(["New_York", "cafe\u0301", "Paris", "Rome"])
    spelling = {"case": "fold", "normalize": "NFC", "phrase_separator": "_"}
    assert Analogy(analogy).score(words).n_used == 0
    assert Analogy(analogy, **spelling).score(words).n_used == 1
    weat = WEAT("weat6", **spelling)
    assert weat.settings["normalize"] == "NFC"
    assert weat.settings["phrase separator"] == "'_'"
    assert evaluators(["ws353"], **spelling)[0].spelling == spelling


def test_as_written_comes_first_where_only_the_separator_differs():
    index = {"well-known": 0, "well_known": 1, "-rrb-": 2}
    assert lookup(index, phrase_separator="_")("well-known") == 0
    assert lookup(index, phrase_separator="_")("well known") == 1
    assert lookup(index, phrase_separator="_")("-rrb-") == 2


def test_of_rows_that_are_one_word_the_first_counts_and_that_is_said():
    words = table(["Paris", "paris", "rome", "oslo"])
    found = score(words, evaluators([pairs(["paris", "rome", "oslo"])], case="fold"))
    (note,) = found.notes
    assert note == (
        "memory: mine: 1 word stands in several rows (paris), of which the first counts"
    )
    assert lookup(words.index, "fold")("paris") == 0


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"normalize": "NFX"}, UnknownNameError, "Unicode form"),
        ({"phrase_separator": "--"}, OptionError, "the one character"),
        ({"phrase_separator": ""}, OptionError, "the one character"),
    ],
)
def test_what_cannot_be_a_switch(wrong, error, message):
    with pytest.raises(error, match=message):
        Similarity("ws353", **wrong)


def german() -> dk.Embeddings:
    return table([*known_languages()["de"].words, "Tiger", "Computer", "Sex"])


def test_names_of_another_language_are_told_with_what_fits(tmp_path, monkeypatch):
    monkeypatch.setenv("DRIFTKIT_DATA_DIR", str(tmp_path))  # none of the files is here
    said = "the names look German, and ws353, simlex999 and google are English: try -b de-ws353"
    assert score(german()).notes[0].startswith(f"memory: {said} -b de-simlex999")
    found = audit(align(german(), german()), k=2)
    assert found.scores.notes[0].startswith(said)
    knowledge = found.finding("knowledge")
    assert knowledge.status == "not tested"
    assert said in knowledge.sentence
    assert knowledge.evidence["notes"] == list(found.scores.notes)
    assert said[1:] in repr(found.scores).replace("\n", " ")
    assert "is English and ru-ws353 is Russian" not in found.headline


def test_a_script_that_cannot_be_the_benchmark_s_is_told():
    (note,) = score(table(["чай", "самовар", "мёд"]), ["ws353"]).notes
    assert note == (
        "memory: the names are in Cyrillic script, and ws353 is English: give a file of your own"
    )


def test_nothing_is_said_of_a_table_of_the_right_language():
    assert score(table(known_languages()["en"].words), ["ws353", "simlex999"]).notes == ()
    latin = score(table(["xyzzy", "frob", "baz"]), ["ws353"])
    assert latin.notes == ()  # it may be English
    assert latin.to_dict()["notes"] == []


def test_notes_are_of_one_kind_wherever_they_are_shown():
    words = table(map(str.title, PLACES))
    notes = compare_scores(align(words, words), [pairs(PLACES)]).notes
    assert score(words, [pairs(PLACES)]).notes == tuple(f"memory: {note}" for note in notes)
    both = score(words, [pairs(PLACES)]) + score(german(), ["ws353"])
    assert len(both.notes) == 2
    assert json.dumps(both.to_dict()["notes"])
