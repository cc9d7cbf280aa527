"""Everything an audit measured, by the name a rule knows it by.

Values are rounded here, once: what a rule decides on, what a verdict shows and what a baseline
stores is the same number, and the same on every processor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from driftkit.audits import Audit
from driftkit.display import counted
from driftkit.drift.groups import GROUPS
from driftkit.errors import UnknownNameError
from driftkit.evaluators import ScoreChange
from driftkit.gate.rules import ANSWERS
from driftkit.gate.subjects import COVERAGE, STATISTICS, Subject
from driftkit.measured import Measured
from driftkit.measures.registry import parse_measure
from driftkit.neighbors.overlap import CANDIDATES_PER_NEIGHBOR, chance_alone
from driftkit.pair import Pair

# Digits that no processor, BLAS or number of threads writes otherwise. Sums of a table's float32
# numbers are taken in float64, so another order of summation moves them by about 1e-14 of the size
# of what is added up. That leaves
#   - of words and benchmarks: cosines, norms, ranks and shares, where nothing large cancels, so
#     1e-14 is the error of the value. Six significant digits leave eight decades of room, and below
#     1e-9 lies only what cancellation left of a zero;
#   - of the space: roots of differences (an angle or a loss near 0 is known to sqrt(1e-14) = 1e-7)
#     and eigenvalues, of which those that are zero by theory come out at 1e-14 of the largest, so
#     that their roots err by 1e-7 too. Hence five digits, none below 1e-6.
# A mean of tenths can lie exactly halfway between two such numbers, and there the last bit would
# decide; so values are first rounded to twelve digits, which all agree on.
ROUNDING = "6 significant digits, 5 for the whole space; counts are exact"
DIGITS, GRAIN = 6, 1e-9
SPACE_DIGITS, SPACE_GRAIN = 5, 1e-6
AGREED = 12

NAN = math.nan

SETTLED = ("lost", "gained", "retained")
"""Counts of benchmarks that a status settles."""

_NO_LIST = "it is not among the words whose neighbors were sought, or none of its neighbors is"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value an audit measured, and what a rule has to know about it.

    `low` and `high` are the interval of what is `uncertain`; `unchanged` is the value had nothing
    changed, `whole` what a percentage is a share of, `margin` the smallest change of a benchmark
    that counts, `n` the words, items or rows behind it. NaN where unknown; `reason` says why.
    `doubt` says why a value that keeps a rule does not show that it is kept. Of a value decided by
    the scatter of `runs`, that many, a rule is kept by a narrower interval, `kept` to either side.
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
    doubt: str | None = None
    runs: int = 0
    kept: float | None = None


Facts = dict[Subject, Fact]


def step(subject: Subject, fact: Fact) -> float:
    """Return the step to which a value is known: one of what is counted, or its last digit."""
    if subject.kind == "count":
        return 1.0
    if subject.kind == "benchmark":
        return 1 / max(fact.n, 1)  # one of its items
    return 10.0 ** -_decimals(fact.value, *_digits(subject))


def rounded(value: float, digits: int = DIGITS, grain: float = 0.0) -> float:
    """Keep some significant digits, and none below a grain.

    Examples
    --------
    >>> rounded(0.123456789), rounded(2943.70241), rounded(3.123456e-8, grain=1e-9)
    (0.123457, 2943.7, 3.1e-08)
    """
    if not math.isfinite(value) or value == 0:
        return value + 0.0  # -0.0 reads as a change
    agreed = float(f"{value:.{AGREED}g}")
    return round(agreed, _decimals(agreed, digits, grain)) + 0.0


def _decimals(value: float, digits: int, grain: float) -> int:
    """Return how many decimals are kept of a value."""
    most = round(-math.log10(grain)) if grain else 300
    return most if value == 0 else min(digits - 1 - math.floor(math.log10(abs(value))), most)


def _digits(subject: Subject) -> tuple[int, float]:
    """Return the significant digits of a subject's values, and their grain."""
    if subject.kind == "group" and subject.of not in STATISTICS:
        return SPACE_DIGITS, SPACE_GRAIN
    return DIGITS, GRAIN


def portable(subject: Subject, fact: Fact) -> Fact:
    """Round a fact to the digits that every processor agrees on."""
    if subject.kind in ("question", "count"):
        return fact
    digits, grain = _digits(subject)
    value, low, high, unchanged = (
        rounded(each, digits, grain) for each in (fact.value, fact.low, fact.high, fact.unchanged)
    )
    kept = None if fact.kept is None else rounded(fact.kept, digits, grain)
    return replace(fact, value=value, low=low, high=high, unchanged=unchanged, kept=kept)


