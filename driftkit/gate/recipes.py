"""Two recipes by several runs of each: whether one is worse than the other beyond its seeds."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from driftkit.arguments import require
from driftkit.audits import Audit
from driftkit.display import counted, joined
from driftkit.errors import OptionError
from driftkit.gate.apply import apply_rules
from driftkit.gate.baseline import Baseline, baseline_of
from driftkit.gate.check import ABOUT, check_table, notes_from_reading, portable_finding
from driftkit.gate.exact import (
    MeanDifference,
    difference_of_groups,
    difference_of_pairs,
    fewest_pairs,
)
from driftkit.gate.facts import NAN, Fact, portable
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.rules import ANSWERS
from driftkit.gate.run import Run
from driftkit.gate.subjects import Subject
from driftkit.gate.verdict import Verdict
from driftkit.questions.finding import Finding
from driftkit.questions.verdict import ADVICE

Pairs = list[tuple[int, int]]
Runs = Sequence[Run]


def check_runs(
    runs: Sequence[Audit],
    against: Sequence[Audit],
    rules: Sequence[str] | None = None,
    *,
    profile: str | None = None,
    inconclusive: str | None = None,
    not_measured: str | None = None,
) -> list[Verdict]:
    """Decide whether a recipe passes, by several runs of it and of another one.

    Rules on a baseline compare the means of the two recipes, with an interval from their runs (see
    `driftkit.gate.exact`); runs go in pairs where their names do, such as by seed. All other rules
    are applied to each of the runs.

    Parameters
    ----------
    runs, against : sequence of Audit
        Of the recipe that is checked, and of the one it is compared with; of one original.
    rules, profile, inconclusive, not_measured
        As of `driftkit.check`.

    Returns
    -------
    list of Verdict
        One for each run, if there are rules for them, and that on the two recipes last.

    Raises
    ------
    OptionError
        If a recipe has fewer than two runs, or a run twice.
    BaselineError
        If the runs cannot be compared.

    Examples
    --------
    >>> import numpy as np
    >>> import driftkit as dk
    >>> from driftkit.gate import check_runs
    >>> words = [f"word{i}" for i in range(50)]
    >>> before = np.random.default_rng(0).normal(size=(50, 4))
    >>> original = dk.Embeddings(words, before)
    >>> def run(seed, size):
    ...     after = before + size * np.random.default_rng(seed).normal(size=(50, 4))
    ...     return dk.audit(dk.align(original, dk.Embeddings(words, after)), benchmarks=[])
    >>> mild, wild = ([run(seed, size) for seed in range(1, 5)] for size in (0.01, 0.5))
    >>> rule = "self_cosine mean >= baseline - 0.01"
    >>> [check_runs(mild, wild, [rule])[-1].state, check_runs(wild, mild, [rule])[-1].state]
    ['pass', 'fail']
    """
    for audit in (*runs, *against):
        require(audit, Audit, "driftkit.gate.check_runs")
    if min(len(runs), len(against)) < 2:
        raise OptionError(
            "two recipes are compared by how their runs lie apart; give two or more runs of each "
            "(for one table against one other: --previous, or baseline=... in Python)."
        )
    policy = make_policy(
        rules, profile=profile, baseline=True, inconclusive=inconclusive, not_measured=not_measured
    )
    compares = [rule.bound.reference == "baseline" for rule in policy.rules]
    of_runs, of_recipes = (
        replace(
            policy,
            rules=tuple(r for r, c in zip(policy.rules, compares, strict=True) if c is wanted),
        )
        for wanted in (False, True)
    )
    verdicts = [check_table(audit, of_runs) for audit in runs] if of_runs.rules else []
    return [*verdicts, _of_recipes(runs, against, of_recipes)]


def _of_recipes(runs: Sequence[Audit], against: Sequence[Audit], policy: Policy) -> Verdict:
    both = baseline_of([*against, *runs], policy.words, policy.bands)  # comparable, none twice
    theirs, ours = both.runs[: len(against)], both.runs[len(against) :]
    pairs = pairs_by_name([_name(audit) for audit in runs], [_name(audit) for audit in against])
    found: dict[Subject, MeanDifference] = {}

    def compare(subject: Subject, current: Run, _: Baseline) -> Fact:
        fact, made = _difference(subject, current, ours, theirs, pairs)
        if made is not None:
            found[subject] = made
        return fact

    mean = _mean_run(ours)
    stored = Baseline(", ".join(run.name for run in theirs), theirs)
    results = apply_rules(policy, mean, stored, compare)
    about = ours[0].document
    return Verdict(
        original=runs[0].pair.original.source.name,
        tuned=mean.name,
        results=results,
        policy=policy,
        baseline=stored.name,
        runs=len(against),
        audit=_audits(runs),
        findings=tuple(map(portable_finding, _worst_findings(runs))),
        words=(),
        notes=(
            *_notes(pairs, ours, theirs, found),
            *notes_from_reading(*(audit.pair.tuned for audit in (*runs, *against))),
        ),
        about={
            "sources": {
                "original": about["original"],
                "tuned": about["tuned"],
                "runs": [run.document["tuned"] for run in ours],
                "against": [run.document["tuned"] for run in theirs],
            },
            **{name: about[name] for name in ABOUT},
        },
    )


def _name(audit: Audit) -> str:
    source = audit.pair.tuned.source
    return str(source.path or source.name) + (source.key or "")


def pairs_by_name(ours: Sequence[str], theirs: Sequence[str]) -> Pairs | None:
    """Return which run of a recipe goes with which of another; None where names do not say.

    Names of one recipe differ in a part, such as the seed. They pair where all names of a side are
    alike but for such parts, and both sides have the same ones.

    >>> pairs_by_name(["hot/seed-10.pt", "hot/seed-2.pt"], ["cold-2.npy", "cold-10.npy"])
    [(0, 1), (1, 0)]
    >>> pairs_by_name(["a-1.pt", "a-2.pt"], ["b-1.pt", "b-3.pt"]) is None
    True
    """
    keys = [_differing_parts(names) for names in (ours, theirs)]
    if None in keys or set(keys[0] or ()) != set(keys[1] or ()):
        return None
    places = {key: at for at, key in enumerate(keys[1] or ())}
    return [(at, places[key]) for at, key in enumerate(keys[0] or ())]


def _differing_parts(names: Sequence[str]) -> list[tuple[str, ...]] | None:
    """Return the parts of each name that tell it from the others; None if that is not clear."""
    split = [re.findall(r"\d+|[^\W\d_]+|[\W_]+", name) for name in names]
    if len({len(parts) for parts in split}) > 1 or len(set(names)) < len(names):
        return None
    differing = [at for at, parts in enumerate(zip(*split, strict=True)) if len(set(parts)) > 1]
    return [tuple(parts[at] for at in differing) for parts in split]


def _mean_run(ours: Runs) -> Run:
    """Return the runs of a recipe as one, by the means of their values."""
    first = ours[0]
    facts = {}
    for subject, fact in first.facts.items():
        each = [run.facts[subject] for run in ours if subject in run.facts]
        reason = next((other.reason for other in each if other.reason is not None), None)
        value = statistics.fmean(other.value for other in each)
        facts[subject] = replace(fact, value=value, low=NAN, high=NAN, reason=reason)
    return Run(_names(ours), {**first.document, "tuned": {"sha256": ""}}, facts)


def _difference(
    subject: Subject, mean: Run, ours: Runs, theirs: Runs, pairs: Pairs | None
) -> tuple[Fact, MeanDifference | None]:
    now = mean.facts[subject]
    empty = replace(now, value=NAN, uncertain=True, unchanged=0.0, detail="", doubt=None)
    if now.reason is not None:
        return replace(empty, reason=now.reason), None
    if subject.kind == "benchmark" and now.uncertain:
        counts = {run.n_used(subject) for run in (*ours, *theirs)}
        if len(counts) > 1:
            why = f"runs answered {min(counts):,} to {max(counts):,} items"
            why += ", and only answers to the same items can be compared"
            return replace(empty, reason=why), None
    ours_, theirs_ = (
        np.array([run.facts[subject].value for run in each]) for each in (ours, theirs)
    )
    if np.isnan(ours_).any() or np.isnan(theirs_).any():
        return replace(empty, reason="it could not be measured in every run"), None
    if pairs is None:
        made = difference_of_groups(ours_, theirs_)
    else:
        made = difference_of_pairs(ours_, theirs_[[at for _, at in pairs]])
    shown = "no difference" if math.isnan(made.shown) else f"one of {made.shown:.2g}"
    detail = (
        f"BCa {made.bca.low:.4g} to {made.bca.high:.4g}, p = {made.p_value:.2g}; so many runs show "
        f"{shown}"
    )
    doubt = _too_few(made, ours, theirs, pairs) if math.isnan(made.low) else None
    fact = replace(empty, value=made.value, low=made.low, high=made.high, detail=detail)
    return portable(subject, replace(fact, runs=len(theirs), doubt=doubt)), made


def _too_few(made: MeanDifference, ours: Runs, theirs: Runs, pairs: Pairs | None) -> str:
    n, m = len(ours), len(theirs)
    of = f"{n} pairs of runs" if pairs is not None else f"{n} and {m} runs"
    test = "sign-flip" if pairs is not None else "permutation"
    needed = f"{fewest_pairs()} pairs" if pairs is not None else "4 and 4 runs"
    return (
        f"a {test} test of {of} has no p-value below {made.least_p:.2g}, so no difference shows at "
        f"5 %; {needed} can"
    )


def _notes(
    pairs: Pairs | None, ours: Runs, theirs: Runs, found: dict[Subject, MeanDifference]
) -> list[str]:
    if pairs is None:
        notes = ["the names of the runs do not pair, so they are compared as two groups"]
    else:
        named = [f"{ours[at].name} with {theirs[to].name}" for at, to in pairs]
        notes = [f"runs are paired by name: {joined(named)}"]
    made = next(iter(found.values()), None)
    if made is not None and math.isnan(made.low):
        notes.append(_too_few(made, ours, theirs, pairs))
    return notes


def _names(runs: Runs) -> str:
    return f"{counted(len(runs), 'run')} ({', '.join(run.name for run in runs)})"


def _audits(runs: Sequence[Audit]) -> str:
    verdicts = [audit.verdict for audit in runs]
    counts = [f"{verdicts.count(each)} {each}" for each in ADVICE if each in verdicts]
    return f"{counted(len(runs), 'run')}: {joined(counts)}."


def _worst_findings(runs: Sequence[Audit]) -> list[Finding]:
    """Return the worst answer to each question that a run gives; none is better than not tested."""

    def badness(finding: Finding) -> int:
        order: list[Any] = [*ANSWERS[:1], "not tested", *ANSWERS[1:]]
        return order.index(finding.status)

    return [max(each, key=badness) for each in zip(*(a.findings for a in runs), strict=True)]
