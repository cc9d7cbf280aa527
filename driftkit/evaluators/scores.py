"""Scores of benchmarks: one, many as one result, and one with every item behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from driftkit.arguments import position
from driftkit.display import Displayed, Text, number, reasons, table
from driftkit.errors import OptionError, UnknownNameError
from driftkit.escaping import printable
from driftkit.evaluators.lookup import Items
from driftkit.names import told_apart, without_shared_folder

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

BESIDE = 5
"""Tables that 80 columns hold beside each other; further ones follow below."""

SCORE = 7
"""Columns of a score, as in ``-0.1234``; it is never folded or left out."""

INCOMPARABLE = (
    "Where tables lack different words, their scores are of different items and do not compare; "
    "`driftkit audit` compares two tables on what both can answer."
)

LABEL = 30
"""Columns of the name of a benchmark, or of a part of one, in a printed table."""

_Table = tuple[str, int]  # its source, and which of those it is

SCHEMA = "driftkit.scores/1"

_KEYS = (
    *("source", "benchmark", "measure", "category", "value", "n_total", "n_used", "n_correct"),
    *("oov", "zero", "reason"),
)
"""Keys of the JSON document, in order."""


@dataclass(frozen=True, slots=True)
class Score:
    """One value of one benchmark.

    Parameters
    ----------
    source : str
        Name of the table scored.
    benchmark : str
        Name in the registry, or the file's name without its ending.
    measure : str
        Such as ``"spearman"`` or ``"3cosadd@1"``.
    value : float
        NaN if it could not be measured; `reason` says why.
    n_total, n_used : int
        Items asked and items answered.
    n_correct : int or None
        Items answered rightly, where an item is right or wrong.
    oov : tuple of str
        Distinct words of the benchmark that the table lacks; items with one are left out.
    zero : tuple of str
        Distinct words whose row is zero; items with one are left out.
    category : str or None
        A section of the benchmark or a group of sections; None for the whole.
    reason : str or None
        Why `value` is NaN.
    details : mapping of str to object
        What else belongs to the value, such as the p-value of a WEAT; plain values.
    """

    source: str
    benchmark: str
    measure: str
    value: float
    n_total: int
    n_used: int
    n_correct: int | None = None
    oov: tuple[str, ...] = field(default=(), repr=False)
    zero: tuple[str, ...] = field(default=(), repr=False)
    category: str | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def of(cls, items: Items, table: Any, evaluator: Any, value: float, **more: Any) -> Score:
        """Return the score of a table over the items of an evaluator's benchmark.

        `more` are further fields, or others than those of `items` and `evaluator`.
        """
        of_items = ("n_total", "n_used", "oov", "zero", "reason")
        fields = {name: getattr(items, name) for name in of_items}
        fields |= {"measure": evaluator.measure, "value": value, **more}
        return cls(table.source.name, evaluator.benchmark.name, **fields)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``results`` in the JSON document; NaN becomes None."""
        found = {key: plain(getattr(self, key)) for key in _KEYS}
        return found | ({"details": dict(self.details)} if self.details else {})


