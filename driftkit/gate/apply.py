"""Rules applied to what was measured, wherever that comes from.

A value that is known exactly is compared with the bound, and that is all. One that is uncertain,
such as the change of a benchmark, is decided by its 95 % interval; one that several accepted runs
are known of, by how these scatter (`driftkit.gate.against`). For ``>=``:

- *pass*: the whole interval lies at or above the bound, so the worst change that the data allow is
  still allowed;
- *fail*: the estimate lies below the bound, and the whole interval lies below *no change* (or below
  the bound, where the bound asks for more than no change). Both are needed: the fall is no accident
  of the items drawn, and its best estimate is more than is allowed;
- *inconclusive*: anything else, and a change of a benchmark that the audit did not test, but where
  none of its items could have changed;
- *not measured*: there is no value, or only a part of it, and what there is does not fail. A rule
  on unmoved words is kept where every word moved. A rule of a profile on benchmarks leads to
  nothing where the audit has none, as with items that are no words; one that somebody wrote does.

``<=`` is the mirror image. ``=`` asks for both, each with the tolerance. ``!=`` asks that a status
is another one; a question that was not tested has none. A change is tuned minus
original. A rule on ``change`` holds whatever a benchmark is scored by, so where lower is better it
is applied in its mirror image. What an audit calls *lost* is ``lost``, and mostly fails
``change[...] >= -margin``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from driftkit.drift.groups import band_masks
from driftkit.errors import BaselineError, RuleError, UnknownNameError
from driftkit.gate.against import Compare, accepted, difference, mean_of, where
from driftkit.gate.baseline import AGAIN, Baseline
from driftkit.gate.facts import NAN, SETTLED, Fact, Facts, rounded
from driftkit.gate.policy import Action, Policy
from driftkit.gate.rules import Operator, Rule
from driftkit.gate.run import Run
from driftkit.gate.subjects import CHANGE, COVERAGE, EVERY, STATISTICS, Subject
from driftkit.gate.verdict import DecidedBy, Outcome, Result
from driftkit.measures.registry import parse_measure


def apply_rules(
    policy: Policy,
    current: Run,
    stored: Baseline | None = None,
    compare: Compare = difference,
) -> tuple[Result, ...]:
    """Apply every rule, in order, to everything it is about.

    `stored` is what rules on a baseline compare with, and `compare` how. A rule about
    something that was not measured is a RuleError, a value the baseline lacks a BaselineError.
    """
    results: list[Result] = []
    stored = None if stored is None else accepted(stored, current)
    for rule in policy.rules:
        for pattern in rule.subjects:
            if is_moot(policy, rule, pattern, current):
                results.append(_moot(rule, pattern, current.facts))
                continue
            results += (
                judge(policy, rule, pattern, subject, current, stored, compare)
                for subject in subjects_of(rule, pattern, current)
            )
    return tuple(results)


def judge(
    policy: Policy,
    rule: Rule,
    pattern: Subject,
    subject: Subject,
    current: Run,
    stored: Baseline | None = None,
    compare: Compare = difference,
) -> Result:
    """Apply a rule to one of the subjects that one of its own stands for (`subjects_of`)."""
    oriented = _oriented(rule, pattern, subject)
    return _result(policy, oriented, subject, current, stored, compare)


def is_moot(policy: Policy, rule: Rule, pattern: Subject, current: Run) -> bool:
    """Whether a profile has a rule on benchmarks, and the audit of items has none.

    A rule that somebody wrote asks for benchmarks, and is not passed over.
    """
    if not policy.is_of_profile(rule) or any(each.kind == "benchmark" for each in current.facts):
        return False
    return pattern.on == EVERY or pattern in map(partial(Subject, "count"), SETTLED)


def _moot(rule: Rule, pattern: Subject, facts: Facts) -> Result:
    """Return the result of a rule that has nothing to decide: it says so, and leads to nothing."""
    why = facts[Subject("question", "knowledge")].reason or "there is no benchmark"
    return Result(
        rule=rule.text,
        subject=str(pattern),
        **dict.fromkeys(("value", "low", "high", "bound", "slack", "reference"), NAN),
        tolerance=0.0,
        operator=rule.operator,
        outcome="not measured",
        action="pass",
        decided_by="value",
        n=0,
        runs=0,
        detail="",
        reason=why,
    )


_MIRRORED: dict[Operator, Operator] = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}


def _oriented(rule: Rule, pattern: Subject, subject: Subject) -> Rule:
    """Return a rule on the change of any benchmark as it reads for the measure of this one."""
    is_score = pattern.of and rule.bound.reference is None  # a level, not how far it has moved
    if pattern.measure != CHANGE or is_score or parse_measure(subject.measure).higher_is_better:
        return rule
    bound = replace(rule.bound, number=-rule.bound.number)
    return replace(rule, operator=_MIRRORED.get(rule.operator, rule.operator), bound=bound)


def decide(fact: Fact, operator: Operator, bound: float, tolerance: float = 0.0) -> Outcome:
    """Decide one value, by a bound and a tolerance in its own units.

    Examples
    --------
    >>> drop = Fact(-0.05, -0.10, -0.01, uncertain=True, unchanged=0.0)
    >>> [decide(drop, ">=", bound) for bound in (-0.02, -0.07, -0.2)]
    ['fail', 'inconclusive', 'pass']
    """
    if math.isnan(fact.value) or math.isnan(bound):
        return "not measured"
    if operator == "!=":
        return "pass" if fact.value != bound else "fail"
    outcomes: set[Outcome] = set()
    if operator in (">=", ">", "="):
        outcomes.add(_at_least(fact, bound - tolerance, strict=operator == ">"))
    if operator in ("<=", "<", "="):
        outcomes.add(_at_least(_negated(fact), -bound - tolerance, strict=operator == "<"))
    if "fail" in outcomes:
        return "fail"
    if fact.reason is not None:
        return "not measured"
    return "inconclusive" if "inconclusive" in outcomes or fact.doubt else "pass"


def _at_least(fact: Fact, bound: float, *, strict: bool) -> Outcome:
    def short(value: float) -> bool:
        return value <= bound if strict else value < bound

    if not fact.uncertain:
        return "fail" if short(fact.value) else "pass"
    if math.isnan(fact.low) or math.isnan(fact.high):
        return "inconclusive"
    if not short(fact.low if fact.kept is None else fact.value - fact.kept):
        return "pass"
    still = bound if math.isnan(fact.unchanged) else max(bound, fact.unchanged)
    return "fail" if short(fact.value) and fact.high < still else "inconclusive"


def _negated(fact: Fact) -> Fact:
    return replace(
        fact, value=-fact.value, low=-fact.high, high=-fact.low, unchanged=-fact.unchanged
    )


def subjects_of(rule: Rule, pattern: Subject, current: Run) -> Sequence[Subject]:
    """Return what a subject of a rule stands for among the facts."""
    if rule.bound.reference == "original" and not pattern.of:
        pattern = replace(pattern, of="tuned")
    found = [each for each in current.facts if pattern.stands_for(each)]
    if not found:
        raise RuleError(rule.text, _why_nothing(pattern, current.facts))
    if pattern.kind in ("group", "word") and "@" not in pattern.measure and len(found) > 1:
        # Measured at several depths: one that is not written is that of the lists.
        k = current.document["settings"]["k"]
        named = ", ".join(each.measure for each in found)
        found = [each for each in found if parse_measure(each.measure).k in (None, k)]
        if not found:
            raise RuleError(rule.text, f"write a depth; this audit has {named}.")
    return found


def _why_nothing(pattern: Subject, facts: Facts) -> str:
    """Say why a subject stands for nothing, and what would be there instead."""
    measure = pattern.measure
    if pattern.kind == "benchmark":
        scored = {
            each.on: each.measure
            for each in facts
            if each.kind == "benchmark" and each.measure != COVERAGE
        }
        if not scored:
            return f"{pattern} was not measured: the audit has no benchmark; name one or more (-b)."
        if pattern.on not in (EVERY, *scored):
            hint = "Add it to the audit's benchmarks."
            return str(UnknownNameError("benchmark of this audit", pattern.on, scored, hint))
        listed = ", ".join(f"{measure}[{name}]" for name, measure in scored.items())
        return f"{pattern} was not measured; this audit has {listed}."
    of_words = [each for each in facts if each.kind in ("group", "word")]
    alike = [each for each in of_words if pattern.measures_like(each)]
    if not alike:
        return f"{measure} was not measured; audit with measures=[{measure!r}]."
    groups = [each.on or "all" for each in alike if (each.kind, each.of) == ("group", pattern.of)]
    if groups:
        if pattern.of in STATISTICS:
            groups += band_masks(int(facts[Subject("count", "shared")].value))
        listed = ", ".join(dict.fromkeys(groups))
        return f"there are no values of the words {pattern.on!r}; this audit has them of {listed}."
    if pattern.of:
        return (
            f"{measure} compares the two tables, so one table alone has no value; give a number, a "
            "percentage or baseline."
        )
    return f"{measure} describes one table; write {measure} tuned or {measure} original."


def _result(
    policy: Policy,
    rule: Rule,
    subject: Subject,
    current: Run,
    stored: Baseline | None,
    compare: Compare,
) -> Result:
    fact, bound = current.facts[subject], rule.bound
    name, against, reference = str(subject), 0.0, NAN
    if bound.reference == "original":
        against = reference = fact.unchanged
    elif bound.reference == "baseline" and stored is not None:
        if any(subject not in run.facts for run in stored.runs):
            why = f"is outdated: it has no {subject}, which rule {rule.text!r} needs. {AGAIN}"
            raise BaselineError(stored.name, why)
        against = reference = rounded(mean_of(subject, stored))
        if (between := compare(subject, current, stored)) is not None:
            fact = between
            name, against = f"{subject} - baseline", 0.0
        elif math.isnan(reference):
            fact = replace(fact, value=NAN, reason="the baseline could not measure it")
        else:
            fact = replace(fact, uncertain=False, detail=f"{reference:.6g} {where(stored)}")
    whole = fact.whole if math.isnan(reference) else abs(reference)
    limit = rounded(against + bound.amount(margin=fact.margin, whole=whole))
    tolerance = 0.0
    if bound.tolerance is not None:
        tolerance = rounded(bound.tolerance.amount(margin=fact.margin, whole=whole))
    elif rule.operator == "=" and bound.reference and not math.isnan(fact.margin):
        tolerance = fact.margin
    outcome = decide(fact, rule.operator, limit, tolerance)
    if outcome == "not measured" and _is_about_nothing(subject, current.facts):
        outcome = "pass"
    decided_by = _decided_by(subject, fact)
    return Result(
        rule=rule.text,
        subject=name,
        value=fact.value,
        low=fact.low if fact.uncertain else NAN,
        high=fact.high if fact.uncertain else NAN,
        operator=rule.operator,
        bound=limit,
        tolerance=tolerance,
        slack=NAN
        if decided_by == "status"
        else _slack(rule.operator, fact.value - limit, tolerance),
        reference=reference,
        outcome=outcome,
        action=_action(policy, rule, outcome),
        decided_by=decided_by,
        n=fact.n,
        runs=fact.runs,
        detail=fact.detail,
        reason=_reason(fact, outcome),
    )


def _is_about_nothing(subject: Subject, facts: Facts) -> bool:
    """Whether a rule is about words that did not move, of which there are none."""
    about_unmoved = subject.kind == "group" and subject.on == "unmoved"
    return about_unmoved and facts[Subject("count", "unmoved")].value == 0


def _decided_by(subject: Subject, fact: Fact) -> DecidedBy:
    if subject.kind == "question":
        return "status"
    return "interval" if fact.uncertain else "value"


def _slack(operator: Operator, above: float, tolerance: float) -> float:
    if operator == "=":
        return rounded(tolerance - abs(above))
    return rounded(above if operator in (">=", ">") else -above)


def _action(policy: Policy, rule: Rule, outcome: Outcome) -> Action:
    action: Action
    if outcome == "inconclusive":
        action = policy.inconclusive
    elif outcome == "not measured":
        action = policy.not_measured
    else:
        action = outcome
    return "warn" if action == "fail" and rule.level == "warn" else action


def _reason(fact: Fact, outcome: Outcome) -> str | None:
    if outcome == "inconclusive" and fact.doubt:
        return f"not tested: {fact.doubt}"
    interval = f"{fact.low:.4g} to {fact.high:.4g}"
    if outcome == "inconclusive" and fact.kept is not None:
        return f"from {fact.runs} runs that scatter so, {interval} allows a kept and a broken rule"
    if outcome == "inconclusive":
        return f"the interval, {interval}, allows both a kept and a broken rule"
    return fact.reason if outcome == "not measured" else None
