"""How far each word moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType

from driftkit.arguments import position
from driftkit.arrays import Mask, Matrix, Rows, Values, changed_rows, row_blocks
from driftkit.display import Displayed, Text, counted, number, table
from driftkit.drift.groups import Summary, group_masks, none_if_nan, summarize
from driftkit.measures.measure import Measure
from driftkit.measures.registry import OWN, REGISTRY, compute, computed_from, provide
from driftkit.names import LONG, told_apart
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10  # words in a printed table


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WordDrift(Displayed):
    """How far each of n shared words moved; made by `word_drift`."""

    words: tuple[str, ...]
    moved: Mask  # (n,) whether the row changed by more than rounding
    values: Mapping[str, Values]  # (n,) by name of the measure; NaN where it could not be taken
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a measure could not be taken of any word, by its name."""

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, word: str | int) -> dict[str, float]:
        """Return the values of one word, by name or by position, by name of the measure."""
        hint = f"It is not among the {len(self):,} shared words."
        row = position(word, self.words, "word", hint)
        return {name: float(values[row]) for name, values in self.values.items()}

    @property
    def self_cosine(self) -> Values:
        """Cosine of each word's vectors before and after, (n,); NaN where either is zero."""
        return self.values["self_cosine"]

    @property
    def l2(self) -> Values:
        """Euclidean distance between the two, (n,), in the units of the tables."""
        return self.values["l2"]

    @property
    def relative_l2(self) -> Values:
        """That distance divided by the norm before, (n,); NaN where that is zero."""
        return self.values["relative_l2"]

    @property
    def norm_ratio(self) -> Values:
        """Norm after divided by norm before, (n,); NaN where the norm before is zero."""
        return self.values["norm_ratio"]

    def summary(self) -> tuple[Summary, ...]:
        """Sum up each measure over all, the moved and the unmoved words."""
        return summarize(self.values, group_masks(self.moved), self.reasons)

    def most_moved(self, n: int | None = None) -> Rows:
        """Return positions of the n most moved words, or of all: lowest self-cosine, largest l2.

        A word without a self-cosine comes first if its row changed, since it gained or lost its
        direction altogether, and last if it is zero on both sides.
        """
        undirected = np.where(self.l2 > 0, -np.inf, np.inf)
        turned = np.where(np.isnan(self.self_cosine), undirected, self.self_cosine)
        return np.lexsort((-self.l2, turned))[:n]

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each word: ``word``, ``moved`` and each measure."""
        import pandas as pd

        return pd.DataFrame({"word": self.words, "moved": self.moved, **self.values})

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON; None for what is NaN.

        ``words``, ``moved`` and each of ``measures`` are columns of length n.
        """
        return {
            "summary": [row.to_dict() for row in self.summary()],
            "words": list(self.words),
            "moved": self.moved.tolist(),
            "measures": {
                name: [none_if_nan(value) for value in values.tolist()]
                for name, values in self.values.items()
            },
        }

    def __rich__(self) -> RenderableType:
        zero = 0 if "self_cosine" in self.reasons else int(np.isnan(self.self_cosine).sum())
        note = f", {zero:,} with a zero row" if zero else ""
        moved = int(self.moved.sum())
        taken = {name: each for name, each in self.values.items() if name not in self.reasons}
        made = table("word", "moved", right=tuple(taken))
        rows = self.most_moved(SHOWN).tolist()
        names = told_apart((self.words[row] for row in rows), LONG)
        for row in rows:
            cells = (number(float(values[row]), 3) for values in taken.values())
            made.add_row(names[self.words[row]], "yes" if self.moved[row] else "no", *cells)
        title = f"Drift of {counted(len(self), 'word')}, {moved:,} moved{note}; most moved:"
        return Group(
            Text(title), made, *(Text(each, "yellow") for each in unmeasured(self.reasons))
        )


