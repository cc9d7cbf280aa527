"""The check: rules applied to what an audit measured."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from driftkit.arguments import require
from driftkit.audits import Audit
from driftkit.display import counted, joined
from driftkit.embeddings import Embeddings
from driftkit.gate.against import (
    FEWEST,
    Compare,
    difference,
    is_decided_by_runs,
    paired_interval,
)
from driftkit.gate.apply import apply_rules, is_moot
from driftkit.gate.baseline import (
    Baseline,
    baseline_of,
    engine_changes,
    read_baseline,
    require_comparable,
)
from driftkit.gate.facts import SPACE_DIGITS, SPACE_GRAIN, rounded
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.run import Run, run_of
from driftkit.gate.verdict import Verdict
from driftkit.questions.finding import Finding

WORST_WORDS = 5

ABOUT = ("benchmarks", "settings", "driftkit", "engines", "rounding")
"""What a verdict keeps of where its values come from, besides the tables."""


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
    RuleError
        If a rule cannot be read, or is about something that was not measured.
    UnknownNameError
        If a protected word, a profile or an action is unknown.
    BaselineError
        If the baseline is missing, damaged, foreign or outdated.
    OptionError
        If `audit` is not an audit, or a rule needs a baseline that is not given, or the other way
        round.

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
    require(audit, Audit, "dk.check")
    policy = make_policy(
        rules,
        profile=profile,
        baseline=baseline is not None,
        inconclusive=inconclusive,
        not_measured=not_measured,
    )
    return check_table(audit, policy, baseline)


def check_table(
    audit: Audit,
    policy: Policy,
    baseline: str | os.PathLike[str] | Baseline | Audit | None = None,
) -> Verdict:
    """Decide whether a table passes the rules of a policy; see `check`."""
    current = run_of(audit, policy.words, policy.bands)
    stored: Baseline | None = None
    compare: Compare = difference
    if isinstance(baseline, Audit):
        compare = partial(difference, paired=partial(paired_interval, audit, baseline))
        words = [word for word in policy.words if word in baseline.pair.original]
        stored = baseline_of(baseline, words, policy.bands)
    elif baseline is not None:
        stored = baseline if isinstance(baseline, Baseline) else read_baseline(baseline)
    notes: list[str] = []
    if stored is not None:
        require_comparable(stored, current)
        if not isinstance(baseline, Audit):
            notes += _on_runs(stored, current)
        changes = engine_changes(stored, current)
        notes += [f"{stored.name} was {each}; last digits may differ" for each in changes]
    if moot := [
        rule.text
        for rule in policy.rules
        if any(is_moot(policy, rule, subject, current) for subject in rule.subjects)
    ]:
        why = audit.finding("knowledge").sentence
        notes.append(f"{why}; so nothing was decided by {joined(moot)}")
    notes += notes_from_reading(audit.pair.original, audit.pair.tuned)
    about = current.document
    return Verdict(
        original=audit.pair.original.source.name,
        tuned=audit.pair.tuned.source.name,
        results=apply_rules(policy, current, stored, compare),
        policy=policy,
        baseline=None if stored is None else stored.name,
        runs=0 if stored is None else len(stored.runs),
        audit=audit.headline,
        findings=tuple(map(portable_finding, audit.findings)),
        words=tuple((each.word, each.lost) for each in audit.most_shifted(WORST_WORDS, moved=True)),
        notes=tuple(notes),
        about={
            "sources": {name: about[name] for name in ("original", "tuned")},
            **{name: about[name] for name in ABOUT},
        },
    )


def _on_runs(stored: Baseline, current: Run) -> list[str]:
    """Say where the scatter of runs could not decide."""
    n = len(stored.runs)
    if any(run.sha256 == current.sha256 for run in stored.runs):
        of = f"one of the {n} runs" if n > 1 else "the run"
        return [f"{current.name} is {of} of {stored.name}, and was compared with itself"]
    if is_decided_by_runs(stored):
        return []
    return [
        f"{stored.name} holds {counted(n, 'run')}, which does not show how far runs of one recipe "
        f"lie apart; {FEWEST} or more do, so add some of other seeds (`driftkit baseline add`)"
    ]


def notes_from_reading(*tables: Embeddings) -> list[str]:
    """Tell of each table how much there was to say when it was read."""
    notes = []
    for table in tables:
        if table.problems:
            first = table.problems[0]
            told = f"{counted(len(table.problems), 'note')} from reading it"
            notes.append(f"{table.source.name}: {told}, such as {first.kind}: {first.detail}")
    return notes


def portable_finding(finding: Finding) -> Finding:
    """Round the evidence of a finding to the digits that every processor agrees on."""

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: kept(inside) for name, inside in value.items()}
        if isinstance(value, list | tuple):
            return [kept(inside) for inside in value]
        return rounded(value, SPACE_DIGITS, SPACE_GRAIN) if isinstance(value, float) else value

    return replace(finding, evidence=kept(finding.evidence))
