"""Natural mistakes at the door of a call, answered by the call that works."""

from __future__ import annotations

from os import PathLike

from driftkit.errors import OptionError

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


def at_least_one(**options: int | None) -> None:
    """Refuse options below 1; None stands for one that was left out."""
    for name, value in options.items():
        if value is not None and value < 1:
            raise OptionError(f"{name}={value} was given; it must be 1 or more.")


def mistaken(given: object, due: str, function: str) -> OptionError:
    """Return the error for a first argument that is not what is due."""
    kind = "path" if isinstance(given, str | PathLike) else type(given).__name__
    calls = _CALLS[due]
    call = (calls.get(kind) or next(iter(calls.values()))).format(function)
    given_as = _NAMES.get(kind, f"an object of type {kind}")
    return OptionError(f"{function} takes {_NAMES[due]}, and {given_as} was given; call {call}.")
