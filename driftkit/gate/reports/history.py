"""What a history looks like in a terminal: one line for each rule, the worst first."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from rich.console import Group, RenderableType

from driftkit.display import Text, compact, counted, joined, section, table
from driftkit.gate.rules import ANSWERS
from driftkit.gate.trajectories import PastRun, Point, Trajectory
from driftkit.gate.verdict import SIGNS, STATES, STYLES, WORST_FIRST

SHOWN = 14  # newest runs of a trajectory in one line
NAMED = 4  # rules that the headline names of each kind

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-'"
"""Heights of a value, from the least to the most; those of ASCII lie low, in the middle, high."""

UNDECIDED = "?"


def headline_of(runs: Sequence[PastRun], trajectories: Sequence[Trajectory]) -> str:
    """Say which rules do not hold in the newest run, since when, and which are near their bound."""
    newest = runs[-1]
    total = counted(len(trajectories), "check")
    failed, warned = (
        [each for each in trajectories if each.newest.action == action]
        for action in ("fail", "warn")
    )
    open_ = [each for each in trajectories if each.state is None and each not in failed + warned]
    if failed:
        verb = "fails" if len(failed) == 1 else "fail"
        parts = [f"{len(failed)} of {total} {verb}: {_named(_with_since(runs, failed))}"]
        parts += [f"{len(warned)} {'warns' if len(warned) == 1 else 'warn'}"] if warned else []
    elif warned:
        verb = "warns" if len(warned) == 1 else "warn"
        parts = [
            f"None of {total} fails, {len(warned)} {verb}: {_named(_with_since(runs, warned))}"
        ]
    else:
        held = len(trajectories) - len(open_)
        whole = f"All {total} hold" if held > 1 else "The one check holds"
        parts = [f"{held} of {total} hold" if open_ else whole]
    if open_:
        parts.append(f"Not decided: {_named([each.label for each in open_])}")
    if near := [each.label for each in trajectories if each.is_near]:
        parts.append(f"Near the bound: {_named(near)}")
    if crept := [_crept(runs, each) for each in trajectories if each.is_creeping]:
        parts.append(f"Creeping: {_named(crept)}")
    if outside := {each.subject for each in trajectories if each.newest.stands_out}:
        parts.append(f"Stands out from the runs before: {_named(sorted(outside))}")
    parts.append(f"Newest of {counted(len(runs), 'run')}: {newest.name}, {newest.label}")
    return f"{'. '.join(parts)}."


def _with_since(runs: Sequence[PastRun], listed: Sequence[Trajectory]) -> list[str]:
    """Name rules, those first that came last."""
    latest = sorted(listed, key=lambda each: -each.since)
    return [f"{each.label}{_since(runs, each)}" for each in latest]


def _since(runs: Sequence[PastRun], each: Trajectory) -> str:
    count = len(runs) - each.since
    return f" since {runs[each.since].label} ({count} runs)" if count > 1 else ""


def _crept(runs: Sequence[PastRun], each: Trajectory) -> str:
    """Say how far a subject has moved, in how many runs."""
    found = each.creeping
    assert found is not None
    after = f"in {counted(found.runs, 'run')} after {runs[found.since].label}"
    return f"{each.subject} by about {found.total:+.3g} {after}"


def _named(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = [f"{len(shown) - NAMED} more"] if len(shown) > NAMED + 1 else []
    return joined(shown[:NAMED] + more if more else shown)


def history_view(
    runs: Sequence[PastRun],
    trajectories: Sequence[Trajectory],
    explained: str,
    notes: Sequence[str],
    *,
    ascii_only: bool | None = None,
) -> RenderableType:
    """Show every rule in one line, why those that do not hold do not, and which runs stood out.

    In ASCII where standard output takes nothing else, unless `ascii_only` says.
    """
    if ascii_only is None:
        ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    ordered = sorted(trajectories, key=_order)
    many = len(runs) > SHOWN
    made = table("", "check", f"last {SHOWN} runs" if many else "runs", right=("newest",))
    for name in ("band", "bound"):
        made.add_column(name, justify="right", no_wrap=True)
    made.columns[1].no_wrap, made.columns[1].overflow = False, "fold"
    for each in ordered:
        made.add_row(
            _sign(each.newest),
            Text(each.subject),
            spark(each, ascii_only=ascii_only),
            Text(_newest(each), "bold" if each.newest.stands_out else ""),
            _band(each),
            Text(_bound(each)),
        )
    stood = [
        at for at in range(len(runs)) if any(each.points[at].stands_out for each in trajectories)
    ]
    return Group(
        Text(headline_of(runs, trajectories), STYLES[runs[-1].state or "warn"]),
        Text(""),
        made,
        *_reasons(runs, ordered),
        *([_runs(runs, trajectories, stood)] if stood else []),
        *(Text(f"Note: {note}.", "yellow") for note in notes),
        Text(f"{explained} {_legend(ascii_only=ascii_only)}", "dim"),
    )


def _order(each: Trajectory) -> tuple[int, bool, bool]:
    action = each.newest.action
    place = WORST_FIRST.index(action) if action is not None else 1
    return (
        place if each.state != "pass" else 2,
        not (each.is_near or each.is_creeping),
        not each.newest.stands_out,
    )


def _sign(point: Point) -> Text:
    if point.outcome is None or (point.outcome == "not measured" and point.action == "pass"):
        return Text(UNDECIDED, "yellow")
    action = point.action or "warn"
    return Text(SIGNS[action], STYLES[action])


def spark(each: Trajectory, *, ascii_only: bool = False) -> Text:
    """Draw the newest values in one line: heights, and a sign where a rule did not hold.

    A run without a value is a gap, ``?``. The middle half of the heights is the band of the next
    run, so that what only scatters stays there.
    """
    levels = ASCII if ascii_only else BLOCKS
    shown = each.points[-SHOWN:]
    low, high = each.next_band.low, each.next_band.high
    half = (high - low) / 2
    if half > 0:
        low, high = low - half, high + half
    else:
        known = [point.value for point in shown if not math.isnan(point.value)]
        low, high = min(known, default=0.0), max(known, default=0.0)
    drawn = Text()
    for point in shown:
        if math.isnan(point.value):
            drawn.append(UNDECIDED, "yellow")
        elif point.action in ("fail", "warn"):
            drawn.append(SIGNS[point.action], STYLES[point.action])
        elif each.is_status:
            drawn.append(SIGNS["pass"])
        else:
            share = 0.5 if high == low else (point.value - low) / (high - low)
            drawn.append(levels[max(0, min(int(share * len(levels)), len(levels) - 1))])
    return drawn


def _value(each: Trajectory, value: float) -> str:
    if math.isnan(value):
        return "-"
    if each.is_status:
        return ANSWERS[int(value)]
    return compact(value, each.spread)


def _newest(each: Trajectory) -> str:
    """Return the newest value, with a mark where it lies below or above its band."""
    point = each.newest
    mark = "" if not point.is_outside else " v" if point.value < point.band.low else " ^"
    return f"{_value(each, point.value)}{mark}"


def _band(each: Trajectory) -> Text:
    band = each.newest.band
    if math.isnan(band.low):
        short = "" if each.is_status or not band.reason else "too few runs"
        return Text(short, "dim")
    return Text(f"{_value(each, band.low)} to {_value(each, band.high)}")


def _bound(each: Trajectory) -> str:
    if math.isnan(each.newest.bound):
        return each.operator if each.newest.outcome else ""
    return f"{each.operator} {_value(each, each.newest.bound)}"


def _reasons(runs: Sequence[PastRun], ordered: Sequence[Trajectory]) -> list[RenderableType]:
    lines: dict[str, Text] = {}
    for each in ordered:
        point = each.newest
        said = []
        if point.action in ("fail", "warn"):
            said.append(f"{point.action}s{_since(runs, each)}")
        if point.reason:
            said.append(point.reason)
        if each.is_near:
            low, high = each.next_band.low, each.next_band.high
            said.append(
                f"near: the next run is to be expected at {_value(each, low)} to "
                f"{_value(each, high)}, and the bound is {_value(each, each.next_bound)}"
            )
        if each.is_creeping:
            said.append(f"creeping: {_crept(runs, each).removeprefix(each.subject).strip()}")
        if said:
            line = f"{_sign(point).plain} {each.label}: {'; '.join(said)}."
            lines[line] = Text(line, _sign(point).style)  # type: ignore[arg-type]
    return list(lines.values())


def _runs(
    runs: Sequence[PastRun], trajectories: Sequence[Trajectory], stood: Sequence[int]
) -> RenderableType:
    made = table("run", "table", "state")
    made.add_column("in", overflow="fold")
    for at in stood[-SHOWN:]:
        outside = sorted({each.subject for each in trajectories if each.points[at].stands_out})
        state = runs[at].state
        shown = Text(STATES[state], STYLES[state]) if state else Text("not decided", "yellow")
        said = (runs[at].label, runs[at].name, _named(outside) if outside else "")
        label, name, which = map(Text, said)
        made.add_row(label, name, shown, which)
    newest = f", the newest {SHOWN} of {len(stood)}" if len(stood) > SHOWN else ""
    return section(f"Runs that stood out{newest}", made)


def _legend(*, ascii_only: bool) -> str:
    levels = ASCII if ascii_only else BLOCKS
    return (
        f"In a line of runs {levels[0]} to {levels[-1]} is low to high, with the band in the "
        "middle; x failed, ! warned, ? has no value, = is a status that passed. Behind the newest "
        "value, ^ is above and v below its band."
    )
