"""What an audit found: the measurements, what they answer, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from driftkit.measured import Measured, Settings
from driftkit.questions import input as its_input
from driftkit.questions import knowledge, link, neighbors, numbers, vocabulary
from driftkit.questions.finding import Finding, Question
from driftkit.questions.verdict import Advice, headline_of, verdict_of

__all__ = ["Findings", "Settings"]

_ASKED = (its_input, vocabulary, knowledge, neighbors, link, numbers)


@dataclass(frozen=True)
class Findings(Measured):
    """What was measured, and what it advises; `driftkit.Audit` adds how it is shown."""

    null: Findings | None = field(default=None, repr=False)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The answers to the six questions: input, vocabulary, knowledge, neighbors, link, numbers.

        What they look at, and from where on something counts as changed or broken, stands in
        `driftkit.questions`.
        """
        return tuple(question.answer(self) for question in _ASKED)

    def finding(self, question: Question) -> Finding:
        """Return the answer to one question."""
        return next(each for each in self.findings if each.question == question)

    @property
    def verdict(self) -> Advice:
        """What the findings advise (see `driftkit.questions.verdict.verdict_of`)."""
        return verdict_of(self.pair, self.findings)

    @property
    def headline(self) -> str:
        """The verdict, what decided it and how much was looked at, in one sentence."""
        return headline_of(self.pair, self.findings, self.noun)