@dataclass(frozen=True, slots=True, eq=False)
class RowSums:
    """Sums (m,) over the coordinates of rows x before and y after: what measures are made of.

    Those over both rows are NaN where one has more coordinates than the other.
    """

    xx: Values
    yy: Values
    xy: Values
    dd: Values  # of (y - x)**2

    @classmethod
    def of(cls, before: Matrix, after: Matrix) -> RowSums:
        """Sum up the rows of two matrices (m, d), in float64 and in blocks of rows."""
        sums = np.empty((4, len(before)))
        for rows in row_blocks(len(before), max(before.shape[1], after.shape[1])):
            old, new = before[rows], after[rows]
            sums[:3, rows] = np.square(old, dtype=np.float64).sum(axis=1)
            sums[3, rows] = 0
            changed = np.flatnonzero(changed_rows(old, new))
            x, y = old[changed].astype(np.float64), new[changed].astype(np.float64)
            at = rows.start + changed
            sums[1, at] = np.square(y).sum(axis=1)
            if x.shape == y.shape:
                sums[2, at], sums[3, at] = (x * y).sum(axis=1), np.square(y - x).sum(axis=1)
            else:
                sums[2:, at] = np.nan
        return cls(*sums)

    @property
    def self_cosine(self) -> Values:
        """Cosines (m,); NaN where a row is zero."""
        # The root of the product, not the product of roots: sqrt(s * s) is s exactly.
        with np.errstate(invalid="ignore"):
            return np.clip(self.xy / np.sqrt(self.xx * self.yy), -1, 1)


provide(
    "sums",
    {
        "self_cosine": lambda sums: sums.self_cosine,
        "l2": lambda sums: np.sqrt(sums.dd),
        "norm_ratio": lambda sums: np.where(sums.xx > 0, np.sqrt(sums.yy / sums.xx), np.nan),
        "relative_l2": lambda sums: np.where(
            sums.xx > 0, np.sqrt(sums.dd) / np.sqrt(sums.xx), np.nan
        ),
    },
)


def word_drift(pair: Pair, measures: Iterable[Measure] = ()) -> WordDrift:
    """Measure how far each shared word moved, by what is always taken and by `measures` of words.

    An identical row gives exactly self-cosine 1, l2 0 and norm ratio 1. Where the tables differ in
    width, only lengths are compared, and `reasons` says what was not measured.

    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "film"], [[1.0, 0.0], [0.0, 2.0]])
    >>> tuned = Embeddings(["good", "film"], [[0.0, 3.0], [0.0, 2.0]])
    >>> drift = word_drift(align(original, tuned))
    >>> drift["good"]["self_cosine"], drift["good"]["norm_ratio"], drift["film"]["l2"]
    (0.0, 3.0, 0.0)
    """
    sums = RowSums.of(pair.before, pair.after)
    unchanged = sums.dd == 0
    values, reasons = {}, {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for measure in computed_from("sums", "word", REGISTRY.values()):
            found = compute(measure, sums, shape=(len(pair),))
            values[str(measure)] = measure.settled(found, unchanged)
            if pair.mismatch and measure.name != "norm_ratio":
                reasons[str(measure)] = pair.mismatch
    for measure in computed_from("pair", "word", measures):
        if pair.mismatch:
            values[str(measure)] = np.full(len(pair), np.nan)
            reasons[str(measure)] = pair.mismatch
            continue
        # It may look at other rows too, so it is known only where none changed; what others compute
        # stands, lest it reads one thing there and another beside a word that moved.
        known = measure.name in OWN and bool(unchanged.all())
        values[str(measure)] = measure.settled(compute(measure, pair, shape=(len(pair),)), known)
    return WordDrift(pair.words, pair.moved, values, reasons)


def unmeasured(reasons: Mapping[str, str]) -> list[str]:
    """Name the measures that could not be taken, one sentence for each reason.

    >>> unmeasured({"self_cosine": "2 against 3 dimensions", "l2": "2 against 3 dimensions"})
    ['Not measured: 2 against 3 dimensions (self_cosine, l2).']
    """
    return [
        f"Not measured: {why} ({', '.join(name for name, each in reasons.items() if each == why)})."
        for why in dict.fromkeys(reasons.values())
    ]


def self_cosines(pair: Pair, rows: Rows) -> Values:
    """Return the self-cosines (m,) of some shared words only, as `word_drift` does."""
    return RowSums.of(pair.before[rows], pair.after[rows]).self_cosine
