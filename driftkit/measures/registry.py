"""Every measure by name, and who computes it.

The grammar of names is ``name``, ``name@k``, ``name(p=value)`` or ``name(p=value)@k``. The same
string is a measure's repr, a CLI argument, a JSON key, the subject of a rule and a heading in the
docs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from driftkit.arguments import number, shown, whole_number
from driftkit.arrays import Values
from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures.measure import Bounds, Measure
from driftkit.plugins import guarded, load_plugins

Needs = Literal["pair", "neighbors", "sums", "lists"]
"""What a function computes a measure from: the rows of both tables, or the neighbors of words; and
for driftkit's own, the sums that `driftkit.drift` takes of rows anyway (these measures are always
taken), or what `driftkit.neighbors` makes of lists."""


def _built_in() -> dict[str, Measure]:
    text = files("driftkit.measures").joinpath("measures.toml").read_text(encoding="utf-8")
    found = {}
    for name, row in tomllib.loads(text).items():
        parameters = tuple((key, float(each)) for key, each in row.pop("parameters", {}).items())
        accepted = {key: Bounds(**each) for key, each in row.pop("accepted", {}).items()}
        found[name] = Measure(name, parameters=parameters, accepted=accepted, **row)
    return found


REGISTRY = _built_in()
"""Measures by name: those of driftkit, then those that were registered."""

OWN = frozenset(REGISTRY)
"""Names of those of driftkit."""

RESERVED = frozenset(
    {"added", "change", "coverage", "displaced", "gained", "inconclusive", "input", "knowledge",
     "link", "lost", "moved", "neighbors", "not_measured", "not_tested", "numbers", "original",
     "rank", "removed", "retained", "saturated", "shared", "tuned", "unmoved", "vocabulary", "word",
     "words", "zero"}
)  # fmt: skip
"""Names that mean something else in a rule, or beside measures in a frame."""

_NAME = re.compile(r"(?P<name>[\w-]+)(?:\((?P<inside>[^()]*)\))?(?:@(?P<k>[0-9]+))?")

_COMPUTATIONS: dict[str, tuple[Needs, Callable[..., Any]]] = {}


def parse_measure(text: str) -> Measure:
    """Read a measure's name.

    Parameters
    ----------
    text : str
        Such as ``"overlap@10"``; parameters left out take their defaults.

    Returns
    -------
    Measure

    Raises
    ------
    UnknownNameError
        If no measure or parameter has that name.
    OptionError
        If the text does not follow the grammar, or a depth or value is not usable.

    Examples
    --------
    >>> parse_measure("rbo")
    rbo(p=0.9)@10
    >>> all(parse_measure(str(measure)) == measure for measure in REGISTRY.values())
    True
    """
    match = _NAME.fullmatch(text.strip())
    if not match:
        raise OptionError(
            f"{text!r} is not a measure's name; write name, name@k or name(p=value)@k, "
            "such as overlap@10 or rbo(p=0.9)@10."
        )
    if match["name"] not in REGISTRY:
        load_plugins()  # one of them may register it
    if match["name"] not in REGISTRY:
        raise UnknownNameError("measure", match["name"], REGISTRY)
    measure = REGISTRY[match["name"]]
    if match["inside"]:
        measure = _with_parameters(measure, match["inside"])
    if match["k"] is None:
        return measure
    if (k := whole_number(match["k"])) is None:
        raise OptionError(f"{measure.name}@{shown(match['k'])}: no list of neighbors is that long.")
    return measure.at(k)


def _with_parameters(measure: Measure, inside: str) -> Measure:
    values = dict(measure.parameters)
    for assignment in inside.split(","):
        key, _, value = (part.strip() for part in assignment.partition("="))
        if key not in values:
            raise UnknownNameError(f"parameter of {measure.name}", key, values)
        given = number(value)
        if given is None:
            raise OptionError(f"{measure.name}({key}=...): {shown(value)} is not a number.")
        values[key] = given
    return replace(measure, parameters=tuple(values.items()))


def requested_measures(names: Sequence[str], k: int) -> tuple[Measure, ...]:
    """Read the names of measures of words or of the space, each once; a depth left out is k.

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


