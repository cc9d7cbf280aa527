"""Restoring: as much of a tuning as a budget allows, by one of several ways back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftkit.arguments import DEEPEST, real, require, shown, strings, whole
from driftkit.defaults import CANDIDATES, RESAMPLES, K
from driftkit.embeddings import Embeddings
from driftkit.encoders import encoder_of
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.comparison.compare import FEWEST_RESAMPLES, MOST_RESAMPLES
from driftkit.evaluators.registry import Scorable
from driftkit.gate.policy import Policy, make_policy
from driftkit.gate.verdict import Result
from driftkit.maps import Refusal
from driftkit.measured import Settings
from driftkit.pair import Pair, align
from driftkit.progress import Progress, as_progress
from driftkit.restoring.back_map import MEANS, back_map
from driftkit.restoring.ball import ball
from driftkit.restoring.curve import Curve, require_strength, steps
from driftkit.restoring.directions import directions
from driftkit.restoring.gains import gains
from driftkit.restoring.interpolation import interpolation
from driftkit.restoring.measuring import Gauge
from driftkit.restoring.norm import norm
from driftkit.restoring.propagation import propagation
from driftkit.restoring.result import Point, Restored, kept_by
from driftkit.restoring.selection import paid, rare
from driftkit.restoring.tables import with_rows
from driftkit.restoring.task import Task, require_task, value_of

_FINER = 4
"""Strengths that are measured between the last inside the budget and the first outside."""


@dataclass(frozen=True)
class _Asked:
    counts: Mapping[str, float] | None
    k: int
    candidates: int
    seed: int


def _rare(pair: Pair, asked: _Asked) -> Curve:
    if asked.counts is None:
        raise OptionError(
            "the method 'rare' restores rows by how often they were seen; give counts by word "
            "(counts=, --counts FILE)."
        )
    if not isinstance(asked.counts, Mapping):
        raise OptionError(f"counts={shown(asked.counts)} was given; give numbers by word, a dict.")
    for word, count in asked.counts.items():
        if not 0 <= real(count) < math.inf:
            raise OptionError(
                f"{shown(word)} was seen {shown(count)} times by counts; give numbers from 0."
            )
    return rare(pair, asked.counts)


METHODS: dict[str, Callable[[Pair, _Asked], Curve | Refusal]] = {
    "interpolate": lambda pair, _: interpolation(pair),
    "gains": lambda pair, asked: gains(pair, asked.k, asked.candidates),
    "paid": lambda pair, asked: paid(pair, asked.k, asked.candidates),
    "rare": _rare,
    "directions": lambda pair, _: directions(pair),
    "ball": lambda pair, _: ball(pair),
    "norm": lambda pair, _: norm(pair),
    "propagate": lambda pair, asked: propagation(pair, asked.k, asked.candidates),
    "map": lambda pair, asked: back_map(pair, asked.seed),
}
"""Ways of restoring by name; each is described where its function is."""


def restore(
    pair: Pair,
    budget: str | Sequence[str] | None = None,
    *,
    method: str = "interpolate",
    strength: float | None = None,
    strengths: Sequence[float] | None = None,
    task: Task | str | None = None,
    benchmarks: Sequence[Scorable] | Scorable | None = None,
    counts: Mapping[str, float] | None = None,
    k: int = K,
    candidates: int = CANDIDATES,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | bool | None = None,
) -> Restored:
    """Restore a tuned table toward its original, as far as a budget asks or by a given strength.

    Every strength of the method is measured, and of those inside the budget the one is chosen that
    keeps the most movement, four times halfway to the next that is outside, or that the task says
    is best. Inside means that the gate would pass it: where a rule is decided by an interval, all
    of the interval must keep it, and what is not measured (of rows that moved, where none is left
    that did) is not kept. A rule
    on moved words must hold of those that tuning moved, too, whatever is restored. Items of
    benchmarks are halved: the choice is made by one half, and what the rules say by the other half
    is reported beside.

    Parameters
    ----------
    pair : Pair
        From `align`; of one width.
    budget : str or sequence of str, optional
        Rules of the gate, such as ``"spearman[simlex999] >= -0.01"`` (`driftkit.gate.rules`).
    method : str
        ``"interpolate"``: every row keeps a share of its movement. ``"gains"``: each row goes back
        as far as gives it neighbors back, the cheapest first. ``"paid"``: rows that kept the fewest
        neighbors are restored first. ``"rare"``: rows seen fewer times than others are restored.
        ``"directions"``: the movement along the first directions of the drift is taken back.
        ``"ball"``: no row is farther from its place than a multiple of its length. ``"norm"``: rows
        get their lengths back. ``"propagate"``: rows that did not move follow their moved
        neighbors. ``"map"``: moved rows as `driftkit.fit_map` takes them.
    strength : float, optional
        Instead of a budget: this one strength, and nothing is measured.
    strengths : sequence of float, optional
        Where the curve is measured, instead of the method's own grid.
    task : callable or str, optional
        What the table is worth: a function of `Embeddings` that returns a number, more being
        better, or a command with ``{table}`` in it whose last printed line is one.
    benchmarks : sequence, optional
        Benchmarks that rules name and driftkit does not know by name, or evaluators with options;
        those that a rule on every benchmark (``*``) is about.
    counts : mapping of str to float, optional
        How often each word was seen, for ``"rare"``.
    k, candidates, resamples, seed
        As of `driftkit.audit`.
    progress : callable or True, optional
        Called with (done, total), one step for each strength.

    Returns
    -------
    Restored

    Raises
    ------
    OptionError
        If `pair` is no pair, its widths differ, or neither a budget nor a strength nor a task is
        given; if a strength has no meaning for the method, or a task fails.
    SourceError
        If a memory-mapped table was written to meanwhile.
    RuleError
        If a rule cannot be read, or is about something that is not measured.
    UnknownNameError
        If the method is unknown.

    Examples
    --------
    >>> import driftkit as dk
    >>> rng = np.random.default_rng(0)
    >>> words, rows = [f"w{i}" for i in range(60)], rng.normal(size=(60, 8))
    >>> tuned = rows + 0.5 * rng.normal(size=(60, 8))
    >>> pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, tuned))
    >>> found = dk.restore(pair, budget="relative_l2 mean <= 0.25")
    >>> round(found.point.strength, 2), len(found.points), len(found.patch)
    (0.52, 15, 60)
    >>> bool(dk.restore(pair, "relative_l2 mean <= 0.25", method="norm"))
    False
    """
    require(pair, Pair, "dk.restore")
    whole(1, DEEPEST, k=k)
    whole(1, candidates=candidates)
    whole(FEWEST_RESAMPLES, MOST_RESAMPLES, resamples=resamples)
    whole(0, seed=seed)
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if pair.mismatch:
        raise OptionError(
            f"the tables differ in width ({pair.mismatch}), so no row can go back; "
            "dk.fit_map(pair) maps one space to the other."
        )
    if encoder_of(pair.tuned) is not None:
        raise OptionError(
            "the rows are outputs of an encoder, which makes them anew each time; interpolate the "
            "weights of the two models instead."
        )
    rules = [budget] if isinstance(budget, str) else budget
    policy = Policy()
    if rules is not None:
        strict: Any = {"inconclusive": "fail", "not_measured": "fail"}
        policy = make_policy(strings("budget", rules, "rules"), **strict) if rules else policy
    _require_one_aim(policy, strength, strengths, task)
    if task is not None:
        require_task(task, pair)
    gauge = Gauge(pair.moved, policy, benchmarks, Settings(k, candidates, resamples, seed))
    curve = METHODS[method](pair, _Asked(counts, k, candidates, seed))
    given = strengths if strength is None else (strength,)
    if isinstance(curve, Refusal):
        for each in given or ():
            require_strength(each, MEANS)
        why = f"no map helps: {curve.reason}"
        return Restored(pair, method, "", (), None, None, _texts(policy), why)
    asked = [curve.require(each) for each in (curve.strengths if given is None else given)]
    finer = _FINER if given is None and task is None else 0
    told = as_progress(progress, "restoring")
    total = len(asked) + finer
    points: list[Point] = []

    def measure(at: float) -> Point:
        if told is not None:
            told(len(points), total)
        points.append(_point(pair, curve, at, gauge, task))
        return points[-1]

    for each in asked:
        measure(each)
    _refine(curve, points, measure, finer)
    points.sort(key=lambda point: -point.kept)
    if told is not None:
        told(total, total)
    best, reason = _choose(points, pair)
    made = None if best is None else _table(pair, curve, points[best].strength)
    pair.require_as_read()
    texts = _texts(policy)
    return Restored(pair, method, curve.means, tuple(points), best, made, texts, reason)


def _texts(policy: Policy) -> tuple[str, ...]:
    return tuple(rule.text for rule in policy.rules)


def _require_one_aim(policy: Policy, strength: object, strengths: Any, task: object) -> None:
    if strength is not None and (policy.rules or strengths is not None or task is not None):
        raise OptionError(
            "a strength was given, and a budget, strengths or a task besides; a strength says "
            "which table it is, the others choose one."
        )
    if strength is None and not policy.rules and task is None:
        raise OptionError(
            "nothing says how far to restore; give a budget ('spearman[simlex999] >= -0.01'), a "
            "task, or a strength."
        )
    if strengths is not None and (
        isinstance(strengths, str) or not isinstance(strengths, Sized) or not len(strengths)
    ):
        raise OptionError(f"strengths={shown(strengths)} was given; give a list of numbers.")


def _table(pair: Pair, curve: Curve, strength: float) -> Embeddings:
    return with_rows(pair, curve.rows, curve.at(strength))


def _point(
    pair: Pair, curve: Curve, strength: float, gauge: Gauge, task: Task | str | None
) -> Point:
    values = curve.at(strength)
    results: tuple[Result, ...] = ()
    held: tuple[Result, ...] = ()
    worth = math.nan
    if gauge.policy.rules or task is not None:
        made = with_rows(pair, curve.rows, values)
        if gauge.policy.rules:
            results, held = gauge.results(align(pair.original, made))
        if task is not None:
            worth = value_of(task, pair, made)
    return Point(
        strength, _kept(pair, curve, values), worth, results, held if gauge.is_halved else ()
    )


def _refine(
    curve: Curve, points: list[Point], measure: Callable[[float], Point], times: int
) -> None:
    """Measure between the most movement inside the budget and the next more, which is outside."""
    by_kept = sorted(points, key=lambda point: -point.kept)
    best = next((at for at, point in enumerate(by_kept) if point.is_inside), 0)
    if best == 0:  # all of it is inside, or nothing
        return
    outside, inside = by_kept[best - 1].strength, by_kept[best].strength
    for _ in range(times):
        middle = curve.halfway(outside, inside)
        if middle is None:
            return
        if measure(middle).is_inside:
            inside = middle
        else:
            outside = middle


def _kept(pair: Pair, curve: Curve, values: Any) -> float:
    """Return the length of all movement as a share of what it was."""
    moved = np.flatnonzero(pair.changed)
    every, those = steps(pair, moved), np.isin(moved, curve.rows)
    gap = np.linalg.norm(values.astype(np.float64) - pair.before[curve.rows], axis=1).sum()
    whole_way = float(every.sum())
    return float((gap + every[~those].sum()) / whole_way) if whole_way else 1.0


def _choose(points: Sequence[Point], pair: Pair) -> tuple[int | None, str | None]:
    """Return the place of the best point inside the budget, or why there is none."""
    inside = [at for at, point in enumerate(points) if point.is_inside]
    if inside:
        return max(inside, key=lambda at: (np.nan_to_num(points[at].task), -at)), None
    # Nearest to the original: what decides nothing at any strength, what is broken, and the rest.
    told = (_tells_nothing, _is_broken, lambda each: each.action == "fail")
    near, broken = next(
        (point, each)
        for tells in told
        for point in reversed(points)
        for each in point.results
        if tells(each)
    )
    why = f" ({broken.reason})" if broken.outcome == "inconclusive" and broken.reason else ""
    return None, (
        f"no strength is surely inside the budget; at {near.strength:g}, which "
        f"{kept_by(near, pair)}, {broken.sentence}{why}"
    )


def _tells_nothing(result: Result) -> bool:
    """Whether a rule fails since its value, though there is one, says nothing."""
    unread = result.action == "fail" and result.outcome == "not measured"
    return unread and not math.isnan(result.value)


def _is_broken(result: Result) -> bool:
    """Whether a rule fails by what was measured."""
    return result.action == "fail" and result.outcome != "not measured"
