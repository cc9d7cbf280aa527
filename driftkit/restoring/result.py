"""What restoring cost and gave back: the whole curve, and the table that was chosen on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.console import Group

from driftkit.display import Displayed, Text, counted, joined, number, section, table
from driftkit.drift.groups import none_if_nan
from driftkit.embeddings import Embeddings
from driftkit.gate.verdict import Result
from driftkit.pair import Pair
from driftkit.patches import Patch

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

SCHEMA = "driftkit.restore/1"


@dataclass(frozen=True, slots=True)
class Point:
    """One strength of a way of restoring.

    Parameters
    ----------
    strength : float
        As `Restored.means` says.
    kept : float
        The length of all movement from the original, as a share of the tuned table's; more than 1
        where rows that did not move are moved.
    task : float
        What the task says; NaN without one.
    results : tuple of Result
        What the rules say by the half of the items that it may be chosen by.
    held_out : tuple of Result
        What they say by the other half; empty where no rule is about items.
    """

    strength: float
    kept: float
    task: float
    results: tuple[Result, ...] = field(repr=False)
    held_out: tuple[Result, ...] = field(repr=False)

    @property
    def is_inside(self) -> bool:
        """Whether it is surely inside the budget, by the half that it may be chosen by."""
        return all(each.action != "fail" for each in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "strength": self.strength,
            "kept": self.kept,
            "task": none_if_nan(self.task),
            "inside": self.is_inside,
            "results": [each.to_dict() for each in self.results],
            "held_out": [each.to_dict() for each in self.held_out],
        }


@dataclass(frozen=True, repr=False)
class Restored(Displayed):
    """A table between the tuned and the original one, and what lies around it.

    Made by `driftkit.restore`. It counts as false where nothing was inside the budget; then there
    is no table.

    Parameters
    ----------
    pair : Pair
    method : str
    means : str
        What a strength of this method is.
    points : tuple of Point
        The curve, the most movement kept first. One point where the strength was given.
    chosen : int or None
        Which of them was chosen.
    table : Embeddings or None
        The restored table: names and order of the tuned one.
    budget : tuple of str
        The rules.
    reason : str or None
        Why there is no table, without its full stop.
    """

    pair: Pair
    method: str
    means: str
    points: tuple[Point, ...] = field(repr=False)
    chosen: int | None
    table: Embeddings | None = field(repr=False)
    budget: tuple[str, ...] = ()
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.table is not None

    @property
    def point(self) -> Point | None:
        """The point that was chosen."""
        return None if self.chosen is None else self.points[self.chosen]

    @cached_property
    def patch(self) -> Patch | None:
        """What the tuned table has to become: rows, values, and the digests of all tables."""
        if self.table is None:
            return None
        return Patch.between(self.pair.tuned, self.table, self.pair.original)

    @property
    def headline(self) -> str:
        """What was chosen and what it keeps, in one sentence."""
        point = self.point
        if point is None:
            return f"Not restored: {self.reason}."
        parts = [f"{self.method} at {point.strength:g} {kept_by(point, self.pair)}"]
        if self.budget:
            most = "the best task value" if point.task == point.task else "the most"
            parts[0] += f", {most} inside the budget"
        if point.task == point.task:
            parts.append(f"the task says {number(point.task, 4)}")
        if point.held_out:
            parts.append(f"on the half it was not chosen by, {_told(point.held_out)}")
        return f"Restored: {'; '.join(parts)}."

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.restore/1`` as plain values."""
        return {
            "schema": SCHEMA,
            "headline": self.headline,
            "sources": {
                "original": self.pair.original.source.name,
                "tuned": self.pair.tuned.source.name,
            },
            "method": self.method,
            "strength_means": self.means,
            "budget": list(self.budget),
            "chosen": self.chosen,
            "reason": self.reason,
            "curve": [each.to_dict() for each in self.points],
            "patch": None if self.patch is None else self.patch.to_dict(),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the curve: one row for each strength, rule and half (*chosen*, *held out*)."""
        import pandas as pd

        return pd.DataFrame(list(self._entries()))

    def _entries(self) -> Iterator[dict[str, Any]]:
        for at, point in enumerate(self.points):
            about = {"strength": point.strength, "kept": point.kept, "task": point.task}
            about |= {"inside": point.is_inside, "is_chosen": at == self.chosen}
            halves = (("chosen", point.results), ("held out", point.held_out))
            told = [(half, each) for half, results in halves for each in results]
            for half, each in told:
                yield about | {
                    "half": half,
                    "subject": each.subject,
                    "value": each.value,
                    "low": each.low,
                    "high": each.high,
                    "outcome": each.outcome,
                }
            if not told:
                yield about

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self.headline, "bold")]
        if not self.points:
            return parts[0]
        for title, held in (("Curve", False), ("The other half of the items", True)):
            if held and not any(point.held_out for point in self.points):
                continue
            parts.append(section(title, self._curve(held=held)))
        parts.append(Text(f"Strength is {self.means}.", "dim"))
        return Group(*parts)

    def _curve(self, *, held: bool) -> RenderableType:
        of = [point.held_out if held else point.results for point in self.points]
        subjects = [each.subject for each in of[0]]
        has_task = any(point.task == point.task for point in self.points)
        names = [*subjects, *(["task"] if has_task and not held else [])]
        shown = table("", right=("strength", "kept", *names))
        for at, (point, results) in enumerate(zip(self.points, of, strict=True)):
            fails = [each.outcome for each in results if each.action == "fail"]
            sign = "x" if "fail" in fails else "?" if fails else "=" if results else ""
            cells = [each.value_text for each in results]
            if has_task and not held:
                cells.append(number(point.task, 4))
            mark = Text(">" if at == self.chosen else sign, "bold" if at == self.chosen else "")
            shown.add_row(mark, f"{point.strength:g}", f"{point.kept:.0%}", *cells)
        return shown


def kept_by(point: Point, pair: Pair) -> str:
    """Say what a point keeps of the movement, if there is any: ``keeps 50% of the movement``."""
    if not pair.changed.any():
        return "keeps the table as it is, since no row moved"
    return f"keeps {point.kept:.0%} of the movement"


def _told(results: tuple[Result, ...]) -> str:
    other = [each for each in results if each.outcome != "pass"]
    if not other:
        n = len(results)
        verb = "the rule is kept" if n == 1 else f"{counted(n, 'rule')} are kept"
        return f"{verb} ({joined(f'{each.subject} {each.value_text}' for each in results[:3])})"
    words = {"fail": "is broken", "inconclusive": "is undecided", "not measured": "is not measured"}
    return joined(f"{each.subject} {each.value_text} {words[each.outcome]}" for each in other[:3])
