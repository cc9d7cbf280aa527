"""The check: rules applied to the figures of an audit."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from driftkit.auditing import Audit
from driftkit.errors import BaselineError, RuleError, UnknownNameError
from driftkit.gate.baseline import (
    Baseline,
    baseline_of,
    engine_changes,
    read_baseline,
    require_comparable,
)
from driftkit.gate.decide import Outcome, decide
from driftkit.gate.differences import difference
from driftkit.gate.figures import NAN, Figure, Figures, rounded
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.profiles import Action
from driftkit.gate.rules import Amount, Rule
from driftkit.gate.subjects import COVERAGE, Subject
from driftkit.gate.verdict import Result, Verdict

WORST_WORDS = 5


def check(
    audit: Audit,
    rules: Sequence[str] | None = None,
    *,
    profile: str | None = None,
    baseline: str | os.PathLike[str] | Baseline | Audit | None = None,
    inconclusive: str | None = None,
    not_measured: str | None = None,
) -> Verdict:
    """Decide whether a table passes.

    Parameters
    ----------
    audit : Audit
    rules : sequence of str, optional
        See `driftkit.gate.rules`. Without rules and without a profile, the profile ``default``.
    profile : str, optional
        ``"strict"``, ``"default"`` or ``"lenient"``; rules given are added to those of a profile
        that is named.
    baseline : path, Baseline or Audit, optional
        What to compare with besides the original: a file from `driftkit baseline write`, or the
        audit of the previous release against the same original.
    inconclusive, not_measured : {"fail", "warn", "pass"}, optional
        What a rule of level *fail* leads to when it cannot be decided; by default what the profile
        says.

    Returns
    -------
    Verdict

    Raises
    ------
    RuleError, UnknownNameError
        If a rule cannot be read, or speaks of something that was not measured.
    BaselineError
        If the baseline is missing, damaged, foreign or outdated.
    OptionError
        If a rule needs a baseline that is not given, or the other way round.

    Examples
    --------
    >>> import numpy as np
    >>> import driftkit as dk
    >>> words = [f"word{i}" for i in range(50)]
    >>> before = np.random.default_rng(0).normal(size=(50, 4))
    >>> after = before.copy()
    >>> after[:5] += 9
    >>> pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    >>> audit = dk.audit(pair, benchmarks=["ws353"])
    >>> verdict = dk.check(audit, ["moved <= 20%", "word[word9] self_cosine >= 0.9"])
    >>> verdict.state, [result.subject for result in verdict.results]
    ('pass', ['moved', 'word[word9] self_cosine'])
    """
    policy = make_policy(
        rules,
        profile=profile,
        baseline=baseline is not None,
        inconclusive=inconclusive,
        not_measured=not_measured,
    )
    current = baseline_of(audit, policy.words)
    previous = baseline if isinstance(baseline, Audit) else None
    stored = _stored(baseline, policy)
    notes: list[str] = []
    if stored is not None:
        require_comparable(stored, current)
        notes += [f"baseline: {each}" for each in engine_changes(stored, current)]
    for table in (audit.pair.original, audit.pair.tuned):
        if table.problems:
            first = table.problems[0]
            notes.append(
                f"{table.source.name}: {len(table.problems):,} rows needed repair, such as "
                f"{first.kind}: {first.detail}"
            )
    results = [
        _result(policy, rule, subject, figure, audit, previous, stored)
        for rule in policy.rules
        for pattern in rule.subjects
        for subject, figure in _matches(rule, pattern, current.figures)
    ]
    about = current.document
    return Verdict(
        original=audit.pair.original.source.name,
        tuned=audit.pair.tuned.source.name,
        results=tuple(results),
        policy=policy,
        baseline=None if stored is None else stored.name,
        audit=audit.headline,
        words=tuple((each.word, each.lost) for each in audit.most_shifted(WORST_WORDS, moved=True)),
        notes=tuple(notes),
        about={
            "sources": {name: about[name] for name in ("original", "tuned")},
            "benchmarks": about["benchmarks"],
            **{name: about[name] for name in ("settings", "driftkit", "engines", "rounding")},
        },
    )


def _stored(
    baseline: str | os.PathLike[str] | Baseline | Audit | None, policy: Policy
) -> Baseline | None:
    if isinstance(baseline, Audit):
        return baseline_of(baseline, [w for w in policy.words if w in baseline.pair.original])
    return baseline if isinstance(baseline, Baseline | None) else read_baseline(baseline)


def _matches(rule: Rule, pattern: Subject, figures: Figures) -> Iterator[tuple[Subject, Figure]]:
    """Give what a subject of a rule stands for among the figures."""
    if rule.bound.reference == "original" and not pattern.of:
        pattern = replace(pattern, of="tuned")
    found = [(each, figure) for each, figure in figures.items() if pattern.stands_for(each)]
    if not found:
        raise _unknown(rule, pattern, figures)
    yield from found


def _unknown(rule: Rule, pattern: Subject, figures: Figures) -> Exception:
    if pattern.kind == "benchmark":
        scored = {
            each.on: each.measure
            for each in figures
            if each.kind == "benchmark" and each.measure != COVERAGE
        }
        if pattern.on != "*" and pattern.on not in scored:
            return UnknownNameError(
                "benchmark of this audit", pattern.on, scored, "Add it with --benchmark."
            )
        listed = ", ".join(f"{measure}[{name}]" for name, measure in scored.items())
        return RuleError(rule.text, f"{pattern} was not measured; this audit has {listed}.")
    if pattern.kind == "group" and pattern.of in ("original", "tuned"):
        return RuleError(
            rule.text, f"{pattern.measure} compares the two tables; the original alone has none."
        )
    known = [
        str(each)
        for each in figures
        if each.kind == pattern.kind and (each.kind != "word" or each.on == pattern.on)
    ]
    return UnknownNameError("figure of this audit", str(pattern), known)


def _result(
    policy: Policy,
    rule: Rule,
    subject: Subject,
    figure: Figure,
    audit: Audit,
    previous: Audit | None,
    stored: Baseline | None,
) -> Result:
    name, against, reference = str(subject), 0.0, NAN
    if rule.bound.reference == "original":
        against = reference = figure.unchanged
    elif rule.bound.reference == "baseline":
        base = _of_baseline(rule, subject, cast(Baseline, stored))
        against = reference = base.value
        if subject.kind == "benchmark" and figure.uncertain:
            figure = difference(subject, figure, base, audit, previous, cast(Baseline, stored))
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
            f"is outdated: it has no {subject}, which rule {rule.text!r} needs. Write it again "
            "with `driftkit baseline update`.",
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
