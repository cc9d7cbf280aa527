"""Natural mistakes at the door of a call, answered by the call that works."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

from driftkit.errors import OptionError, UnknownNameError

LARGEST = 2**63 - 1
"""The largest whole number that NumPy counts with."""

DEEPEST = 100_000
"""The most neighbors in a list."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)

_NAMES = {"Embeddings": "a table", "Pair": "a pair", "Audit": "an audit", "path": "a path"}

_LOADED = 'dk.align(dk.load("original.npy"), dk.load("tuned.npy"))'

_CALLS = {
    "Pair": {
        "Embeddings": "{0}(dk.align(original, tuned))",
        "Audit": "{0}(audit.pair)",
        "path": f"{{0}}({_LOADED})",
    },
    "Embeddings": {"Pair": "{0}(pair.tuned), or dk.compare_scores(pair) for both tables"},
    "Audit": {
        "Pair": "{0}(dk.audit(pair))",
        "Embeddings": "{0}(dk.audit(dk.align(original, tuned)))",
        "path": f"{{0}}(dk.audit({_LOADED}))",
    },
}
"""The call that works, by what is due and what was given instead."""


def require(given: object, due: type, function: str) -> None:
    """Refuse a first argument of another type, with the call that works.

    Examples
    --------
    >>> class Pair: ...
    >>> require("original.npy", Pair, "dk.neighbor_shifts")
    Traceback (most recent call last):
    driftkit.errors.OptionError: dk.neighbor_shifts takes a pair, and a path was given; call \
dk.neighbor_shifts(dk.align(dk.load("original.npy"), dk.load("tuned.npy"))).
    """
    if not isinstance(given, due):
        raise mistaken(given, due.__name__, function)


def path_of(given: object, function: str) -> Path:
    """Return the path of a file; refuse what is none.

    Examples
    --------
    >>> path_of(None, "dk.read_lock")
    Traceback (most recent call last):
    driftkit.errors.OptionError: dk.read_lock takes the path of a file, and None was given.
    """
    if not isinstance(given, str | PathLike):
        raise OptionError(f"{function} takes the path of a file, and {shown(given)} was given.")
    return Path(given)


def whole(least: int, most: int = LARGEST, /, **options: Any) -> None:
    """Refuse options that are not whole numbers from `least` to `most`."""
    for name, value in options.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not is_whole or not least <= int(value) <= most:
            too_many = is_whole and int(value) > most < LARGEST
            due = f"{most:,} or less" if too_many else f"{least} or more"
            raise OptionError(f"{name}={shown(value)} was given; it must be a whole number, {due}.")


def real(value: Any) -> float:
    """Return a real number as a float: NaN for anything else, infinity for what is past all floats.

    Examples
    --------
    >>> real(0.5), real(-(10**400)), real("0.5"), real(True)
    (0.5, -inf, nan, nan)
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    try:
        return float(value) if is_number else math.nan
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def number(text: str) -> float | None:
    """Return the finite decimal number that a text is; None for anything else.

    Python's own `float` also reads ``inf``, ``nan``, ``1_000`` and the digits of other scripts,
    which are mistakes in a rule, a benchmark or a setting.

    Examples
    --------
    >>> number("-0.25"), number("1e3"), number("1_0"), number("1e400"), number("٣")
    (-0.25, 1000.0, None, None, None)
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    return None if math.isinf(value) else value


def whole_number(text: str) -> int | None:
    """Return the whole number that a text of ASCII digits is; None for anything else.

    Examples
    --------
    >>> whole_number("10"), whole_number("1_0"), whole_number("1.0"), whole_number("9" * 30)
    (10, None, None, None)
    """
    value = int(text) if _WHOLE.fullmatch(text) else LARGEST + 1
    return value if abs(value) <= LARGEST else None


def shown(value: object, longest: int = 60) -> str:
    """Return how a value is written, cut short, for a message.

    Examples
    --------
    >>> shown(3), shown("a" * 99, 12)
    ('3', "'aaaaaaaa...")
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list inside itself
        text = f"an object of type {type(value).__name__}"
    return cut(text, longest)


def cut(text: str, longest: int = 60) -> str:
    """Return a text, its end left out where it is long."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def strings(name: str, given: Any, what: str) -> tuple[str, ...]:
    """Return a list of `what`, which are strings, as a tuple; refuse anything else."""
    if isinstance(given, str):
        raise OptionError(f"{name}={given!r} is one string; give a list of {what}: [{given!r}].")
    found = tuple(given) if isinstance(given, Iterable) else (given,)
    strange = [each for each in found if not isinstance(each, str)]
    if strange:
        raise OptionError(f"{name} holds {strange[0]!r}; give a list of {what}, all strings.")
    return found


def position(which: object, names: Sequence[str], kind: str, hint: str = "") -> int:
    """Return the place of one thing among others, given its name or its place, from 0."""
    if isinstance(which, str):
        if which in names:
            return names.index(which)
        raise UnknownNameError(kind, which, dict.fromkeys(names), hint)
    if not isinstance(which, Integral) or isinstance(which, bool):
        raise OptionError(f"[{which!r}] was asked for; give one {kind} by name or by position.")
    if not -len(names) <= int(which) < len(names):
        raise OptionError(f"[{which}] was asked for; there are {len(names):,}, the first is 0.")
    return int(which)


def mistaken(given: object, due: str, function: str) -> OptionError:
    """Return the error for a first argument that is not what is due."""
    kind = "path" if isinstance(given, str | PathLike) else type(given).__name__
    calls = _CALLS[due]
    call = (calls.get(kind) or next(iter(calls.values()))).format(function)
    given_as = _NAMES.get(kind, f"an object of type {kind}")
    return OptionError(f"{function} takes {_NAMES[due]}, and {given_as} was given; call {call}.")
