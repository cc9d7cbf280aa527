"""Which languages the names of a table look like: by their scripts and by common words.

It is a guess, meant to say that the benchmarks asked for are of another language, and no more. A
language counts where its script is common among the names and the table has the common words of
``languages.toml``. Large tables hold many foreign words, at higher rows: so of several languages
those count whose common words come about as early as those of the first.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from statistics import median

SEEN = 2_000  # names whose script is looked at, evenly spaced
COMMON_SCRIPT = 0.25  # share of the names written in letters from which a script counts
KANA = 0.1  # share of kana among Han and kana from which names look Japanese, not Chinese
FEWEST_WORDS, ENOUGH = 5, 0.4
"""Of a language's common words, those that a table must have. With `SEEN` names or more it must
have that share, or twice as many as of any other language: it holds loans from several."""
NEAR, EARLY = 0.7, 4.0
"""A language counts beside the likeliest one where it has this share of as many common words, and
where the median row of these is at most this many times as high."""

_SCRIPTS = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its ISO 639-1 code: name, script, and common words where the script is shared.

    The code is empty, and the name that of a script, where only the script could be told.
    """

    code: str
    name: str
    script: str
    words: tuple[str, ...] = ()


@cache
def known_languages() -> Mapping[str, Language]:
    """Return the languages that can be told, by code."""
    text = files("driftkit.datasets").joinpath("languages.toml").read_text(encoding="utf-8")
    return {
        code: Language(code, row["name"], row["script"], tuple(row.get("words", "").split()))
        for code, row in tomllib.loads(text).items()
    }


def languages_of(index: Mapping[str, int]) -> tuple[Language, ...]:
    """Return the languages that names, given with their rows, look like, the likeliest first.

    Where a script is common but no language of it can be told, the script stands for it.

    Examples
    --------
    >>> names = "haus stadt gut alt und der nicht".split()
    >>> [one.name for one in languages_of({name: row for row, name in enumerate(names)})]
    ['German']
    >>> [one.name for one in languages_of({"東京": 0, "きれい": 1})]
    ['Japanese']
    """
    found: list[Language] = []
    for script in _scripts(index):
        spoken = [one for one in known_languages().values() if one.script == script]
        if len(spoken) == 1 and not spoken[0].words:
            found += spoken
        else:
            found += _by_words(index, spoken) or [Language("", script, script)]
    return tuple(found)


def _by_words(index: Mapping[str, int], spoken: Sequence[Language]) -> list[Language]:
    """Return those languages of one script whose common words a table has."""
    rows = {
        one: [
            min(index[spelling] for spelling in spellings)
            for word in one.words
            if (spellings := [each for each in (word, word.capitalize()) if each in index])
        ]
        for one in spoken
    }
    most = max(map(len, rows.values()), default=0)
    counts = sorted(map(len, rows.values()))
    is_alone = len(index) < SEEN or len(counts) == 1 or counts[-1] >= 2 * counts[-2]
    many = {
        one: median(at)
        for one, at in rows.items()
        if len(at) >= max(FEWEST_WORDS, NEAR * most)
        and (is_alone or len(at) >= ENOUGH * len(one.words))
    }
    first = min(many.values(), default=0)
    return sorted(
        (one for one, row in many.items() if row + 1 <= EARLY * (first + 1)), key=many.__getitem__
    )


def _scripts(index: Mapping[str, int]) -> list[str]:
    """Return the common scripts of some names, the most common first."""
    some = islice(index, 0, None, max(len(index) // SEEN, 1))
    counts = Counter(script for name in some if (script := _script(name)))
    han, kana = counts.pop("Han", 0), counts.pop("Kana", 0)
    if han or kana:
        counts["Kana" if kana >= KANA * (han + kana) else "Han"] = han + kana
    least = COMMON_SCRIPT * counts.total()
    return [script for script, count in counts.most_common() if count >= least]


def _script(name: str) -> str:
    """Return the script of a name's first letter, kana before Han; empty without a letter."""
    found = ""
    for letter in name:
        if letter.isalpha():
            first = unicodedata.name(letter, "").split(" ")[0]
            script = _SCRIPTS.get(first, first.capitalize())
            if script == "Kana":
                return script
            found = found or script
            if found != "Han":
                return found
    return found
