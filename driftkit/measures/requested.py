"""Measures that a user asks for by name, besides those an audit always takes."""

from __future__ import annotations

from collections.abc import Sequence

from driftkit.errors import OptionError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import parse_measure


def requested_measures(names: Sequence[str], k: int) -> tuple[Measure, ...]:
    """Read names of measures of words or of the space, each once; a depth left out is k.

    >>> requested_measures(["jaccard", "rbo(p=0.98)@50", "jaccard@10"], k=10)
    (jaccard@10, rbo(p=0.98)@50)
    """
    if isinstance(names, str):
        raise OptionError(f"measures={names!r} is one string; give a list of names: [{names!r}].")
    found = []
    for name in names:
        measure = parse_measure(name)
        if measure.kind not in ("word", "space"):
            raise OptionError(
                f"{measure} is how a benchmark is scored, so it comes with a benchmark; name that "
                "instead (--benchmark, benchmarks=[...])."
            )
        found.append(measure.at(k) if measure.k is not None and "@" not in name else measure)
    return tuple(dict.fromkeys(found))
