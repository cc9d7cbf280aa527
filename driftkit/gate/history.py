"""Runs in their order: what each rule came to, and where the next run is to be expected."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from driftkit.arguments import whole
from driftkit.audits import Audit
from driftkit.defaults import RUNS_COMPARED
from driftkit.display import Displayed, counted, joined
from driftkit.errors import OptionError, UnknownNameError
from driftkit.escaping import to_json
from driftkit.evaluators.significance import LEVEL
from driftkit.gate.against import FEWEST
from driftkit.gate.baseline import Baseline, read_baseline, require_comparable
from driftkit.gate.judged import lines_of, point_of, sides_of, trajectory_of
from driftkit.gate.ordered import ORDERS, Given, Order, comparable, in_order, labels_of, read
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.reports.history import headline_of, history_view
from driftkit.gate.rules import parse_rule
from driftkit.gate.run import Run
from driftkit.gate.trajectories import PastRun, Point, Trajectory
from driftkit.gate.verdict import worst

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

SCHEMA = "driftkit.history/1"


@dataclass(frozen=True, slots=True, repr=False)
class History(Displayed):
    """Runs in their order, made by `driftkit.history`.

    Parameters
    ----------
    original : str
        Name of the table that all runs were tuned from.
    runs : tuple of PastRun
        The oldest first.
    trajectories : tuple of Trajectory
        What each rule came to, in the order of the rules.
    policy : Policy
        The rules in force.
    keep : int
        How many accepted runs before it a run is compared with, at most.
    baseline : str or None
        What all runs are compared with instead.
    order : {"time", "given"}
        By what they are in order.
    notes : tuple of str
        What a reader should know besides, such as which audits were left out.
    """

    original: str
    runs: tuple[PastRun, ...]
    trajectories: tuple[Trajectory, ...]
    policy: Policy
    keep: int
    baseline: str | None
    order: Order
    notes: tuple[str, ...]

    @property
    def headline(self) -> str:
        """Which rules do not hold, since when, and what is near, in one sentence."""
        return headline_of(self.runs, self.trajectories)

    @property
    def explained(self) -> str:
        """What the runs are in order of, and what they are compared with."""
        by = "of the times in their audits" if self.order == "time" else "in which they were given"
        if self.baseline is not None:
            against = f"all runs are compared with {self.baseline}"
        else:
            against = (
                f"each run is compared with the {self.keep} accepted ones before it, at most; one "
                "that fails and stands out is not accepted"
            )
        return (
            f"Runs are in the order {by}; {against}. A band is where {LEVEL:.0%} of runs like "
            f"those lie; it takes {FEWEST} of them. What stands out left its band by more "
            "than one of so many values does by chance. What creeps has moved toward its bound "
            f"run by run; runs that only scatter, and normally, ever do so in {1 - LEVEL:.0%} of "
            "histories at most, however often one looks."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.history/1`` as plain values."""
        return {
            "schema": SCHEMA,
            "driftkit": version("driftkit"),
            "headline": self.headline,
            "original": self.original,
            "order": self.order,
            "keep": self.keep,
            "baseline": self.baseline,
            "level": LEVEL,
            "profile": self.policy.profile,
            "inconclusive": self.policy.inconclusive,
            "not_measured": self.policy.not_measured,
            "runs": [{name: getattr(run, name) for name in PastRun.__slots__} for run in self.runs],
            "trajectories": [each.to_dict() for each in self.trajectories],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Return the document as JSON."""
        return to_json(self.to_dict(), indent=2) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy pandas frame with one row for each rule, subject and run."""
        import pandas as pd

        rows = []
        for each in self.trajectories:
            for run, point in zip(self.runs, each.to_dict()["points"], strict=True):
                band = point.pop("band")
                rows.append(
                    {"rule": each.rule, "subject": each.subject, "run": run.label}
                    | {"name": run.name, "time": run.time}
                    | point
                    | {f"band_{name}": band[name] for name in ("low", "mean", "high", "runs")}
                )
        return pd.DataFrame(rows)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page as one HTML file that opens from disk, offline (extra ``report``).

        A library that is not installed is a MissingExtraError, a place that cannot be written to an
        OutputError.
        """
        from driftkit.report.page.history import write_history

        write_history(path, self.to_dict(), self.explained)

    def plot(self, which: str | None = None) -> Chart:
        """Draw control charts as an altair chart (extra ``report``).

        Parameters
        ----------
        which : str, optional
            A subject, or a rule as it was written; by default those that do not hold, are near
            their bound, creep to it or stood out in the newest run, or the first one.
        """
        from driftkit.charts.history import control_charts

        document = self.to_dict()
        every = document["trajectories"]
        if which is None:
            worth = [
                entry
                for entry, each in zip(every, self.trajectories, strict=True)
                if each.state != "pass"
                or each.is_near
                or each.is_creeping
                or each.newest.stands_out
            ]
            return control_charts(document["runs"], worth or every[:1])
        chosen = [each for each in every if which in (each["subject"], each["rule"])]
        if not chosen:
            names = [name for each in every for name in (each["subject"], each["rule"])]
            raise UnknownNameError("rule or subject of this history", which, names)
        return control_charts(document["runs"], chosen)

    def __rich__(self) -> RenderableType:
        return history_view(self.runs, self.trajectories, self.explained, self.notes)


def history(
    audits: Given | Sequence[Given],
    rules: Sequence[str] | None = None,
    *,
    profile: str | None = None,
    baseline: str | os.PathLike[str] | Baseline | None = None,
    keep: int = RUNS_COMPARED,
    order: str = "time",
    inconclusive: str | None = None,
    not_measured: str | None = None,
) -> History:
    """Put the audits of several runs in their order, and say what each rule came to.

    Each run is judged as `driftkit.check` would have judged it with a baseline of the accepted runs
    before it: all but those that failed and stood out. A run counts once, and those that cannot be
    compared with the newest are left out; `History.notes` names them.

    Parameters
    ----------
    audits : path, Audit, or sequence of these
        Files that ``driftkit audit --json`` wrote, folders of them, or audits.
    rules, profile, inconclusive, not_measured
        As of `driftkit.check`.
    baseline : path or Baseline, optional
        What every run is compared with, instead of the runs before it.
    keep : int
        How many accepted runs before it a run is compared with, at most.
    order : {"time", "given"}
        By the times that audits hold, or as they are given, which needs files and not a folder.

    Returns
    -------
    History

    Raises
    ------
    SourceError
        If a file cannot be read or is no audit, or a folder has none.
    OptionError
        If an option is out of range, or the times of audits do not tell their order.
    RuleError, UnknownNameError
        If a rule cannot be read, or no audit measured what it is about.
    BaselineError
        If the baseline cannot be read, or compared with.

    Examples
    --------
    >>> import numpy as np
    >>> import driftkit as dk
    >>> words = [f"word{i}" for i in range(50)]
    >>> before = np.random.default_rng(0).normal(size=(50, 4))
    >>> original = dk.Embeddings(words, before)
    >>> def week(seed, size=0.01):
    ...     after = before + size * np.random.default_rng(seed).normal(size=(50, 4))
    ...     return dk.audit(dk.align(original, dk.Embeddings(words, after)), benchmarks=[])
    >>> weeks = [week(1), week(2), week(3), week(4), week(5, size=0.5)]
    >>> found = dk.history(weeks, ["self_cosine mean >= baseline - 0.01"])
    >>> [run.state for run in found.runs], found.trajectories[0].outside
    ([None, 'pass', 'pass', 'pass', 'fail'], (4,))
    """
    whole(1, keep=keep)
    if order not in ORDERS:
        raise UnknownNameError("order", order, ORDERS)
    compares = profile is not None or not rules or any(map(_compares, rules))
    policy = make_policy(
        rules,
        profile=profile,
        baseline=compares,
        inconclusive=inconclusive,
        not_measured=not_measured,
    )
    if baseline is not None and not compares:
        make_policy(rules, baseline=True)  # says that no rule compares with it
    stored = read_baseline(baseline) if isinstance(baseline, str | os.PathLike) else baseline
    listed = [audits] if isinstance(audits, str | os.PathLike | Audit) else list(audits)
    notes: list[str] = []
    found = list(read(listed, policy, order, notes))
    if not found:
        raise OptionError("a history needs the audit of one run or more.")
    found = comparable(in_order(found, order), notes)
    runs = [each.run for each in found]
    if stored is not None:
        require_comparable(stored, runs[-1])
    lines = [line for rule in policy.rules for line in lines_of(policy, rule, runs)]
    looked_at = len({line.subject for line in lines if line.subject.kind != "question"})
    points: list[list[Point]] = [[] for _ in lines]
    states, kept = [], list[Run]()
    for each in found:
        window = kept[-keep:] if stored is None else list(stored.runs)
        for line, theirs in zip(lines, points, strict=True):
            theirs.append(point_of(policy, line, each.run, window, stored, looked_at))
        decided = [theirs[-1].action for theirs in points if theirs[-1].action is not None]
        states.append(worst(decided) if decided else None)
        stands_out = any(theirs[-1].stands_out for theirs in points)
        if not (states[-1] == "fail" and stands_out):
            kept.append(each.run)
    compared = {run.sha256 for run in window}
    notes += _engines(runs)
    window = kept[-keep:] if stored is None else list(stored.runs)
    inside = {run.sha256 for run in kept}
    accepted = [run.sha256 in inside for run in runs]
    ways = len(
        {
            (line.subject, side)
            for line in lines
            if line.subject.kind != "question"
            for side in sides_of(line.rule.operator)
        }
    )
    return History(
        original=runs[-1].document["original"]["name"],
        runs=tuple(
            PastRun(
                label=label,
                name=each.run.name,
                file=each.file,
                time="" if each.time is None else each.time.isoformat(timespec="seconds"),
                sha256=each.run.sha256,
                verdict=each.verdict,
                headline=each.run.headline,
                state=state,
                is_accepted=counts,
                is_compared=each.run.sha256 in compared,
            )
            for each, label, state, counts in zip(
                found, labels_of(found), states, accepted, strict=True
            )
        ),
        trajectories=tuple(
            trajectory_of(policy, line, tuple(theirs), runs, window, accepted, looked_at, ways)
            for line, theirs in zip(lines, points, strict=True)
        ),
        policy=policy,
        keep=keep,
        baseline=None if stored is None else f"{stored.name} ({counted(len(stored.runs), 'run')})",
        order="given" if order == "given" else "time",
        notes=tuple(notes),
    )


def _engines(runs: Sequence[Run]) -> Iterator[str]:
    """Name the libraries of which runs had several versions."""
    for name in runs[-1].document["engines"]:
        versions = dict.fromkeys(str(run.document["engines"].get(name)) for run in runs)
        if len(versions) > 1:
            yield f"runs were audited with {name} {joined(versions)}; last digits may differ"


def _compares(rule: str) -> bool:
    return parse_rule(rule).bound.reference == "baseline"
