"""What a check found: a result for each rule and value, and one verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table

from driftkit.display import Displayed, Text, number, signed, table
from driftkit.gate.policy import Action, Policy
from driftkit.gate.rules import ANSWERS, Operator
from driftkit.questions.finding import Finding

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "driftkit.check/1"

Outcome = Literal["pass", "fail", "inconclusive", "not measured"]
DecidedBy = Literal["value", "interval", "status"]

WORST_FIRST: tuple[Action, ...] = ("fail", "warn", "pass")
STATES: dict[Action, str] = {"fail": "failed", "warn": "passed with warnings", "pass": "passed"}
STYLES: dict[Action, str] = {"fail": "bold red", "warn": "yellow", "pass": "green"}
SIGNS: dict[Action, str] = {"fail": "x", "warn": "!", "pass": "="}
_NUMBERS = ("value", "low", "high", "bound", "tolerance", "slack", "reference")
_NAMED = 5  # results that a headline names


@dataclass(frozen=True, slots=True)
class Result:
    """One rule applied to one value.

    Parameters
    ----------
    rule : str
        As it was written.
    subject : str
        What was measured.
    value, low, high : float
        The value and, if it is uncertain, the ends of its interval. Where a benchmark is compared
        with a baseline this is the difference of the two.
    operator : {">=", ">", "<=", "<", "=", "!="}
    bound, tolerance : float
        What the value was compared with, in its own units. The status of a question is its place
        in `driftkit.gate.rules.ANSWERS`.
    slack : float
        Distance from the bound: positive where the value keeps to it, negative where it does not;
        NaN for the status of a question.
    reference : float
        What the original or the baseline has; NaN for a plain bound.
    outcome : {"pass", "fail", "inconclusive", "not measured"}
        Of the rule alone.
    action : {"pass", "warn", "fail"}
        What it leads to.
    decided_by : {"value", "interval", "status"}
    n : int
        Words, items or rows behind the value.
    runs : int
        Accepted runs whose scatter decided; 0 where none did.
    detail : str
        What stands behind the value, such as both scores.
    reason : str or None
        Why it could not be decided or measured.
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
    decided_by: DecidedBy
    n: int
    runs: int
    detail: str
    reason: str | None

    @property
    def sentence(self) -> str:
        """The result in a few words."""
        if self.outcome == "not measured":
            return f"{self.subject} not measured ({self.reason})"
        detail = f" ({self.detail})" if self.detail else ""
        if self.decided_by == "status":
            return f"{self.subject} is {self.value_text}{detail}, the rule is {self.bound_text}"
        undecided = ", inconclusive" if self.outcome == "inconclusive" else ""
        around = f" +- {self.tolerance:.6g}" if self.tolerance else ""
        bound = f"{self.operator} {self.bound:.6g}{around}"
        return f"{self.subject} is {self.value:.6g}{detail}, the rule is {bound}{undecided}"

    @property
    def value_text(self) -> str:
        """The value as tables show it, with its interval if it was decided by that."""
        if self.decided_by == "status":
            return "not tested" if math.isnan(self.value) else ANSWERS[int(self.value)]
        if self.decided_by == "interval" and not math.isnan(self.low):
            # A change has a sign; a score or a number of benchmarks has none.
            is_change = "[" in self.subject and not self.subject.endswith(" tuned")
            write = signed if is_change else _short
            return f"{write(self.value)} [{write(self.low)}, {write(self.high)}]"
        return _short(self.value)

    @property
    def bound_text(self) -> str:
        """What the value was compared with, as tables show it."""
        if self.decided_by == "status":
            return f"{self.operator} {ANSWERS[int(self.bound)]}"
        around = f" +- {_short(self.tolerance)}" if self.tolerance else ""
        return f"{self.operator} {_short(self.bound)}{around}"

    @property
    def slack_text(self) -> str:
        """The distance from the bound, with its sign."""
        return f"{'+' if self.slack >= 0 else ''}{_short(self.slack)}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for what is NaN, a word for the status of a question."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        if self.decided_by == "status":
            bound = ANSWERS[int(self.bound)]
            fields |= {"value": self.value_text, "bound": bound}
        return fields | {name: None for name in _NUMBERS if fields[name] != fields[name]}