def facts_of(audit: Audit, words: Iterable[str] = (), bands: Iterable[str] = ()) -> Facts:
    """Return every value of an audit, and those of chosen words and bands of ranks.

    A word that only the original has is not measured; one that it has not is an UnknownNameError.
    """
    found = dict(_questions(audit)) | dict(_counts(audit))
    found.update(_of_rows(audit, words, bands))
    return _portable(found) | facts_of_scores(audit.scores)


def facts_without_findings(
    pair: Pair,
    measured: Measured | None = None,
    words: Iterable[str] = (),
    bands: Iterable[str] = (),
) -> Facts:
    """Return the counts of a pair, and of what was measured besides, the values of its rows.

    That is all of `facts_of` but what is an answer, or a count of answers, and the benchmarks.
    """
    found = dict(_row_counts(pair))
    if measured is not None:
        found.update(_of_rows(measured, words, bands))
    return _portable(found)


def facts_of_scores(changes: Iterable[ScoreChange]) -> Facts:
    """Return the values of benchmarks."""
    return _portable(dict(found for change in changes for found in _benchmark(change)))


def _of_rows(
    measured: Measured, words: Iterable[str], bands: Iterable[str]
) -> Iterator[tuple[Subject, Fact]]:
    yield from _summaries(measured, set(bands))
    yield from _space(measured)
    yield from _words(measured, list(dict.fromkeys(words)))


def _portable(found: Facts) -> Facts:
    return {subject: portable(subject, fact) for subject, fact in found.items()}


def _questions(audit: Audit) -> Iterator[tuple[Subject, Fact]]:
    for each in audit.findings:
        known = each.status in ANSWERS
        value = ANSWERS.index(each.status) if known else NAN
        why = None if known else each.sentence
        yield (
            Subject("question", each.question),
            Fact(value, n=len(audit.pair), detail=each.sentence, reason=why),
        )


def _row_counts(pair: Pair) -> Iterator[tuple[Subject, Fact]]:
    shared, moved = len(pair), int(pair.moved.sum())
    for name, value, whole in (
        ("shared", shared, len(pair.original)),
        ("moved", moved, shared),
        ("unmoved", shared - moved, shared),
        ("added", len(pair.added), len(pair.tuned)),
        ("removed", len(pair.removed), len(pair.original)),
        ("zero", int(pair.zero.sum()), shared),
    ):
        yield Subject("count", name), Fact(value, whole=whole, n=whole)


def _counts(audit: Audit) -> Iterator[tuple[Subject, Fact]]:
    pair = audit.pair
    yield from _row_counts(pair)
    shared = len(pair)
    damaged, at = audit.damaged, ""
    if damaged["saturated"]:
        at = f"cut off at {np.abs(pair.after[audit.saturated]).max():.6g}"
    for name, value, whole, detail in (
        ("displaced", damaged["displaced"], len(audit.candidate_rows), ""),
        ("saturated", damaged["saturated"], shared, at),
    ):
        fact = Fact(NAN, reason=pair.mismatch) if value is None else Fact(value, detail=detail)
        yield Subject("count", name), replace(fact, whole=whole, n=whole)
    total = len(audit.scores)
    undecided, unknown = audit.status("inconclusive"), audit.status("not measured")
    untested = audit.status("not tested")
    unsure = [each for each in untested if _is_open(each)]
    reason = "; ".join(f"{each.name}: {each.reason}" for each in unknown) or None
    doubt = None if total else "the audit has no benchmark"
    for status in SETTLED:
        named = audit.status(status)
        # Every benchmark that is not settled might still be one more.
        count, open_ = len(named), untested if status == "retained" else unsure
        most = count + len(undecided) + len(open_) + len(unknown)
        listed = [each.name for each in named] + [f"{each.name} undecided" for each in undecided]
        listed += [f"{each.name} not tested" for each in open_]
        fact = Fact(count, count, most, uncertain=most > count, unchanged=0, whole=total, n=total)
        fact = replace(fact, detail=", ".join(listed), reason=reason, doubt=doubt)
        yield Subject("count", status), fact
    unsettled = (
        ("inconclusive", undecided), ("not_tested", untested), ("not_measured", unknown),
    )  # fmt: skip
    for name, changes in unsettled:
        detail = ", ".join(each.name for each in changes)
        yield Subject("count", name), Fact(len(changes), whole=total, n=total, detail=detail)


