"""What the rules of a budget are about, measured of one table after the other."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from driftkit.arrays import Mask
from driftkit.audits import audit, candidate_words
from driftkit.datasets import name_of
from driftkit.drift import SpaceDrift, space_drift, word_drift
from driftkit.errors import RuleError
from driftkit.evaluators import Evaluator, ScoreChanges, compare_scores
from driftkit.evaluators.comparison.compare import FEWEST_RESAMPLES, halves_of
from driftkit.evaluators.registry import Scorable, evaluators
from driftkit.gate.apply import apply_rules
from driftkit.gate.facts import Facts, facts_of, facts_of_scores, facts_without_findings
from driftkit.gate.policy import Policy
from driftkit.gate.run import Run
from driftkit.gate.subjects import EVERY, Subject
from driftkit.gate.verdict import Result
from driftkit.measured import Measured, Settings
from driftkit.measures.registry import parse_measure, requested_measures
from driftkit.neighbors.optional_measures import shifts_with_measures
from driftkit.pair import Pair

_COUNTED = ("shared", "moved", "unmoved", "added", "removed", "zero")
"""Counts that need nothing but the pair."""


@dataclass
class Gauge:
    """Applies the rules of a policy to tables of one original, and measures no more than they name.

    A rule on moved or unmoved words must hold twice: of those that tuning moved, which stay the
    same words whatever is restored, and of those that differ in the table at hand, as the gate asks
    it. The result is the first, unless only the second breaks the rule.

    Parameters
    ----------
    moved : ndarray of bool, shape (n,)
        The shared words that tuning moved.
    policy : Policy
    benchmarks : sequence, optional
        Besides those that the rules name, where a rule is about all.
    settings : Settings
    """

    moved: Mask
    policy: Policy
    benchmarks: Sequence[Scorable] | Scorable | None
    settings: Settings
    memo: MutableMapping[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked = self._benchmarks()
        if self.is_halved and not self.asked:
            raise RuleError(self.policy.rules[0].text, "it is about benchmarks; name one or more.")

    @property
    def is_halved(self) -> bool:
        """Whether a rule is about the items of a benchmark, which can be halved."""
        return any(each.kind == "benchmark" for each in self._subjects)

    @property
    def _subjects(self) -> list[Subject]:
        return [subject for rule in self.policy.rules for subject in rule.subjects]

    @property
    def _needs_findings(self) -> bool:
        return any(
            each.kind == "question" or (each.kind == "count" and each.measure not in _COUNTED)
            for each in self._subjects
        )

    @property
    def _needs_rows(self) -> bool:
        return any(each.kind in ("group", "word") for each in self._subjects)

    def _benchmarks(self) -> tuple[Evaluator, ...]:
        every = any(each.on == EVERY for each in self._subjects) or self._needs_findings
        named = self.policy.benchmarks
        found: tuple[Evaluator, ...] = ()
        if self.benchmarks is not None and not (self.benchmarks == [] or self.benchmarks == ()):
            found = evaluators(self.benchmarks)
        elif self.benchmarks is None and every:
            found = evaluators()
        found = tuple(each for each in found if every or name_of(each) in named)
        known = {name_of(each) for each in found}
        missing = [name for name in named if name not in known]
        return (*found, *(evaluators(missing) if missing else ()))

    def results(self, pair: Pair) -> tuple[tuple[Result, ...], tuple[Result, ...]]:
        """Return the results of all rules by one half of the items, and by the other.

        What is no benchmark is the same in both.
        """
        scores, facts = self._measured(pair)
        of_tuning = self._of_tuning(pair)
        halves = halves_of(scores, seed=self.settings.seed, resamples=self.settings.resamples)
        one, other = (
            self._twice(pair, facts | facts_of_scores(half), of_tuning) for half in halves
        )
        return one, other

    def _twice(self, pair: Pair, facts: Facts, of_tuning: Facts) -> tuple[Result, ...]:
        asked = self._applied(pair, facts)
        if not of_tuning:
            return asked
        return tuple(
            own if own.outcome != "pass" or gate.outcome == "pass" else gate
            for own, gate in zip(self._applied(pair, facts | of_tuning), asked, strict=True)
        )

    def _of_tuning(self, pair: Pair) -> Facts:
        """Measure the words that tuning moved, and those that it did not, where these differ."""
        groups = {"moved": self.moved.any(), "unmoved": not self.moved.all()}
        named = {each.on for each in self._subjects if each.kind == "group" and groups.get(each.on)}
        if not named or np.array_equal(pair.moved, self.moved):
            return {}
        grouped = replace(pair)
        vars(grouped)["moved"] = self.moved  # in the place of what differs in this pair
        facts = facts_without_findings(grouped, self._rows(grouped))
        return {
            subject: fact
            for subject, fact in facts.items()
            if subject.kind == "group" and subject.on in named
        }

    def _applied(self, pair: Pair, facts: Facts) -> tuple[Result, ...]:
        document = {"settings": {"k": self.settings.k}}
        return apply_rules(self.policy, Run(pair.tuned.source.name, document, facts))

    def _measured(self, pair: Pair) -> tuple[ScoreChanges, Facts]:
        settings, policy = self.settings, self.policy
        if self._needs_findings:
            found = audit(
                pair,
                list(self.asked),
                k=settings.k,
                candidates=settings.candidates,
                resamples=settings.resamples,
                seed=settings.seed,
                measures=policy.measures,
                memo=self.memo,
            )
            return found.scores, facts_of(found, policy.words, policy.bands)
        scores = ScoreChanges(())
        if self.is_halved:  # the halves are drawn anew, so nobody reads these intervals
            how: Any = {"seed": settings.seed, "resamples": FEWEST_RESAMPLES, "memo": self.memo}
            scores = compare_scores(pair, self.asked, **how)
        rows = self._rows(pair) if self._needs_rows else None
        return scores, facts_without_findings(pair, rows, policy.words, policy.bands)

    def _rows(self, pair: Pair) -> Measured:
        """Measure words and, where a rule names it, the space."""
        k = self.settings.k
        asked = requested_measures(self.policy.measures, k)
        pool = candidate_words(pair, self.settings.candidates)
        among = [*pool, *pair.added[: self.settings.candidates]]
        shifts, hubs = shifts_with_measures(pair, pool, k, asked, candidates=among, memo=self.memo)
        of_space = any(parse_measure(name).kind == "space" for name in self.policy.measures)
        space = space_drift(pair, measures=asked).values if of_space else ()
        return Measured(
            pair,
            self.settings,
            word_drift(pair, asked),
            SpaceDrift(tuple(space) + hubs),
            shifts,
            ScoreChanges(()),
            (),
            None,
        )
