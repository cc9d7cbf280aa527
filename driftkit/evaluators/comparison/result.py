"""What fine-tuning lost or gained on benchmarks: the results."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from driftkit.arguments import position
from driftkit.display import Displayed, Text, counted, interval, number, reasons, signed, table
from driftkit.evaluators.comparison.paired_items import PairedItems
from driftkit.evaluators.comparison.verdict import Status
from driftkit.evaluators.lookup import ItemsLost
from driftkit.evaluators.scores import plain
from driftkit.evaluators.significance import Test

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

BROKEN = 20  # items that suffered most, as many as the JSON document names of each benchmark

MARKS: Mapping[Status, tuple[str, str]] = {
    "lost": ("-", "bold red"),
    "gained": ("+", "bold cyan"),
    "retained": ("=", "green"),
    "inconclusive": ("?", "yellow"),
    "not tested": ("?", "yellow"),
    "not measured": ("?", "yellow"),
}

_VALUES = ("original", "tuned", "delta", "ci_low", "ci_high", "p_value", "p_holm")
_NESTED = ("split", "bands", "tests", "broken", "effect", "items_lost_from_set")
_KEYS = (
    *("name", "measure", "n_total", "n_used", "oov", "zero"),
    *_VALUES,
    *("status", "margin", "reason", "split", "method", "tests", "effect", "detectable"),
    *("cluster_low", "cluster_high", "bands", "broken"),
    *("items_changeable", "items_rivals", "items_lost_from_set", "least_visible_fall"),
)
"""Keys of the JSON document, in order."""


@dataclass(frozen=True, slots=True)
class PartChange:
    """The scores over a part of the items.

    Parameters
    ----------
    of : mapping of str to object
        Which part: ``{"moved": "none"}``, ``"some"`` or ``"all"`` by how many words of an item
        moved; or ``{"first": 1, "last": 1000}`` by the rank of its rarest word in the original
        table, where ``last`` is None for the band without an end.
    n : int
        Number of items.
    original, tuned, delta : float
        NaN where there are too few items.
    """

    of: Mapping[str, Any]
    n: int
    original: float
    tuned: float
    delta: float

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in the JSON document; NaN becomes None."""
        return dict(plain(_row(self)))


