"""What a check found: one result a rule and figure, and one verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from driftkit.gate.outcome import Outcome
from driftkit.gate.policy import Policy
from driftkit.gate.profiles import Action
from driftkit.gate.rules import Operator

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "driftkit.check/1"

State = Literal["pass", "warn", "fail"]

_NUMBERS = ("value", "low", "high", "bound", "tolerance", "slack", "reference")


@dataclass(frozen=True, slots=True)
class Result:
    """One rule applied to one figure.

    Parameters
    ----------
    rule : str
        As it was written.
    subject : str
        The figure.
    value, low, high : float
        The figure and, if it is uncertain, the ends of its interval. Where a benchmark is compared
        with a baseline this is the difference of the two.
    operator : {">=", ">", "<=", "<", "="}
    bound, tolerance : float
        What the figure was compared with, in its own units.
    slack : float
        Distance from the bound: positive where the figure keeps to it, negative where it does not.
    reference : float
        What the original or the baseline has; NaN for a plain bound.
    outcome : {"pass", "fail", "inconclusive", "not measured"}
        Of the rule alone.
    action : {"pass", "warn", "fail"}
        What it leads to.
    decided_by : {"value", "interval"}
    n : int
        Words, items or rows behind the figure.
    detail : str
        What stands behind the figure, such as both scores.
    reason : str or None
        Why it could not be measured.
    """

    rule: str
    subject: str
    value: float
    low: float
    high: float
    operator: Operator
    bound: float
    tolerance: float
    slack: float
    reference: float
    outcome: Outcome
    action: Action
    decided_by: Literal["value", "interval"]
    n: int
    detail: str
    reason: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for what is NaN."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        for name in _NUMBERS:
            if math.isnan(fields[name]):
                fields[name] = None
        return fields


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one table.

    Made by `check`.

    Parameters
    ----------
    original, tuned : str
        Names of the tables.
    results : tuple of Result
        In the order of the rules.
    policy : Policy
        The rules in force.
    baseline : str or None
        What was compared with.
    audit : str
        The one sentence of the audit.
    words : tuple of (str, tuple of str)
        Moved words that kept the fewest neighbors, and which they lost.
    notes : tuple of str
        What a reader should know besides.
    about : mapping
        Tables, benchmarks, settings and versions.
    """

    original: str
    tuned: str
    results: tuple[Result, ...]
    policy: Policy
    baseline: str | None
    audit: str
    words: tuple[tuple[str, tuple[str, ...]], ...] = field(repr=False)
    notes: tuple[str, ...]
    about: Mapping[str, Any] = field(repr=False)

    @property
    def state(self) -> State:
        """``"fail"``, ``"warn"`` (passed, with something to look at) or ``"pass"``."""
        actions = {each.action for each in self.results}
        return "fail" if "fail" in actions else "warn" if "warn" in actions else "pass"

    @property
    def exit_code(self) -> int:
        """1 when a rule of level *fail* led to a failure, else 0."""
        return int(self.state == "fail")

    def acting(self, *actions: Action) -> tuple[Result, ...]:
        """Results that led to one of these, failures first, then the least slack first."""
        order = {"fail": 0, "warn": 1, "pass": 2}
        chosen = (each for each in self.results if each.action in actions)
        return tuple(sorted(chosen, key=lambda each: (order[each.action], _depth(each))))

    @property
    def headline(self) -> str:
        """The verdict and its reasons in one sentence."""
        total = len(self.results)
        checks = "1 check" if total == 1 else f"{total} checks"
        failed, warned = self.acting("fail"), self.acting("warn")
        if failed:
            said = f"Failed: {len(failed)} of {checks}: {_listed(failed)}"
        elif warned:
            many = "1 warning" if len(warned) == 1 else f"{len(warned)} warnings"
            said = f"Passed with {many} in {checks}: {_listed(warned)}"
        else:
            said = f"Passed: {'' if total == 1 else 'all '}{checks}"
        return f"{said}."

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``checks`` in the document ``driftkit.check/1``."""
        return {
            "original": self.original,
            "tuned": self.tuned,
            "state": self.state,
            "headline": self.headline,
            "audit": self.audit,
            "baseline": self.baseline,
            "results": [each.to_dict() for each in self.results],
            "words": [{"word": word, "lost": list(lost)} for word, lost in self.words],
            "notes": list(self.notes),
            **self.about,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row a result."""
        import pandas as pd

        return pd.DataFrame([each.to_dict() for each in self.results])

    def __repr__(self) -> str:
        from driftkit.display import to_text
        from driftkit.gate.reports.terminal import verdict_view

        return to_text(verdict_view([self]))

    def _repr_html_(self) -> str:
        from html import escape

        frame = self.to_frame()[["action", "rule", "subject", "value", "bound", "slack", "outcome"]]
        return f"<p><b>{escape(self.headline)}</b></p>{frame.to_html(index=False, border=0)}"


def check_document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the JSON document ``driftkit.check/1`` of one table or several.

    Parameters
    ----------
    verdicts : sequence of Verdict
        All with the same rules.
    """
    policy = verdicts[0].policy
    return {
        "schema": SCHEMA,
        "state": worst(verdicts),
        "exit_code": max(each.exit_code for each in verdicts),
        "profile": policy.profile,
        "rules": [{"level": rule.level, "rule": rule.text} for rule in policy.rules],
        "inconclusive": policy.inconclusive,
        "not_measured": policy.not_measured,
        "checks": [each.to_dict() for each in verdicts],
    }


def worst(verdicts: Sequence[Verdict]) -> State:
    """Return the worst state among several verdicts."""
    states = {each.state for each in verdicts}
    return "fail" if "fail" in states else "warn" if "warn" in states else "pass"


def _depth(result: Result) -> float:
    """Return the slack in units of the bound, so that different measures can be put in order."""
    if math.isnan(result.slack):
        return -math.inf
    return result.slack / max(abs(result.bound), result.tolerance, 1e-6)


def _listed(results: Sequence[Result]) -> str:
    said = [phrase(each) for each in results[:5]]
    if len(results) > len(said):
        said.append(f"and {len(results) - len(said)} more")
    return "; ".join(said)


def phrase(result: Result) -> str:
    """Say one result in a few words.

    Parameters
    ----------
    result : Result
    """
    if result.outcome == "not measured":
        return f"{result.subject} not measured ({result.reason})"
    detail = f" ({result.detail})" if result.detail else ""
    undecided = ", inconclusive" if result.outcome == "inconclusive" else ""
    bound = f"{result.operator} {result.bound:.6g}"
    if result.tolerance:
        bound += f" +- {result.tolerance:.6g}"
    return f"{result.subject} is {result.value:.6g}{detail}, the rule is {bound}{undecided}"
