"""Everything an audit measured, by the name a rule knows it by.

Figures are rounded here, once: what a rule decides on, what a verdict shows and what a baseline
stores is the same number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from driftkit.audits import Audit
from driftkit.drift.groups import GROUPS
from driftkit.errors import UnknownNameError
from driftkit.evaluators import ScoreChange
from driftkit.gate.subjects import COVERAGE, STATISTICS, Subject

DIGITS = 6
"""Significant digits kept of every figure that is not a count."""

ROUNDING = f"{DIGITS} significant digits; counts are exact"

NAN = math.nan

_NO_LIST = "it is not among the words whose neighbors were sought, or none of its neighbors is"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Parameters
    ----------
    value : float
        NaN when it could not be measured.
    low, high : float
        Ends of the interval of a quantity that is uncertain; NaN for one that is known exactly.
    uncertain : bool
        Whether a rule must go by the interval.
    unchanged : float
        What the value would be had nothing changed; NaN where that has no meaning.
    whole : float
        What a percentage is a share of.
    margin : float
        Smallest change of a benchmark that counts; NaN for other figures.
    n : int
        Words, items or rows behind the figure.
    detail : str
        What a reader wants to see beside it.
    reason : str or None
        Why it could not be measured, or not wholly.
    """

    value: float
    low: float = NAN
    high: float = NAN
    uncertain: bool = False
    unchanged: float = NAN
    whole: float = 1.0
    margin: float = NAN
    n: int = 0
    detail: str = ""
    reason: str | None = None


Figures = dict[Subject, Figure]


def rounded(value: float) -> float:
    """Keep six significant digits.

    Examples
    --------
    >>> rounded(0.123456789), rounded(2943.70241), rounded(float("nan"))
    (0.123457, 2943.7, nan)
    """
    kept = float(f"{value:.{DIGITS}g}")
    return 0.0 if kept == 0 else kept  # -0.0 reads as a change


def figures_of(audit: Audit, words: Iterable[str] = (), bands: Iterable[str] = ()) -> Figures:
    """Return every figure of an audit, and those of chosen words and bands of ranks.

    Parameters
    ----------
    audit : Audit
    words : iterable of str
        Words whose own figures are wanted. One that only the original has is not measured.
    bands : iterable of str
        Bands of ranks, such as ``rank 1-1000``, over which per-word measures are summed up as well.

    Returns
    -------
    dict of Subject to Figure

    Raises
    ------
    UnknownNameError
        If the original has no such word.
    """
    found = dict(_counts(audit))
    for change in audit.scores:
        found.update(_benchmark(change))
    found.update(_summaries(audit, set(bands)))
    found.update(_space(audit))
    found.update(_words(audit, list(dict.fromkeys(words))))
    return found


def _counts(audit: Audit) -> Iterator[tuple[Subject, Figure]]:
    pair = audit.pair
    shared, moved = len(pair), int(pair.moved.sum())
    for name, value, whole in (
        ("shared", shared, len(pair.original)),
        ("moved", moved, shared),
        ("unmoved", shared - moved, shared),
        ("added", len(pair.added), len(pair.tuned)),
        ("removed", len(pair.removed), len(pair.original)),
        ("zero", int(pair.zero.sum()), shared),
        ("displaced", int(audit.displaced.sum()), len(audit.candidate_rows)),
    ):
        yield Subject("count", name), Figure(value, whole=whole, n=whole)
    cut = audit.saturated
    at = f"cut off at {np.abs(pair.after[cut]).max():.6g}" if cut.any() else ""
    yield Subject("count", "saturated"), Figure(int(cut.sum()), whole=shared, n=shared, detail=at)
    total = len(audit.scores)
    undecided = audit.status("inconclusive")
    unknown = audit.status("not measured")
    reason = None
    if unknown:
        reason = "; ".join(f"{each.name}: {each.reason}" for each in unknown)
    for status in ("lost", "gained", "retained"):
        named = audit.status(status)
        # Every benchmark that is not settled might still be one more.
        most = len(named) + len(undecided) + len(unknown)
        yield (
            Subject("count", status),
            Figure(
                len(named),
                low=len(named),
                high=most,
                uncertain=most > len(named),
                unchanged=0,
                whole=total,
                n=total,
                detail=", ".join(
                    [
                        *(each.name for each in named),
                        *(f"{each.name} undecided" for each in undecided),
                    ]
                ),
                reason=reason,
            ),
        )
    for name, statuses in (
        ("inconclusive", undecided),
        ("not_measured", unknown),
    ):
        detail = ", ".join(each.name for each in statuses)
        yield Subject("count", name), Figure(len(statuses), whole=total, n=total, detail=detail)