def plain(value: Any) -> Any:
    """Return a value, or those of a dictionary, as JSON has them; NaN becomes None."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and math.isnan(value) else value


@dataclass(frozen=True, slots=True, repr=False)
class Scores(Displayed):
    """Scores of one table or several, one entry per source, benchmark, measure and category.

    ``scores["ws353"]`` is the main score of a benchmark, ``scores[0]`` the first of all.

    Parameters
    ----------
    results : tuple of Score
    notes : tuple of str
        What would let a table answer more: benchmarks of its language, or other ways to find words.
    """

    results: tuple[Score, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Score]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, which: str | int) -> Score:
        """Return the main score of a benchmark, by its name, or the score at a position."""
        names = [score.benchmark for score in self.results]
        found = self.results[position(which, names, "benchmark")]
        tables = {score.source for score in self.results if score.benchmark == which}
        if len(tables) > 1:
            raise OptionError(
                f"{len(tables)} tables have scores of {which!r}; go through all of them and look "
                "at their source."
            )
        return found

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.results + other.results, self.notes + other.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.scores/1``."""
        results = [score.to_dict() for score in self.results]
        return {"schema": SCHEMA, "results": results, "notes": list(self.notes)}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per score; `oov` and `zero` are numbers of words here."""
        import pandas as pd

        rows = []
        for score in self.results:
            row = score.to_dict() | {"oov": len(score.oov), "zero": len(score.zero)}
            row.pop("details", None)
            rows.append(row)
        return pd.DataFrame(rows, columns=_KEYS).astype({"value": "float64", "n_correct": "Int64"})

    def plot(self) -> Chart:
        """Draw the score of each benchmark, tables side by side; needs the extra ``report``."""
        from driftkit.charts.scores import scores

        return scores(self.to_frame())

    def __rich__(self) -> RenderableType:
        rows, tables = self._beside()
        names = dict(
            zip(tables, without_shared_folder([source for source, _ in tables]), strict=True)
        )
        parts: list[RenderableType] = []
        room = (get_terminal_size().columns - 80) // (SCORE + 1)
        beside = min(BESIDE, max(1, BESIDE + room))
        for at in range(0, len(tables) or 1, beside):
            parts += [Text("")] * bool(parts) + [_table(rows, tables[at : at + beside], names)]
        if any(len({(score.oov, score.zero) for score in row.values()}) > 1 for row in rows):
            parts.append(Text(INCOMPARABLE, "yellow"))
        whole = {
            (score.source, score.benchmark)
            for score in self.results
            if score.reason and not score.category
        }
        unmeasured = (
            (_place(names if len(tables) > 1 else {}, score), score.reason)
            for score in self.results
            if not score.category or (score.source, score.benchmark) not in whole
        )
        notes = (Text(f"{note}.", "yellow") for note in self.notes)
        return Group(*parts, *reasons(unmeasured), *notes)

    def _beside(self) -> tuple[list[dict[_Table, Score]], list[_Table]]:
        """Return a row for each benchmark, measure and category, and the tables beside each other.

        What is scored twice under one name, as by other settings, stands beside itself.
        """
        rows: dict[tuple[str, str, str | None], dict[_Table, Score]] = {}
        for score in self.results:
            row = rows.setdefault((score.benchmark, score.measure, score.category), {})
            row[score.source, sum(source == score.source for source, _ in row)] = score
        return [*rows.values()], [*dict.fromkeys(table for row in rows.values() for table in row)]


def _table(
    rows: Sequence[Mapping[_Table, Score]], tables: Sequence[_Table], names: Mapping[_Table, str]
) -> RenderableType:
    """A row for each benchmark, measure and category; one column of scores for each table."""
    asked = [[row[each] for each in tables if each in row] for row in rows]
    labels = told_apart((_label(score) for scores in asked for score in scores), LABEL)
    lacking = any(score.oov for scores in asked for score in scores)
    made = table()
    for name in ("benchmark", "measure"):
        made.add_column(name, overflow="fold")
    for each in tables:
        name = printable(names[each]) if len(names) > 1 else "score"
        made.add_column(name, justify="right", overflow="fold", min_width=SCORE)
    for name in ("items", "OOV words") if lacking else ("items",):
        made.add_column(name, justify="right", overflow="fold")
    for row, scores in zip(rows, asked, strict=True):
        if not scores:
            continue
        counts = [_once(score.n_used for score in scores)]
        if any(score.n_used < score.n_total for score in scores):
            counts[0] += f" of {_once(score.n_total for score in scores)}"
        counts += [_once(len(score.oov) for score in scores)] * lacking
        values = (number(row[each].value, 4) if each in row else "" for each in tables)
        made.add_row(labels[_label(scores[0])], scores[0].measure, *values, *counts)
    return made


def _label(score: Score) -> str:
    return score.benchmark if score.category is None else f"  {score.category}"


def _once(counts: Iterable[int]) -> str:
    """Write the count that all tables share, or the least and the most."""
    each = [*counts]
    return "-".join(f"{count:,}" for count in sorted({min(each), max(each)}))


def _place(names: Mapping[_Table, str], score: Score) -> str:
    """Name what a score is of, and the table where there are several."""
    parts = (names.get((score.source, 0)), score.benchmark, score.category)
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Displayed):
    """What an evaluator says of one table: the scores, and every item behind them.

    Parameters
    ----------
    scores : sequence of Score
        One per measure and category; the first is the one of the evaluator's `measure`.
    settings : mapping of str to str
        The policies it was scored under, such as ``{"case": "exact-then-folded"}``.
    columns : mapping of str to sequence
        Columns of `item_frame`, one entry per item; ``used`` tells which items were answered.
    plot : tuple of three str, optional
        The columns of the items to put on x and on y, and the one that names a point.
    sections : tuple of str
        The categories that together make up the benchmark, where it has some.
    """

    scores: Sequence[Score]
    settings: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(repr=False, default_factory=dict)
    plot: tuple[str, str, str] | None = field(repr=False, default=None)
    sections: tuple[str, ...] = field(repr=False, default=())

    @property
    def value(self) -> float:
        """The main value; NaN if it could not be measured, see ``scores[0].reason``."""
        return self.scores[0].value

    @property
    def macro(self) -> float:
        """Mean of the main value over the sections that could be measured; NaN without any."""
        values = [s.value for s in self.scores if s.category in self.sections and s.n_used]
        return sum(values) / len(values) if values else float("nan")

    @property
    def n_used(self) -> int:
        """Number of items answered."""
        return self.scores[0].n_used

    @property
    def oov(self) -> tuple[str, ...]:
        """Words of the benchmark that the table lacks."""
        return self.scores[0].oov

    def __getitem__(self, measure: str) -> Score:
        """Return the score of a measure over the whole benchmark."""
        for score in self.scores:
            if score.measure == measure and score.category is None:
                return score
        known = dict.fromkeys(score.measure for score in self.scores)
        raise UnknownNameError("measure", measure, known)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.scores/1``, with the settings besides."""
        return self._scores.to_dict() | {"settings": dict(self.settings)}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per measure and category."""
        return self._scores.to_frame()

    def item_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per item, items that were left out included."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))

    def plot_frame(self) -> pd.DataFrame:
        """Return the columns ``x``, ``y`` and ``label`` of the items answered, for a plot.

        Raises
        ------
        OptionError
            If the evaluator did not say what to plot.
        """
        import pandas as pd

        if self.plot is None:
            raise OptionError(
                f"{self.scores[0].benchmark} does not say which columns to plot; choose some of "
                "item_frame()."
            )
        frame = self.item_frame()
        if "used" in frame:
            frame = frame[frame["used"]]
        x, y, label = self.plot
        return pd.DataFrame({"x": frame[x], "y": frame[y], "label": frame[label]})

    def __rich__(self) -> RenderableType:
        settings = ", ".join(f"{key}: {value}" for key, value in self.settings.items())
        return Group(self._scores, Text(settings, "dim"))

    @property
    def _scores(self) -> Scores:
        return Scores(tuple(self.scores))