def register_measure(
    measure: Measure,
    compute: Callable[..., Any] | None = None,
    *,
    needs: Literal["pair", "neighbors"] = "pair",
) -> None:
    """Add a measure, so that audits, rules and reports know it by its name like any other.

    It is taken when asked for: ``dk.audit(pair, measures=["head_cosine"])``, ``driftkit audit
    --measure head_cosine``, or a rule such as ``head_cosine mean[moved] >= 0.5``.

    Parameters
    ----------
    measure : Measure
        What it is. Groups of rows that did not change read the `identity` that a measure of the
        space declares; values of words are what `compute` returns, changed or not.
    compute : callable, optional
        Computes it; parameters of the name come as keyword arguments, and so does the depth ``k``
        of a measure that has one and needs the pair.

        - Kind ``"word"``: ``compute(pair)`` returns a value for each of the n shared words, in
          their order; NaN where it cannot be measured, and infinite values count as NaN.
        - Kind ``"word"`` that needs neighbors: ``compute(shifts)`` takes the `NeighborShifts` of
          the m words asked about, with lists as long as the depth, and returns (m,) values.
        - Kind ``"space"``: ``compute(before, after)`` takes the rows (m, d) of one group of
          shared words, float32, and returns one number. It is called for all, the moved and the
          unmoved rows, and for each band of ranks.
        - A measure of benchmarks has none: the evaluator of the benchmark computes it.
    needs : {"pair", "neighbors"}
        What a measure of words is computed from.

    Raises
    ------
    OptionError
        If another measure, or a word of the rules, has that name, or if the function is missing
        or cannot be used.

    Examples
    --------
    >>> import driftkit as dk
    >>> from driftkit.measures import Bounds, Measure
    >>> def head_cosine(pair, first):
    ...     x, y = pair.before[:, : int(first)], pair.after[:, : int(first)]
    ...     with np.errstate(invalid="ignore"):
    ...         return (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    >>> dk.register_measure(
    ...     Measure(
    ...         "head_cosine", "word", -1, 1, higher_is_better=True, identity=1,
    ...         summary="Cosine of the first coordinates, before and after.", source="this page",
    ...         parameters=(("first", 2),), accepted={"first": Bounds(1, whole=True)},
    ...     ),
    ...     head_cosine,
    ... )
    >>> before = dk.Embeddings(["good", "bad"], [[1, 0, 0], [0, 1, 0]])
    >>> after = dk.Embeddings(["good", "bad"], [[0, 1, 0], [0, 1, 5]])
    >>> from driftkit.drift import word_drift
    >>> asked = [parse_measure("head_cosine"), parse_measure("head_cosine(first=3)")]
    >>> drift = word_drift(dk.align(before, after), asked)
    >>> [(name, round(drift["bad"][name], 3)) for name in map(str, asked)]
    [('head_cosine(first=2)', 1.0), ('head_cosine(first=3)', 0.196)]
    """
    if not isinstance(measure, Measure) or not (compute is None or callable(compute)):
        raise OptionError(
            f"register_measure({measure!r}, {compute!r}) was called; give a Measure and a function."
        )
    known = REGISTRY.get(measure.name)
    if measure.name in RESERVED:
        raise OptionError(f"{measure.name!r} has another meaning in rules; choose another name.")
    if measure.name in OWN or known not in (None, measure):
        raise OptionError(
            f"a measure called {measure.name!r} is registered already; choose another name."
        )
    if (compute is None) == (measure.kind in ("word", "space")):
        due = "needs a function that computes it: register_measure(measure, compute)"
        if compute is not None:
            due = "takes no function; kinds 'word' and 'space' do, others the evaluator computes"
        raise OptionError(f"measure {measure} of kind {measure.kind!r} {due}.")
    if needs not in ("pair", "neighbors") or (needs, measure.kind) == ("neighbors", "space"):
        raise OptionError(
            f"measure {measure} of kind {measure.kind!r} needs {needs!r}; a measure of words needs "
            "'pair' or 'neighbors', one of the space 'pair'."
        )
    REGISTRY[measure.name] = measure
    if compute is not None:
        provide(needs, {measure.name: compute})


def provide(needs: Needs, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Say who computes measures, by name; for rooms, of measures that are declared already."""
    for name, function in functions.items():
        _COMPUTATIONS[REGISTRY[name].name] = needs, function


def computed_from(needs: Needs, kind: str, measures: Iterable[Measure]) -> list[Measure]:
    """Return those of some measures that are of a kind and computed from what a room has."""
    return [
        each
        for each in measures
        if each.kind == kind and each.name in _COMPUTATIONS and _COMPUTATIONS[each.name][0] == needs
    ]


def function_of(measure: Measure) -> Any:
    """Return who computes a measure."""
    return _COMPUTATIONS[measure.name][1]


def compute(measure: Measure, *given: Any, shape: tuple[int, ...]) -> Values:
    """Compute a measure from what it needs, and refuse what is no array of numbers of a shape."""
    asked: dict[str, float] = dict(measure.parameters)
    if measure.k is not None and _COMPUTATIONS[measure.name][0] == "pair":
        asked["k"] = measure.k
    said = f"{measure} could not be computed"
    strange = guarded(lambda why: OptionError(f"{said} ({why}); correct its function."))
    with nullcontext() if measure.name in OWN else strange:
        values = np.asarray(function_of(measure)(*given, **asked))
    if values.shape != shape or values.dtype.kind not in "biuf":
        due = f"{shape[0]:,} numbers, one for each word, were" if shape else "one number was"
        raise OptionError(
            f"{measure} was computed as {values.dtype} of shape {values.shape}, but {due} "
            "expected; correct the function it was registered with."
        )
    values = values.astype(np.float64)
    return np.where(np.isinf(values), np.nan, values)


def finite(name: str, value: float) -> float:
    """Return a value of a measure of benchmarks, NaN if it is infinite, if its range allows it."""
    if not np.isfinite(value):
        return np.nan
    known = re.split("[(@]", name)[0] in REGISTRY
    return float(parse_measure(name).settled(np.array(value))) if known else value