def _benchmark(change: ScoreChange) -> Iterator[tuple[Subject, Figure]]:
    original, tuned, delta = map(rounded, (change.original, change.tuned, change.delta))
    measure, name = change.measure, change.name
    figure = Figure(
        delta,
        rounded(change.ci_low),
        rounded(change.ci_high),
        uncertain=True,
        unchanged=0.0,
        margin=change.margin,
        n=change.n_used,
        detail="" if math.isnan(delta) else f"{original:.3f} to {tuned:.3f}",
        reason=change.reason,
    )
    yield Subject("benchmark", measure, on=name), figure
    # The original's score is the fixed point of a level, so the interval of the change moves along.
    level = replace(
        figure,
        value=tuned,
        low=rounded(change.original + change.ci_low),
        high=rounded(change.original + change.ci_high),
        unchanged=original,
    )
    yield Subject("benchmark", measure, "tuned", name), level
    unknown = change.reason if math.isnan(original) else None
    yield (
        Subject("benchmark", measure, "original", name),
        Figure(original, n=change.n_used, reason=unknown),
    )
    missing = f"{len(change.oov):,} words are not in both tables" if change.oov else ""
    yield (
        Subject("benchmark", COVERAGE, on=name),
        Figure(rounded(change.n_used / change.n_total), n=change.n_total, detail=missing),
    )


def _summaries(audit: Audit, bands: set[str]) -> Iterator[tuple[Subject, Figure]]:
    for row in audit.summaries(bands=bool(bands)):
        if row.group not in GROUPS and row.group not in bands:
            continue
        group = "" if row.group == "all" else row.group
        for statistic in STATISTICS:
            yield (
                Subject("group", row.measure, statistic, group),
                Figure(rounded(getattr(row, statistic)), n=row.n, reason=row.reason),
            )


def _space(audit: Audit) -> Iterator[tuple[Subject, Figure]]:
    originals = {
        (each.measure, each.group): rounded(each.value)
        for each in audit.space
        if each.of == "original"
    }
    for each in audit.space:
        group = "" if each.group == "all" else each.group
        of = "" if each.of == "pair" else each.of
        yield (
            Subject("group", each.measure, of, group),
            Figure(
                rounded(each.value),
                n=each.n,
                reason=each.reason,
                unchanged=originals.get((each.measure, each.group), NAN),
            ),
        )


def _words(audit: Audit, words: list[str]) -> Iterator[tuple[Subject, Figure]]:
    pair = audit.pair
    if unknown := [word for word in words if word not in pair.original]:
        raise UnknownNameError(
            "protected word",
            unknown[0],
            pair.original.words,
            "The original table has no such word.",
        )
    shared = [word for word in words if word in pair.index]
    shifts = audit.shifts_of(shared) if shared else None
    neighbors = shifts.values if shifts is not None else {}
    for at, word in enumerate(shared):
        row = pair.index[word]
        for measure, values in audit.words.values.items():
            yield _word(word, measure, values[row], "its row is zero in one of the tables")
        for measure, values in neighbors.items():
            why = shifts.reasons.get(word) if shifts is not None else None
            yield _word(word, measure, values[at], why or _NO_LIST)
    gone = f"the word is not in {pair.tuned.source.name}"
    for word in words:
        if word not in pair.index:
            for measure in [*audit.words.values, *audit.shifts.values]:
                yield _word(word, measure, np.float64(NAN), gone)


def _word(word: str, measure: str, value: np.float64, why: str) -> tuple[Subject, Figure]:
    figure = rounded(float(value))
    reason = why if math.isnan(figure) else None
    return Subject("word", measure, on=word), Figure(figure, n=1, reason=reason)