def _is_open(change: ScoreChange) -> bool:
    """Whether a benchmark was not tested, though some item could have changed."""
    return change.status == "not tested" and change.items_changeable + change.items_rivals > 0


def _benchmark(change: ScoreChange) -> Iterator[tuple[Subject, Fact]]:
    measure, name, n = change.measure, change.name, change.n_used
    known = not math.isnan(change.delta)
    detail = f"{rounded(change.original):.3f} to {rounded(change.tuned):.3f}" if known else ""
    fact = Fact(change.delta, change.ci_low, change.ci_high, uncertain=True, unchanged=0.0, n=n)
    why = change.reason if change.status == "not measured" else None
    doubt = change.reason if _is_open(change) else None
    fact = replace(fact, margin=change.margin, detail=detail, reason=why, doubt=doubt)
    yield Subject("benchmark", measure, on=name), fact
    # The original's score is the fixed point of a level, so the interval of the change moves along.
    low, high = change.original + change.ci_low, change.original + change.ci_high
    level = replace(fact, value=change.tuned, low=low, high=high, unchanged=change.original)
    yield Subject("benchmark", measure, "tuned", name), level
    unknown = change.reason if math.isnan(change.original) else None
    before = Fact(change.original, n=n, reason=unknown)
    yield Subject("benchmark", measure, "original", name), before
    missing = (
        f"{counted(len(change.oov), 'word is', 'words are')} not in both tables"
        if change.oov
        else ""
    )
    covered = Fact(n / change.n_total, n=change.n_total, detail=missing)
    yield Subject("benchmark", COVERAGE, on=name), covered


def _by_chance(audit: Measured, measure: str) -> str | None:
    """Say why a measure of lists of neighbors decides nothing; None where it does, and of others.

    Of too few candidates, the lists of two tables that have nothing in common are nearly the same.
    """
    if measure not in audit.shifts.values:
        return None
    why = chance_alone(len(audit.shifts.candidates), parse_measure(measure).k or audit.shifts.k)
    return why and f"{why}; a rule needs {CANDIDATES_PER_NEIGHBOR} for each"


def _summaries(audit: Measured, bands: set[str]) -> Iterator[tuple[Subject, Fact]]:
    for row in audit.summaries(bands=bool(bands)):
        if row.group in GROUPS or row.group in bands:
            group = "" if row.group == "all" else row.group
            why = row.reason or _by_chance(audit, row.measure)
            for statistic in STATISTICS:
                fact = Fact(getattr(row, statistic), n=row.n, reason=why)
                yield Subject("group", row.measure, statistic, group), fact


def _space(audit: Measured) -> Iterator[tuple[Subject, Fact]]:
    originals = {
        (each.measure, each.group): each.value for each in audit.space if each.of == "original"
    }
    for each in audit.space:
        group = "" if each.group == "all" else each.group
        unchanged = originals.get((each.measure, each.group), NAN)
        fact = Fact(each.value, n=each.n, reason=each.reason, unchanged=unchanged)
        yield Subject("group", each.measure, "" if each.of == "pair" else each.of, group), fact


def _words(audit: Measured, words: list[str]) -> Iterator[tuple[Subject, Fact]]:
    pair = audit.pair
    if unknown := [word for word in words if word not in pair.original]:
        hint = "The original table has no such word; quotes, if any, are double ones."
        raise UnknownNameError("protected word", unknown[0], pair.original.words, hint)
    shared = [word for word in words if word in pair.index]
    shifts = audit.shifts_of(shared) if shared else None
    for at, word in enumerate(shared):
        row = pair.index[word]
        for measure, values in audit.words.values.items():
            why = audit.words.reasons.get(measure, "its row is zero in one of the tables")
            yield _word(word, measure, values[row], why)
        if shifts is not None:
            for measure, values in shifts.values.items():
                subject, fact = _word(
                    word, measure, values[at], shifts.reasons.get(word) or _NO_LIST
                )
                yield subject, replace(fact, reason=fact.reason or _by_chance(audit, measure))
    gone = f"the word is not in {pair.tuned.source.name}"
    for word in words:
        if word not in pair.index:
            for measure in [*audit.words.values, *audit.shifts.values]:
                yield _word(word, measure, NAN, gone)


def _word(word: str, measure: str, value: float, why: str) -> tuple[Subject, Fact]:
    fact = Fact(float(value), n=1, reason=why if math.isnan(value) else None)
    return Subject("word", measure, on=word), fact
