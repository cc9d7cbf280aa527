"""Rules applied to figures, without knowing where the figures come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from driftkit.drift.groups import band_masks
from driftkit.errors import BaselineError, RuleError, UnknownNameError
from driftkit.gate.baseline import AGAIN, Baseline
from driftkit.gate.facts import NAN, Figure, Figures, rounded
from driftkit.gate.outcome import Outcome, decide
from driftkit.gate.policy import Policy
from driftkit.gate.previous_release import Paired, difference
from driftkit.gate.profiles import Action
from driftkit.gate.rules import Amount, Rule
from driftkit.gate.subjects import COVERAGE, STATISTICS, Subject
from driftkit.gate.verdict import Result
from driftkit.measures.registry import parse_measure


def apply_rules(
    policy: Policy,
    current: Baseline,
    stored: Baseline | None = None,
    paired: Paired | None = None,
) -> tuple[Result, ...]:
    """Apply every rule to every figure it speaks of.

    Parameters
    ----------
    policy : Policy
    current : Baseline
        Figures of the table that is checked.
    stored : Baseline, optional
        What rules on a baseline compare with.
    paired : callable, optional
        See `driftkit.gate.previous_release.difference`.

    Returns
    -------
    tuple of Result
        In the order of the rules.

    Raises
    ------
    RuleError
        If a rule speaks of something that was not measured.
    BaselineError
        If the baseline lacks a figure that a rule needs.
    """
    return tuple(
        _result(policy, rule, subject, figure, current, stored, paired)
        for rule in policy.rules
        for pattern in rule.subjects
        for subject, figure in _matches(rule, pattern, current)
    )


def _matches(rule: Rule, pattern: Subject, current: Baseline) -> Iterator[tuple[Subject, Figure]]:
    """Return what a subject of a rule stands for among the figures."""
    figures = current.figures
    if rule.bound.reference == "original" and not pattern.of:
        pattern = replace(pattern, of="tuned")
    found = [(each, figure) for each, figure in figures.items() if pattern.stands_for(each)]
    if not found:
        raise _unknown(rule, pattern, figures)
    if pattern.kind in ("group", "word") and "@" not in pattern.measure and len(found) > 1:
        # Measured at several depths: one that is not written is that of the lists.
        k = current.document["settings"]["k"]
        named = ", ".join(each.measure for each, _ in found)
        found = [each for each in found if parse_measure(each[0].measure).k in (None, k)]
        if not found:
            raise RuleError(rule.text, f"write a depth; this audit has {named}.")
    yield from found


def _unknown(rule: Rule, pattern: Subject, figures: Figures) -> RuleError:
    if pattern.kind == "benchmark":
        scored = {
            each.on: each.measure
            for each in figures
            if each.kind == "benchmark" and each.measure != COVERAGE
        }
        if pattern.on != "*" and pattern.on not in scored:
            unknown = UnknownNameError(
                "benchmark of this audit", pattern.on, scored, "Add it to the audit's benchmarks."
            )
            return RuleError(rule.text, str(unknown))
        listed = ", ".join(f"{measure}[{name}]" for name, measure in scored.items())
        return RuleError(rule.text, f"{pattern} was not measured; this audit has {listed}.")
    if pattern.kind in ("group", "word") and not _has_measure(pattern, figures):
        return RuleError(
            rule.text,
            f"{pattern.measure} was not measured; audit with measures=[{pattern.measure!r}].",
        )
    groups = [each.on or "all" for each in figures if replace(pattern, on=each.on).stands_for(each)]
    if groups:
        if pattern.of in STATISTICS:
            groups += band_masks(int(figures[Subject("count", "shared")].value))
        return RuleError(
            rule.text,
            f"there is no figure of the words {pattern.on!r}; this audit has them of "
            f"{', '.join(dict.fromkeys(groups))}.",
        )
    if pattern.of:
        return RuleError(
            rule.text,
            f"{pattern.measure} compares the two tables, so one table alone has none; give a "
            "number, a percentage or baseline.",
        )
    return RuleError(
        rule.text,
        f"{pattern.measure} describes one table; write {pattern.measure} tuned or "
        f"{pattern.measure} original.",
    )


def _has_measure(pattern: Subject, figures: Figures) -> bool:
    """Whether any figure is of the measure, whatever it is summed up over."""
    return any(
        replace(pattern, kind="group", of="", on="").stands_for(
            replace(each, kind="group", of="", on="")
        )
        for each in figures
        if each.kind in ("group", "word")
    )


def _result(
    policy: Policy,
    rule: Rule,
    subject: Subject,
    figure: Figure,
    current: Baseline,
    stored: Baseline | None,
    paired: Paired | None,
) -> Result:
    name, against, reference = str(subject), 0.0, NAN
    if rule.bound.reference == "original":
        against = reference = figure.unchanged
    elif rule.bound.reference == "baseline":
        base = _of_baseline(rule, subject, cast(Baseline, stored))
        against = reference = base.value
        if subject.kind == "benchmark" and figure.uncertain:
            figure = difference(subject, current, cast(Baseline, stored), paired)
            name, against = f"{subject} - baseline", 0.0
        elif math.isnan(base.value):
            figure = replace(figure, value=NAN, reason="the baseline could not measure it")
        else:
            figure = replace(figure, uncertain=False, detail=f"{base.value:.6g} in the baseline")
    bound = rounded(against + _amount(rule.bound.amount, figure, reference))
    tolerance = _tolerance(rule, figure, reference)
    outcome = decide(figure, rule.operator, bound, tolerance)
    return Result(
        rule=rule.text,
        subject=name,
        value=figure.value,
        low=figure.low if figure.uncertain else NAN,
        high=figure.high if figure.uncertain else NAN,
        operator=rule.operator,
        bound=bound,
        tolerance=tolerance,
        slack=_slack(rule, figure.value, bound, tolerance),
        reference=reference,
        outcome=outcome,
        action=_action(policy, rule, outcome),
        decided_by="interval" if figure.uncertain else "value",
        n=figure.n,
        detail=figure.detail,
        reason=_reason(figure, outcome),
    )


def _of_baseline(rule: Rule, subject: Subject, stored: Baseline) -> Figure:
    if subject not in stored.figures:
        raise BaselineError(
            stored.name,
            f"is outdated: it has no {subject}, which rule {rule.text!r} needs. {AGAIN}",
        )
    return stored.figures[subject]


def _amount(amount: Amount, figure: Figure, reference: float) -> float:
    if amount.unit == "margin":
        return amount.number * figure.margin
    if amount.unit == "number":
        return amount.number
    whole = figure.whole if math.isnan(reference) else abs(reference)
    return amount.number / 100 * whole


def _tolerance(rule: Rule, figure: Figure, reference: float) -> float:
    if rule.operator != "=":
        return 0.0
    if rule.bound.tolerance is not None:
        return rounded(_amount(rule.bound.tolerance, figure, reference))
    if rule.bound.reference and not math.isnan(figure.margin):
        return figure.margin
    return 0.0


def _slack(rule: Rule, value: float, bound: float, tolerance: float) -> float:
    if rule.operator == "=":
        return rounded(tolerance - abs(value - bound))
    return rounded(value - bound if rule.operator in (">=", ">") else bound - value)


def _action(policy: Policy, rule: Rule, outcome: Outcome) -> Action:
    wanted: dict[Outcome, Action] = {
        "pass": "pass",
        "fail": "fail",
        "inconclusive": policy.inconclusive,
        "not measured": policy.not_measured,
    }
    action = wanted[outcome]
    return "warn" if action == "fail" and rule.level == "warn" else action


def _reason(figure: Figure, outcome: Outcome) -> str | None:
    if outcome == "inconclusive":
        return (
            f"the interval, {figure.low:.4g} to {figure.high:.4g}, allows both a kept and a broken "
            "rule"
        )
    return figure.reason if outcome == "not measured" else None
