"""Measures that a user asks for by name, besides those an audit always takes."""

from __future__ import annotations

from collections.abc import Sequence

from driftkit.errors import OptionError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import parse_measure


def requested_measures(names: Sequence[str], k: int) -> tuple[Measure, ...]:
    """Read the names of measures of words or of the space.

    Parameters
    ----------
    names : sequence of str
        Such as ``"jaccard@50"`` or ``"displacement(center=1)"``.
    k : int
        Depth of measures whose name has none.

    Returns
    -------
    tuple of Measure
        Each once, in the order asked for.

    Raises
    ------
    UnknownNameError, OptionError
        If a name cannot be read, or names a measure of a benchmark.

    Examples
    --------
    >>> requested_measures(["jaccard", "rbo(p=0.98)@50", "jaccard@10"], k=10)
    (jaccard@10, rbo(p=0.98)@50)
    """
    if isinstance(names, str):
        raise OptionError(f"measures={names!r} is one string; give a list of names: [{names!r}].")
    return tuple(dict.fromkeys(_requested(name, k) for name in names))


def _requested(name: str, k: int) -> Measure:
    measure = parse_measure(name)
    if measure.kind not in ("word", "space"):
        raise OptionError(
            f"{measure} is how a benchmark is scored, so it comes with a benchmark; name that "
            "instead (--benchmark, benchmarks=[...])."
        )
    return measure.at(k) if measure.k is not None and "@" not in name else measure
