"""Whose company changed: nearest neighbors of words before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from driftkit.drift.summary import Summary, none_if_nan, summarize
from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures import Measure, parse_measure
from driftkit.neighbors.agreement import overlap, rbo
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

Neighbors = tuple[tuple[str, float], ...]

SHOWN = 10
"""Words, and neighbors of a word, in a printed table."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How one word's neighbors changed.

    Parameters
    ----------
    word : str
    before, after : tuple of (str, float)
        Neighbors and their cosines, nearest first.
    overlap, rbo : float
        Agreement of the two lists; NaN when one of them is empty.
    reason : str or None
        Why the agreement could not be measured.
    """

    word: str
    before: Neighbors
    after: Neighbors
    overlap: float
    rbo: float
    reason: str | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """Neighbors it had and has no more, nearest first."""
        now = {name for name, _ in self.after}
        return tuple(name for name, _ in self.before if name not in now)

    @property
    def gained(self) -> tuple[str, ...]:
        """Neighbors it has and did not have, nearest first."""
        then = {name for name, _ in self.before}
        return tuple(name for name, _ in self.after if name not in then)

    @property
    def kept(self) -> tuple[str, ...]:
        """Neighbors it had and still has, in the order of `before`."""
        now = {name for name, _ in self.after}
        return tuple(name for name, _ in self.before if name in now)


@dataclass(frozen=True, slots=True, eq=False)
class NeighborShifts:
    """The nearest neighbors of m words before and after, over one list of c candidates.

    Made by `neighbor_shifts`. Iteration gives a `Shift` a word.

    Parameters
    ----------
    words : tuple of str
        The m words asked about.
    candidates : tuple of str
        The c words that could be neighbors.
    k : int
        Neighbors asked for.
    moved : ndarray of bool, shape (m,)
        Whether the word's own row moved; words that did not can still lose neighbors.
    before, after : ndarray of int32, shape (m, k)
        Positions in `candidates`, nearest first; -1 where there is no further neighbor.
    before_cosine, after_cosine : ndarray of float32, shape (m, k)
        Their cosines; NaN where there is no neighbor.
    overlap, rbo : ndarray of float64, shape (m,)
        Agreement of the two lists (see `driftkit.neighbors.agreement`); NaN when one is empty.
    reasons : dict of str to str
        For each word without a figure, why.
    """

    words: tuple[str, ...]
    candidates: tuple[str, ...]
    k: int
    moved: npt.NDArray[np.bool_]
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]
    before_cosine: npt.NDArray[np.float32]
    after_cosine: npt.NDArray[np.float32]
    overlap: npt.NDArray[np.float64]
    rbo: npt.NDArray[np.float64]
    reasons: dict[str, str]

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Shift]:
        return map(self.at, range(len(self)))

    def __getitem__(self, word: str) -> Shift:
        """Give the shift of one of the words asked about."""
        try:
            return self.at(self.words.index(word))
        except ValueError:
            raise UnknownNameError(
                "word", word, self.words, "It is not among the words asked about."
            ) from None

    def at(self, row: int) -> Shift:
        """Give the shift of the word at a position in `words`."""
        word = self.words[row]
        return Shift(
            word,
            self._named(self.before[row], self.before_cosine[row]),
            self._named(self.after[row], self.after_cosine[row]),
            float(self.overlap[row]),
            float(self.rbo[row]),
            self.reasons.get(word),
        )

    def _named(
        self, positions: npt.NDArray[np.int32], cosines: npt.NDArray[np.float32]
    ) -> Neighbors:
        return tuple(
            (self.candidates[position], cosine)
            for position, cosine in zip(positions.tolist(), cosines.tolist(), strict=True)
            if position >= 0
        )

    @property
    def measures(self) -> tuple[Measure, Measure]:
        """What `overlap` and `rbo` hold, with their depth: ``overlap@10``, ``rbo(p=0.9)@10``."""
        return parse_measure(f"overlap@{self.k}"), parse_measure(f"rbo@{self.k}")

    def figures(self) -> dict[str, npt.NDArray[np.float64]]:
        """Per-word figures (m,) by name of the measure."""
        share, ranked = self.measures
        return {str(share): self.overlap, str(ranked): self.rbo}

    def summary(self) -> tuple[Summary, ...]:
        """Sum up each measure over all, the moved and the unmoved of the words asked about."""
        return summarize(self.figures(), self.moved)

    def most_shifted(self, n: int | None = None) -> npt.NDArray[np.int64]:
        """Positions in `words`, from the lowest overlap up; ties by RBO, then as given.

        Words that could not be measured come last.

        Parameters
        ----------
        n : int, optional
            How many; all unless given.
        """
        return np.lexsort((self.rbo, self.overlap))[:n]

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas frame with one row a word.

        Columns: ``word``, ``moved``, a column for each measure, and the tuples of words ``lost``,
        ``gained`` and ``kept``. `neighbor_frame` has one row a neighbor.
        """
        import pandas as pd

        shifts = list(self)
        return pd.DataFrame(
            {
                "word": self.words,
                "moved": self.moved,
                **self.figures(),
                "lost": [shift.lost for shift in shifts],
                "gained": [shift.gained for shift in shifts],
                "kept": [shift.kept for shift in shifts],
            }
        )

    def neighbor_frame(self) -> pd.DataFrame:
        """Give a pandas frame with one row for each word and rank.

        Columns: ``word``, ``rank`` (from 1), ``before``, ``before_cosine``, ``after``,
        ``after_cosine``; a missing neighbor is None.
        """
        import pandas as pd

        names = np.array([*self.candidates, None], object)  # position -1 is the None at the end
        return pd.DataFrame(
            {
                "word": np.repeat(np.array(self.words, object), self.k),
                "rank": np.tile(np.arange(1, self.k + 1), len(self)),
                "before": names[self.before.ravel()],
                "before_cosine": self.before_cosine.ravel(),
                "after": names[self.after.ravel()],
                "after_cosine": self.after_cosine.ravel(),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain lists, numbers and strings, ready for JSON (``driftkit.shifts/1``)."""
        share, ranked = map(str, self.measures)
        return {
            "schema": "driftkit.shifts/1",
            "k": self.k,
            "candidates": len(self.candidates),
            "summary": [row.to_dict() for row in self.summary()],
            "words": [
                {
                    "word": shift.word,
                    "moved": moved,
                    "measures": {
                        share: none_if_nan(shift.overlap),
                        ranked: none_if_nan(shift.rbo),
                    },
                    "reason": shift.reason,
                    "before": [{"word": name, "cosine": cosine} for name, cosine in shift.before],
                    "after": [{"word": name, "cosine": cosine} for name, cosine in shift.after],
                    "lost": list(shift.lost),
                    "gained": list(shift.gained),
                    "kept": list(shift.kept),
                }
                for shift, moved in zip(self, self.moved.tolist(), strict=True)
            ],
        }

    def _title(self) -> str:
        share = self.summary()[0]
        mean = f"mean {share.measure} {share.mean:.3f}" if share.n else f"no figure: {share.reason}"
        return (
            f"Neighbor shifts of {len(self):,} words among {len(self.candidates):,} candidates, "
            f"{mean}"
        )

    def _table(self) -> pd.DataFrame:
        """Give the rows worth showing: all in their order, or the most shifted of many."""
        import pandas as pd

        many = len(self) > SHOWN
        rows = self.most_shifted(SHOWN) if many else np.arange(len(self))
        shifts = [self.at(row) for row in rows.tolist()]
        return pd.DataFrame(
            {
                "word": [shift.word for shift in shifts],
                **{name: values[rows].round(3) for name, values in self.figures().items()},
                "lost": [_listed(shift.lost) for shift in shifts],
                "gained": [_listed(shift.gained) for shift in shifts],
            }
        )

    def __repr__(self) -> str:
        return f"{self._title()}\n{self._table().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._title())}</p>{self._table().to_html(index=False, border=0)}"


def neighbor_shifts(
    pair: Pair,
    words: Sequence[str] | None = None,
    k: int = 10,
    *,
    candidates: int | Sequence[str] | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> NeighborShifts:
    """Find the k nearest neighbors of words before and after, and how well they agree.

    Neighbors are by cosine, the word itself left out, in both spaces over the same candidates;
    of equally near ones the earlier candidate comes first. They are exact
    (see `driftkit.neighbors.exact`).

    Parameters
    ----------
    pair : Pair
        The two tables.
    words : sequence of str, optional
        Shared words asked about; every shared word unless given, whatever the candidates.
    k : int
        Number of neighbors. When fewer are possible, lists are as long as can be and are compared
        at that length.
    candidates : int or sequence of str, optional
        Shared words that may be neighbors: the first so many (the most frequent, in files that
        are sorted so), or these, in this order, repeats left out. Every shared word unless given.
        Words asked about need not be among them.
    device : str
        Where torch takes the products, such as ``"cpu"`` or ``"cuda"``.
    progress : callable, optional
        Called with (queries done, queries in all), both spaces counted.

    Returns
    -------
    NeighborShifts

    Raises
    ------
    UnknownNameError
        If a word is in neither table, or in only one of them.
    OptionError
        If k or the number of candidates is below 1, a string stands for a list of words, or torch
        cannot use the device.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "bad", "film"], [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(["good", "bad", "film"], [[0.1, 1], [1, 0], [0, 1]])
    >>> shift = neighbor_shifts(align(original, tuned), ["good"], k=1)["good"]
    >>> shift.lost, shift.gained, shift.overlap
    (('bad',), ('film',), 0.0)
    """
    from driftkit.neighbors.exact import nearest

    _at_least_one("k", k)
    if words is not None:
        _no_string("words", words)
    rows = np.arange(len(pair)) if words is None else pair.rows(words)
    pool = _pool(pair, candidates)
    total = 2 * len(rows)

    def search(
        matrix: npt.NDArray[np.float32], norms: npt.NDArray[np.float64], already: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        return nearest(
            matrix,
            rows,
            k,
            candidates=pool,
            norms=norms,
            device=device,
            progress=progress and (lambda done, _: progress(already + done, total)),
        )

    before, before_cosine = search(pair.before, pair.before_norms, 0)
    after, after_cosine = search(pair.after, pair.after_norms, len(rows))
    (_, persistence), *_ = parse_measure("rbo").parameters
    asked = tuple(pair.words[row] for row in rows.tolist()) if words is not None else pair.words
    share = overlap(before, after)
    return NeighborShifts(
        words=asked,
        candidates=pair.words if pool is None else tuple(pair.words[row] for row in pool.tolist()),
        k=k,
        moved=pair.moved[rows],
        before=before,
        after=after,
        before_cosine=before_cosine,
        after_cosine=after_cosine,
        overlap=share,
        rbo=rbo(before, after, persistence),
        reasons={
            asked[at]: _why_unmeasured(pair, int(rows[at]))
            for at in np.flatnonzero(np.isnan(share)).tolist()
        },
    )


def _why_unmeasured(pair: Pair, row: int) -> str:
    zero = [
        side
        for side, norms in (("original", pair.before_norms), ("tuned", pair.after_norms))
        if norms[row] == 0
    ]
    if zero:
        return f"its row is zero in the {' and the '.join(zero)} table, so it has no direction"
    return "no candidate but itself has a direction"


def _pool(pair: Pair, candidates: int | Sequence[str] | None) -> npt.NDArray[np.int64] | None:
    """Positions of the candidates among the shared words; None for all of them."""
    if candidates is None:
        return None
    if isinstance(candidates, int | np.integer):
        _at_least_one("candidates", int(candidates))
        return np.arange(min(int(candidates), len(pair)))
    _no_string("candidates", candidates)
    _at_least_one("candidates", len(candidates))
    return pair.rows(tuple(dict.fromkeys(candidates)))


def _no_string(option: str, words: Sequence[str]) -> None:
    if isinstance(words, str):
        raise OptionError(f"{option}={words!r} is one string; give a list of words: [{words!r}].")


def _at_least_one(option: str, value: int) -> None:
    if value < 1:
        raise OptionError(f"{option}={value} was given; it must be 1 or more.")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f", … ({len(names)})" if len(names) > 5 else "")
