"""The grammar of rules: ``[fail|warn] SUBJECT OPERATOR BOUND``.

The bound is a number (``0.6``, ``10%``, ``-margin``), or a reference with or without a distance
from it: ``original``, ``original - 0.02``, ``baseline - 5%``, ``baseline - margin``. After ``=`` a
tolerance may follow: ``= original +- 0.01``. One of the six questions is compared with a status:
``input = kept``, ``link != broken``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, cast

from driftkit.arguments import number as parse_number
from driftkit.arguments import shown
from driftkit.errors import InputError, RuleError
from driftkit.gate.subjects import CHANGE, COVERAGE, STATISTICS, Subject, parse_subjects
from driftkit.measures.measure import Bounds
from driftkit.measures.registry import parse_measure
from driftkit.questions.finding import Status

Level = Literal["fail", "warn"]
Operator = Literal[">=", ">", "<=", "<", "=", "!="]
Reference = Literal["original", "baseline"]
Unit = Literal["number", "percent", "margin", "status"]

ANSWERS: tuple[Status, ...] = ("kept", "changed", "broken")
"""What a question is compared with, by place; one that was not tested is never compared."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The right side of a rule: an amount, or a reference and the distance from it.

    A percentage is a share: of the words or benchmarks counted, of the reference, otherwise of 1.
    Without a `tolerance` what counts as equal is one margin for a benchmark, 0 otherwise. A status
    is its place in `ANSWERS`.
    """

    number: float
    unit: Unit = "number"
    reference: Reference | None = None
    tolerance: Bound | None = None

    def __str__(self) -> str:
        if self.unit == "status":
            return ANSWERS[int(self.number)]
        size = abs(self.number)
        if self.unit == "margin":
            text = "margin" if size == 1 else f"{size:g} margin"
        else:
            text = f"{size:.12g}{'%' if self.unit == 'percent' else ''}"
        if self.reference is None:
            text = f"-{text}" if self.number < 0 else text
        else:
            distance = f" {'-' if self.number < 0 else '+'} {text}" if self.number else ""
            text = self.reference + distance
        return text + (f" +- {self.tolerance}" if self.tolerance else "")

    def amount(self, *, margin: float, whole: float) -> float:
        """Return the number in the units of the value that is bounded."""
        one = {"percent": whole / 100, "margin": margin}.get(self.unit, 1.0)
        return self.number * one


@dataclass(frozen=True, slots=True)
class Rule:
    """What has to hold of which subjects, what it leads to if not, and the text as written."""

    level: Level
    subjects: tuple[Subject, ...]
    operator: Operator
    bound: Bound
    text: str

    def __str__(self) -> str:
        return self.text


_LEVEL = re.compile(r"(?P<level>fail|warn)\b\s*:?\s*(?P<rest>.*)", re.DOTALL)
_OPERATOR = re.compile(r">=|<=|!=|==|=|>|<")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|\[(?:"(?:[^"\\]|\\.)*"|[^"\[\]])*\]')
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_AMOUNT = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:(?P<many>{_NUMBER})?\s*\*?\s*(?P<margin>margins?)|"
    rf"(?P<number>{_NUMBER})\s*(?P<percent>%?))",
    re.ASCII,
)
_LONGEST_BOUND = 100  # characters, where a dozen say everything
_BOUND = re.compile(
    r"(?:(?P<reference>original|baseline)\b\s*)?(?P<amount>[^±]*?)"
    r"\s*(?:(?:±|\+-|\+/-)\s*(?P<tolerance>.+))?"
)


def parse_rule(text: str) -> Rule:
    """Read one rule, such as ``spearman[simlex999] >= -0.02`` or ``warn moved <= 10%``.

    Raises
    ------
    RuleError
        If it cannot be read; the message says what is accepted.

    Examples
    --------
    >>> rule = parse_rule("warn: rbo(p=0.9) mean[moved] >= baseline - 5%")
    >>> rule.level, [str(subject) for subject in rule.subjects], rule.operator, str(rule.bound)
    ('warn', ['rbo(p=0.9) mean[moved]'], '>=', 'baseline - 5%')
    """
    whole = " ".join(text.split())
    level, rest = "fail", whole
    if match := _LEVEL.fullmatch(whole):
        level, rest = match["level"], match["rest"]
    # Operators inside brackets, parentheses and quotes are part of a name.
    masked = _QUOTED.sub(lambda found: "_" * len(found[0]), rest)
    operator = _OPERATOR.search(masked)
    if not operator or not rest[: operator.start()].strip():
        why = "write SUBJECT, then one of >= > <= < = !=, then a bound: moved <= 10%."
        raise RuleError(whole, why)
    try:
        subjects = parse_subjects(rest[: operator.start()].strip(), whole)
    except RuleError:
        raise
    except InputError as error:  # a name nobody knows, a depth out of range
        raise RuleError(whole, str(error)) from None
    symbol = cast(Operator, operator[0].replace("==", "="))
    written = rest[operator.end() :].strip()
    if subjects[0].kind == "question":
        bound = _parse_status(subjects[0], symbol, written, whole)
    else:
        bound = _parse_bound(written, whole)
        _require_sense(subjects[0], symbol, bound, whole)
    return Rule(cast(Level, level), subjects, symbol, bound, whole)


def _parse_status(subject: Subject, operator: Operator, text: str, rule: str) -> Bound:
    if text not in ANSWERS or operator not in ("=", "!="):
        raise RuleError(
            rule,
            f"{subject} is a question; write {subject} = or != and one of {', '.join(ANSWERS)}, "
            f"such as {subject} != broken. One that was not tested is reported as not measured.",
        )
    return Bound(ANSWERS.index(text), "status")


def _parse_bound(text: str, rule: str) -> Bound:
    match = _BOUND.fullmatch(text) if len(text) <= _LONGEST_BOUND else None
    if not match or not (match["amount"] or match["reference"]):
        raise _bad_bound(text, rule)
    reference = cast("Reference | None", match["reference"])
    if reference and match["amount"] and match["amount"][0] not in "+-":
        raise _bad_bound(text, rule)
    number, unit = _parse_amount(match["amount"] or "0", rule)
    tolerance = Bound(*_parse_amount(match["tolerance"], rule)) if match["tolerance"] else None
    if tolerance and tolerance.number < 0:
        raise RuleError(rule, f"the tolerance {tolerance} is negative; give 0 or more.")
    return Bound(number, unit, reference, tolerance)


def _parse_amount(text: str, rule: str) -> tuple[float, Unit]:
    match = _AMOUNT.fullmatch(text.strip())
    number = parse_number(match["number"] or match["many"] or "1") if match else None
    if match is None or number is None:
        raise _bad_bound(text, rule)
    unit: Unit = "margin" if match["margin"] else "percent" if match["percent"] else "number"
    return -number if match["sign"] == "-" else number, unit


def _bad_bound(text: str, rule: str) -> RuleError:
    return RuleError(
        rule,
        f"{shown(text)} is not a bound; write a number (0.6), a percentage (10%), -margin, or "
        "original or baseline with an optional distance (baseline - 0.05, original - margin).",
    )


def _require_sense(subject: Subject, operator: str, bound: Bound, rule: str) -> None:
    """Refuse what can be read but has no meaning."""
    if operator == "!=":
        raise RuleError(rule, "!= goes with one of the six questions: link != broken.")
    scored = subject.kind == "benchmark" and subject.measure != COVERAGE
    uses_margin = "margin" in (bound.unit, bound.tolerance and bound.tolerance.unit)
    if uses_margin and not scored:
        why = f"only benchmarks have a margin; give a number or a percentage for {subject}."
        raise RuleError(rule, why)
    if bound.unit == "margin" and bound.reference is None and subject.of:
        raise RuleError(
            rule,
            f"a margin bounds a change, and {subject} is a score; write original - margin or "
            f"baseline - margin, or leave out {subject.of!r}.",
        )
    if bound.tolerance and operator != "=":
        raise RuleError(rule, f"a tolerance goes with =; leave it out after {operator}.")
    _require_in_range(subject, bound, rule)
    compares = not scored and (subject.kind != "group" or subject.of in STATISTICS)
    if bound.reference == "original" and compares:
        raise RuleError(
            rule,
            f"{subject} compares the two tables, so the original alone has no value to compare "
            "with; give a number, a percentage or baseline.",
        )


def _require_in_range(subject: Subject, bound: Bound, rule: str) -> None:
    """Refuse a bound out of the range of values: the rule would always pass, or always fail."""
    if bound.reference is not None or bound.unit == "margin" or subject.measure == CHANGE:
        return
    low, high, scale = 0.0, 1.0, 100.0 if bound.unit == "percent" else 1.0
    if subject.kind == "count":
        high = 1.0 if bound.unit == "percent" else math.inf
    elif subject.measure != COVERAGE:
        measure = parse_measure(subject.measure)
        low, high = measure.low, measure.high
        if subject.kind == "benchmark" and not subject.of:  # a change
            low, high = low - high, high - low
    if not low * scale <= bound.number <= high * scale:
        percent = " percent" if scale > 1 else ""
        always = f"{subject} is always {Bounds(low * scale, high * scale)}{percent}"
        raise RuleError(rule, f"{always}, so a bound of {bound} decides nothing.")
