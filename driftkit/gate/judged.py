"""What a rule came to in one run, and where runs like those before it lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from driftkit.errors import RuleError
from driftkit.evaluators.significance import LEVEL
from driftkit.gate.against import FEWEST, accepted, prediction
from driftkit.gate.apply import is_moot, judge, subjects_of
from driftkit.gate.baseline import Baseline
from driftkit.gate.creeping import Creeping, creeping
from driftkit.gate.facts import NAN, Fact, portable, rounded, step
from driftkit.gate.policy import Policy
from driftkit.gate.rules import Rule
from driftkit.gate.run import Run
from driftkit.gate.subjects import COVERAGE, Subject
from driftkit.gate.trajectories import Band, Point, Trajectory
from driftkit.gate.verdict import Result
from driftkit.measures.registry import parse_measure

NO_RUN_BEFORE = "no accepted run is before it"


@dataclass(frozen=True, slots=True)
class Line:
    """One subject of a rule; `moot` says why nothing is decided by it."""

    rule: Rule
    pattern: Subject
    subject: Subject
    moot: str | None = None

    @property
    def compares(self) -> bool:
        """Whether it compares with other runs."""
        return self.rule.bound.reference == "baseline"


def lines_of(policy: Policy, rule: Rule, runs: Sequence[Run]) -> Iterator[Line]:
    """Yield what a rule is about in any of the runs; a RuleError where that is nothing."""
    for pattern in rule.subjects:
        found: dict[Subject, None] = {}
        wrong: RuleError | None = None
        for run in runs:
            if is_moot(policy, rule, pattern, run):
                continue
            try:
                found.update(dict.fromkeys(subjects_of(rule, pattern, run)))
            except RuleError as error:
                wrong = error
        if not found and wrong is not None:
            if pattern.kind == "word":
                why = (
                    "is in none of these audits; `driftkit check --audit FILE` keeps the words of "
                    "its rules, and `driftkit audit -w WORD --json FILE` those that are named."
                )
                raise RuleError(rule.text, f"{pattern} {why}")
            raise wrong
        for subject in found:
            yield Line(rule, pattern, subject)
        if not found:
            moot = runs[-1].facts[Subject("question", "knowledge")].reason
            yield Line(rule, pattern, pattern, moot or "there is no benchmark")


def point_of(
    policy: Policy,
    line: Line,
    run: Run,
    window: Sequence[Run],
    stored: Baseline | None,
    looked_at: int,
) -> Point:
    """Judge one run by those of a window, which are the baseline's where one is `stored`.

    `looked_at` is how many values of a run are looked at; see `_band`.
    """
    subject = line.subject
    gap = Point(NAN, NAN, NAN, Band(), NAN, NAN, None, None, line.moot)
    if line.moot is not None:
        return replace(gap, outcome="not measured", action="pass")
    fact = run.facts.get(subject)
    if fact is None:
        of_word = subject.kind == "word"
        return replace(
            gap, reason=f"its audit does not {'list the word' if of_word else 'have it'}"
        )
    band = _band(subject, run, window, looked_at)
    point = replace(gap, value=fact.value, low=fact.low, high=fact.high, band=band)
    # A baseline that lacks a value is outdated, and the gate says so.
    known = _known(subject, window) if stored is None else list(window)
    if line.compares and not known:
        unknown = fact.reason if math.isnan(fact.value) else None
        return replace(point, reason=unknown or NO_RUN_BEFORE)
    result = _judged(policy, line, run, known, stored)
    bounded = result
    if line.compares and any(each.sha256 == run.sha256 for each in known):
        # It is compared with itself alone, and the bound is that for others.
        bounded = _judged(policy, line, _another(run), known, stored)
    reason = result.reason or (fact.reason if math.isnan(fact.value) else None)
    return replace(
        point,
        bound=_bound(bounded),
        tolerance=result.tolerance,
        outcome=result.outcome,
        action=result.action,
        reason=reason,
    )


def _known(subject: Subject, window: Sequence[Run]) -> list[Run]:
    return [run for run in window if subject in run.facts]


def _judged(
    policy: Policy, line: Line, run: Run, known: Sequence[Run], stored: Baseline | None
) -> Result:
    against = None
    if line.compares:
        name = "the runs before it" if stored is None else stored.name
        against = accepted(Baseline(name, tuple(known)), run)
    return judge(policy, line.rule, line.pattern, line.subject, run, against)


def _another(run: Run) -> Run:
    """Return the run as if it were another table with the same values."""
    tuned = {**run.document["tuned"], "sha256": ""}
    return replace(run, document={**run.document, "tuned": tuned})


def _bound(result: Result) -> float:
    """Return the bound in the units of the value, where a rule is about a difference too."""
    if result.subject.endswith(" - baseline"):
        return rounded(result.reference + result.bound)
    return result.bound


def _band(subject: Subject, run: Run, window: Sequence[Run], looked_at: int) -> Band:
    """Return where one more run lies, by those of a window that are known on the same items.

    `looked_at` is how many values of a run are looked at, of which one stands out by chance in 1 -
    `LEVEL` of all runs at most (Bonferroni).
    """
    if subject.kind == "question":
        return Band(reason="a status has none")
    values = _values(subject, run, window)
    if len(values) < FEWEST:
        return Band(runs=len(values), reason=f"too few runs before it: {len(values)} of {FEWEST}")
    least = _step(subject, (run, *window))
    half = prediction(values, LEVEL, least)
    far = prediction(values, 1 - (1 - LEVEL) / looked_at, least)
    mean, (lowest, highest) = math.fsum(values) / len(values), _range(subject)
    fact = portable(subject, Fact(mean, max(mean - half, lowest), min(mean + half, highest)))
    return Band(fact.value, fact.low, fact.high, rounded(far), len(values))


def _values(subject: Subject, run: Run, window: Sequence[Run]) -> list[float]:
    of_items = subject.kind == "benchmark" and run.facts[subject].uncertain
    same = [
        each
        for each in _known(subject, window)
        if not of_items or each.n_used(subject) == run.n_used(subject)
    ]
    values = [each.facts[subject].value for each in same]
    return [value for value in values if not math.isnan(value)]


def _step(subject: Subject, runs: Sequence[Run]) -> float:
    """Return the step to which the values of some runs are known, by the first that has one."""
    facts = (run.facts[subject] for run in _known(subject, runs))
    known = next((fact for fact in facts if not math.isnan(fact.value)), None)
    return 0.0 if known is None else step(subject, known)


def _range(subject: Subject) -> tuple[float, float]:
    """Return the least and the most that a value can be."""
    if subject.kind == "count":
        return 0.0, math.inf
    if subject.measure == COVERAGE:
        return 0.0, 1.0
    measure = parse_measure(subject.measure)
    if subject.kind == "benchmark" and not subject.of:
        return measure.low - measure.high, measure.high - measure.low
    return measure.low, measure.high


def trajectory_of(
    policy: Policy,
    line: Line,
    points: tuple[Point, ...],
    runs: Sequence[Run],
    window: Sequence[Run],
    accepted: Sequence[bool],
    looked_at: int,
    ways: int,
) -> Trajectory:
    """Put the points of a line together, with what one more run after the window is to expect.

    `ways` is in how many ways values might creep, one for each subject and side of a bound.
    """
    subject, newest = line.subject, points[-1]
    operator, limit = line.rule.operator, f"{line.rule.operator} {line.rule.bound}"
    band, bound, is_near = Band(reason=newest.reason or "not measured"), newest.bound, False
    measured = next((run for run in reversed(runs) if subject in run.facts), None)
    if line.moot is None and measured is not None:
        band = _band(subject, measured, window, looked_at)
        known = _known(subject, window)
        if known or not line.compares:
            result = _judged(policy, line, _another(measured), known, None)
            operator, bound = result.operator, _bound(result)
            if newest.action == "pass" and newest.outcome == "pass" and band.reason is None:
                half = prediction(_values(subject, measured, window), LEVEL)
                low, high = band.mean - half, band.mean + half
                below, above = bound - result.tolerance, bound + result.tolerance
                is_near = any(
                    low < below if falls else high > above for falls in sides_of(operator)
                )
    crept = None
    if measured is not None and subject.kind != "question":
        crept = _creeping(subject, operator, measured, runs, accepted)
    return Trajectory(
        rule=line.rule.text,
        level=line.rule.level,
        subject=str(subject),
        is_status=subject.kind == "question",
        operator=operator,
        limit=limit,
        points=points,
        next_band=band,
        next_bound=bound,
        is_near=is_near,
        creeping=crept,
        is_creeping=crept is not None and crept.is_shown(ways),
    )


def sides_of(operator: str) -> tuple[bool, ...]:
    """Return whether values come to a bound by falling: True, False, or both for ``=``."""
    return {"=": (True, False), "!=": ()}.get(operator, (operator in (">=", ">"),))


def _creeping(
    subject: Subject, operator: str, measured: Run, runs: Sequence[Run], accepted: Sequence[bool]
) -> Creeping | None:
    """Ask whether the values of accepted runs creep to a bound, by the same items each."""
    values = [
        (_values(subject, measured, [run]) or [NAN])[0] if counts else NAN
        for run, counts in zip(runs, accepted, strict=True)
    ]
    least = _step(subject, (measured, *runs))
    found = [creeping(values, falls=falls, step=least) for falls in sides_of(operator)]
    return max(found, key=lambda each: each.evidence, default=None)
