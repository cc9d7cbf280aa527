from __future__ import annotations

import random

import pytest
from shared_data import SHARED, needs_shared

from driftkit.datasets import REGISTRY
from driftkit.datasets.languages import known_languages, languages_of
from driftkit.datasets.source import FOLDER_VARIABLE


def index(words) -> dict[str, int]:
    return {word: row for row, word in enumerate(dict.fromkeys(words))}


def told(words) -> list[str]:
    return [one.name for one in languages_of(index(words))]


SHARING = [one for one in known_languages().values() if one.words]


@pytest.mark.parametrize("language", SHARING, ids=lambda one: one.name)
def test_the_common_words_of_a_language_tell_it(language):
    assert told(language.words) == [language.name]
    assert told(map(str.capitalize, language.words)) == [language.name]
    assert len({*language.words}) == len(language.words) > 40


@pytest.mark.parametrize(
    ("names", "language"),
    [
        ("東京 京都 明日 きれい カメラ", "Japanese"),
        ("北京 上海 明天 漂亮 GDP", "Chinese"),
        ("사람 세계 물", "Korean"),
        ("άνθρωπος κόσμος", "Greek"),
    ],
)
def test_a_script_of_one_language_tells_it(names, language):
    assert told(names.split()) == [language]


def test_foreign_words_at_the_end_of_a_large_table_do_not_count():
    english, german = (known_languages()[code].words for code in ("en", "de"))
    filler = [f"filler{n}" for n in range(2000)]
    assert told([*english, *filler, *german]) == ["English"]
    assert set(told([*english, *german])) == {"English", "German"}


def test_of_few_or_rare_words_only_the_script_is_told():
    (one,) = languages_of(index(["tea", "samovar", "xyzzy"]))
    assert (one.code, one.name) == ("", "Latin")
    assert told(["1", "...", "<pad>2"]) in ([], ["Latin"])
    assert languages_of({}) == ()


@needs_shared
def test_words_of_the_registered_sets_are_told(monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(SHARED))
    for dataset in REGISTRY.values():
        if dataset.task == "similarity" and dataset.n_items > 300:
            words = [word for pair in dataset.read().pairs for word in pair]
            random.Random(0).shuffle(words)
            assert [one.code for one in languages_of(index(words))] == [dataset.language]
