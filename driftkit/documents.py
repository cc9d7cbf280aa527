"""JSON and TOML that others wrote, parsed strictly: what could be read in two ways is not read."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from driftkit.files import LARGEST, Wrong, read_text

DEEPEST = 100
"""Levels of lists and objects; nothing that driftkit reads has more than ten."""

MOST_DIGITS = 300
"""Of a whole number: more do not fit a float."""

MOST_PARTS = 200
"""Of a key in TOML, ``a.b.c``; the time and memory a parser takes grow with their square."""

_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')


def parse_json(text: str | bytes, *, not_numbers: bool = False) -> Any:
    """Return what a JSON text says; a ValueError gives the reason why it says nothing.

    ``NaN`` and ``Infinity``, numbers past the largest float, the same key twice in one object, and
    deep nesting are refused too. With `not_numbers`, for files of tools that write ``NaN`` where
    they have no number, both constants are None.

    Examples
    --------
    >>> parse_json('{"rows": 3}'), parse_json("[NaN]", not_numbers=True)
    ({'rows': 3}, [None])
    >>> parse_json('{"a": 0, "a": 1}')
    Traceback (most recent call last):
    ValueError: the key 'a' is there twice
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_as_none if not_numbers else _refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    _require_shallow(value)
    return value


def read_json(
    path: Path, wrong: Wrong, largest: int = LARGEST, *, not_numbers: bool = False
) -> Any:
    """Return what a JSON file says; `wrong` makes the error of a sentence about the file."""
    try:
        return parse_json(read_text(path, wrong, largest), not_numbers=not_numbers)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise wrong(f"is not JSON from {place} on.") from None
    except ValueError as error:
        raise wrong(f"is not JSON that can be read: {error}.") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text says; a ValueError gives the reason why it says nothing.

    Examples
    --------
    >>> parse_toml("k = 10")
    {'k': 10}
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_PARTS and _QUOTED.sub("", line).count(".") > MOST_PARTS:
            raise ValueError(f"line {number} has a key of more than {MOST_PARTS} parts")
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        if isinstance(error, tomllib.TOMLDecodeError):
            raise
        raise ValueError("a whole number of thousands of digits is too large") from None
    _require_shallow(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {twice[:60]!r} is there twice")
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _as_none(_: str) -> None:
    return None


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:30]} is too large")
    return number


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits is too large")
    return int(digits)


def _require_shallow(value: Any) -> None:
    """Refuse deep nesting level by level, since what shows or writes a value recurses into it."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level = [item for items in inside for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(f"it is nested more than {DEEPEST} levels deep")
