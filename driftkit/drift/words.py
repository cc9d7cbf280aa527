"""How far each word moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from driftkit.arrays import BLOCK_ROWS
from driftkit.drift.displacement import displacement_by_name
from driftkit.drift.summary import Summary, none_if_nan, summarize
from driftkit.errors import UnknownNameError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import parse_measure
from driftkit.pair import Pair, Rows

if TYPE_CHECKING:
    import pandas as pd

Figures = npt.NDArray[np.float64]

SHOWN = 10
"""Words in a printed table."""


@dataclass(frozen=True, slots=True, eq=False)
class WordDrift:
    """How far each of n shared words moved.

    Made by `word_drift`.

    Parameters
    ----------
    words : tuple of str
        The n words.
    moved : ndarray of bool, shape (n,)
        Words whose row changed by more than rounding.
    self_cosine : ndarray of float64, shape (n,)
        Cosine of the word's vectors before and after; NaN where either is zero.
    l2 : ndarray of float64, shape (n,)
        Euclidean distance between the two, in the units of the tables.
    relative_l2 : ndarray of float64, shape (n,)
        The same by the norm before; NaN where that is zero.
    norm_ratio : ndarray of float64, shape (n,)
        Norm after divided by norm before; NaN where the norm before is zero.
    further : mapping of str to ndarray of float64, shape (n,)
        Measures that were asked for besides, by name.
    """

    words: tuple[str, ...]
    moved: npt.NDArray[np.bool_]
    self_cosine: Figures
    l2: Figures
    relative_l2: Figures
    norm_ratio: Figures
    further: Mapping[str, Figures] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, word: str) -> dict[str, float]:
        """Return the figures of one word by name of the measure."""
        try:
            row = self.words.index(word)
        except ValueError:
            raise UnknownNameError(
                "word", word, self.words, f"It is not among the {len(self):,} shared words."
            ) from None
        return {name: float(values[row]) for name, values in self.figures().items()}

    def figures(self) -> dict[str, Figures]:
        """Per-word figures (n,) by name of the measure."""
        named = (
            (parse_measure("self_cosine"), self.self_cosine),
            (parse_measure("l2"), self.l2),
            (parse_measure("norm_ratio"), self.norm_ratio),
            (parse_measure("relative_l2"), self.relative_l2),
        )
        return {**{str(measure): values for measure, values in named}, **self.further}

    def summary(self) -> tuple[Summary, ...]:
        """Sum up each measure over all, the moved and the unmoved words."""
        return summarize(self.figures(), self.moved)

    def most_moved(self, n: int | None = None) -> npt.NDArray[np.int64]:
        """Positions in `words` from the most moved on: lowest self-cosine, then largest l2.

        A word without a self-cosine comes first if its row changed, since it gained or lost its
        direction altogether, and last if it is zero on both sides.

        Parameters
        ----------
        n : int, optional
            How many; all unless given.
        """
        undirected = np.where(self.l2 > 0, -np.inf, np.inf)
        turned = np.where(np.isnan(self.self_cosine), undirected, self.self_cosine)
        return np.lexsort((-self.l2, turned))[:n]

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row a word: ``word``, ``moved``, a column a measure."""
        import pandas as pd

        return pd.DataFrame({"word": self.words, "moved": self.moved, **self.figures()})

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
                for name, values in self.figures().items()
            },
        }

    def _title(self) -> str:
        zero = int(np.isnan(self.self_cosine).sum())
        note = f", {zero:,} with a zero row" if zero else ""
        return f"Drift of {len(self):,} words, {int(self.moved.sum()):,} moved{note}; most moved:"

    def __repr__(self) -> str:
        shown = self.to_frame().iloc[self.most_moved(SHOWN)]
        return f"{self._title()}\n{shown.round(4).to_string(index=False)}"

    def _repr_html_(self) -> str:
        shown = self.to_frame().iloc[self.most_moved(SHOWN)]
        return f"<p>{escape(self._title())}</p>{shown.round(4).to_html(index=False, border=0)}"


def word_drift(pair: Pair, measures: Iterable[Measure] = ()) -> WordDrift:
    """Measure how far each shared word moved.

    Sums are taken in float64, in blocks of rows. An identical row gives exactly self-cosine 1,
    l2 0 and norm ratio 1.

    Parameters
    ----------
    pair : Pair
        The two tables.
    measures : iterable of Measure, optional
        Measures to take besides; of these, each ``displacement`` is.

    Returns
    -------
    WordDrift

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "film"], [[1.0, 0.0], [0.0, 2.0]])
    >>> tuned = Embeddings(["good", "film"], [[0.0, 3.0], [0.0, 2.0]])
    >>> drift = word_drift(align(original, tuned))
    >>> drift["good"]["self_cosine"], drift["good"]["norm_ratio"], drift["film"]["l2"]
    (0.0, 3.0, 0.0)
    """
    n = len(pair)
    self_cosine, l2, relative_l2, norm_ratio = np.empty((4, n))
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        x = pair.before[rows].astype(np.float64)  # (b, d)
        y = pair.after[rows].astype(np.float64)
        xx, yy, xy = (x * x).sum(axis=1), (y * y).sum(axis=1), (x * y).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            self_cosine[rows] = _cosine(xy, xx, yy)
            l2[rows] = np.sqrt(np.square(y - x).sum(axis=1))
            relative_l2[rows] = np.where(xx > 0, l2[rows] / np.sqrt(xx), np.nan)
            norm_ratio[rows] = np.where(xx > 0, np.sqrt(yy / xx), np.nan)
    further = {
        str(measure): displacement_by_name(pair, measure)
        for measure in measures
        if measure.name == "displacement"
    }
    return WordDrift(pair.words, pair.moved, self_cosine, l2, relative_l2, norm_ratio, further)


def self_cosines(pair: Pair, rows: Rows) -> Figures:
    """Cosines (m,) of the vectors before and after of some shared words only.

    They are the ones that `word_drift` gives.
    """
    x, y = pair.before[rows].astype(np.float64), pair.after[rows].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _cosine((x * y).sum(axis=1), (x * x).sum(axis=1), (y * y).sum(axis=1))


def _cosine(xy: Figures, xx: Figures, yy: Figures) -> Figures:
    # The root of the product, not the product of roots: sqrt(s * s) is s exactly.
    return np.clip(xy / np.sqrt(xx * yy), -1, 1)
