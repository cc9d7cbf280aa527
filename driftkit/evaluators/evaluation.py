"""What an evaluator says of one table: the figures, and every item behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.display import Displayed
from driftkit.errors import UnknownNameError
from driftkit.evaluators.scores import Score, Scores

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Displayed):
    """One benchmark of one table.

    Parameters
    ----------
    scores : tuple of Score
        One per measure and category; the first is the main figure.
    settings : mapping of str to str
        The policies it was scored under, such as ``{"case": "exact-then-folded"}``.
    columns : mapping of str to sequence
        One column a key, one entry an item: see `item_frame`.
    plot : tuple of str
        The columns of the items to put on x and on y, and the one that names a point.
    sections : tuple of str
        The categories that together make up the benchmark, where it has some.
    """

    scores: tuple[Score, ...]
    settings: Mapping[str, str]
    columns: Mapping[str, Any] = field(repr=False)
    plot: tuple[str, str, str] = field(repr=False)
    sections: tuple[str, ...] = field(repr=False, default=())

    @property
    def value(self) -> float:
        """The main figure; NaN if it could not be measured, see ``scores[0].reason``."""
        return self.scores[0].value

    @property
    def macro(self) -> float:
        """Mean of the main figure over the sections that could be measured; NaN without any."""
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
        return Scores(self.scores).to_dict() | {"settings": dict(self.settings)}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per measure and category."""
        return Scores(self.scores).to_frame()

    def item_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per item, items that were left out included."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))

    def plot_frame(self) -> pd.DataFrame:
        """Return the columns ``x``, ``y`` and ``label`` of the items answered, for a plot."""
        import pandas as pd

        frame = self.item_frame()
        if "used" in frame:
            frame = frame[frame["used"]]
        x, y, label = self.plot
        return pd.DataFrame({"x": frame[x], "y": frame[y], "label": frame[label]})

    def __rich__(self) -> RenderableType:
        settings = ", ".join(f"{key}: {value}" for key, value in self.settings.items())
        return Group(Scores(self.scores), Text(settings, "dim"))
