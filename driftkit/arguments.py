"""Natural mistakes at the door of a call, answered by the call that works."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from os import PathLike
from typing import Any

from driftkit.errors import OptionError, UnknownNameError

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


def whole(least: int, /, **options: Any) -> None:
    """Refuse options that are not whole numbers, `least` or more."""
    for name, value in options.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
            due = f"a whole number, {least} or more"
            raise OptionError(f"{name}={value!r} was given; it must be {due}.")


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
