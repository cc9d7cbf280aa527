"""What each rule came to in one run after the other."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from driftkit.gate.creeping import Creeping
from driftkit.gate.policy import Action
from driftkit.gate.rules import ANSWERS, Level, Operator
from driftkit.gate.verdict import Outcome


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of a history.

    Parameters
    ----------
    label : str
        What charts and tables call it: its day, with the time where two are of one day.
    name : str
        The tuned table.
    file : str
        Where its audit stands; empty for one that was given as a result.
    time : str
        When it was measured, ISO 8601 in UTC; empty where nothing tells.
    sha256 : str
        Of the words and vectors.
    verdict, headline : str
        What its audit advised.
    state : {"fail", "warn", "pass"} or None
        What the gate would have said; None where no rule could be decided.
    is_accepted : bool
        Whether later runs may be compared with it: not with one that failed and stood out.
    is_compared : bool
        Whether the newest run is.
    """

    label: str
    name: str
    file: str
    time: str
    sha256: str
    verdict: str
    headline: str
    state: Action | None
    is_accepted: bool
    is_compared: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Where one more run lies in 95 of 100 cases, if it is one of those before it.

    Parameters
    ----------
    mean, low, high : float
        NaN where too few runs are known.
    far : float
        How far from the mean a value stands out among all that the history looks at: of twenty
        values that are looked at, one leaves its band by chance alone.
    runs : int
        How many runs it goes by.
    reason : str or None
        Why there is none.
    """

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    far: float = math.nan
    runs: int = 0
    reason: str | None = None

    def is_left_by(self, value: float) -> bool:
        """Whether a value lies outside; one that is not known, or without a band, does not."""
        return value < self.low or value > self.high

    def is_far_from(self, value: float) -> bool:
        """Whether a value stands out."""
        return abs(value - self.mean) > self.far

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for what is NaN."""
        numbers = {name: _plain(getattr(self, name)) for name in ("mean", "low", "high", "far")}
        return {**numbers, "runs": self.runs, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Point:
    """One rule in one run.

    Parameters
    ----------
    value : float
        What was measured; the place of a status in `driftkit.gate.rules.ANSWERS`; NaN for a gap.
    low, high : float
        The interval that its own items leave open; NaN where the value is exact.
    band : Band
        Of the runs before it.
    bound, tolerance : float
        What it was compared with, in the units of the value; NaN where with nothing.
    outcome, action
        As of `driftkit.gate.Result`; None where there was nothing to compare with.
    reason : str or None
        Why there is no value, or no decision.
    """

    value: float
    low: float
    high: float
    band: Band
    bound: float
    tolerance: float
    outcome: Outcome | None
    action: Action | None
    reason: str | None

    @property
    def is_outside(self) -> bool:
        """Whether it left the band of the runs before it."""
        return self.band.is_left_by(self.value)

    @property
    def stands_out(self) -> bool:
        """Whether it left the band by more than one of so many values does by chance."""
        return self.band.is_far_from(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for what is NaN."""
        numbers = ("value", "low", "high", "bound", "tolerance")
        return {
            **{name: _plain(getattr(self, name)) for name in numbers},
            "band": self.band.to_dict(),
            "is_outside": self.is_outside,
            "stands_out": self.stands_out,
            **{name: getattr(self, name) for name in ("outcome", "action", "reason")},
        }


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One rule and one thing that it is about, run after run.

    Parameters
    ----------
    rule : str
        As it was written.
    level : {"fail", "warn"}
    subject : str
        What was measured.
    is_status : bool
        Whether values are places of a status, not numbers.
    operator : {">=", ">", "<=", "<", "=", "!="}
    limit : str
        What the rule asks, as it was written.
    points : tuple of Point
        One for each run, the oldest first.
    next_band : Band
        Where one more run of these lies.
    next_bound : float
        What it will be compared with.
    is_near : bool
        Whether that band reaches past that bound though the newest run keeps to it: then a run that
        is like those before it may cross it by chance.
    creeping : Creeping or None
        How the values of accepted runs have moved toward the bound, run by run; None for a status,
        and where that cannot be told.
    is_creeping : bool
        Whether that is no chance, with all rules asked about after every run.
    """

    rule: str
    level: Level
    subject: str
    is_status: bool
    operator: Operator
    limit: str
    points: tuple[Point, ...]
    next_band: Band
    next_bound: float
    is_near: bool
    creeping: Creeping | None
    is_creeping: bool

    @property
    def label(self) -> str:
        """The subject and what the rule asks of it."""
        return f"{self.subject} {self.limit}"

    @property
    def newest(self) -> Point:
        """The newest run's."""
        return self.points[-1]

    @property
    def state(self) -> Action | None:
        """What the rule led to in the newest run; None where it could not be decided."""
        return None if self.newest.outcome in (None, "not measured") else self.newest.action

    @property
    def since(self) -> int:
        """Place of the first of the newest runs that all came to what the newest one did."""
        same = len(self.points) - 1
        while same and self.points[same - 1].action == self.newest.action:
            same -= 1
        return same

    @property
    def outside(self) -> tuple[int, ...]:
        """Places of the runs that left the band of those before them."""
        return tuple(at for at, point in enumerate(self.points) if point.is_outside)

    @property
    def spread(self) -> float:
        """How wide the band of the next run is; NaN where there is none."""
        return self.next_band.high - self.next_band.low

    @property
    def direction(self) -> str:
        """What a rule asks, in words."""
        return {
            ">=": "at least", ">": "more than", "<=": "at most", "<": "less than",
            "=": "equal to", "!=": "anything but",
        }[self.operator]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for what is NaN, words for a status."""
        plain = [point.to_dict() for point in self.points]
        if self.is_status:
            for each, point in zip(plain, self.points, strict=True):
                each["value"], each["bound"] = _answer(point.value), _answer(point.bound)
        return {
            "rule": self.rule,
            "level": self.level,
            "subject": self.subject,
            "operator": self.operator,
            "limit": self.limit,
            "direction": self.direction,
            "state": self.state,
            "since": self.since,
            "is_near": self.is_near,
            "is_creeping": self.is_creeping,
            "creeping": None if self.creeping is None else asdict(self.creeping),
            "next": {
                **self.next_band.to_dict(),
                "bound": (_answer if self.is_status else _plain)(self.next_bound),
            },
            "points": plain,
        }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _answer(value: float) -> str | None:
    return None if math.isnan(value) else ANSWERS[int(value)]
