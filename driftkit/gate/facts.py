"""Everything an audit measured, by the name a rule knows it by.

Values are rounded here, once: what a rule decides on, what a verdict shows and what a baseline
stores is the same number, and the same on every processor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from driftkit.audits import Audit
from driftkit.display import counted
from driftkit.drift.groups import GROUPS
from driftkit.errors import UnknownNameError
from driftkit.gate.rules import ANSWERS
from driftkit.gate.subjects import COVERAGE, STATISTICS, Subject
from driftkit.measured import Measured
from driftkit.measures.registry import computed_from, parse_measure
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
    found = dict(of_questions(audit.findings, len(audit.pair))) | dict(_counts(audit))
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


def facts_of_scores(changes: Iterable[Any]) -> Facts:
    """Return the values of benchmarks: of each `ScoreChange`, or of its entry in a document."""
    return _portable(dict(found for change in changes for found in _benchmark(change)))


def _of_rows(
    measured: Measured, words: Iterable[str], bands: Iterable[str]
) -> Iterator[tuple[Subject, Fact]]:
    groups = {*GROUPS, *bands}
    rows = measured.summaries(bands=len(groups) > len(GROUPS))
    candidates, k = len(measured.shifts.candidates), measured.shifts.k
    yield from of_words((row for row in rows if row.group in groups), candidates, k)
    yield from of_space(measured.space)
    yield from _words(measured, list(dict.fromkeys(words)))


def _portable(found: Facts) -> Facts:
    return {subject: portable(subject, fact) for subject, fact in found.items()}


def of_questions(findings: Iterable[Any], n: int) -> Iterator[tuple[Subject, Fact]]:
    """Yield the answers to the six questions about n shared words."""
    for each in findings:
        known = each.status in ANSWERS
        value = ANSWERS.index(each.status) if known else NAN
        why = None if known else each.sentence
        yield (
            Subject("question", each.question),
            Fact(value, n=n, detail=each.sentence, reason=why),
        )


def _row_counts(pair: Pair) -> Iterator[tuple[Subject, Fact]]:
    counts = {
        "shared": len(pair),
        "moved": int(pair.moved.sum()),
        "added": len(pair.added),
        "removed": len(pair.removed),
        "zero": int(pair.zero.sum()),
    }
    return of_rows(counts, len(pair.original), len(pair.tuned))


def of_rows(counts: Mapping[str, int], original: int, tuned: int) -> Iterator[tuple[Subject, Fact]]:
    """Yield the counts of words, of two tables of so many rows."""
    shared = counts["shared"]
    for name, value, whole in (
        ("shared", shared, original),
        ("moved", counts["moved"], shared),
        ("unmoved", shared - counts["moved"], shared),
        ("added", counts["added"], tuned),
        ("removed", counts["removed"], original),
        ("zero", counts["zero"], shared),
    ):
        yield Subject("count", name), Fact(value, whole=whole, n=whole)


def _counts(audit: Audit) -> Iterator[tuple[Subject, Fact]]:
    pair, damaged, at = audit.pair, audit.damaged, ""
    yield from _row_counts(pair)
    if damaged["saturated"]:
        at = f"cut off at {np.abs(pair.after[audit.saturated]).max():.6g}"
    yield from of_damage(damaged, len(audit.candidate_rows), len(pair), pair.mismatch, at)
    yield from of_statuses(audit.scores)


def of_damage(
    damaged: Mapping[str, int | None], candidates: int, shared: int, why: str | None, at: str = ""
) -> Iterator[tuple[Subject, Fact]]:
    """Yield the counts of damaged words, and where None, why; `at` is where some were cut off."""
    for name, whole, detail in (("displaced", candidates, ""), ("saturated", shared, at)):
        value = damaged[name]
        fact = Fact(NAN, reason=why) if value is None else Fact(value, detail=detail)
        yield Subject("count", name), replace(fact, whole=whole, n=whole)


def of_statuses(changes: Iterable[Any]) -> Iterator[tuple[Subject, Fact]]:
    """Yield the counts of benchmarks by their status."""
    by_status: dict[str, list[Any]] = {}
    for change in changes:
        by_status.setdefault(change.status, []).append(change)
    total = sum(map(len, by_status.values()))
    undecided, unknown, untested = (
        by_status.get(status, []) for status in ("inconclusive", "not measured", "not tested")
    )
    unsure = [each for each in untested if _is_open(each)]
    reason = "; ".join(f"{each.name}: {each.reason}" for each in unknown) or None
    doubt = None if total else "the audit has no benchmark"
    for status in SETTLED:
        named = by_status.get(status, [])
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


def _is_open(change: Any) -> bool:
    """Whether a benchmark was not tested, though some item could have changed."""
    return bool(change.status == "not tested" and change.items_changeable + change.items_rivals)


def _benchmark(change: Any) -> Iterator[tuple[Subject, Fact]]:
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


def by_chance(name: str, candidates: int, k: int) -> str | None:
    """Say why a measure of lists of neighbors decides nothing; None where it does, and of others.

    Of too few candidates, the lists of two tables that have nothing in common are nearly the same;
    a measure that names no depth is of lists of depth k.
    """
    measure = parse_measure(name)
    of_lists = measure.k is not None or computed_from("neighbors", "word", [measure])
    if not of_lists or computed_from("pair", "word", [measure]):
        return None
    why = chance_alone(candidates, measure.k or k)
    return why and f"{why}; a rule needs {CANDIDATES_PER_NEIGHBOR} for each"


def of_words(rows: Iterable[Any], candidates: int, k: int) -> Iterator[tuple[Subject, Fact]]:
    """Yield what sums up the measures of words, whose k neighbors were sought among candidates."""
    for row in rows:
        group = "" if row.group == "all" else row.group
        why = row.reason or by_chance(row.measure, candidates, k)
        for statistic in STATISTICS:
            fact = Fact(getattr(row, statistic), n=row.n, reason=why)
            yield Subject("group", row.measure, statistic, group), fact


def of_space(values: Iterable[Any]) -> Iterator[tuple[Subject, Fact]]:
    """Yield the measures of the whole space."""
    values = list(values)
    originals = {(each.measure, each.group): each.value for each in values if each.of == "original"}
    for each in values:
        group = "" if each.group == "all" else each.group
        unchanged = originals.get((each.measure, each.group), NAN)
        fact = Fact(each.value, n=each.n, reason=each.reason, unchanged=unchanged)
        yield Subject("group", each.measure, "" if each.of == "pair" else each.of, group), fact


def _words(audit: Measured, words: list[str]) -> Iterator[tuple[Subject, Fact]]:
    pair, candidates, k = audit.pair, len(audit.shifts.candidates), audit.shifts.k
    if unknown := [word for word in words if word not in pair.original]:
        hint = "The original table has no such word; quotes, if any, are double ones."
        raise UnknownNameError("protected word", unknown[0], pair.original.words, hint)
    shared = [word for word in words if word in pair.index]
    shifts = audit.shifts_of(shared) if shared else None
    for at, word in enumerate(shared):
        row = pair.index[word]
        for measure, values in audit.words.values.items():
            why = audit.words.reasons.get(measure, "its row is zero in one of the tables")
            yield of_word(word, measure, values[row], why)
        if shifts is not None:
            for measure, values in shifts.values.items():
                subject, fact = of_word(
                    word, measure, values[at], shifts.reasons.get(word) or _NO_LIST
                )
                yield (
                    subject,
                    replace(fact, reason=fact.reason or by_chance(measure, candidates, k)),
                )
    gone = f"the word is not in {pair.tuned.source.name}"
    for word in words:
        if word not in pair.index:
            for measure in [*audit.words.values, *audit.shifts.values]:
                yield of_word(word, measure, NAN, gone)


def of_word(word: str, measure: str, value: float, why: str) -> tuple[Subject, Fact]:
    """Return the value of one word; NaN where it has none, and why."""
    fact = Fact(float(value), n=1, reason=why if math.isnan(value) else None)
    return Subject("word", measure, on=word), fact