@dataclass(frozen=True, slots=True, repr=False)
class Verdict(Displayed):
    """The verdict on one table, made by `driftkit.check`.

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
    runs : int
        Accepted runs in it; 0 without a baseline.
    audit : str
        The one sentence of the audit.
    findings : tuple of Finding
        Its answers to the six questions.
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
    runs: int
    audit: str
    findings: tuple[Finding, ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]
    about: Mapping[str, Any]

    @property
    def state(self) -> Action:
        """``"fail"``, ``"warn"`` (passed, with something to look at) or ``"pass"``."""
        return worst(each.action for each in self.results)

    @property
    def exit_code(self) -> int:
        """1 when a rule of level *fail* led to a failure, else 0."""
        return int(self.state == "fail")

    def acting(self, *actions: Action) -> tuple[Result, ...]:
        """Results that led to one of these: failures first, then the least slack first.

        Those that passed keep the order of the rules.
        """

        def order(result: Result) -> tuple[int, float]:
            if result.action == "pass":
                return WORST_FIRST.index("pass"), 0.0
            # Slack in units of the bound, so that different measures can be put in order.
            unit = max(abs(result.bound), result.tolerance, 1e-6)
            slack = -math.inf if math.isnan(result.slack) else result.slack / unit
            return WORST_FIRST.index(result.action), slack

        return tuple(sorted((each for each in self.results if each.action in actions), key=order))

    @property
    def headline(self) -> str:
        """The verdict and its reasons in one sentence."""
        total = len(self.results)
        checks = "1 check" if total == 1 else f"{total} checks"
        failed, warned = self.acting("fail"), self.acting("warn")
        if failed:
            return f"Failed: {len(failed)} of {checks}: {_listed(failed)}."
        if warned:
            many = "1 warning" if len(warned) == 1 else f"{len(warned)} warnings"
            return f"Passed with {many} in {checks}: {_listed(warned)}."
        return f"Passed: {'' if total == 1 else 'all '}{checks}."

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``checks`` in the document ``driftkit.check/1``."""
        return {
            "original": self.original,
            "tuned": self.tuned,
            "state": self.state,
            "headline": self.headline,
            "audit": self.audit,
            "findings": [each.to_dict() for each in self.findings],
            "baseline": self.baseline,
            "runs": self.runs,
            "results": [each.to_dict() for each in self.results],
            "words": [{"word": word, "lost": list(lost)} for word, lost in self.words],
            "notes": list(self.notes),
            **self.about,
        }

    @property
    def compared_with(self) -> str:
        """What was compared with besides the original, and how many runs it holds."""
        return (self.baseline or "") + (f" ({self.runs} runs)" if self.runs > 1 else "")

    @property
    def noun(self) -> str:
        """What a row stands for: a *word* where benchmarks of words were asked, else an *item*."""
        return "word" if self.about["benchmarks"] else "item"

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row for each result."""
        import pandas as pd

        return pd.DataFrame([each.to_dict() for each in self.results])

    def __rich__(self) -> RenderableType:
        shown = results_table(self.acting(*WORST_FIRST))
        return Group(Text(self.headline, STYLES[self.state]), shown)


def results_table(results: Sequence[Result]) -> Table:
    """Return a table with one row for each result."""
    made = table("", "measure", right=("value", "bound", "slack"))
    made.add_column("outcome", no_wrap=True)
    made.columns[1].no_wrap = False
    made.columns[1].overflow = "fold"
    for each in results:
        style = STYLES[each.action]
        made.add_row(
            Text(SIGNS[each.action], style),
            each.subject,
            each.value_text,
            each.bound_text,
            each.slack_text,
            Text(each.outcome, style),
        )
    return made


def check_document(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the JSON document ``driftkit.check/1`` of `verdicts`, which share their rules."""
    policy = verdicts[0].policy
    rules = dict.fromkeys(rule for verdict in verdicts for rule in verdict.policy.rules)
    return {
        "schema": SCHEMA,
        "state": worst(each.state for each in verdicts),
        "exit_code": max(each.exit_code for each in verdicts),
        "profile": policy.profile,
        "rules": [{"level": rule.level, "rule": rule.text} for rule in rules],
        "inconclusive": policy.inconclusive,
        "not_measured": policy.not_measured,
        "checks": [each.to_dict() for each in verdicts],
    }


def worst(actions: Iterable[Action]) -> Action:
    """Return the worst of several actions or states."""
    return min(actions, key=WORST_FIRST.index, default="pass")


def _short(value: float) -> str:
    return number(value) if math.isnan(value) or abs(value) >= 1000 else f"{value:.3g}"


def _listed(results: Sequence[Result]) -> str:
    said = [each.sentence for each in results[:_NAMED]]
    if len(results) > len(said):
        said.append(f"and {len(results) - len(said)} more")
    return "; ".join(said)