@dataclass(frozen=True, slots=True, repr=False)
class ScoreChange(Displayed):
    """One benchmark before and after, over the items both tables can answer.

    Parameters
    ----------
    name : str
        The benchmark.
    measure : str
        Such as ``"spearman"`` or ``"3cosadd@1"``.
    n_total, n_used : int
        Items asked, and items both tables answered.
    oov, zero : tuple of str
        Words that are not in both tables; words whose row is zero in either.
    original, tuned, delta : float
        The two scores and tuned minus original; NaN if they could not be measured.
    ci_low, ci_high : float
        95 % paired bootstrap interval of `delta`, the one `status` goes by; items that share words
        vary together (see `driftkit.evaluators.significance.clusters`).
    p_value, p_holm : float
        Two-sided, alone and adjusted for the benchmarks compared together.
    status : str
        See `driftkit.evaluators.comparison.verdict.status_of`. *Not tested*: too few items could
        have changed, or too few of the benchmark's items were answered. *Not measured*: there was
        no item, or nothing to lose.
    margin : float
        Smallest change that counts.
    reason : str or None
        Why the status is *not measured* or *not tested*.
    split : tuple of PartChange
        The same for items with none, some and all of their words moved. In a similarity benchmark
        the first is a control: it cannot change.
    items : PairedItems
        Item by item; `items.to_frame()` shows which pairs changed rank and which analogies broke.
    method : {"percentile", "bca"}
        How the interval was taken.
    tests : mapping of str to Test
        Other tests of the same difference: ``permutation``, and ``steiger``, ``williams`` and
        ``meng``, or ``mcnemar``. Of a WEAT, the effect size of each table and its one-sided
        p-value: ``original`` and ``tuned``.
    effect : tuple of (str, float)
        ``cohen_q`` or ``cohen_h`` and its value; the empty name where neither fits.
    detectable : float
        The change this benchmark would find in 80 of 100 cases with the spread seen here: one
        that is smaller could not have been shown.
    cluster_low, cluster_high : float
        95 % interval with whole categories resampled; NaN where there are under five.
    bands : tuple of PartChange
        The same by the rank of the rarest word of an item.
    items_changeable : int
        Items with a word that moved, or more.
    items_rivals : int
        Items none of whose words moved, but the answer before or after is a word that moved or was
        added. What such items mend is no gain, and hides no loss.
    items_lost_from_set : ItemsLost
        How many items the original alone could answer, and the words that were removed or zeroed.
    least_visible_fall : float
        The smallest fall that would have been called *lost* with the spread seen here.
    """

    name: str
    measure: str
    n_total: int
    n_used: int
    oov: tuple[str, ...] = field(repr=False)
    zero: tuple[str, ...] = field(repr=False)
    original: float
    tuned: float
    delta: float
    ci_low: float
    ci_high: float
    p_value: float
    p_holm: float
    status: Status
    margin: float
    reason: str | None
    split: tuple[PartChange, ...] = field(repr=False)
    items: PairedItems = field(repr=False, compare=False)
    method: str = "percentile"
    tests: Mapping[str, Test] = field(repr=False, default_factory=dict)
    effect: tuple[str, float] = ("", math.nan)
    detectable: float = math.nan
    cluster_low: float = field(repr=False, default=math.nan)
    cluster_high: float = field(repr=False, default=math.nan)
    bands: tuple[PartChange, ...] = field(repr=False, default=())
    items_changeable: int = 0
    items_rivals: int = 0
    items_lost_from_set: ItemsLost = field(repr=False, default=ItemsLost())
    least_visible_fall: float = math.nan

    @property
    def label(self) -> str:
        """The benchmark and the measure, such as ``"ws353, spearman"``."""
        return f"{self.name}, {self.measure}"

    @property
    def is_within_margin(self) -> bool:
        """Whether the whole interval lies within the margin on both sides of zero."""
        return -self.margin < self.ci_low and self.ci_high < self.margin

    @property
    def items_sha256(self) -> str:
        """SHA-256 of the items that both tables answered, with the gold answers."""
        text = repr((self.measure, sorted(self.items.questions().items())))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def broken_frame(self) -> pd.DataFrame:
        """The items that suffered, worst first, as a frame."""
        import pandas as pd

        return pd.DataFrame(self.items.broken(self.n_used))

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``benchmarks`` in the JSON document; NaN becomes None."""
        name, effect = self.effect
        nested = {
            "split": [part.to_dict() for part in self.split],
            "tests": {name: plain(asdict(test)) for name, test in self.tests.items()},
            "effect": {"name": name or None, "value": plain(effect)},
            "bands": [part.to_dict() for part in self.bands],
            "broken": self.items.broken(BROKEN),
            "items_lost_from_set": plain(asdict(self.items_lost_from_set)),
        }
        return {key: nested[key] if key in nested else plain(getattr(self, key)) for key in _KEYS}

    def __rich__(self) -> RenderableType:
        return ScoreChanges((self,)).__rich__()


@dataclass(frozen=True, slots=True, repr=False)
class ScoreChanges(Displayed):
    """Benchmarks before and after: ``changes["ws353"]`` by name, ``changes[0]`` by position.

    Parameters
    ----------
    changes : tuple of ScoreChange
    notes : tuple of str
        What would let the tables answer more: benchmarks of their language, or other ways to find
        words.
    """

    changes: tuple[ScoreChange, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[ScoreChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __getitem__(self, which: str | int) -> ScoreChange:
        """Return the change of one benchmark, by name or by position."""
        return self.changes[position(which, [each.name for each in self.changes], "benchmark")]

    def to_dict(self) -> dict[str, Any]:
        """Return the ``benchmarks`` part of the JSON document."""
        return {"benchmarks": [change.to_dict() for change in self.changes]}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per benchmark; `oov` and `zero` count words here."""
        import pandas as pd

        rows = []
        for change in self.changes:
            row = change.to_dict() | {"oov": len(change.oov), "zero": len(change.zero)}
            for part in _NESTED:
                del row[part]
            row["effect_size"] = change.effect[1]
            row["items_lost_from_set"] = change.items_lost_from_set.count
            rows.append(row)
        values = (*_VALUES, "detectable", "cluster_low", "cluster_high", "least_visible_fall")
        return pd.DataFrame(rows).astype(dict.fromkeys(values, "float64"))

    def split_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per benchmark and number of words moved."""
        return self._each(lambda change: map(_row, change.split))

    def band_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per benchmark and frequency band."""
        return self._each(lambda change: map(_row, change.bands))

    def test_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per benchmark and test of its difference."""
        return self._each(
            lambda change: ({"test": name, **asdict(test)} for name, test in change.tests.items())
        )

    def _each(self, rows: Callable[[ScoreChange], Iterable[dict[str, Any]]]) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(
            [
                {"name": change.name, "measure": change.measure, **row}
                for change in self.changes
                for row in rows(change)
            ]
        )

    def plot_frame(self) -> pd.DataFrame:
        """Return a frame to plot: one row per benchmark, its change and interval."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "label": f"{change.name} ({change.measure})",
                    "x": change.delta,
                    "low": change.ci_low,
                    "high": change.ci_high,
                    "margin": change.margin,
                    "status": change.status,
                }
                for change in self.changes
            ]
        )

    def plot(self) -> Chart:
        """Draw each benchmark before and after, its change and whose it is (extra ``report``)."""
        from driftkit.charts.benchmarks import benchmarks

        return benchmarks(self.to_frame(), self.split_frame())

    def __rich__(self) -> RenderableType:
        made = table("benchmark", "measure", right=("n", "before", "after", "change"))
        made.add_column("95 % interval", justify="right", no_wrap=True)
        made.add_column("verdict", no_wrap=True)
        split = table("change by moved words", right=("none", "some", "all"))
        for change in self.changes:
            sign, style = MARKS[change.status]
            made.add_row(
                change.name,
                change.measure,
                f"{change.n_used:,}",
                number(change.original, 3),
                number(change.tuned, 3),
                signed(change.delta),
                interval(change.ci_low, change.ci_high),
                Text(f"{sign} {change.status}", style),
            )
            parts = (f"{signed(part.delta)} (n {part.n:,})" for part in change.split)
            split.add_row(change.name, *parts)
        return Group(
            made,
            split,
            *(Text(note, "dim") for note in self.remarks()),
            *self._reasons("not tested"),
            *self._reasons("not measured"),
            *(Text(f"{note[0].upper()}{note[1:]}.", "yellow") for note in self.notes),
        )

    def remarks(self) -> list[str]:
        """Say from where on a change counts, what was not answered, and what counts for less."""
        margins = {change.measure: change.margin for change in self.changes}
        counts = ", ".join(f"{margin:g} ({measure})" for measure, margin in margins.items())
        notes = [f"A change counts if it is at least {counts}."] + [
            f"{change.name}: {change.n_used:,} of {counted(change.n_total, 'item')} answered; "
            f"{counted(len(change.oov), 'word is', 'words are')} not in both tables."
            for change in self.changes
            if change.n_used < change.n_total
        ]
        notes += [
            f"{change.name}: {change.items_lost_from_set}."
            for change in self.changes
            if change.items_lost_from_set.count
        ]
        return notes + [
            f"{change.name}: {counted(change.items_rivals, 'answer')} went to or from words that "
            "moved or were added, in questions whose own words stayed; what these mended is no "
            f"gain, and without them the change is {own.delta:+.3f}."
            for change in self.changes
            if (own := change.items.without_rivals()) is not None
        ]

    def _reasons(self, status: Status) -> list[RenderableType]:
        """Say which benchmarks have a status and why."""
        some = ((each.name, each.reason) for each in self.changes if each.status == status)
        return reasons(some, status.capitalize())


def _row(change: PartChange) -> dict[str, Any]:
    values = asdict(change)
    return {**values.pop("of"), **values}
