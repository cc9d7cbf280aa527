"""How good lists of results are, by the judgments of people: the measures of ir-measures.

driftkit takes those that give each query a value from 0 to 1, with which a mean and a difference
make sense. Results are handed over with their places as scores, so that equal cosines keep the
order they were found in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from driftkit.arguments import DEEPEST, strings
from driftkit.arrays import Values
from driftkit.errors import MissingExtraError, OptionError, UnknownNameError
from driftkit.retrieval.qrels import HIGHEST, Judgments

if TYPE_CHECKING:
    import ir_measures

DEFAULT = ("nDCG@10", "R@100", "RR@10")
"""Measured unless others are asked for."""

DEPTH = 1_000
"""Results that a measure without a cut-off looks at, as many as a TREC run has."""

MARGIN = 0.01
"""The smallest change that counts: a hundredth of the range, as of measures without their own."""

_Cutoff = Literal["none", "may", "must"]

MEASURES: Mapping[str, tuple[_Cutoff, bool]] = {
    "AP": ("may", True),
    "P": ("must", True),
    "R": ("must", True),
    "RR": ("may", True),
    "Rprec": ("none", True),
    "Success": ("must", True),
    "nDCG": ("may", False),
}
"""Name, whether a cut-off follows it, and whether it can ask for a relevance, ``R(rel=2)@100``."""

_WRITTEN = re.compile(r"(\w+)(?:\(rel=([0-9]{1,6})\))?(?:@([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """A measure of results: ``nDCG@10``, ``R(rel=2)@100``, ``RR``."""

    name: str
    relevance: int | None = None
    cutoff: int | None = None

    def __str__(self) -> str:
        of = "" if self.relevance is None else f"(rel={self.relevance})"
        return self.name + of + ("" if self.cutoff is None else f"@{self.cutoff}")

    @property
    def depth(self) -> int:
        """How many results it looks at."""
        return self.cutoff or DEPTH


def parse(written: str) -> Effectiveness:
    """Return the measure of that name.

    Examples
    --------
    >>> str(parse("R(rel=2)@100")), parse("RR").depth
    ('R(rel=2)@100', 1000)
    """
    match = _WRITTEN.fullmatch(written)
    name = match[1] if match else written
    if not match or name not in MEASURES:
        hint = "With a cut-off, write nDCG@10; with a least relevance, R(rel=2)@100."
        raise UnknownNameError("measure of retrieval", name, MEASURES, hint)
    relevance, cutoff = (None if part is None else int(part) for part in match.groups()[1:])
    takes, takes_relevance = MEASURES[name]
    if takes == "must" and cutoff is None:
        raise OptionError(f"{written} needs a cut-off; write {written}@10.")
    if cutoff is not None and (takes == "none" or not 1 <= cutoff <= DEEPEST):
        due = "no cut-off" if takes == "none" else f"a cut-off from 1 to {DEEPEST:,}"
        raise OptionError(f"{written} was asked for; {name} takes {due}.")
    if relevance is not None and not (takes_relevance and 1 <= relevance <= HIGHEST):
        due = f"from 1 to {HIGHEST:,}" if takes_relevance else "only as a grade, so leave it out"
        raise OptionError(f"{written} was asked for; {name} takes a relevance {due}.")
    return Effectiveness(name, relevance, cutoff)


def parse_all(written: Sequence[str] | None) -> tuple[Effectiveness, ...]:
    """Return the measures of these names, or the default ones; refuse if there are none."""
    names = DEFAULT if written is None else strings("measures", written, "measures")
    if not names:
        raise OptionError("measures is empty; name one or more, such as 'nDCG@10'.")
    return tuple(dict.fromkeys(map(parse, names)))


def require_library() -> Any:
    """Return the module that computes them, or say how it is installed."""
    try:
        import ir_measures
    except ImportError:
        what = "measuring retrieval by qrels"
        raise MissingExtraError(what, "ir-measures", "retrieval") from None
    return ir_measures


def values_of(
    measures: Sequence[Effectiveness],
    judgments: Judgments,
    queries: Sequence[str],
    results: Iterable[Sequence[str]],
) -> dict[str, Values]:
    """Return the value of each query (m,) by measure.

    `results` are the documents that each of the m queries found, best first. A query that found
    none has 0.

    Examples
    --------
    >>> found = values_of([parse("RR")], {"q": {"b": 1}}, ["q"], [["a", "b", "c"]])
    >>> found["RR"].tolist()
    [0.5]
    """
    library = require_library()
    by_theirs: dict[ir_measures.Measure, str] = {
        library.parse_measure(str(each)): str(each) for each in measures
    }
    found = {name: np.zeros(len(queries)) for name in by_theirs.values()}
    at = {query: row for row, query in enumerate(queries)}
    run = {
        query: {document: float(-place) for place, document in enumerate(listed)}
        for query, listed in zip(queries, results, strict=True)
        if listed
    }
    judged = {query: dict(judgments[query]) for query in queries}
    for metric in library.evaluator(list(by_theirs), judged).iter_calc(run):
        found[by_theirs[metric.measure]][at[metric.query_id]] = metric.value
    return found
