"""The grammar of rules: ``[fail|warn] SUBJECT OPERATOR BOUND``.

The bound is a number (``0.6``, ``10%``, ``-margin``), or a reference with or without a distance
from it: ``original``, ``original - 0.02``, ``baseline - 5%``, ``baseline - margin``. After ``=`` a
tolerance may follow: ``= original +- 0.01``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from driftkit.errors import InputError, RuleError
from driftkit.gate.subjects import BAND, COVERAGE, STATISTICS, Subject, parse_subjects

Level = Literal["fail", "warn"]
Operator = Literal[">=", ">", "<=", "<", "="]
Reference = Literal["original", "baseline"]
Unit = Literal["number", "percent", "margin"]


@dataclass(frozen=True, slots=True)
class Amount:
    """A signed number of units."""

    number: float
    unit: Unit = "number"

    def __str__(self) -> str:
        if self.unit == "margin":
            many = "" if abs(self.number) == 1 else f"{abs(self.number):g} "
            return f"{'-' if self.number < 0 else ''}{many}margin"
        return f"{self.number:.12g}{'%' if self.unit == 'percent' else ''}"


@dataclass(frozen=True, slots=True)
class Bound:
    """The right side of a rule.

    Parameters
    ----------
    reference : {"original", "baseline"} or None
    amount : Amount
        The bound itself, or the distance from the reference. A percentage is a share: of the words
        or benchmarks counted, of the reference, and of 1 otherwise. A margin is the smallest change
        of a benchmark that counts.
    tolerance : Amount or None
        Distance that still counts as equal; None for the default, one margin for a benchmark
        compared with a reference and 0 otherwise.
    """

    reference: Reference | None
    amount: Amount
    tolerance: Amount | None = None

    def __str__(self) -> str:
        text = str(self.amount)
        if self.reference:
            distance = f" {'-' if self.amount.number < 0 else '+'} {text.removeprefix('-')}"
            text = self.reference + (distance if self.amount.number else "")
        return text + (f" +- {self.tolerance}" if self.tolerance else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters
    ----------
    level : {"fail", "warn"}
        What a broken rule leads to.
    subjects : tuple of Subject
        What it speaks of.
    operator : {">=", ">", "<=", "<", "="}
    bound : Bound
    text : str
        As it was written.
    """

    level: Level
    subjects: tuple[Subject, ...]
    operator: Operator
    bound: Bound
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The benchmarks it names, ``*`` left out."""
        named = (each.on for each in self.subjects if each.kind == "benchmark")
        return tuple(name for name in named if name != "*")

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of words and of the space that it names."""
        return tuple(each.measure for each in self.subjects if each.kind in ("group", "word"))

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands of ranks it names, such as ``rank 1-1000``."""
        named = (each.on for each in self.subjects if each.kind == "group")
        return tuple(name for name in named if name.startswith(BAND))

    @property
    def words(self) -> tuple[str, ...]:
        """The words it protects."""
        return tuple(each.on for each in self.subjects if each.kind == "word")


_LEVEL = re.compile(r"(?P<level>fail|warn)\b\s*:?\s*(?P<rest>.*)", re.DOTALL)
_OPERATOR = re.compile(r">=|<=|==|=|>|<")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|\[(?:"(?:[^"\\]|\\.)*"|[^"\[\]])*\]')
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_AMOUNT = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:(?P<many>{_NUMBER})?\s*\*?\s*(?P<margin>margins?)|"
    rf"(?P<number>{_NUMBER})\s*(?P<percent>%?))"
)
_BOUND = re.compile(
    r"(?:(?P<reference>original|baseline)\b\s*)?(?P<amount>[^±]*?)"
    r"\s*(?:(?:±|\+-|\+/-)\s*(?P<tolerance>.+))?"
)


def parse_rule(text: str) -> Rule:
    """Read one rule.

    Parameters
    ----------
    text : str
        Such as ``"spearman[simlex999] >= -0.02"`` or ``"warn moved <= 10%"``.

    Returns
    -------
    Rule

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
        raise RuleError(
            whole, "write SUBJECT, then one of >= > <= < =, then a bound: moved <= 10%."
        )
    try:
        subjects = parse_subjects(rest[: operator.start()].strip(), whole)
    except RuleError:
        raise
    except InputError as error:  # a name nobody knows, a depth out of range
        raise RuleError(whole, str(error)) from None
    symbol = cast(Operator, operator[0].replace("==", "="))
    bound = _parse_bound(rest[operator.end() :].strip(), whole)
    _require_sense(subjects[0], symbol, bound, whole)
    return Rule(cast(Level, level), subjects, symbol, bound, whole)


def _parse_bound(text: str, rule: str) -> Bound:
    match = _BOUND.fullmatch(text)
    reference = cast("Reference | None", match["reference"] if match else None)
    if not match or not text or (not match["amount"] and not reference):
        raise _bad_bound(text, rule)
    amount = _parse_amount(match["amount"], rule) if match["amount"] else Amount(0.0)
    if reference and match["amount"] and match["amount"][0] not in "+-":
        raise _bad_bound(text, rule)
    tolerance = _parse_amount(match["tolerance"], rule) if match["tolerance"] else None
    if tolerance and tolerance.number < 0:
        raise RuleError(rule, f"the tolerance {tolerance} is negative; give 0 or more.")
    return Bound(reference, amount, tolerance)


def _parse_amount(text: str, rule: str) -> Amount:
    match = _AMOUNT.fullmatch(text.strip())
    if not match:
        raise _bad_bound(text, rule)
    sign = -1.0 if match["sign"] == "-" else 1.0
    if match["margin"]:
        return Amount(sign * float(match["many"] or 1), "margin")
    return Amount(sign * float(match["number"]), "percent" if match["percent"] else "number")


def _bad_bound(text: str, rule: str) -> RuleError:
    return RuleError(
        rule,
        f"{text!r} is not a bound; write a number (0.6), a percentage (10%), -margin, or original "
        "or baseline with an optional distance (baseline - 0.05, original - margin).",
    )


def _require_sense(subject: Subject, operator: str, bound: Bound, rule: str) -> None:
    """Refuse what can be read but has no meaning."""
    units = {bound.amount.unit} | ({bound.tolerance.unit} if bound.tolerance else set())
    scored = subject.kind == "benchmark" and subject.measure != COVERAGE
    if "margin" in units and not scored:
        raise RuleError(
            rule, f"only benchmarks have a margin; give a number or a percentage for {subject}."
        )
    if bound.amount.unit == "margin" and bound.reference is None and subject.of:
        raise RuleError(
            rule,
            f"a margin bounds a change, and {subject} is a level; write original - margin or "
            f"baseline - margin, or leave out {subject.of!r}.",
        )
    if bound.tolerance and operator != "=":
        raise RuleError(rule, f"a tolerance belongs to =; leave it out after {operator}.")
    compares = not scored and (subject.kind != "group" or subject.of in STATISTICS)
    if bound.reference == "original" and compares:
        raise RuleError(
            rule,
            f"{subject} has no value of the original table to compare with; give a number, a "
            "percentage or baseline.",
        )
