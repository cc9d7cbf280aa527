r"""What strangers wrote, made harmless where it is shown or written for people.

Words, keys, names of files and settings come from files that anybody can have made. They are data:
they must not steer a terminal, look like another word, or give an order to the runner of a build.
Every view and every report passes through the functions here; exact text stays in the results.

- `printable` shows the characters of a text that cannot be seen, such as ``\x1b`` or ``\u200b``.
- `harmless` breaks what a runner would take for a command, in lines that are ready to be printed.
- `to_json` does both in JSON, without changing what it means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import category, normalize

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_LONG_WORD = re.compile(r"\S{201,}")
_LONG_TEXT = 5_000
_MARKS = 8
"""Marks on one letter; no script stacks more of them."""

# Characters that take up no ink and that Python counts as printable all the same: joiners and
# fillers that are letters or marks, variation selectors, and the blank patterns of Braille and
# of musical notes.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)

# Where a joiner changes how its neighbors look, it can be seen, and is part of honest spelling:
# beside a virama of India's scripts, between two emoji, and after an Arabic letter that would
# otherwise join the next (joining type D in Unicode's ArabicShaping.txt).
_VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
_DUAL = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687"
    "\u069a-\u06bf\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff"
)
_ARABIC = "\u0620\u0622-\u064a\u066e-\u06d3\u06fa-\u06ff"
_VISIBLE_JOINER = re.compile(
    f"(?<=[{_VIRAMA}])[\u200c\u200d]|(?<=[\u0900-\u0dff])\u200d(?=[{_VIRAMA}])"
    f"|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])|(?<=[{_DUAL}])\u200c(?=[{_ARABIC}])"
)

# What the runners of builds obey. GitHub: ``::`` where a line begins, after blanks, and ``##[``
# anywhere; Azure: ``##vso[``, and TeamCity: ``##teamcity[``, anywhere. GitLab's sections need an
# escape code. Our own colors may stand before the text.
_COMMAND = re.compile(r"^((?:[^\S\n]|\x1b\[[\d;]*m)*)(?=::)|(?<=#)(?=#[\w.]*\[)", re.MULTILINE)
_COMMAND_IN_JSON = re.compile(r"(?<=#)#(?=[\w.]*\[)")


def printable(text: str, *, cut: bool = True) -> str:
    r"""Return a text with what cannot be seen in it shown as escapes.

    These are control characters, those that turn the direction of writing, blanks other than the
    space, joiners where they change nothing, variation selectors, private and unassigned
    characters, halves of surrogate pairs, and marks heaped on one letter. Very long words, and very
    long texts, are cut in the middle unless `cut` is False.

    Examples
    --------
    >>> print(printable("a\x1b[31m\nb\u202e"), printable("zero\u200bwidth"), printable("क्‍ष"))
    a\x1b[31m\nb\u202e zero\u200bwidth क्‍ष
    """
    shown = _cut(text) if cut else text
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(_seen(shown))
        shown = _cut(shown) if cut else shown
    return shown


def looks(text: str) -> str:
    """Return what tells two printable texts apart by eye: one code for each composed letter."""
    return normalize("NFC", text)


def spelled_out(text: str) -> str:
    r"""Return a text whose letters are composed in another way than usual as escapes, to be told.

    Examples
    --------
    >>> print(spelled_out("caf\u00e9"), spelled_out("cafe\u0301"))
    café cafe\u0301
    """
    if looks(text) == text:
        return text
    return _BEYOND_ASCII.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def harmless(lines: str) -> str:
    r"""Return lines in which nothing is a command to the runner of a build, by a backslash in it.

    This is for text as it is printed, after lines were wrapped, since a word in the middle of a
    sentence can come to stand where a line begins.

    Examples
    --------
    >>> print(harmless("  ::error::x\na ##[group]\n##ing a::b"))
      \::error::x
    a #\#[group]
    ##ing a::b
    """
    return _COMMAND.sub(r"\1\\", lines)


def to_json(document: object, *, ascii_only: bool = False, **settings: Any) -> str:
    r"""Write JSON, in which what cannot be seen, and what a runner would obey, is escaped.

    Examples
    --------
    >>> print(to_json(["café", "a\u202e\x9b", "##vso[x]"]))
    ["café", "a\u202e\u009b", "#\u0023vso[x]"]
    """
    text = json.dumps(document, ensure_ascii=ascii_only, allow_nan=False, **settings)
    text = re.sub(r"[^\n -~]", _in_json, text)
    return _COMMAND_IN_JSON.sub(r"\\u0023", text)


def _seen(text: str) -> Iterator[str]:
    marks = 0
    for at, each in enumerate(text):
        marks = marks + 1 if category(each) in ("Mn", "Me") else 0
        if marks > _MARKS or (_is_hidden(each) and not _VISIBLE_JOINER.match(text, at)):
            yield each.encode("unicode_escape").decode()
        else:
            yield each


def _in_json(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if _is_hidden(found[0]) else found[0]


def _is_hidden(character: str) -> bool:
    return not character.isprintable() or _BLANK.match(character) is not None


def _cut(text: str) -> str:
    if len(text) > _LONG_TEXT:
        text = f"{text[: _LONG_TEXT // 2]} ... {text[-_LONG_TEXT // 4 :]}"
    return _LONG_WORD.sub(lambda word: f"{word[0][:100]}...{word[0][-50:]}", text)
